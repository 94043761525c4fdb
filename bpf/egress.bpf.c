// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup hooks: what a policed task connects to, sends to, binds, and what leaves and enters
 * its sockets. Attached to each enrolled cgroup, so that tasks elsewhere run none of this.
 *
 * Return values: 1 lets the call or packet through, 0 refuses it: EPERM for calls and for packets
 * of UDP, ICMP and raw sockets; a dropped TCP segment is a timeout, which is why TCP is refused in
 * connect already, and why user space is asked to end a connection that is refused later.
 */
#include "bpf/hello.h"
#include "bpf/learn.h"
#include "bpf/query.h"
#include "bpf/steer.h"
#include "bpf/traffic.h"

char LICENSE[] SEC("license") = "GPL";

/* From <sys/socket.h>, which the bpf target can't include. */
#define AF_INET	    2
#define AF_INET6    10
#define SOCK_STREAM 1
#define SOCK_DGRAM  2

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

/* connect(2), also by TCP Fast Open, MPTCP and io_uring; address and port may not be changed
 * between here and use. */
SEC("cgroup/connect4")
int guard_connect4(struct bpf_sock_addr *ctx)
{
	struct question question = {};
	__u32 guard = 0;
	int verdict;

	question_set4(&question, ctx, HOOK_CONNECT);
	verdict = judge_destination(ctx, &question, &guard);
	if (guard) {
		ctx->user_ip4 = bpf_htonl(0x7f000001);
		ctx->user_port = bpf_htons((__u16)guard);
	}
	return verdict;
}

/* As connect4; an IPv4-mapped address comes here and is IPv4 in our tables. */
SEC("cgroup/connect6")
int guard_connect6(struct bpf_sock_addr *ctx)
{
	struct question question = {};
	__u32 guard = 0;
	int verdict;

	question_set6(&question, ctx, HOOK_CONNECT);
	verdict = judge_destination(ctx, &question, &guard);
	if (guard) {
		bool mapped = is_ipv4(&question.flow.remote);

		ctx->user_ip6[0] = 0;
		ctx->user_ip6[1] = 0;
		ctx->user_ip6[2] = mapped ? bpf_htonl(0xffff) : 0;
		ctx->user_ip6[3] = mapped ? bpf_htonl(0x7f000001) : bpf_htonl(1);
		ctx->user_port = bpf_htons((__u16)guard);
	}
	return verdict;
}

/* sendto(2), sendmsg(2), sendmmsg(2) of UDP with an address, once a message. */
SEC("cgroup/sendmsg4")
int guard_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct question question = {};
	__u32 guard = 0;

	question_set4(&question, ctx, HOOK_SENDMSG);
	return judge_destination(ctx, &question, &guard);
}

SEC("cgroup/sendmsg6")
int guard_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct question question = {};
	__u32 guard = 0;

	question_set6(&question, ctx, HOOK_SENDMSG);
	return judge_destination(ctx, &question, &guard);
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

/* bind(2) */
SEC("cgroup/bind4")
int guard_bind4(struct bpf_sock_addr *ctx)
{
	struct question question = {.flow = {.local_port = bpf_ntohs(ctx->user_port),
					     .protocol = flow_protocol(ctx->protocol)}};

	flow_address_set4(&question.flow.local, ctx->user_ip4);
	return judge_bind(ctx, &question);
}

SEC("cgroup/bind6")
int guard_bind6(struct bpf_sock_addr *ctx)
{
	struct question question = {.flow = {.local_port = bpf_ntohs(ctx->user_port),
					     .protocol = flow_protocol(ctx->protocol)}};
	union flow_address *local = &question.flow.local;

	local->words[0] = ctx->user_ip6[0];
	local->words[1] = ctx->user_ip6[1];
	local->words[2] = ctx->user_ip6[2];
	local->words[3] = ctx->user_ip6[3];
	return judge_bind(ctx, &question);
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

/* socket(2) of the inet families, when the socket is made but not yet given out. Other families
 * never come here. The socket learns its policy's cgroup. */
SEC("cgroup/sock_create")
int guard_socket(struct bpf_sock *ctx)
{
	struct question question = {
		.kind = EVENT_SOCKET, .hook = HOOK_SOCKET, .flow = {.protocol = ctx->protocol}};
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
	question.detail = ctx->type;
	return conclude(&question, reason, true);
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

/* Each packet that a policed socket sends, before it is fragmented. skb->sk is the full socket: the
 * kernel calls for no other, and puts it there (__cgroup_bpf_run_filter_skb in
 * kernel/bpf/cgroup.c). So bpf_sk_fullsock is not asked: a call for each packet that would change
 * nothing. */
SEC("cgroup_skb/egress")
int guard_egress(struct __sk_buff *skb)
{
	struct question question = {.kind = EVENT_CONNECT, .hook = HOOK_EGRESS};
	struct bpf_sock *sk = skb->sk;
	struct socket_state *state;
	int verdict;

	if (!sk)
		return DENY;
	state = state_of_packet(skb, sk, &question);
	verdict = judge_packet(skb, sk, state, &question);
	if (verdict == ALLOW && (POLICY_FLAGS(question.subject.policy) & POLICY_TRAFFIC) &&
	    !is_answer(skb, state, &question))
		traffic_count(&question, skb->len);
	return verdict;
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

/* Each packet that reaches a policed socket. Attached only where the policy lets datagrams in or
 * out (POLICY_DATAGRAMS): what TCP lets in is judged when it is answered. */
SEC("cgroup_skb/ingress")
int guard_ingress(struct __sk_buff *skb)
{
	struct question question = {.kind = EVENT_LISTEN, .hook = HOOK_INGRESS};
	struct bpf_sock *sk = skb->sk;
	int reason;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk)
		return DENY;
	/* Raw and ping sockets read what the kernel has taken already; they need a grant to be. */
	if (sk->protocol != IPPROTO_UDP &&
	    (sk->protocol != IPPROTO_TCP || sk->dst_port != bpf_htons(DNS_PORT)))
		return ALLOW;
	(void)state_of_packet(skb, sk, &question);
	if (sk->protocol == IPPROTO_TCP)
		return judge_incoming_segment(skb, &question);
	reason = judge_datagram(skb, &question);
	/* The first condition spares the verifier all of it where there are no names. */
	if (egress_config.names && reason == ANSWER_TO_READ)
		return answer_datagram(skb, &question) != DENY;
	return reason == REASON_NONE ? ALLOW : conclude(&question, reason, false);
}
