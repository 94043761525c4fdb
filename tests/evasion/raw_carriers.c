// SPDX-License-Identifier: Apache-2.0
/*
 * Packets with headers of our own, from raw and packet sockets: lengths that contradict each other,
 * fragments that hide a port or a name, packets in packets.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"

#define SOURCE_PORT   40000
#define FRAGMENT_ID   0x4150
#define INTERFACE     "veth0"
#define FRAGMENT_STEP 8 /* what a fragment's offset counts */

static struct in_addr address4(const struct attempt *attempt)
{
	return ((const struct sockaddr_in *)&attempt->to.address)->sin_addr;
}

static int need_family(const struct attempt *attempt, int family)
{
	return family_of(&attempt->to) == family ? 0 : -EINVAL;
}

/* `claimed` is what the header says; its checksum is 0, which IPv4 allows. */
static void put_udp(struct bytes *out, const struct attempt *attempt, const struct bytes *payload,
		    size_t claimed)
{
	bytes_put16(out, SOURCE_PORT);
	bytes_put16(out, port_of(&attempt->to));
	bytes_put16(out, (unsigned)(claimed + sizeof(struct udphdr)));
	bytes_put16(out, 0);
	bytes_put(out, payload->at, payload->length);
}

/* An IPv4 packet with a piece of something in it; the kernel fills source and checksum in. */
struct piece {
	const uint8_t *at;
	size_t length;
	size_t offset; /* in the whole, a multiple of FRAGMENT_STEP */
	bool more;
	uint8_t protocol;
};

static void put_packet(struct bytes *out, const struct attempt *attempt, const struct piece *piece)
{
	const struct iphdr header = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.id = htons(FRAGMENT_ID),
		.protocol = piece->protocol,
		.frag_off = htons(
			(uint16_t)(piece->offset / FRAGMENT_STEP | (piece->more ? IP_MF : 0U))),
		.tot_len = htons((uint16_t)(sizeof(header) + piece->length)),
		.daddr = address4(attempt).s_addr,
	};

	bytes_put(out, &header, sizeof(header));
	bytes_put(out, piece->at, piece->length);
}

static int open_headers(const struct attempt *attempt)
{
	const int result = need_family(attempt, AF_INET);

	return result < 0 ? result : open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
}

static int send_packets(const struct attempt *attempt, const struct piece *pieces, size_t count)
{
	static struct bytes packet;
	int fd = open_headers(attempt), result = 0, sent;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < count; i++) {
		packet.length = 0;
		put_packet(&packet, attempt, &pieces[i]);
		/* One that is refused does not keep the next from being tried. */
		sent = send_to(fd, &packet, &attempt->to);
		result = result < 0 ? result : sent;
	}
	return result;
}

static int carry_headers(const struct attempt *attempt)
{
	static struct bytes whole;

	put_udp(&whole, attempt, &attempt->parcel->wanted, attempt->parcel->wanted.length);
	return send_packets(
		attempt,
		&(struct piece){.at = whole.at, .length = whole.length, .protocol = IPPROTO_UDP},
		1);
}

/* UDP ends with the granted message; IP goes on. */
static int carry_slack(const struct attempt *attempt)
{
	static struct bytes whole;

	put_udp(&whole, attempt, &attempt->parcel->twin, attempt->parcel->twin.length);
	bytes_put(&whole, attempt->parcel->wanted.at, attempt->parcel->wanted.length);
	return send_packets(
		attempt,
		&(struct piece){.at = whole.at, .length = whole.length, .protocol = IPPROTO_UDP},
		1);
}

static int carry_udp_short(const struct attempt *attempt)
{
	static struct bytes whole;

	put_udp(&whole, attempt, &attempt->parcel->wanted, 12);
	return send_packets(
		attempt,
		&(struct piece){.at = whole.at, .length = whole.length, .protocol = IPPROTO_UDP},
		1);
}

