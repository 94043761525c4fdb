/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Servers that the guard alone speaks to: a connect to the server of the scope's own tool is turned
 * to the guard's listener in the same network namespace; one to any other tool's is denied,
 * whatever the rules of egress grant. Before those rules are asked.
 */
#ifndef AGENTPOL_BPF_STEER_H
#define AGENTPOL_BPF_STEER_H

#include "bpf/names.h"
#include "bpf/stream.h"

static __always_inline bool has_servers(const struct question *question)
{
	return egress_config.servers && (POLICY_FLAGS(question->subject.policy) & POLICY_SERVERS);
}

/* As the tables have it. */
static __always_inline void server_address(const union flow_address *address, __u8 *bytes)
{
	union flow_address localhost = {.words = {0, 0, bpf_htonl(0xffff), bpf_htonl(0x7f000001)}};

	__builtin_memcpy(bytes, flow_address_is_loopback(address) ? &localhost : address,
			 sizeof(localhost));
}

/* ---- whose server ---- */

/* One of this port among a name's, or `found`. The scope's own counts before others. */
VERIFIED_ONCE __u32 server_of_grant(__u32 index, __u32 policy_id, __u32 port, __u32 found)
{
	struct name_grant *grant = name_grant_at(index, policy_id);
	__u32 i;

	if (!grant)
		return found;
	NO_UNROLL
	for (i = 0; i < NAME_SERVERS_MAX; i++)
		if (grant->servers[i].port == port && grant->servers[i].server > found)
			found = grant->servers[i].server;
	return found;
}

/* That of a name whose answers have led there, however long ago: what was a server's address once
 * is no rule's to open. */
VERIFIED_ONCE __u32 server_by_name(struct question *question)
{
	struct learnt_key key = {};
	struct learnt_address *learnt;
	__u32 i, found = 0;

	if (!question)
		return 0;
	key.policy_id = POLICY_ID(question->subject.policy);
	key.space = question->subject.space;
	__builtin_memcpy(key.address, &question->flow.remote, sizeof(key.address));
	learnt = bpf_map_lookup_elem(&learnt_of_address, &key);
	if (!learnt)
		return 0;
	NO_UNROLL
	for (i = 0; i < LEARNT_GRANTS_MAX; i++) {
		__u64 slot = *(volatile __u64 *)&learnt->slots[i];

		if (slot)
			found = server_of_grant(LEARNT_GRANT(slot), key.policy_id,
						question->flow.remote_port, found);
	}
	if (found)
		question->name = learnt->name;
	return found;
}

/* Which tool's server is the flow's remote end? 0: none's. */
VERIFIED_ONCE __u32 server_find(struct question *question)
{
	struct server_key key = {};
	__u32 *by_address, found, named = 0;

	if (!question || !flow_has_ports(&question->flow))
		return 0;
	key.policy_id = POLICY_ID(question->subject.policy);
	key.port = question->flow.remote_port;
	server_address(&question->flow.remote, key.address);
	by_address = bpf_map_lookup_elem(&server_of_address, &key);
	found = by_address ? *by_address : 0;
	if (found & SERVER_OWN)
		return found;
	if (has_names(question))
		named = server_by_name(question);
	return named > found ? named : found;
}

static __always_inline bool is_port_of_guard(const struct question *question)
{
	struct guard_port_key key = {.space = question->subject.space,
				     .port = question->flow.remote_port};

	return question->flow.protocol == IPPROTO_TCP &&
	       flow_address_is_loopback(&question->flow.remote) &&
	       bpf_map_lookup_elem(&ports_of_guard, &key);
}

/* ---- connect ---- */

static __always_inline bool is_ipv4(const union flow_address *address)
{
	return !address->halves[0] && address->words[2] == bpf_htonl(0xffff);
}

static __always_inline __u32 guard_port(const struct question *question)
{
	struct guard_key key = {.policy_id = POLICY_ID(question->subject.policy),
				.space = question->subject.space};
	struct guard_ports *guard = bpf_map_lookup_elem(&guard_of_policy, &key);

	if (!guard)
		return 0;
	/* An IPv6 socket with a mapped address stays with IPv4. */
	return is_ipv4(&question->flow.remote) ? guard->port4 : guard->port6;
}

/* Does the guard listen there now? Its port alone would be anybody's who comes after it. */
static __always_inline bool guard_listens(struct bpf_sock_addr *ctx, bool ipv4, __u32 port)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *listener;
	bool marked;

	if (ipv4) {
		tuple.ipv4.saddr = tuple.ipv4.daddr = bpf_htonl(0x7f000001);
		tuple.ipv4.dport = bpf_htons((__u16)port);
		listener =
			bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	} else {
		tuple.ipv6.saddr[3] = tuple.ipv6.daddr[3] = bpf_htonl(1);
		tuple.ipv6.dport = bpf_htons((__u16)port);
		listener =
			bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	if (!listener)
		return false;
	marked = bpf_sk_storage_get(&listeners_of_guard, listener, 0, 0) != NULL;
	bpf_sk_release(listener);
	return marked;
}

