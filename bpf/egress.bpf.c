// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup hooks: what a policed task connects to, sends to, binds, and what leaves and enters
 * its sockets. Attached to each enrolled cgroup, so that tasks elsewhere run none of this.
 *
 * Return values: 1 lets the call or packet through, 0 refuses it: EPERM for calls and for packets
 * of UDP, ICMP and raw sockets; a dropped TCP segment is a timeout, which is why TCP is refused in
 * connect already.
 */
#include "bpf/event.h"
#include "bpf/flow.h"
#include "bpf/lookup.h"

char LICENSE[] SEC("license") = "GPL";

#define ALLOW 1
#define DENY  0

/* From <sys/socket.h>, which the bpf target can't include. */
#define AF_INET	    2
#define AF_INET6    10
#define SOCK_STREAM 1
#define SOCK_DGRAM  2

/* What a verdict is about; the rest of a hook's code only fills it. */
struct question {
	struct subject subject;
	enum event_kind kind;
	enum event_hook hook;
	const struct flow *flow;
	__u32 family;
	__u32 socket_type;
	bool by_current; /* the task that runs now did it; `actor` is filled when it is told */
	struct actor actor;
};

static __always_inline void tell(const struct question *question, enum event_verdict verdict,
				 enum event_reason reason)
{
	bool inward = question->kind == EVENT_LISTEN;
	const struct flow *flow = question->flow;
	struct actor actor = question->actor;
	struct denial_key what = {
		.cgroup = question->subject.cgroup,
		.policy_id = POLICY_ID(question->subject.policy),
		.kind = question->kind,
		.reason = reason,
		.protocol = flow->protocol,
		.verdict = verdict,
		.port = inward ? flow->local_port : flow->remote_port,
		.socket_type = question->socket_type,
		.family = question->family,
	};

	__builtin_memcpy(what.address, inward ? &flow->local : &flow->remote, sizeof(what.address));
	if (question->by_current)
		actor_set_current(&actor);
	event_emit(&what, question->hook, &actor);
}

/* Turns what the tables say into what happens: audit mode allows and tells. */
static __always_inline int conclude(const struct question *question, enum event_reason reason)
{
	__u32 flags = POLICY_FLAGS(question->subject.policy);
	enum event_verdict verdict = EVENT_ALLOW;

	if (flags & POLICY_QUIET)
		return reason == REASON_NONE ? ALLOW : DENY;
	verdict_count(question->subject.slot, reason == REASON_NONE);
	if (reason != REASON_NONE)
		verdict = flags & POLICY_AUDIT_MODE ? EVENT_WOULD_DENY : EVENT_DENY;
	else if (question->kind != EVENT_CONNECT || !(flags & POLICY_LOG_CONNECT))
		return ALLOW;
	tell(question, verdict, reason);
	return verdict == EVENT_DENY ? DENY : ALLOW;
}

/* A UDP listener's peer: known by the socket and its address. */
static __always_inline struct udp_peer_key udp_peer(__u64 cookie, const struct flow *flow)
{
	struct udp_peer_key key = {.socket_cookie = cookie, .port = flow->remote_port};

	__builtin_memcpy(key.address, &flow->remote, sizeof(key.address));
	return key;
}

/* Does this answer a peer that was let in under the policy of now? */
static __always_inline bool answers_udp_peer(__u32 policy_id, __u64 cookie, const struct flow *flow)
{
	struct udp_peer_key key = udp_peer(cookie, flow);
	__u32 *under;

	if (flow->protocol != IPPROTO_UDP)
		return false;
	under = bpf_map_lookup_elem(&udp_peers, &key);
	return under && *under == policy_id;
}

/* ---- socket calls: the task that runs is the one that asks ---- */

/* A socket keeps the cgroup it was made in; one that is older than its policy is judged by its user
 * here, and by its own cgroup when a packet leaves. */
static __always_inline struct socket_state *find_subject(struct bpf_sock_addr *ctx,
							 struct subject *subject)
{
	struct enforcer_state *enforcer = enforcer_state_now();
	struct socket_state *state = NULL;

