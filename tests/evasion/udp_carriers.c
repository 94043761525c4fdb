// SPDX-License-Identifier: Apache-2.0
/* Ways of a datagram over UDP. None waits for an answer: the far end says what arrived. */
#include <linux/udp.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"
#include "changing.h"
#include "tests/tools/uring.h"

#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif
#define PIECES_MAX 128

static int open_datagrams(const struct attempt *attempt)
{
	return open_socket(family_of(&attempt->to), SOCK_DGRAM, 0);
}

static int open_towards(const struct attempt *attempt)
{
	return open_connected(&attempt->to, SOCK_DGRAM, 0);
}

static int carry_plain(const struct attempt *attempt)
{
	int fd = open_datagrams(attempt);

	return fd < 0 ? fd : send_to(fd, &attempt->parcel->wanted, &attempt->to);
}

static int send_wanted(int fd, const struct attempt *attempt, int flags)
{
	return send_all(fd, attempt->parcel->wanted.at, attempt->parcel->wanted.length, flags);
}

static int send_twin(int fd, const struct attempt *attempt, int flags)
{
	return send_all(fd, attempt->parcel->twin.at, attempt->parcel->twin.length, flags);
}

static int carry_connected(const struct attempt *attempt)
{
	int fd = open_towards(attempt);

	return fd < 0 ? fd : send_wanted(fd, attempt, 0);
}

static int carry_mapped(const struct attempt *attempt)
{
	struct endpoint mapped;
	int fd = open_socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	if (family_of(&attempt->to) != AF_INET)
		return -EINVAL;
	endpoint_map(&mapped, &attempt->to);
	return send_to(fd, &attempt->parcel->wanted, &mapped);
}

/* Linux takes AF_UNSPEC for AF_INET here (net/ipv4/udp.c, udp_sendmsg). */
static int carry_unspecified(const struct attempt *attempt)
{
	struct endpoint unspecified = attempt->to;
	int fd = open_datagrams(attempt);

	unspecified.address.ss_family = AF_UNSPEC;
	return fd < 0 ? fd : send_to(fd, &attempt->parcel->wanted, &unspecified);
}

static int carry_connected_sendto(const struct attempt *attempt)
{
	int fd = open_towards(attempt), result;

	if (fd < 0)
		return fd;
	result = send_twin(fd, attempt, 0);
	return result < 0 ? result : send_to(fd, &attempt->parcel->wanted, &attempt->to);
}

/* By one call: what is granted, then what is not. */
static int carry_many(const struct attempt *attempt)
{
	struct iovec pieces[] = {
		{attempt->parcel->twin.at, attempt->parcel->twin.length},
		{attempt->parcel->wanted.at, attempt->parcel->wanted.length},
	};
	struct mmsghdr messages[ARRAY_SIZE(pieces)] = {0};
	int fd = open_towards(attempt), sent;

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
	sent = sendmmsg(fd, messages, 2, MSG_NOSIGNAL);
	if (sent == 1)
		sent = sendmmsg(fd, messages + 1, 1, MSG_NOSIGNAL); /* asks for its errno */
	return sent < 0 ? -errno : 0;
}

/* ---- one datagram of several calls ---- */

/* What is granted is a whole message, until more is appended. */
static int carry_more(const struct attempt *attempt)
{
	int fd = open_towards(attempt), result;

	if (fd < 0)
		return fd;
	result = send_twin(fd, attempt, MSG_MORE);
	return result < 0 ? result : send_wanted(fd, attempt, 0);
}

static int carry_corked(const struct attempt *attempt)
{
	const struct bytes *wanted = &attempt->parcel->wanted;
	int fd = open_towards(attempt), result;

	if (fd < 0)
		return fd;
	result = set_option(fd, IPPROTO_UDP, UDP_CORK, 1);
	for (size_t i = 0; i < wanted->length && result == 0; i++)
		result = send_all(fd, wanted->at + i, 1, 0);
	return result < 0 ? result : set_option(fd, IPPROTO_UDP, UDP_CORK, 0);
}

