/* SPDX-License-Identifier: GPL-2.0-only */
/* From a resolver's answer to the addresses that it opens, before its reader sees it. */
#ifndef AGENTPOL_BPF_LEARN_H
#define AGENTPOL_BPF_LEARN_H

#include "bpf/names.h"

/* Records that are looked at, and the addresses that some hold several of. */
#define ANSWER_STEPS_MAX 256
/* Answers in one segment of TCP. */
#define ANSWERS_AT_ONCE 4

/* What the address remembers of one grant: the longer time, or a free place. */
VERIFIED_ONCE int slot_take(struct learnt_address *learnt, __u32 grant, __u32 expires, __u32 now)
{
	__u64 wanted = LEARNT_SLOT(grant, expires);
	__u32 i;

	if (!learnt)
		return false;

	NO_UNROLL
	for (i = 0; i < LEARNT_GRANTS_MAX; i++) {
		__u64 slot = *(volatile __u64 *)&learnt->slots[i];

		if (LEARNT_GRANT(slot) != grant)
			continue;
		if (LEARNT_EXPIRES(slot) < expires)
			__sync_val_compare_and_swap(&learnt->slots[i], slot, wanted);
		return true;
	}
	NO_UNROLL
	for (i = 0; i < LEARNT_GRANTS_MAX; i++) {
		__u64 slot = *(volatile __u64 *)&learnt->slots[i];

		if (slot && LEARNT_EXPIRES(slot) >= now)
			continue;
		if (__sync_val_compare_and_swap(&learnt->slots[i], slot, wanted) == slot)
			return true;
	}
	return false;
}

static __always_inline bool internal_is(const union flow_address *address)
{
	return grant_find(TABLE_INTERNAL, address) != NULL;
}

static const struct learnt_address nothing_learnt = {};

/* Opens one address for the name's grant; `grant` 0 remembers the name alone. False where there was
 * no room for it. */
static __always_inline bool address_learn(struct workbench *bench, const struct subject *subject,
					  __u32 grant, __u32 like)
{
	struct learnt_address *learnt;
	struct learnt_name *before;
	__u32 now = seconds_now(), ttl = bench->address.ttl, expires;

	if (ttl < LEARNT_SECONDS_LEAST)
		ttl = LEARNT_SECONDS_LEAST;
	if (ttl > LEARNT_SECONDS_MOST)
		ttl = LEARNT_SECONDS_MOST;
	expires = now + ttl + LEARNT_SECONDS_GRACE;
	bench->learnt_key.policy_id = POLICY_ID(subject->policy);
	bench->learnt_key.space = subject->space;
	bench->learnt_name_key.policy_id = POLICY_ID(subject->policy);
	bench->learnt_name_key.space = subject->space;
	bench->learnt_name_key.grant = grant;
	__builtin_memcpy(bench->learnt_key.address, bench->address.bytes, 16);
	__builtin_memcpy(bench->learnt_name_key.address, bench->address.bytes, 16);
	learnt = bpf_map_lookup_elem(&learnt_of_address, &bench->learnt_key);
	if (!learnt) {
		bpf_map_update_elem(&learnt_of_address, &bench->learnt_key, &nothing_learnt,
				    BPF_NOEXIST);
		learnt = bpf_map_lookup_elem(&learnt_of_address, &bench->learnt_key);
	}
	if (!learnt)
		return false;
	learnt->name = bench->name.hash;
	before = bpf_map_lookup_elem(&learnt_name, &bench->learnt_name_key);
	bench->learnt_name.name = bench->name.hash;
	bench->learnt_name.spare = 0;
	bench->learnt_name.expires =
		before && before->expires > expires ? before->expires : expires;
	if (bpf_map_update_elem(&learnt_name, &bench->learnt_name_key, &bench->learnt_name,
				BPF_ANY) < 0)
		return false;
	return !grant || slot_take(learnt, like, expires, now);
}

/* The address on the workbench. */
VERIFIED_ONCE int learn_one(__u32 index, struct question *question, __u32 grant)
{
	struct workbench *bench = workbench_at(index);
	struct address_grant *by_address;
	struct name_grant *rules = NULL;
	union flow_address address;
	__u32 policy_id, like;
	bool internal;

	if (!bench || !question)
		return 0;
	policy_id = POLICY_ID(question->subject.policy);
	if (grant) {
		rules = name_grant_at(grant, policy_id);
		if (!rules)
			return 0;
	}
	__builtin_memcpy(&address, bench->address.bytes, sizeof(address));
	internal = rules && internal_is(&address);
	/* The guard alone speaks to a server, wherever that is. */
	like = !rules ? 0 : internal ? rules->internal : rules->like;
	if (!internal || like) {
		if (address_learn(bench, &question->subject, grant, like))
			return 0;
		enforcer_count(COUNTER_LEARNT_LOST);
		question->flow.remote = address;
		return conclude_named(question, REASON_FULL, &bench->name);
	}
	/* Told, unless a rule grants something at the address itself. */
	by_address = grant_find(TABLE_OF(policy_id, TABLE_EGRESS), &address);
	if (by_address && grant_has_any(by_address))
		return 0;
	question->flow.remote = address;
	return conclude_named(question, REASON_INTERNAL, &bench->name);
}

/* The message on the workbench, if it answers what was asked on that socket. In audit mode names
 * that no rule grants are remembered, too. */