	if (ctx->sk)
		state = bpf_sk_storage_get(&state_of_socket, ctx->sk, 0, 0);
	if (state && subject_from_slot(subject, state->cgroup, state->slot))
		return state;
	if (enforcer)
		subject_from_found(subject, slot_of_task(enforcer->levels));
	return state;
}

static __always_inline int judge_destination(struct bpf_sock_addr *ctx, struct flow *flow,
					     enum event_hook hook)
{
	struct question question = {.kind = EVENT_CONNECT, .hook = hook, .flow = flow};
	struct socket_state *state = find_subject(ctx, &question.subject);
	__u32 policy_id = POLICY_ID(question.subject.policy);
	enum event_reason reason = REASON_NONE;
	__u64 approval;
	int verdict;

	flow_address_as_destination(&flow->remote);
	approval = approval_of(policy_id, flow);
	if (state && state->approved == approval && hook == HOOK_SENDMSG)
		return ALLOW;
	question.family = ctx->family;
	question.by_current = true;
	if (!policy_id)
		reason = REASON_NO_POLICY;
	else if (!egress_is_granted(policy_id, flow) &&
		 !answers_udp_peer(policy_id, bpf_get_socket_cookie(ctx), flow))
		reason = REASON_EGRESS;
	verdict = conclude(&question, reason);
	/* Also where audit mode lets it through: it is told once, not for each packet. */
	if (state && verdict == ALLOW) {
		state->flags &= ~SOCKET_INBOUND;
		state->approved = approval;
	}
	return verdict;
}

/* connect(2), also by TCP Fast Open, MPTCP and io_uring; address and port may not be changed
 * between here and use. */
SEC("cgroup/connect4")
int guard_connect4(struct bpf_sock_addr *ctx)
{
	struct flow flow = {.remote_port = bpf_ntohs(ctx->user_port),
			    .protocol = flow_protocol(ctx->protocol)};

	flow_address_set4(&flow.remote, ctx->user_ip4);
	return judge_destination(ctx, &flow, HOOK_CONNECT);
}

static __always_inline void flow_remote_set6(struct flow *flow, struct bpf_sock_addr *ctx)
{
	flow->remote.words[0] = ctx->user_ip6[0];
	flow->remote.words[1] = ctx->user_ip6[1];
	flow->remote.words[2] = ctx->user_ip6[2];
	flow->remote.words[3] = ctx->user_ip6[3];
}

/* As connect4; an IPv4-mapped address comes here and is IPv4 in our tables. */
SEC("cgroup/connect6")
int guard_connect6(struct bpf_sock_addr *ctx)
{
	struct flow flow = {.remote_port = bpf_ntohs(ctx->user_port),
			    .protocol = flow_protocol(ctx->protocol)};

	flow_remote_set6(&flow, ctx);
	return judge_destination(ctx, &flow, HOOK_CONNECT);
}

/* sendto(2), sendmsg(2), sendmmsg(2) of UDP with an address, once a message. */
SEC("cgroup/sendmsg4")
int guard_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct flow flow = {.remote_port = bpf_ntohs(ctx->user_port),
			    .protocol = flow_protocol(ctx->protocol)};

	flow_address_set4(&flow.remote, ctx->user_ip4);
	return judge_destination(ctx, &flow, HOOK_SENDMSG);
}

SEC("cgroup/sendmsg6")
int guard_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct flow flow = {.remote_port = bpf_ntohs(ctx->user_port),
			    .protocol = flow_protocol(ctx->protocol)};

	flow_remote_set6(&flow, ctx);
	return judge_destination(ctx, &flow, HOOK_SENDMSG);
}

