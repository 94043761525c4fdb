/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Can who sends still change the bytes that are about to leave? MSG_ZEROCOPY, splice(2),
 * sendfile(2) and their like in io_uring hand the kernel pages, not copies: what was read here and
 * found good could be something else on the wire.
 */
#ifndef AGENTPOL_BPF_SENT_H
#define AGENTPOL_BPF_SENT_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/verifier.h"

/* include/linux/skbuff.h: "indicates at least one fragment might be overwritten (as in vmsplice(),
 * sendfile() ...)"; zero-copy sets it too. The flags are the first byte of skb_shared_info. */
#define SKBFL_SHARED_FRAG 2

struct sk_buff {
	unsigned char *head;
	unsigned int end; /* offset from head where pointers have 64 bits */
} __attribute__((preserve_access_index));

struct sk_buff_head {
	struct sk_buff *next;
} __attribute__((preserve_access_index));

struct net {
	__u64 net_cookie;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct sock_common {
	possible_net_t skc_net;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_write_queue;
} __attribute__((preserve_access_index));

struct tcp_sock {
	__u32 write_seq;
} __attribute__((preserve_access_index));

/* What is read of a socket's beginning: the pointer to its network namespace is in it. */
#define SOCKET_HEAD_BYTES 56
#define NET_OFFSET	  48

/*
 * The low half of the cookie of the network namespace of a packet's socket; 0 where it can't be
 * read. No helper tells it for a packet on the oldest kernels, so it is read out of the socket,
 * from where that begins: the verifier lets no program count on from there. A global function,
 * which has a stack of its own.
 */
VERIFIED_ONCE __u32 space_of_packet(struct __sk_buff *skb)
{
	const __u32 offset = bpf_core_field_offset(struct sock, __sk_common.skc_net.net);
	__u64 head[SOCKET_HEAD_BYTES / sizeof(__u64)], cookie = 0;
	const struct bpf_sock *sk = skb->sk;
	struct net *net;

	if (!sk || offset != NET_OFFSET || bpf_probe_read_kernel(head, sizeof(head), sk) < 0)
		return 0;
	net = (struct net *)head[NET_OFFSET / sizeof(head[0])];
	if (bpf_probe_read_kernel(&cookie, sizeof(cookie), &net->net_cookie) < 0)
		return 0;
	return (__u32)cookie;
}

/* A datagram: all of it is in the kernel's own memory where it lies in one piece. */
static __always_inline bool datagram_is_copied(const struct __sk_buff *skb)
{
	const void *data = (const void *)(long)skb->data;
	__u32 length = skb->len;

	return length <= 0xffff && data + length <= (const void *)(long)skb->data_end;
}

/* New bytes of a TCP connection: those at the head of what was not sent yet. With nothing there, or
 * anything unreadable, the answer is no. */
static __always_inline bool stream_is_copied(struct bpf_sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);
	struct sock *sock = (struct sock *)tcp;
	struct sk_buff *first;
	unsigned char *info;
	__u8 flags = SKBFL_SHARED_FRAG;

	if (!tcp)
		return false;
	first = sock->sk_write_queue.next;
	if (!first || (void *)first == (void *)&sock->sk_write_queue)
		return false;
	info = first->head + first->end;
	if (bpf_probe_read_kernel(&flags, sizeof(flags), info) < 0)
		return false;
	return !(flags & SKBFL_SHARED_FRAG);
}

/* Has the socket bytes to send that come behind this sequence number? */
static __always_inline bool stream_has_more(struct bpf_sock *sk, __u32 sequence)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	return tcp && (__s32)(tcp->write_seq - sequence) > 0;
}

#endif