static __always_inline bool steer_socket(struct bpf_sock *sk, const struct question *question,
					 __u32 server, __u32 port)
{
	struct socket_state *state;
	struct steering *steering;

	state = bpf_sk_storage_get(&state_of_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	steering = bpf_sk_storage_get(&steering_of_socket, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state || !steering)
		return false;
	steering->cgroup = question->subject.cgroup;
	steering->policy_id = POLICY_ID(question->subject.policy);
	steering->server = server;
	__builtin_memcpy(steering->address, &question->flow.remote, sizeof(steering->address));
	steering->port = question->flow.remote_port;
	steering->guard_port = port;
	steering->pid = question->actor.pid;
	steering->uid = question->actor.uid;
	/* Its first packet is to be seen: nothing is approved. */
	state->approved = 0;
	state->budgets = 0;
	state->flags = SOCKET_STEERED;
	return true;
}

#define STEER_NONE 0 /* no server's: the rules of egress count */

/*
 * A socket call to an address: the port of the guard to turn it to, STEER_NONE, or the reason to
 * deny it for, below 0. It has to be the connect of a stream.
 */
VERIFIED_ONCE int steer_call(struct bpf_sock_addr *ctx, struct question *question)
{
	struct bpf_sock *sk = ctx->sk;
	struct socket_state *state;
	__u32 server, port;

	if (!question || !sk)
		return -REASON_NO_POLICY;
	server = server_find(question);
	if (!server) {
		state = bpf_sk_storage_get(&state_of_socket, sk, 0, 0);
		if (state)
			state->flags &= ~SOCKET_STEERED;
		return is_port_of_guard(question) ? -REASON_GUARD : STEER_NONE;
	}
	if (!(server & SERVER_OWN) || question->hook != HOOK_CONNECT ||
	    question->flow.protocol != IPPROTO_TCP)
		return -REASON_SERVER;
	actor_set_current(&question->actor);
	port = guard_port(question);
	if (port && guard_listens(ctx, is_ipv4(&question->flow.remote), port) &&
	    steer_socket(sk, question, server, port))
		return (int)port;
	errand_ask(question, ERRAND_LISTEN, 0);
	return -REASON_NO_GUARD;
}

/* ---- packets ---- */

/* The guard asks who its client is: by the ends that it sees. */
static __always_inline void tell_guard(struct __sk_buff *skb, const struct question *question,
				       const struct steering *steering)
{
	struct steered_key key = {.space = question->subject.space,
				  .port = question->flow.local_port,
				  .guard_port = question->flow.remote_port};
	struct steered value = {};

	__builtin_memcpy(key.address, &question->flow.local, sizeof(key.address));
	__builtin_memcpy(&value.steering, steering, sizeof(value.steering));
	value.cookie = bpf_get_socket_cookie(skb);
	bpf_map_update_elem(&steered_peers, &key, &value, BPF_ANY);
}

/* A packet of a socket that was turned to the guard. A new connection has to be of the policy of
 * now; one that is there ends when the guard ends it, with a word that says why. */
static __always_inline enum may judge_steered(struct __sk_buff *skb, struct bpf_sock *sk,
					      const struct question *question)
{
	struct steering *steering = bpf_sk_storage_get(&steering_of_socket, sk, 0, 0);

	if (!steering || question->flow.protocol != IPPROTO_TCP ||
	    !flow_address_is_loopback(&question->flow.remote) ||
	    question->flow.remote_port != steering->guard_port)
		return MAY_NOTHING;
	if (sk->state != BPF_TCP_SYN_SENT)
		return MAY_APPROVE;
	if (steering->policy_id != POLICY_ID(question->subject.policy))
		return MAY_DROP;
	tell_guard(skb, question, steering);
	return MAY_APPROVE;
}

/* A packet to a server or to the guard that no connect has led there: of a socket that is older
 * than its policy, or a datagram. */
VERIFIED_ONCE int judge_server_packet(struct __sk_buff *skb, struct question *question)
{
	struct bpf_sock *sk = skb->sk;
	enum event_reason reason = REASON_NONE;
	struct socket_state *state;
	struct segment segment;
	enum may result;
	bool tcp;

	sk = sk ? bpf_sk_fullsock(sk) : NULL;
	if (!sk || !question)
		return MAY_DROP;
	state = bpf_sk_storage_get(&state_of_socket, sk, 0, 0);
	if (state && (state->flags & SOCKET_STEERED)) {
		result = judge_steered(skb, sk, question);
		if (result != MAY_NOTHING)
			return result;
	}
	/* What came in chose its own port. */
	if (!has_servers(question) || (state && (state->flags & SOCKET_INBOUND)))
		return MAY_NOTHING;
	if (server_find(question))
		reason = REASON_SERVER;
	else if (is_port_of_guard(question))
		reason = REASON_GUARD;
	if (reason == REASON_NONE)
		return MAY_NOTHING;
	/* As packet_may_answer() has it: it ends what is there. */
	tcp = question->flow.protocol == IPPROTO_TCP;
	if (tcp && segment_from_packet(skb, IPPROTO_TCP, &segment) && segment.bare_reset)
		return MAY_PASS;
	if (conclude(question, reason, false) == ALLOW)
		return MAY_APPROVE;
	if (tcp && sk->state == BPF_TCP_ESTABLISHED) {
		question->cookie = bpf_get_socket_cookie(skb);
		errand_ask(question, ERRAND_RESET, 0);
	}
	return MAY_DROP;
}

#endif