static __always_inline int judge_bind(struct bpf_sock_addr *ctx, const struct flow *flow)
{
	struct question question = {.kind = EVENT_LISTEN, .hook = HOOK_BIND, .flow = flow};
	enum event_reason reason = REASON_LISTEN;
	__u32 policy_id;

	/* A free port is the kernel's choice; an ICMP identifier is no port. */
	if (flow->local_port == 0 || flow->protocol == IPPROTO_ICMP)
		return ALLOW;
	(void)find_subject(ctx, &question.subject);
	policy_id = POLICY_ID(question.subject.policy);
	question.family = ctx->family;
	question.by_current = true;
	if (!policy_id)
		reason = REASON_NO_POLICY;
	else if (address_is_granted(policy_id, TABLE_LISTEN, &flow->local, flow->protocol,
				    flow->local_port))
		reason = REASON_NONE;
	return conclude(&question, reason);
}

/* bind(2) */
SEC("cgroup/bind4")
int guard_bind4(struct bpf_sock_addr *ctx)
{
	struct flow flow = {.local_port = bpf_ntohs(ctx->user_port),
			    .protocol = flow_protocol(ctx->protocol)};

	flow_address_set4(&flow.local, ctx->user_ip4);
	return judge_bind(ctx, &flow);
}

SEC("cgroup/bind6")
int guard_bind6(struct bpf_sock_addr *ctx)
{
	struct flow flow = {.local_port = bpf_ntohs(ctx->user_port),
			    .protocol = flow_protocol(ctx->protocol)};

	flow.local.words[0] = ctx->user_ip6[0];
	flow.local.words[1] = ctx->user_ip6[1];
	flow.local.words[2] = ctx->user_ip6[2];
	flow.local.words[3] = ctx->user_ip6[3];
	return judge_bind(ctx, &flow);
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
}

/* socket(2) of the inet families, when the socket is made but not yet given out. Other families
 * never come here. The socket learns its policy's cgroup. */
SEC("cgroup/sock_create")
int guard_socket(struct bpf_sock *ctx)
{
	struct flow nowhere = {.protocol = ctx->protocol};
	struct question question = {.kind = EVENT_SOCKET, .hook = HOOK_SOCKET, .flow = &nowhere};
	struct enforcer_state *enforcer = enforcer_state_now();
	enum event_reason reason = REASON_FAMILY;

	if (enforcer)
		subject_from_found(&question.subject, slot_of_task(enforcer->levels));
	if (enforcer && question.subject.policy)
		remember_maker(ctx, &question.subject, enforcer);
	else
		reason = REASON_NO_POLICY;
	if (reason == REASON_FAMILY &&
	    (socket_is_ordinary(ctx->type, ctx->protocol) ||
	     (POLICY_FLAGS(question.subject.policy) & POLICY_RAW_SOCKETS)))
		return ALLOW;
	question.family = ctx->family;
	question.socket_type = ctx->type;
	question.by_current = true;
	return conclude(&question, reason);
}

/* ---- packets: no task is known, the socket is what is judged ---- */

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

static __always_inline bool packet_may_leave(struct __sk_buff *skb, const struct bpf_sock *sk,
					     const struct flow *flow, struct socket_state *state,
					     __u32 policy_id)
{
	if (egress_is_granted(policy_id, flow))
		return true;
	if (is_fast_open_answer(sk, flow, policy_id)) {
		if (state)
			state->flags |= SOCKET_INBOUND;
		return true;
	}
	if (state && (state->flags & SOCKET_INBOUND) && inbound_is_granted(policy_id, flow))
		return true;
	return answers_udp_peer(policy_id, bpf_get_socket_cookie(skb), flow);
}

/* What was let through for which reason, so that the next packet of its kind is not asked about. */
static __always_inline void remember_packet(struct socket_state *state,
					    const struct question *question,
					    enum event_reason reason)
{
	if (reason == REASON_LISTEN)
		state->flags |= SOCKET_INBOUND;
	else if (reason == REASON_EGRESS)
		state->approved = approval_of(POLICY_ID(question->subject.policy), question->flow);
}

