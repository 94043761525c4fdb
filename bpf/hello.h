/* SPDX-License-Identifier: GPL-2.0-only */
/* TLS connections to addresses that names have opened: no byte leaves before a server name that
 * opens the same address. */
#ifndef AGENTPOL_BPF_HELLO_H
#define AGENTPOL_BPF_HELLO_H

#include "bpf/stream.h"

static __always_inline int tls_copy(void *to, const void *from, __u32 length)
{
	return (int)bpf_probe_read_kernel(to, length_bound(length, MESSAGE_PIECE), from);
}
#include "bpf/tls.h"

/* A connection that was made in the last second of its address's time has this long to greet. */
#define HELLO_SECONDS 60

/* Does the server name on the workbench open the connection's address and port, by its own rules?
 */
static __always_inline bool server_name_opens(struct workbench *bench,
					      const struct question *question,
					      struct socket_state *state)
{
	__u32 policy_id = POLICY_ID(question->subject.policy);
	struct name_entry *entry = rules_find(bench, policy_id);
	struct open open = {};

	if (!entry || (entry->flags & NAME_ASK_ONLY))
		return false;
	open_by_grant(entry->grant, policy_id, &question->flow, &open);
	if (!open.how || !name_opens(bench, question, entry->grant, HELLO_SECONDS))
		return false;
	state->budgets = open.budgets;
	return true;
}

/* What the connection has sent of its hello, and this segment behind it. */
static __always_inline bool load_flight(struct __sk_buff *skb, const struct segment *segment,
					struct workbench *bench, const struct hello_part *part)
{
	__u32 have = part ? part->have : 0, length = segment->length;

	/* Of a later flight the beginning tells. */
	if (length > MESSAGE_PIECE)
		length = MESSAGE_PIECE;
	if (have >= MESSAGE_PIECE || length == 0 ||
	    (part && have && tls_copy(bench->raw.bytes, part->bytes, have) < 0) ||
	    bpf_skb_load_bytes(skb, segment->payload,
			       bench->raw.bytes + index_bound(have, MESSAGE_PIECE),
			       length_bound(length, MESSAGE_PIECE)) < 0)
		return false;
	bench->raw.length = have + length;
	return true;
}

/* A hello that is not whole yet: kept, and let out as far as it goes, where a granted name was read
 * and the kernel has cut off the rest (it sends no more than a few segments at once to a far peer).
 */
static __always_inline bool let_part_out(struct bpf_sock *sk, const struct segment *segment,
					 struct workbench *bench, const struct question *question,
					 struct socket_state *state)
{
	struct hello_part *part;
	__u32 end = segment->sequence + segment->length + segment->syn;

	if (!stream_has_more(sk, end) || segment->length > MESSAGE_PIECE ||
	    bench->raw.length > MESSAGE_PIECE)
		return false;
	if (tls_read_server_name(&bench->message, &bench->name, egress_config.key[0],
				 &bench->cursor) != TLS_NAME_SO_FAR ||
	    !server_name_opens(bench, question, state))
		return false;
	part = bpf_sk_storage_get(&hello_of_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!part || tls_copy(part->bytes, bench->raw.bytes, bench->raw.length) < 0)
		return false;
	part->have = bench->raw.length;
	return true;
}

/* Bytes of a flight in which a hello must, or (later) may, be. */
static __always_inline enum tls_flight judge_flight(struct __sk_buff *skb, struct bpf_sock *sk,
						    const struct segment *segment,
						    struct workbench *bench,
						    const struct question *question,
						    struct socket_state *state)
{
	struct hello_part *part = NULL;
	enum tls_flight flight;

	if (state->flags & SOCKET_GREETS)
		part = bpf_sk_storage_get(&hello_of_socket, sk, 0, 0);
	if (!load_flight(skb, segment, bench, part))
		return TLS_FLIGHT_BAD;
	flight = tls_collect(&bench->raw, state->flags & SOCKET_GREETED, &bench->message,
			     &bench->cursor);
	if (flight == TLS_FLIGHT_MORE && bench->raw.length > TLS_FLIGHT_MAX)
		return TLS_FLIGHT_BAD;
	if (flight != TLS_FLIGHT_HELLO)
		return flight;
	if (tls_read_server_name(&bench->message, &bench->name, egress_config.key[0],
				 &bench->cursor) != TLS_NAME_WHOLE ||
	    !server_name_opens(bench, question, state))
		return TLS_FLIGHT_BAD;
	return flight;
}

/* What was not granted, told; in audit mode the connection is its own affair from now on. */
static __always_inline enum may refuse_hello(struct question *question, struct socket_state *state,
					     const struct name *name)
{
	/* Without one, the name that led there stays for the log. */
	if (name->hash)
		question->name = name->hash;
	if (conclude_named(question, REASON_SNI, name) == DENY) {
		errand_ask(question, ERRAND_RESET, 0);
		return MAY_DROP;
	}
	if (state)
		state->flags |= SOCKET_OPENED;
	return MAY_APPROVE;
}

static __always_inline enum may judge_new_bytes(struct __sk_buff *skb, struct bpf_sock *sk,
						const struct segment *segment,
						struct workbench *bench, struct question *question,
						struct socket_state *state)
{
	bool audit = POLICY_FLAGS(question->subject.policy) & POLICY_AUDIT_MODE;

	switch (judge_flight(skb, sk, segment, bench, question, state)) {
	case TLS_FLIGHT_MORE:
		if (let_part_out(sk, segment, bench, question, state)) {
			state->flags |= SOCKET_GREETS;
			stream_advance(state, segment);
			return MAY_PASS;
		}
		/* Audit mode holds nothing back. */
		if (audit || !segment_may_grow(segment) ||
		    stream_has_more(sk, segment->sequence + segment->length + segment->syn))
			return refuse_hello(question, state, &bench->name);
		return MAY_DROP;
	case TLS_FLIGHT_HELLO:
		state->flags |= SOCKET_GREETED;
		state->flags &= ~SOCKET_GREETS;
		stream_advance(state, segment);
		return MAY_PASS;
	case TLS_FLIGHT_NOTHING:
		stream_advance(state, segment);
		return MAY_PASS;
	case TLS_FLIGHT_OTHER:
		state->flags |= SOCKET_OPENED;
		return MAY_APPROVE;
	default:
		return refuse_hello(question, state, &bench->name);
	}
}

/* A segment of a connection that needs a granted server name. */
VERIFIED_ONCE int judge_hello(struct __sk_buff *skb, struct question *question)
{
	struct bpf_sock *sk = skb->sk;
	struct socket_state *state;
	struct segment segment;
	struct workbench *bench;
	enum may result = MAY_DROP;
	enum stream stream;
	__u32 index;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !question || !segment_from_packet(skb, IPPROTO_TCP, &segment))
		return MAY_DROP;
	state = bpf_sk_storage_get(&state_of_socket, sk, 0, 0);
	if (state && (state->flags & SOCKET_OPENED) && !segment.syn)
		return MAY_APPROVE;
	stream = stream_follow(state, &segment);
	if (stream == STREAM_PASS)
		return MAY_PASS;
	question->cookie = bpf_get_socket_cookie(skb);
	index = workbench_take();
	bench = index == WORKBENCHES ? NULL : workbench_at(index);
	if (!bench)
		return MAY_DROP;
	name_clear(&bench->name);
	bench->name.hash = 0;
	if (!state || stream == STREAM_LOST || !segment_is_copied(sk, &segment))
		result = refuse_hello(question, state, &bench->name);
	else
		result = judge_new_bytes(skb, sk, &segment, bench, question, state);
	workbench_give(index);
	return result;
}

#endif
