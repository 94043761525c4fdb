/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Following what a TCP connection sends, without keeping any of it. Bytes that are not whole yet
 * are let fall: Linux keeps them in the socket, puts what is written next behind them, and tries
 * again from the same place at the next write. So the packet that is let through in the end begins
 * where the last one ended, and holds all of the message, however it was written.
 */
#ifndef AGENTPOL_BPF_STREAM_H
#define AGENTPOL_BPF_STREAM_H

#include "bpf/names.h"
#include "bpf/sent.h"

/* What a part of the judgement says of a packet. */
enum may {
	MAY_NOTHING = 0, /* it has nothing to say */
	MAY_PASS = 1,	 /* this packet may leave */
	MAY_APPROVE = 2, /* and all that follow it there */
	MAY_DROP = 3,	 /* it may not; that was told, or it waits for the rest of it */
};

enum stream {
	STREAM_PASS = 0, /* no bytes, or such as were found good before */
	STREAM_NEW = 1,	 /* bytes that go on where the good ones end */
	STREAM_LOST = 2, /* bytes that can't be followed */
};

static __always_inline enum stream stream_follow(struct socket_state *state,
						 const struct segment *segment)
{
	__u32 begin = segment->sequence;

	if (segment->syn) {
		begin++;
		if (state) {
			state->stream = begin;
			state->flags |= SOCKET_STREAM;
			state->flags &= ~(SOCKET_GREETS | SOCKET_GREETED | SOCKET_OPENED);
		}
	}
	if (!segment->length)
		return STREAM_PASS;
	if (!state || !(state->flags & SOCKET_STREAM))
		return STREAM_LOST;
	if ((__s32)(begin + segment->length - state->stream) <= 0)
		return STREAM_PASS;
	/* The receiver takes an urgent byte out of the stream (tcp(7)): it would read another one.
	 */
	if (begin != state->stream || segment->urgent)
		return STREAM_LOST;
	return STREAM_NEW;
}

/* What is let fall because it is not whole can become so, unless the socket is closed for sending:
 * then it would be tried again as long as there is a policy, and leave when there is none. */
static __always_inline bool segment_may_grow(const struct segment *segment)
{
	return !segment->fin;
}

static __always_inline void stream_advance(struct socket_state *state,
					   const struct segment *segment)
{
	state->stream += segment->length;
}

/* A SYN's own bytes are always a copy (tcp_send_syn_data() in net/ipv4/tcp_output.c). */
static __always_inline bool segment_is_copied(struct bpf_sock *sk, const struct segment *segment)
{
	return segment->syn || stream_is_copied(sk);
}

#endif
