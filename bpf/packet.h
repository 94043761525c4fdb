/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets: no task is known, the socket is what is judged. */
#ifndef AGENTPOL_BPF_PACKET_H
#define AGENTPOL_BPF_PACKET_H

#include "bpf/hello.h"
#include "bpf/learn.h"
#include "bpf/peer.h"
#include "bpf/query.h"
#include "bpf/steer.h"

/* The socket's state, made where it is older than its policy; NULL where memory ran out, which
 * costs time and changes no verdict. */
static __always_inline struct socket_state *state_of_packet(struct __sk_buff *skb,
							    struct bpf_sock *sk,
							    struct question *question)
{
	struct enforcer_state *enforcer = enforcer_state_now();
	struct socket_state *state;

	state = bpf_sk_storage_get(&state_of_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!enforcer)
		return state;
	/* The cgroup is looked for anew when one was enrolled since: that may be nearer. */
	if (!state || state->generation != enforcer->generation ||
	    !subject_from_slot(&question->subject, state->cgroup, state->slot)) {
		subject_from_found(&question->subject, slot_of_packet(skb, enforcer->levels));
		if (state) {
			state->generation = enforcer->generation;
			state->cgroup = question->subject.cgroup;
			state->slot = question->subject.slot;
		}
	}
	if (egress_config.names || egress_config.servers) {
		question->subject.space =
			state && state->space ? state->space : space_of_packet(skb);
		if (state)
			state->space = question->subject.space;
	}
	if (state) {
		question->actor.pid = state->pid;
		question->actor.uid = state->uid;
	}
	question->family = sk->family;
	return state;
}

/* A server's TCP Fast Open: the accepted socket answers the first segment itself. */
static __always_inline bool is_fast_open_answer(const struct bpf_sock *sk, const struct flow *flow,
						__u32 policy_id)
{
	return sk->state == BPF_TCP_SYN_RECV && flow->protocol == IPPROTO_TCP &&
	       inbound_is_granted(policy_id, flow);
}

/*
 * What may leave though no rule grants it: an answer of UDP or of an accepted connection; and a
 * reset without data, which carries nothing but the two ends. Only a connection from before the
 * policy has one to send to where nothing is granted, since connect refuses new ones; dropped, it
 * would leave the peer with a connection that nobody ends. A global function, which has a stack of
 * its own.
 */
VERIFIED_ONCE int packet_may_answer(struct __sk_buff *skb, const struct question *question)
{
	struct bpf_sock *sk = skb->sk;
	struct socket_state *state;
	struct segment segment;
	__u32 policy_id;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !question)
		return MAY_NOTHING;
	policy_id = POLICY_ID(question->subject.policy);
	state = bpf_sk_storage_get(&state_of_socket, sk, 0, 0);
	if (is_fast_open_answer(sk, &question->flow, policy_id)) {
		if (state)
			state->flags |= SOCKET_INBOUND;
		return MAY_APPROVE;
	}
	/* What audit mode has let in was told then. */
	if (state && (state->flags & SOCKET_INBOUND) &&
	    (inbound_is_granted(policy_id, &question->flow) ||
	     (POLICY_FLAGS(question->subject.policy) & POLICY_AUDIT_MODE)))
		return MAY_APPROVE;
	if (question->flow.protocol == IPPROTO_TCP)
		return sk->type == SOCK_STREAM && segment_from_packet(skb, IPPROTO_TCP, &segment) &&
				       segment.bare_reset
			       ? MAY_PASS
			       : MAY_NOTHING;
	return answers_udp_peer(policy_id, bpf_get_socket_cookie(skb), &question->flow)
		       ? MAY_APPROVE
		       : MAY_NOTHING;
}

static __always_inline enum may charge_packet(struct __sk_buff *skb, struct question *question,
					      __u32 budgets)
{
	const struct flow *flow = &question->flow;

	if (budget_charge(budgets, flow->protocol, flow->remote_port,
			  flow->protocol == IPPROTO_ICMP, skb->len) != CHARGE_EXHAUSTED)
		return MAY_PASS;
	if (conclude(question, REASON_BUDGET, false) == ALLOW)
		return MAY_PASS;
	if (flow->protocol == IPPROTO_TCP) {
		question->cookie = bpf_get_socket_cookie(skb);
		errand_ask(question, ERRAND_RESET, 0);
	}
	return MAY_DROP;
}