static __always_inline enum event_reason judge_packet(struct __sk_buff *skb, struct bpf_sock *sk,
						      struct socket_state *state,
						      struct question *question, struct flow *flow)
{
	__u32 policy_id = POLICY_ID(question->subject.policy);
	__u64 approval;

	if (!policy_id)
		return REASON_NO_POLICY;
	if (!flow_from_packet(skb, true, flow))
		return REASON_PACKET;
	if (sk->state == BPF_TCP_LISTEN) {
		/* The answer to a peer that asks to come in: without it there is no connection.
		 * What is accepted then is known as let in. */
		question->kind = EVENT_LISTEN;
		if (!inbound_is_granted(policy_id, flow))
			return REASON_LISTEN;
		if (state)
			remember_packet(state, question, REASON_LISTEN);
		return REASON_NONE;
	}
	approval = approval_of(policy_id, flow);
	if (state && state->approved == approval)
		return REASON_NONE;
	if (!packet_may_leave(skb, sk, flow, state, policy_id))
		return REASON_EGRESS;
	if (state)
		state->approved = approval;
	return REASON_NONE;
}

/* Each packet that a policed socket sends, before it is fragmented. skb->sk is the full socket: the
 * kernel calls for no other, and puts it there (__cgroup_bpf_run_filter_skb in
 * kernel/bpf/cgroup.c). So bpf_sk_fullsock is not asked: a call for each packet that would change
 * nothing. */
SEC("cgroup_skb/egress")
int guard_egress(struct __sk_buff *skb)
{
	struct flow flow = {};
	struct question question = {.kind = EVENT_CONNECT, .hook = HOOK_EGRESS, .flow = &flow};
	struct bpf_sock *sk = skb->sk;
	struct socket_state *state;
	enum event_reason reason;
	int verdict;

	if (!sk)
		return DENY;
	state = state_of_packet(skb, sk, &question);
	reason = judge_packet(skb, sk, state, &question, &flow);
	if (reason == REASON_NONE)
		return ALLOW;
	verdict = conclude(&question, reason);
	/* Audit mode lets it through: as if it were granted, so that it is told once. */
	if (state && verdict == ALLOW)
		remember_packet(state, &question, reason);
	return verdict;
}

/* A datagram: from whom the policy lets the socket speak to, or for a port that it may serve; then
 * the sender may be answered. */
static __always_inline enum event_reason judge_datagram(struct __sk_buff *skb, __u32 policy_id,
							struct flow *flow)
{
	struct udp_peer_key key;
	__u32 *under;

	if (!policy_id)
		return REASON_NO_POLICY;
	if (!flow_from_packet(skb, false, flow))
		return REASON_PACKET;
	if (egress_is_granted(policy_id, flow))
		return REASON_NONE;
	key = udp_peer(bpf_get_socket_cookie(skb), flow);
	under = bpf_map_lookup_elem(&udp_peers, &key);
	if (under && *under == policy_id)
		return REASON_NONE;
	if (!inbound_is_granted(policy_id, flow))
		return REASON_LISTEN;
	bpf_map_update_elem(&udp_peers, &key, &policy_id, BPF_ANY);
	return REASON_NONE;
}

/* Each packet that reaches a policed socket. Attached only where the policy lets datagrams in or
 * out (POLICY_DATAGRAMS): what TCP lets in is judged when it is answered. */
SEC("cgroup_skb/ingress")
int guard_ingress(struct __sk_buff *skb)
{
	struct flow flow = {};
	struct question question = {.kind = EVENT_LISTEN, .hook = HOOK_INGRESS, .flow = &flow};
	struct bpf_sock *sk = skb->sk;
	enum event_reason reason;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk)
		return DENY;
	/* Raw and ping sockets read what the kernel has taken already; they need a grant to be. */
	if (sk->protocol != IPPROTO_UDP)
		return ALLOW;
	(void)state_of_packet(skb, sk, &question);
	reason = judge_datagram(skb, POLICY_ID(question.subject.policy), &flow);
	return reason == REASON_NONE ? ALLOW : conclude(&question, reason);
}