/* The port in the first fragment, the name in the second. */
static int carry_tiny_fragment(const struct attempt *attempt)
{
	static struct bytes whole;

	put_udp(&whole, attempt, &attempt->parcel->wanted, attempt->parcel->wanted.length);
	return send_packets(
		attempt,
		(struct piece[]){{whole.at, 8, 0, true, IPPROTO_UDP},
				 {whole.at + 8, whole.length - 8, 8, false, IPPROTO_UDP}},
		2);
}

/* No first one at all: what has no port names none that is not granted. */
static int carry_later_fragment(const struct attempt *attempt)
{
	const struct bytes *wanted = &attempt->parcel->wanted;

	return send_packets(attempt,
			    &(struct piece){wanted->at, wanted->length, 64, false, IPPROTO_UDP}, 1);
}

/* A granted message, and then another over the same bytes. */
static int carry_overlap(const struct attempt *attempt)
{
	static struct bytes granted, other;
	const struct parcel *parcel = attempt->parcel;

	put_udp(&granted, attempt, &parcel->twin, parcel->twin.length);
	put_udp(&other, attempt, &parcel->wanted, parcel->wanted.length);
	return send_packets(
		attempt,
		(struct piece[]){{granted.at, granted.length & ~7U, 0, true, IPPROTO_UDP},
				 {other.at + 8, other.length - 8, 8, false, IPPROTO_UDP}},
		2);
}

static int carry_in_ip(const struct attempt *attempt)
{
	static struct bytes inner, udp;

	put_udp(&udp, attempt, &attempt->parcel->wanted, attempt->parcel->wanted.length);
	put_packet(&inner, attempt,
		   &(struct piece){.at = udp.at, .length = udp.length, .protocol = IPPROTO_UDP});
	return send_packets(
		attempt,
		&(struct piece){.at = inner.at, .length = inner.length, .protocol = IPPROTO_IPIP},
		1);
}

static int carry_unknown_protocol(const struct attempt *attempt)
{
	const struct bytes *wanted = &attempt->parcel->wanted;

	return send_packets(
		attempt,
		&(struct piece){.at = wanted->at, .length = wanted->length, .protocol = 253}, 1);
}

/* A segment of a connection that nobody opened. */
static int carry_segment(const struct attempt *attempt)
{
	static struct bytes whole;
	const struct tcphdr header = {.source = htons(SOURCE_PORT),
				      .dest = htons(port_of(&attempt->to)),
				      .doff = 5,
				      .psh = 1,
				      .ack = 1,
				      .window = htons(1000)};

	bytes_put(&whole, &header, sizeof(header));
	bytes_put(&whole, attempt->parcel->wanted.at, attempt->parcel->wanted.length);
	return send_packets(
		attempt,
		&(struct piece){.at = whole.at, .length = whole.length, .protocol = IPPROTO_TCP},
		1);
}

/* A SYN with data, without the option that asks for it. */
static int carry_syn_data(const struct attempt *attempt)
{
	static struct bytes whole;
	const struct tcphdr header = {.source = htons(SOURCE_PORT),
				      .dest = htons(port_of(&attempt->to)),
				      .doff = 5,
				      .syn = 1,
				      .window = htons(1000)};

	bytes_put(&whole, &header, sizeof(header));
	bytes_put(&whole, attempt->parcel->wanted.at, attempt->parcel->wanted.length);
	return send_packets(
		attempt,
		&(struct piece){.at = whole.at, .length = whole.length, .protocol = IPPROTO_TCP},
		1);
}