VERIFIED_ONCE int learn_answer(__u32 index, struct question *question)
{
	struct workbench *bench = workbench_at(index);
	struct question_key key = {};
	struct name_entry *entry;
	__u32 policy_id, grant = 0, i, *asked;

	if (!bench || !question)
		return 0;
	policy_id = POLICY_ID(question->subject.policy);
	if (!dns_read_question(&bench->message, true, egress_config.key[0], &bench->name,
			       &bench->question))
		return 0;
	question->kind = EVENT_DNS;
	question->name = bench->name.hash;
	question->detail = bench->question.type;
	key.socket_cookie = question->cookie;
	key.name = bench->name.hash;
	key.policy_id = policy_id;
	key.id = (__u16)bench->question.id;
	key.type = (__u16)bench->question.type;
	asked = bpf_map_lookup_elem(&questions, &key);
	if (!asked || seconds_now() - *asked > QUESTION_SECONDS)
		return 0;
	/* One answer each. */
	bpf_map_delete_elem(&questions, &key);
	if (message_be16(&bench->message, 2) & DNS_MASK_RCODE)
		return 0;
	entry = rules_find(bench, policy_id);
	if (entry && (entry->flags & NAME_ASK_ONLY))
		return 0;
	if (entry)
		grant = entry->grant;
	else if (!(POLICY_FLAGS(question->subject.policy) & POLICY_AUDIT_MODE))
		return 0;
	bpf_map_update_elem(&text_of_name, &bench->name.hash, bench->name.text, BPF_NOEXIST);
	dns_walk_begin(&bench->message, &bench->name, &bench->question, egress_config.key[0],
		       &bench->walk);
	NO_UNROLL
	for (i = 0; i < ANSWER_STEPS_MAX; i++) {
		int step = dns_walk_step(&bench->message, &bench->walk, &bench->address);

		if (step == DNS_STEP_END)
			break;
		if (step == DNS_STEP_ADDRESS)
			learn_one(index, question, grant);
	}
	return 0;
}

/* ---- answers over TCP ---- */

/* Whole messages at the front of what has come, each behind its length (RFC 1035, 4.2.2). */
static __always_inline void answers_take(struct answer_stream *stream, __u32 index,
					 struct question *question)
{
	struct workbench *bench = workbench_at(index);
	__u32 i;

	if (!bench)
		return;
	NO_UNROLL
	for (i = 0; i < ANSWERS_AT_ONCE; i++) {
		__u32 have = stream->have, length, rest;

		if (have < 2 || have > 2 * ANSWER_STREAM_PIECE)
			return;
		length = (__u32)stream->bytes[0] << 8 | stream->bytes[1];
		if (length == 0 || length > ANSWER_STREAM_PIECE - 2) {
			/* No answer that is read here: from now on nothing is. */
			stream->have = ~0U;
			return;
		}
		if (have < 2 + length)
			return;
		if (bpf_probe_read_kernel(bench->message.bytes,
					  length_bound(length, ANSWER_STREAM_PIECE),
					  stream->bytes + 2) < 0)
			return;
		bench->message.length = length;
		learn_answer(index, question);
		rest = have - 2 - length;
		if (rest > ANSWER_STREAM_PIECE)
			rest = ANSWER_STREAM_PIECE;
		if (rest &&
		    bpf_probe_read_kernel(stream->bytes, length_bound(rest, ANSWER_STREAM_PIECE),
					  stream->bytes + 2 +
						  length_bound(length, ANSWER_STREAM_PIECE)) < 0)
			rest = ~0U;
		stream->have = rest;
	}
}

/*
 * A segment from a resolver. What comes out of order is let fall, and comes again: else its reader
 * could see an answer before it was read here.
 */
VERIFIED_ONCE int answer_segment(struct __sk_buff *skb, struct question *question)
{
	struct bpf_sock *sk = skb->sk;
	struct answer_stream *stream;
	struct segment segment;
	__u32 index;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !question)
		return ALLOW;
	if (!segment_from_packet(skb, IPPROTO_TCP, &segment))
		return ALLOW;
	stream = bpf_sk_storage_get(&answers_of_socket, sk, 0,
				    segment.syn ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	/* Not seen from its beginning, or no memory: it opens nothing. */
	if (!stream)
		return ALLOW;
	if (segment.syn) {
		stream->next = segment.sequence + 1;
		stream->have = 0;
		return ALLOW;
	}
	if (!segment.length || stream->have > ANSWER_STREAM_PIECE)
		return ALLOW;
	if ((__s32)(segment.sequence - stream->next) > 0)
		return DENY;
	if ((__s32)(segment.sequence + segment.length - stream->next) <= 0)
		return ALLOW; /* has come before */
	if (segment.sequence != stream->next || segment.length > ANSWER_STREAM_PIECE ||
	    bpf_skb_load_bytes(skb, segment.payload,
			       stream->bytes + index_bound(stream->have, 2 * ANSWER_STREAM_PIECE),
			       length_bound(segment.length, ANSWER_STREAM_PIECE)) < 0) {
		stream->have = ~0U;
		return ALLOW;
	}
	stream->have += segment.length;
	stream->next += segment.length;
	index = workbench_take();
	if (index == WORKBENCHES)
		return ALLOW;
	answers_take(stream, index, question);
	workbench_give(index);
	return ALLOW;
}

/* A datagram from a resolver. */
VERIFIED_ONCE int answer_datagram(struct __sk_buff *skb, struct question *question)
{
	struct segment segment;
	struct workbench *bench;
	__u32 index;

	if (!question || !segment_from_packet(skb, IPPROTO_UDP, &segment))
		return ALLOW;
	index = workbench_take();
	bench = index == WORKBENCHES ? NULL : workbench_at(index);
	if (!bench)
		return ALLOW;
	if (message_load(skb, segment.payload, segment.length, &bench->message))
		learn_answer(index, question);
	workbench_give(index);
	return ALLOW;
}

#endif
