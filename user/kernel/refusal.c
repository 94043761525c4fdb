// SPDX-License-Identifier: Apache-2.0
#include "kernel/refusal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/diag.h"

#define HOPS 64
/* An answer, recursion asked for and had, no such name (RFC 1035, 4.1.1). */
#define ANSWER_FLAGS 0x8183
/* Since Linux 4.5; older libcs lack it. */
#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

struct answer {
	struct udphdr udp;
	uint16_t dns[6]; /* id, flags, four counts */
} __attribute__((packed));

static void fill_answer(const struct socket_flow *flow, uint16_t id, struct answer *answer)
{
	*answer = (struct answer){
		.udp = {.source = htons(flow->remote_port),
			.dest = htons(flow->local_port),
			.len = htons(sizeof(*answer))},
		.dns = {htons(id), htons(ANSWER_FLAGS)},
	};
}

static int send4(int space, const struct socket_flow *flow, uint16_t id)
{
	struct {
		struct iphdr ip;
		struct answer answer;
	} __attribute__((packed)) packet = {
		/* The kernel fills the checksum and the number; UDP over IPv4 needs none. */
		.ip = {.version = 4, .ihl = 5, .ttl = HOPS, .protocol = IPPROTO_UDP},
	};
	struct sockaddr_in to = {.sin_family = AF_INET};
	_cleanup_close_ int fd = space_socket(space, AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		return fd;
	packet.ip.tot_len = htons(sizeof(packet));
	memcpy(&packet.ip.saddr, flow->remote.bytes + 12, 4);
	memcpy(&packet.ip.daddr, flow->local.bytes + 12, 4);
	memcpy(&to.sin_addr, flow->local.bytes + 12, 4);
	fill_answer(flow, id, &packet.answer);
	if (sendto(fd, &packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) <
	    0)
		return -errno;
	return 0;
}

/* RFC 1071, over the pseudo header of RFC 8200, 8.1. */
static uint16_t checksum6(const struct ip6_hdr *ip, const struct answer *answer)
{
	uint16_t words[sizeof(*answer) / 2];
	uint32_t sum = htons(IPPROTO_UDP) + (uint32_t)htons(sizeof(*answer));

	for (size_t i = 0; i < 8; i++)
		sum += (uint32_t)ip->ip6_src.s6_addr16[i] + ip->ip6_dst.s6_addr16[i];
	memcpy(words, answer, sizeof(words));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff ? 0xffff : (uint16_t)~sum;
}

static int send6(int space, const struct socket_flow *flow, uint16_t id)
{
	struct {
		struct ip6_hdr ip;
		struct answer answer;
	} __attribute__((packed)) packet = {0};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	struct ip6_hdr ip = {0};
	struct answer answer;
	const int on = 1;
	_cleanup_close_ int fd = space_socket(space, AF_INET6, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)) < 0)
		return -errno;
	ip.ip6_flow = htonl(6U << 28);
	ip.ip6_plen = htons(sizeof(answer));
	ip.ip6_nxt = IPPROTO_UDP;
	ip.ip6_hlim = HOPS;
	memcpy(&ip.ip6_src, flow->remote.bytes, 16);
	memcpy(&ip.ip6_dst, flow->local.bytes, 16);
	memcpy(&to.sin6_addr, flow->local.bytes, 16);
	fill_answer(flow, id, &answer);
	answer.udp.check = checksum6(&ip, &answer);
	packet.ip = ip;
	packet.answer = answer;
	if (sendto(fd, &packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) <
	    0)
		return -errno;
	return 0;
}

int refusal_send(const struct socket_flow *flow, uint16_t id)
{
	char path[64];
	_cleanup_close_ int space = -1, diag = -1;

	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)flow->pid);
	space = open(path, O_RDONLY | O_CLOEXEC);
	if (space < 0)
		return -errno;
	diag = diag_open(space);
	if (diag < 0)
		return diag;
	/* A datagram that nobody reads is answered by the kernel, with an error to the resolver. */
	if (!diag_has_reader(diag, flow))
		return -ENOENT;
	return address_is_ipv4(&flow->remote) ? send4(space, flow, id) : send6(space, flow, id);
}
