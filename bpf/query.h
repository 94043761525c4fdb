/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What goes to a resolver: a packet leaves with whole questions for granted names, or not at all.
 * What a question may be is in names.h, what its answer opens in learn.h.
 */
#ifndef AGENTPOL_BPF_QUERY_H
#define AGENTPOL_BPF_QUERY_H

#include "bpf/stream.h"

/* Whole questions alone, and all of them good, in one segment. */
#define QUERIES_AT_ONCE 4

static __always_inline enum may refuse_query(struct question *question, const struct name *name,
					     enum errand_kind errand)
{
	question->kind = EVENT_DNS;
	question->name = 0;
	if (conclude_named(question, REASON_DNS_FORM, name) == ALLOW)
		return MAY_PASS;
	errand_ask(question, errand, 0);
	return MAY_DROP;
}

static __always_inline enum may judge_queries(struct __sk_buff *skb, const struct segment *segment,
					      __u32 index, struct workbench *bench,
					      struct question *question)
{
	__u32 at = segment->payload, end = at + segment->length, i;

	NO_UNROLL
	for (i = 0; i < QUERIES_AT_ONCE; i++) {
		__be16 length;

		if (at + sizeof(length) > end ||
		    bpf_skb_load_bytes(skb, at, &length, sizeof(length)) < 0 ||
		    at + sizeof(length) + bpf_ntohs(length) > end) {
			/* Not whole yet. Audit mode holds nothing back. */
			if (!segment_may_grow(segment) ||
			    (POLICY_FLAGS(question->subject.policy) & POLICY_AUDIT_MODE))
				return refuse_query(question, &bench->name, ERRAND_RESET);
			return MAY_DROP;
		}
		at += sizeof(length);
		if (!message_load(skb, at, bpf_ntohs(length), &bench->message))
			return refuse_query(question, &bench->name, ERRAND_RESET);
		if (judge_query(index, question) == DENY)
			return MAY_DROP;
		at += bpf_ntohs(length);
		if (at == end)
			return MAY_PASS;
	}
	return refuse_query(question, &bench->name, ERRAND_RESET);
}

static __always_inline enum may judge_query_segment(struct __sk_buff *skb, struct bpf_sock *sk,
						    const struct segment *segment, __u32 index,
						    struct workbench *bench,
						    struct question *question)
{
	struct socket_state *state = bpf_sk_storage_get(&state_of_socket, sk, 0, 0);
	enum stream stream = stream_follow(state, segment);
	enum may result;

	if (stream == STREAM_PASS)
		return MAY_PASS;
	if (!state || stream == STREAM_LOST || !segment_is_copied(sk, segment))
		return refuse_query(question, &bench->name, ERRAND_RESET);
	result = judge_queries(skb, segment, index, bench, question);
	if (result == MAY_PASS)
		stream_advance(state, segment);
	return result;
}

/* One datagram is one question: not several that the network card is to cut apart (UDP_SEGMENT). */
static __always_inline enum may judge_query_datagram(struct __sk_buff *skb,
						     const struct segment *segment, __u32 index,
						     struct workbench *bench,
						     struct question *question)
{
	if (skb->gso_size || !datagram_is_copied(skb) ||
	    !message_load(skb, segment->payload, segment->length, &bench->message))
		return refuse_query(question, &bench->name, ERRAND_REFUSE);
	return judge_query(index, question) == ALLOW ? MAY_PASS : MAY_DROP;
}

/* A packet to a resolver. */
VERIFIED_ONCE int judge_question_packet(struct __sk_buff *skb, struct question *question)
{
	struct bpf_sock *sk = skb->sk;
	enum may result = MAY_DROP;
	struct segment segment;
	struct workbench *bench;
	__u32 index;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !question)
		return MAY_DROP;
	question->cookie = bpf_get_socket_cookie(skb);
	index = workbench_take();
	bench = index == WORKBENCHES ? NULL : workbench_at(index);
	if (!bench)
		return MAY_DROP;
	name_clear(&bench->name);
	if (!segment_from_packet(skb, question->flow.protocol, &segment))
		result = refuse_query(question, &bench->name, ERRAND_REFUSE);
	else if (question->flow.protocol == IPPROTO_TCP)
		result = judge_query_segment(skb, sk, &segment, index, bench, question);
	else
		result = judge_query_datagram(skb, &segment, index, bench, question);
	workbench_give(index);
	return result;
}

#endif
