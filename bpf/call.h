/* SPDX-License-Identifier: GPL-2.0-only */
/* Socket calls: connect, sendto, bind, socket. The task that runs is the one that asks. */
#ifndef AGENTPOL_BPF_CALL_H
#define AGENTPOL_BPF_CALL_H

#include "bpf/peer.h"
#include "bpf/steer.h"

/* From <sys/socket.h>, which the bpf target can't include. */
#define AF_INET	    2
#define AF_INET6    10
#define SOCK_STREAM 1
#define SOCK_DGRAM  2

/* A socket keeps the cgroup it was made in; one that is older than its policy is judged by its user
 * here, and by its own cgroup when a packet leaves. */
static __always_inline struct socket_state *find_subject(struct bpf_sock_addr *ctx,
							 struct subject *subject)
{
	struct enforcer_state *enforcer = enforcer_state_now();
	struct socket_state *state = NULL;

	if (ctx->sk)
		state = bpf_sk_storage_get(&state_of_socket, ctx->sk, 0, 0);
	if (egress_config.names || egress_config.servers)
		subject->space = (__u32)bpf_get_netns_cookie(ctx);
	if (state && subject_from_slot(subject, state->cgroup, state->slot))
		return state;
	if (enforcer)
		subject_from_found(subject, slot_of_task(enforcer->levels));
	return state;
}

/* What a budget has been charged for is not charged again for a socket that stays with it; each TCP
 * connect is one. */
static __always_inline __u32 connects_of(const struct socket_state *state, __u64 approval,
					 const struct question *question)
{
	if (question->hook == HOOK_CONNECT && question->flow.protocol == IPPROTO_TCP)
		return 1;
	return !state || state->charged != approval;
}

/* Who sorts the addresses of a name (RFC 6724) connects a datagram socket to each, at a port of its
 * own choice (glibc 0, musl 65535, Go 9), to see from where it would send, and sends nothing. That
 * goes out to nobody, and a packet is judged by itself. */
static __always_inline bool only_looks(const struct question *question)
{
	return question->hook == HOOK_CONNECT && question->flow.protocol == IPPROTO_UDP;
}

/* `*lasting`: it holds for as long as the socket speaks to that peer, and needs no second look. */
static __always_inline enum event_reason judge_call(struct question *question,
						    const struct socket_state *state,
						    __u64 approval, __u64 cookie, bool *lasting)
{
	__u32 policy_id = POLICY_ID(question->subject.policy);
	bool names = has_names(question);
	const struct flow *flow = &question->flow;
	__u32 connects = connects_of(state, approval, question);
	enum charge charge = CHARGE_NONE;
	struct address_grant *grant;
	struct open open;

	*lasting = false;
	if (!policy_id)
		return REASON_NO_POLICY;
	/* What is asked there is judged by the packet. */
	if (names && flow->remote_port == DNS_PORT && flow_is_query(policy_id, flow))
		return REASON_NONE;
	grant = grant_find(TABLE_OF(policy_id, TABLE_EGRESS), &flow->remote);
	if (grant && grant_has(grant, flow->protocol, flow->remote_port)) {
		/* What a resolver takes on another port is judged by the packet, too. */
		*lasting = !names || !flow_is_query(policy_id, flow);
		return REASON_NONE;
	}
	if (grant && grant->budgets)
		charge = budget_charge(grant->budgets, flow->protocol, flow->remote_port, connects,
				       0);
	if (charge == CHARGE_PAID)
		return REASON_NONE;
	if (names && learnt_find(flow, policy_id, question->subject.space, 1, &open)) {
		*lasting = open.how == OPEN_GRANTED;
		if (!(open.how & OPEN_CHARGED) ||
		    budget_charge(open.budgets, flow->protocol, flow->remote_port, connects, 0) ==
			    CHARGE_PAID)
			return REASON_NONE;
		charge = CHARGE_EXHAUSTED;
	}
	if (names)
		question->name = open.name;
	if (answers_udp_peer(policy_id, cookie, flow)) {
		*lasting = true;
		return REASON_NONE;
	}
	if (names && charge == CHARGE_NONE && only_looks(question) &&
	    (open.name || (grant && grant_has_any(grant)))) {
		question->kind = EVENT_NONE;
		return REASON_NONE;
	}
	return charge == CHARGE_EXHAUSTED ? REASON_BUDGET : REASON_EGRESS;
}