static int carry_pieces(const struct attempt *attempt)
{
	struct bytes *wanted = &attempt->parcel->wanted;
	struct iovec pieces[PIECES_MAX];
	const size_t count = wanted->length < PIECES_MAX ? wanted->length : PIECES_MAX;
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
	int fd = open_towards(attempt);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < count; i++)
		pieces[i] = (struct iovec){wanted->at + i, 1};
	pieces[count - 1].iov_len = wanted->length - count + 1;
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- segmentation offload: several datagrams in one packet, as the hook sees it ---- */

static void put_segments(struct bytes *all, const struct parcel *parcel, size_t twins)
{
	for (size_t i = 0; i < twins; i++)
		bytes_put(all, parcel->twin.at, parcel->twin.length);
	bytes_put(all, parcel->wanted.at, parcel->wanted.length);
}

static int carry_segmented(const struct attempt *attempt, size_t twins)
{
	static struct bytes all;
	int fd = open_towards(attempt), result;

	if (fd < 0)
		return fd;
	put_segments(&all, attempt->parcel, twins);
	result = set_option(fd, IPPROTO_UDP, UDP_SEGMENT, (int)attempt->parcel->twin.length);
	return result < 0 ? result : send_all(fd, all.at, all.length, 0);
}

static int carry_segment_second(const struct attempt *attempt)
{
	return carry_segmented(attempt, 1);
}

static int carry_segment_last(const struct attempt *attempt)
{
	return carry_segmented(attempt, 15);
}

/* The size as control data of one call; RFC-less, udp(7). */
static int carry_segment_control(const struct attempt *attempt)
{
	static struct bytes all;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
	} control = {.header = {.cmsg_level = IPPROTO_UDP,
				.cmsg_type = UDP_SEGMENT,
				.cmsg_len = CMSG_LEN(sizeof(uint16_t))}};
	const uint16_t size = (uint16_t)attempt->parcel->twin.length;
	struct iovec piece;
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int fd = open_towards(attempt);

	if (fd < 0)
		return fd;
	put_segments(&all, attempt->parcel, 1);
	piece = (struct iovec){all.at, all.length};
	memcpy(CMSG_DATA(&control.header), &size, sizeof(size));
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- headers between the address and the port ---- */

static int carry_with_option(const struct attempt *attempt, int level, int name, const void *option,
			     size_t length)
{
	int fd = open_datagrams(attempt);

	if (fd < 0)
		return fd;
	if (setsockopt(fd, level, name, option, (socklen_t)length) < 0)
		return -errno;
	return send_to(fd, &attempt->parcel->wanted, &attempt->to);
}

static int carry_ip_options(const struct attempt *attempt)
{
	const uint8_t nothing[8] = {IPOPT_NOP, IPOPT_NOP, IPOPT_NOP, IPOPT_NOP};

	return carry_with_option(attempt, IPPROTO_IP, IP_OPTIONS, nothing, sizeof(nothing));
}

static int carry_destination_options(const struct attempt *attempt)
{
	const uint8_t padding[8] = {0, 0, 1, 4};

	return carry_with_option(attempt, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding));
}

static int carry_hop_options(const struct attempt *attempt)
{
	const uint8_t padding[8] = {0, 0, 1, 4};

	return carry_with_option(attempt, IPPROTO_IPV6, IPV6_HOPOPTS, padding, sizeof(padding));
}

static int carry_udplite(const struct attempt *attempt)
{
	int fd = open_socket(family_of(&attempt->to), SOCK_DGRAM, IPPROTO_UDPLITE);

	return fd < 0 ? fd : send_to(fd, &attempt->parcel->wanted, &attempt->to);
}

/* ---- io_uring ---- */

static int do_once(const struct io_uring_sqe *what)
{
	struct uring uring = {.fd = -1};
	int result = uring_open(&uring);

	return result < 0 ? result : uring_do(&uring, what);
}