/* A packet to an address that no rule grants: has a name opened it? */
VERIFIED_ONCE int judge_by_name(struct __sk_buff *skb, struct question *question)
{
	struct bpf_sock *sk = skb->sk;
	enum may result = MAY_APPROVE;
	struct socket_state *state;
	struct open open;
	bool tcp;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !question)
		return MAY_DROP;
	state = bpf_sk_storage_get(&state_of_socket, sk, 0, 0);
	tcp = question->flow.protocol == IPPROTO_TCP;
	/* A connection that is open stays open. */
	(void)learnt_find(&question->flow, POLICY_ID(question->subject.policy),
			  question->subject.space, !tcp || sk->state == BPF_TCP_SYN_SENT, &open);
	question->name = open.name;
	if (!open.how)
		return MAY_NOTHING;
	if (open.how & OPEN_HELLO)
		result = judge_hello(skb, question);
	if (result == MAY_DROP)
		return result;
	/* The server's name was read under a policy that was exchanged: what the address is open by
	 * is what counts now. */
	if (state && state->budgets &&
	    !budget_list_is_of(state->budgets, POLICY_ID(question->subject.policy)))
		state->budgets = open.budgets;
	if (state && tcp && state->budgets)
		return charge_packet(skb, question, state->budgets);
	/* With a server name that was read it is that name's rules which count, and they have none.
	 */
	if ((open.how & OPEN_CHARGED) && !(state && (state->flags & SOCKET_GREETED)))
		return charge_packet(skb, question, open.budgets);
	return result;
}

/* The answer to a peer that asks to come in: without it there is no connection. What is accepted
 * then is known as let in. */
VERIFIED_ONCE int judge_accept(struct __sk_buff *skb, struct question *question)
{
	struct bpf_sock *sk = skb->sk;
	struct socket_state *state;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !question)
		return DENY;
	question->kind = EVENT_LISTEN;
	if (!inbound_is_granted(POLICY_ID(question->subject.policy), &question->flow) &&
	    conclude(question, REASON_LISTEN, false) == DENY)
		return DENY;
	/* Also where audit mode lets it through: so that it is told once. */
	state = bpf_sk_storage_get(&state_of_socket, sk, 0, 0);
	if (state)
		state->flags |= SOCKET_INBOUND;
	return ALLOW;
}

static __always_inline int approve(struct socket_state *state, __u64 approval)
{
	if (state)
		state->approved = approval;
	return ALLOW;
}

/* No rule grants it. A connection that a new policy has closed is to end, not to hang. */
static __always_inline int refuse_packet(struct __sk_buff *skb, struct question *question,
					 const struct bpf_sock *sk, struct socket_state *state,
					 __u64 approval)
{
	if (conclude(question, REASON_EGRESS, false) == ALLOW)
		return approve(state, approval);
	if (question->flow.protocol == IPPROTO_TCP && sk->state == BPF_TCP_ESTABLISHED) {
		question->cookie = bpf_get_socket_cookie(skb);
		errand_ask(question, ERRAND_RESET, 0);
	}
	return DENY;
}

static __always_inline bool claims_to_be_resolver(const struct question *question)
{
	const __u32 both = POLICY_NAMES | POLICY_RAW_SOCKETS;

	return (POLICY_FLAGS(question->subject.policy) & both) == both &&
	       question->flow.local_port == DNS_PORT &&
	       resolver_is(POLICY_ID(question->subject.policy), &question->flow.local);
}

static __always_inline int judge_packet(struct __sk_buff *skb, struct bpf_sock *sk,
					struct socket_state *state, struct question *question)
{
	__u32 policy_id = POLICY_ID(question->subject.policy);
	bool names = has_names(question);
	const struct flow *flow = &question->flow;
	int more = MAY_NOTHING;
	struct address_grant *grant;
	__u64 approval;