/* The kernel writes the IP header, of either family. */
static int carry_raw_udp(const struct attempt *attempt)
{
	static struct bytes whole;
	struct endpoint to = attempt->to;
	int fd = open_socket(family_of(&to), SOCK_RAW, IPPROTO_UDP);
	const int at = 6; /* where UDP has its checksum */

	if (fd < 0)
		return fd;
	put_udp(&whole, attempt, &attempt->parcel->wanted, attempt->parcel->wanted.length);
	/* A raw IPv6 socket takes its port for a protocol; IPv6 wants a checksum. */
	((struct sockaddr_in *)&to.address)->sin_port = 0;
	if (family_of(&to) == AF_INET6 &&
	    setsockopt(fd, IPPROTO_RAW, IPV6_CHECKSUM, &at, sizeof(at)) < 0)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &at, sizeof(at));
	return send_to(fd, &whole, &to);
}

/* IPv6 with a header of our own in front of UDP: a fragment that is whole (RFC 6946), or options.
 */
static int carry_raw6(const struct attempt *attempt, uint8_t next, const uint8_t extension[8])
{
	static struct bytes whole;
	struct endpoint to = attempt->to;
	int result = need_family(attempt, AF_INET6), fd;

	if (result < 0)
		return result;
	fd = open_socket(AF_INET6, SOCK_RAW, next);
	if (fd < 0)
		return fd;
	((struct sockaddr_in6 *)&to.address)->sin6_port = 0;
	bytes_put(&whole, extension, 8);
	put_udp(&whole, attempt, &attempt->parcel->wanted, attempt->parcel->wanted.length);
	return send_to(fd, &whole, &to);
}

static int carry_raw6_fragment(const struct attempt *attempt)
{
	return carry_raw6(attempt, IPPROTO_FRAGMENT,
			  (const uint8_t[8]){IPPROTO_UDP, 0, 0, 0, 0, 0, 0, 7});
}

static int carry_raw6_later_fragment(const struct attempt *attempt)
{
	return carry_raw6(attempt, IPPROTO_FRAGMENT,
			  (const uint8_t[8]){IPPROTO_UDP, 0, 0, 64, 0, 0, 0, 7});
}

static int carry_raw6_options(const struct attempt *attempt)
{
	return carry_raw6(attempt, IPPROTO_DSTOPTS,
			  (const uint8_t[8]){IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0});
}

static int carry_packet(const struct attempt *attempt)
{
	static struct bytes udp, packet;
	struct sockaddr_ll everybody = {.sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_IP),
					.sll_ifindex = (int)if_nametoindex(INTERFACE),
					.sll_halen = ETH_ALEN,
					.sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	int fd = open_socket(AF_PACKET, SOCK_DGRAM, 0), result;

	if (fd < 0)
		return fd;
	result = need_family(attempt, AF_INET);
	if (result < 0)
		return result;
	put_udp(&udp, attempt, &attempt->parcel->wanted, attempt->parcel->wanted.length);
	put_packet(&packet, attempt,
		   &(struct piece){.at = udp.at, .length = udp.length, .protocol = IPPROTO_UDP});
	return sendto(fd, packet.at, packet.length, 0, (struct sockaddr *)&everybody,
		      sizeof(everybody)) < 0
		       ? -errno
		       : 0;
}

const struct carrier raw_carriers[] = {
	{"raw-headers", carry_headers, false},
	{"raw-slack", carry_slack, false},
	{"raw-udp-short", carry_udp_short, false},
	{"raw-tiny-fragment", carry_tiny_fragment, false},
	{"raw-later-fragment", carry_later_fragment, false},
	{"raw-overlap", carry_overlap, false},
	{"raw-in-ip", carry_in_ip, false},
	{"raw-unknown-protocol", carry_unknown_protocol, false},
	{"raw-segment", carry_segment, false},
	{"raw-syn-data", carry_syn_data, false},
	{"raw-udp", carry_raw_udp, false},
	{"raw6-fragment", carry_raw6_fragment, false},
	{"raw6-later-fragment", carry_raw6_later_fragment, false},
	{"raw6-options", carry_raw6_options, false},
	{"packet", carry_packet, false},
};
const size_t raw_carrier_count = ARRAY_SIZE(raw_carriers);