static int carry_by_ring(const struct attempt *attempt, unsigned opcode)
{
	const struct bytes *wanted = &attempt->parcel->wanted;
	int fd = open_towards(attempt);

	return fd < 0 ? fd
		      : do_once(&(struct io_uring_sqe){.opcode = (uint8_t)opcode,
						       .fd = fd,
						       .addr = (uintptr_t)wanted->at,
						       .len = (uint32_t)wanted->length});
}

static int carry_ring(const struct attempt *attempt)
{
	return carry_by_ring(attempt, IORING_OP_SEND);
}

static int carry_ring_zerocopy(const struct attempt *attempt)
{
	return carry_by_ring(attempt, IORING_OP_SEND_ZC);
}

/* The ring makes the socket, too, and names the address with each message. */
static int carry_ring_message(const struct attempt *attempt)
{
	struct iovec piece = {attempt->parcel->wanted.at, attempt->parcel->wanted.length};
	struct msghdr message = {.msg_name = to_sockaddr(&attempt->to),
				 .msg_namelen = attempt->to.length,
				 .msg_iov = &piece,
				 .msg_iovlen = 1};
	int fd = do_once(&(struct io_uring_sqe){
		.opcode = IORING_OP_SOCKET, .fd = family_of(&attempt->to), .off = SOCK_DGRAM});

	return fd < 0 ? fd
		      : do_once(&(struct io_uring_sqe){.opcode = IORING_OP_SENDMSG,
						       .fd = fd,
						       .addr = (uintptr_t)&message,
						       .len = 1});
}

/* ---- bytes that change behind the check ---- */

static int carry_changing(const struct attempt *attempt, changing_send send_page)
{
	struct changing changing;
	int fd = open_towards(attempt), result;

	if (fd < 0)
		return fd;
	result = changing_open(&changing, attempt->parcel);
	for (int i = 0; i < CHANGING_ROUNDS && result == 0; i++)
		result = changing_round(&changing, i, fd, send_page);
	changing_close(&changing);
	return result;
}

static int carry_zerocopy(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_zerocopy);
}

static int carry_vmsplice(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_vmsplice);
}

static int carry_sendfile(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_sendfile);
}

static int carry_splice(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_splice);
}

static int carry_ring_change(const struct attempt *attempt)
{
	return carry_changing(attempt, changing_ring);
}

/* Nothing: for attempts that are a question alone. */
static int carry_none(const struct attempt *attempt)
{
	(void)attempt;
	return 0;
}

const struct carrier udp_carriers[] = {
	{"none", carry_none, false},
	{"udp", carry_plain, false},
	{"udp-connected", carry_connected, false},
	{"udp-mapped", carry_mapped, false},
	{"udp-unspecified", carry_unspecified, false},
	{"udp-connected-sendto", carry_connected_sendto, false},
	{"udp-many", carry_many, false},
	{"udp-more", carry_more, false},
	{"udp-corked", carry_corked, false},
	{"udp-pieces", carry_pieces, false},
	{"udp-segment-second", carry_segment_second, false},
	{"udp-segment-last", carry_segment_last, false},
	{"udp-segment-control", carry_segment_control, false},
	{"udp-ip-options", carry_ip_options, false},
	{"udp-destination-options", carry_destination_options, false},
	{"udp-hop-options", carry_hop_options, false},
	{"udplite", carry_udplite, false},
	{"udp-ring", carry_ring, false},
	{"udp-ring-zerocopy", carry_ring_zerocopy, false},
	{"udp-ring-message", carry_ring_message, false},
	{"udp-zerocopy", carry_zerocopy, false},
	{"udp-vmsplice", carry_vmsplice, false},
	{"udp-sendfile", carry_sendfile, false},
	{"udp-splice", carry_splice, false},
	{"udp-ring-change", carry_ring_change, false},
};
const size_t udp_carrier_count = ARRAY_SIZE(udp_carriers);
