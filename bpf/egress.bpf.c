// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup hooks: what a policed task connects to, sends to, binds, and what leaves and enters
 * its sockets. Attached to each enrolled cgroup, so that tasks elsewhere run none of this.
 *
 * Return values: 1 lets the call or packet through, 0 refuses it: EPERM for calls and for packets
 * of UDP, ICMP and raw sockets; a dropped TCP segment is a timeout, which is why TCP is refused in
 * connect already, and why user space is asked to end a connection that is refused later.
 */
#include "bpf/call.h"
#include "bpf/packet.h"
#include "bpf/traffic.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- socket calls ---- */

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

/* ---- packets ---- */

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
