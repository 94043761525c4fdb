/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whom a socket speaks to: filled from a socket call's address or from a packet's headers. A packet
 * that is not understood whole is no flow.
 */
#ifndef AGENTPOL_BPF_FLOW_H
#define AGENTPOL_BPF_FLOW_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/verifier.h"

/* Not in every libc's headers as a plain number. */
#define PROTOCOL_NUMBER_MPTCP 262

/* An address as two words, so that it is compared and hashed in two steps. */
union flow_address {
	__u8 bytes[16];
	__u32 words[4];
	__u64 halves[2];
};

struct flow {
	union flow_address remote;
	union flow_address local;
	__u16 remote_port; /* host order; 0 where the protocol has none */
	__u16 local_port;
	__u32 protocol; /* IPPROTO_TCP, _UDP, _ICMP (both families), or another */
};

static __always_inline void flow_address_set4(union flow_address *address, __be32 ip4)
{
	address->halves[0] = 0;
	address->words[2] = bpf_htonl(0xffff);
	address->words[3] = ip4;
}

static __always_inline bool flow_address_is_loopback(const union flow_address *address)
{
	if (address->halves[0])
		return false;
	if (address->words[2] == bpf_htonl(0xffff))
		return address->bytes[12] == 127;
	return address->words[2] == 0 && address->words[3] == bpf_htonl(1);
}

/* 127.0.0.1 and ::1, where others than a resolver serve, too. */
static __always_inline bool flow_address_is_localhost(const union flow_address *address)
{
	return flow_address_is_loopback(address) &&
	       (address->words[2] == 0 || address->words[3] == bpf_htonl(0x7f000001));
}

/* As a destination "any address" means this host: Linux connects to loopback. */
static __always_inline void flow_address_as_destination(union flow_address *address)
{
	if (address->halves[0] || address->words[3])
		return;
	if (address->words[2] == bpf_htonl(0xffff))
		address->words[3] = bpf_htonl(0x7f000001);
	else if (address->words[2] == 0)
		address->words[3] = bpf_htonl(1);
}

/* MPTCP is TCP to those who write policies, and both families' ICMP is one. */
static __always_inline __u32 flow_protocol(__u32 protocol)
{
	if (protocol == PROTOCOL_NUMBER_MPTCP)
		return IPPROTO_TCP;
	if (protocol == IPPROTO_ICMPV6)
		return IPPROTO_ICMP;
	return protocol;
}

static __always_inline bool flow_has_ports(const struct flow *flow)
{
	return flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP;
}

/* Straight from memory where the headers lie in one piece, as they nearly always do. */
#define READ_PACKET(skb, offset, to)                                                      \
	({                                                                                \
		const void *start = (const void *)(long)(skb)->data + (offset);           \
		long fault = 0;                                                           \
		if (start + sizeof(*(to)) <= (const void *)(long)(skb)->data_end)         \
			__builtin_memcpy((to), start, sizeof(*(to)));                     \
		else                                                                      \
			fault = bpf_skb_load_bytes((skb), (offset), (to), sizeof(*(to))); \
		fault;                                                                    \
	})

/*
 * Reads a packet that begins with its IP header, as cgroup_skb programs get it, before the kernel
 * fragments it. Refused: IP options and extension headers (source routes send a packet elsewhere
 * than its address says), and fragments (the later ones carry no port): the kernel makes neither
 * for an ordinary socket before this hook. A global function, which has a stack of its own.
 */
VERIFIED_ONCE int flow_from_packet(struct __sk_buff *skb, __u32 outward, struct flow *flow)
{
	union flow_address source, destination;
	__be16 ports[2] = {0, 0};
	__u8 version;

	if (!flow || READ_PACKET(skb, 0, &version))
		return false;
	if (version >> 4 == 4) {
		struct iphdr ip4;

		if (READ_PACKET(skb, 0, &ip4))
			return false;
		if (ip4.ihl != 5 || (ip4.frag_off & bpf_htons(0x1fff)))
			return false;
		flow_address_set4(&source, ip4.saddr);
		flow_address_set4(&destination, ip4.daddr);
		flow->protocol = flow_protocol(ip4.protocol);
		if (flow_has_ports(flow) && READ_PACKET(skb, sizeof(ip4), &ports))
			return false;
	} else if (version >> 4 == 6) {
		struct ipv6hdr ip6;

		if (READ_PACKET(skb, 0, &ip6))
			return false;
		__builtin_memcpy(&source, &ip6.saddr, sizeof(source));
		__builtin_memcpy(&destination, &ip6.daddr, sizeof(destination));
		flow->protocol = flow_protocol(ip6.nexthdr);
		if (flow_has_ports(flow) && READ_PACKET(skb, sizeof(ip6), &ports))
			return false;
	} else {
		return false;
	}
	/* No grant names another protocol; extension headers come out here too. */
	if (!flow_has_ports(flow) && flow->protocol != IPPROTO_ICMP)
		return false;
	flow->remote = outward ? destination : source;
	flow->local = outward ? source : destination;
	flow->remote_port = bpf_ntohs(outward ? ports[1] : ports[0]);
	flow->local_port = bpf_ntohs(outward ? ports[0] : ports[1]);
	return true;
}

/* Where a packet's payload is, and for TCP what the segment is; offsets from the IP header. */
struct segment {
	__u32 payload; /* offset */
	__u32 length;  /* of the payload, bytes */
	__u32 sequence;
	__u8 syn, fin, urgent, bare_reset;
};

/* Only for a packet that flow_from_packet() has understood: without options or extension headers.
 * Lengths in the headers must be those of the packet. */
VERIFIED_ONCE int segment_from_packet(struct __sk_buff *skb, __u32 protocol,
				      struct segment *segment)
{
	__u32 at, length = skb->len;
	__u8 version;

	if (!segment || READ_PACKET(skb, 0, &version))
		return false;
	at = version >> 4 == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	if (protocol == IPPROTO_UDP) {
		struct udphdr udp;

		if (READ_PACKET(skb, at, &udp) || at + bpf_ntohs(udp.len) != length ||
		    bpf_ntohs(udp.len) < sizeof(udp))
			return false;
		segment->payload = at + sizeof(udp);
		segment->sequence = 0;
		segment->syn = segment->fin = segment->urgent = segment->bare_reset = 0;
	} else {
		struct tcphdr tcp;

		if (READ_PACKET(skb, at, &tcp) || tcp.doff < 5)
			return false;
		segment->payload = at + tcp.doff * 4;
		segment->sequence = bpf_ntohl(tcp.seq);
		segment->syn = tcp.syn;
		segment->fin = tcp.fin;
		segment->urgent = tcp.urg;
		segment->bare_reset = tcp.rst && !tcp.syn && !tcp.fin && segment->payload == length;
	}
	if (segment->payload > length)
		return false;
	segment->length = length - segment->payload;
	return true;
}

#endif