	if (!policy_id)
		return conclude(question, REASON_NO_POLICY, false);
	/* A raw socket could send an answer to a neighbour in the same cgroup. */
	if (!flow_from_packet(skb, true, &question->flow) || claims_to_be_resolver(question))
		return conclude(question, REASON_PACKET, false);
	if (sk->state == BPF_TCP_LISTEN)
		return judge_accept(skb, question) == ALLOW;
	approval = approval_of(policy_id, flow);
	if (state && state->approved == approval)
		return ALLOW;
	if (egress_config.servers &&
	    (has_servers(question) || (state && (state->flags & SOCKET_STEERED))))
		more = judge_server_packet(skb, question);
	if (more == MAY_APPROVE)
		return approve(state, approval);
	if (more != MAY_NOTHING)
		return more == MAY_PASS;
	if (names && flow_is_query(policy_id, flow))
		return judge_question_packet(skb, question) == MAY_PASS;
	grant = grant_find(TABLE_OF(policy_id, TABLE_EGRESS), &flow->remote);
	if (grant && grant_has(grant, flow->protocol, flow->remote_port))
		return approve(state, approval);
	if (grant && budget_list_has(grant->budgets, flow->protocol, flow->remote_port))
		return charge_packet(skb, question, grant->budgets) == MAY_PASS;
	if (names)
		more = judge_by_name(skb, question);
	if (more == MAY_NOTHING)
		more = packet_may_answer(skb, question);
	if (more == MAY_APPROVE)
		return approve(state, approval);
	if (more != MAY_NOTHING)
		return more == MAY_PASS;
	return refuse_packet(skb, question, sk, state, approval);
}

/* To a peer that came in: no destination of the agent's own, and a port that only the peer chose.
 */
static __always_inline bool is_answer(struct __sk_buff *skb, const struct socket_state *state,
				      const struct question *question)
{
	return question->kind == EVENT_LISTEN || (state && (state->flags & SOCKET_INBOUND)) ||
	       answers_udp_peer(POLICY_ID(question->subject.policy), bpf_get_socket_cookie(skb),
				&question->flow);
}

static __always_inline bool egress_is_granted(__u32 policy_id, const struct flow *flow)
{
	struct address_grant *grant = grant_find(TABLE_OF(policy_id, TABLE_EGRESS), &flow->remote);

	return grant && (grant_has(grant, flow->protocol, flow->remote_port) ||
			 budget_list_has(grant->budgets, flow->protocol, flow->remote_port));
}

/* No reason: it comes from a resolver. What calls others has little stack left to itself. */
#define ANSWER_TO_READ (-1)

/* A datagram: from whom the policy lets the socket speak to, or for a port that it may serve; then
 * the sender may be answered. */
VERIFIED_ONCE int judge_datagram(struct __sk_buff *skb, struct question *question)
{
	const struct flow *flow = &question->flow;
	struct udp_peer_key key;
	struct open open;
	__u32 policy_id;

	if (!question)
		return REASON_NO_POLICY;
	policy_id = POLICY_ID(question->subject.policy);
	if (!policy_id)
		return REASON_NO_POLICY;
	if (!flow_from_packet(skb, false, &question->flow))
		return REASON_PACKET;
	if (has_names(question) && flow->remote_port == DNS_PORT &&
	    flow_is_query(policy_id, flow)) {
		question->cookie = bpf_get_socket_cookie(skb);
		return ANSWER_TO_READ;
	}
	if (egress_is_granted(policy_id, flow))
		return REASON_NONE;
	if (has_names(question) && learnt_find(flow, policy_id, question->subject.space, 0, &open))
		return REASON_NONE;
	if (answers_udp_peer(policy_id, bpf_get_socket_cookie(skb), flow))
		return REASON_NONE;
	if (!inbound_is_granted(policy_id, flow))
		return REASON_LISTEN;
	key = udp_peer(bpf_get_socket_cookie(skb), flow);
	bpf_map_update_elem(&udp_peers, &key, &policy_id, BPF_ANY);
	return REASON_NONE;
}

/* TCP that comes is judged when it is answered; what is read here are answers of resolvers. */
static __always_inline int judge_incoming_segment(struct __sk_buff *skb, struct question *question)
{
	if (!has_names(question) || !flow_from_packet(skb, false, &question->flow) ||
	    !flow_is_query(POLICY_ID(question->subject.policy), &question->flow))
		return ALLOW;
	question->cookie = bpf_get_socket_cookie(skb);
	return answer_segment(skb, question) != DENY;
}

#endif