/* `*guard`: the port of the guard's that the connection is to be turned to; 0: it stays. */
static __always_inline int judge_destination(struct bpf_sock_addr *ctx, struct question *question,
					     __u32 *guard)
{
	struct socket_state *state = find_subject(ctx, &question->subject);
	enum event_reason reason;
	int verdict, steered = 0;
	bool lasting;
	__u64 approval;

	flow_address_as_destination(&question->flow.remote);
	approval = approval_of(POLICY_ID(question->subject.policy), &question->flow);
	if (state && state->approved == approval && question->hook == HOOK_SENDMSG)
		return ALLOW;
	question->kind = EVENT_CONNECT;
	question->family = ctx->family;
	if (has_servers(question))
		steered = steer_call(ctx, question);
	if (steered > 0) {
		*guard = (__u32)steered;
		return conclude(question, REASON_NONE, true);
	}
	if (steered < 0) {
		lasting = true;
		reason = -steered;
	} else {
		reason =
			judge_call(question, state, approval, bpf_get_socket_cookie(ctx), &lasting);
	}
	verdict = conclude(question, reason, true);
	if (!state || verdict == DENY)
		return verdict;
	state->flags &=
		~(SOCKET_INBOUND | SOCKET_STREAM | SOCKET_GREETS | SOCKET_GREETED | SOCKET_OPENED);
	state->budgets = 0;
	if (reason == REASON_NONE)
		state->charged = approval;
	/* Also where audit mode lets it through: it is told once, not for each packet. A new
	 * connection to the same place has to greet anew, and nothing of the old one holds for it.
	 */
	if (lasting || reason != REASON_NONE)
		state->approved = approval;
	else if (question->hook == HOOK_CONNECT)
		state->approved = 0;
	return verdict;
}

static __always_inline void question_set4(struct question *question, struct bpf_sock_addr *ctx,
					  enum event_hook hook)
{
	question->hook = hook;
	question->flow.remote_port = bpf_ntohs(ctx->user_port);
	question->flow.protocol = flow_protocol(ctx->protocol);
	flow_address_set4(&question->flow.remote, ctx->user_ip4);
}

static __always_inline void question_set6(struct question *question, struct bpf_sock_addr *ctx,
					  enum event_hook hook)
{
	union flow_address *remote = &question->flow.remote;

	question->hook = hook;
	question->flow.remote_port = bpf_ntohs(ctx->user_port);
	question->flow.protocol = flow_protocol(ctx->protocol);
	remote->words[0] = ctx->user_ip6[0];
	remote->words[1] = ctx->user_ip6[1];
	remote->words[2] = ctx->user_ip6[2];
	remote->words[3] = ctx->user_ip6[3];
}
static __always_inline int judge_bind(struct bpf_sock_addr *ctx, struct question *question)
{
	enum event_reason reason = REASON_LISTEN;
	const struct flow *flow = &question->flow;
	__u32 policy_id;

	/* A free port is the kernel's choice; an ICMP identifier is no port. */
	if (flow->local_port == 0 || flow->protocol == IPPROTO_ICMP)
		return ALLOW;
	(void)find_subject(ctx, &question->subject);
	policy_id = POLICY_ID(question->subject.policy);
	question->kind = EVENT_LISTEN;
	question->hook = HOOK_BIND;
	question->family = ctx->family;
	if (!policy_id)
		reason = REASON_NO_POLICY;
	else if (address_is_granted(policy_id, TABLE_LISTEN, &flow->local, flow->protocol,
				    flow->local_port))
		reason = REASON_NONE;
	return conclude(question, reason, true);
}

/* TCP, MPTCP, UDP and ping sockets are what packets are judged for; all others need a grant. */
static __always_inline bool socket_is_ordinary(__u32 type, __u32 protocol)
{
	if (type == SOCK_STREAM)
		return protocol == IPPROTO_TCP || protocol == PROTOCOL_NUMBER_MPTCP;
	if (type == SOCK_DGRAM)
		return protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP ||
		       protocol == IPPROTO_ICMPV6;
	return false;
}

static __always_inline void remember_maker(struct bpf_sock *sk, const struct subject *subject,
					   const struct enforcer_state *enforcer)
{
	struct socket_state *state;

	state = bpf_sk_storage_get(&state_of_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	/* Out of memory: the cgroup is looked for when it is needed. */
	if (!state)
		return;
	state->cgroup = subject->cgroup;
	state->slot = subject->slot;
	state->generation = enforcer->generation;
	state->pid = bpf_get_current_pid_tgid() >> 32;
	state->uid = (__u32)bpf_get_current_uid_gid();
	if (egress_config.names || egress_config.servers)
		state->space = (__u32)bpf_get_netns_cookie(sk);
}

#endif
