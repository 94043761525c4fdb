/* SPDX-License-Identifier: GPL-2.0-only */
/* From a task or a socket to its policy, and from an address and a port to a grant. */
#ifndef AGENTPOL_BPF_LOOKUP_H
#define AGENTPOL_BPF_LOOKUP_H

#include "bpf/flow.h"
#include "bpf/maps.h"

/* A section of its own, so that user space finds it without knowing the object's layout. */
const volatile struct egress_config egress_config SEC(".rodata.config") = {};

/* An enrolled cgroup as found for a task or a socket. Policy ids start at 1. */
struct subject {
	__u64 cgroup;
	__u64 policy; /* POLICY_WORD; 0: none */
	__u32 slot;
	__u32 space; /* the socket's, see struct learnt_key; only where names are judged */
};

static __always_inline struct enforcer_state *enforcer_state_now(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&enforcer_state, &only);
}

/* What is lent to the slot's cgroup, or its own policy when the time is over. A global function,
 * which has a stack of its own: who asks has none to spare. */
VERIFIED_ONCE __u64 policy_lent(__u32 slot)
{
	struct enrolment *enrolment = bpf_map_lookup_elem(&enrolments, &slot);
	__u64 leased;

	if (!enrolment)
		return 0;
	leased = *(volatile __u64 *)&enrolment->leased;
	if (leased && bpf_ktime_get_ns() < *(volatile __u64 *)&enrolment->leased_until)
		return leased;
	return *(volatile __u64 *)&enrolment->policy;
}

static __always_inline __u64 policy_of_enrolment(const struct enrolment *enrolment, __u32 slot)
{
	if (*(volatile __u64 *)&enrolment->leased)
		return policy_lent(slot);
	return *(volatile __u64 *)&enrolment->policy;
}

/* A slot that is another cgroup's by now is no answer. */
static __always_inline bool subject_from_slot(struct subject *subject, __u64 cgroup, __u32 slot)
{
	struct enrolment *enrolment = bpf_map_lookup_elem(&enrolments, &slot);

	if (!enrolment || !cgroup || enrolment->cgroup != cgroup)
		return false;
	subject->cgroup = cgroup;
	subject->slot = slot;
	subject->policy = policy_of_enrolment(enrolment, slot);
	return true;
}

static __always_inline __u32 slot_of(__u64 cgroup)
{
	__u32 *slot = cgroup ? bpf_map_lookup_elem(&slot_of_cgroup, &cgroup) : NULL;

	return slot ? *slot : 0;
}

/*
 * The nearest enrolled cgroup's slot, from the leaf up, or 0; only levels at which any is enrolled
 * are asked. A global function: the verifier walks its loop once, not once on each path to it.
 */
VERIFIED_ONCE __u32 slot_of_task(__u32 levels)
{
	int level;

	NO_UNROLL
	for (level = CGROUP_LEVELS_MAX - 1; level >= 0; level--) {
		__u32 slot;

		if (!(levels >> level & 1))
			continue;
		slot = slot_of(bpf_get_current_ancestor_cgroup_id(level));
		if (slot)
			return slot;
	}
	return 0;
}

/* The same for the socket behind a packet. */
VERIFIED_ONCE __u32 slot_of_packet(struct __sk_buff *skb, __u32 levels)
{
	int level;

	NO_UNROLL
	for (level = CGROUP_LEVELS_MAX - 1; level >= 0; level--) {
		__u32 slot;

		if (!(levels >> level & 1))
			continue;
		slot = slot_of(bpf_skb_ancestor_cgroup_id(skb, level));
		if (slot)
			return slot;
	}
	return 0;
}

static __always_inline void subject_from_found(struct subject *subject, __u32 slot)
{
	struct enrolment *enrolment = slot ? bpf_map_lookup_elem(&enrolments, &slot) : NULL;

	if (!enrolment)
		return;
	subject->cgroup = *(volatile __u64 *)&enrolment->cgroup;
	subject->policy = policy_of_enrolment(enrolment, slot);
	subject->slot = slot;
}

static __always_inline bool port_set_has(__u32 set, __u16 port)
{
	struct port_bits *bits;

	if (set == PORT_SET_NONE)
		return false;
	if (set == PORT_SET_ALL)
		return true;
	bits = bpf_map_lookup_elem(&port_sets, &set);
	if (!bits)
		return false;
	return bits->words[port >> 6] >> (port & 63) & 1;
}

/* One lookup, however many rules: the compiler has joined what covers a prefix into it. */
static __always_inline struct address_grant *grant_find(__u32 table,
							const union flow_address *address)
{
	struct address_key key = {.prefix_bits = 32 + 128, .table = table};

	__builtin_memcpy(key.address, address, sizeof(key.address));
	return bpf_map_lookup_elem(&grant_of_address, &key);
}

static __always_inline bool grant_has(const struct address_grant *grant, __u32 protocol, __u16 port)
{
	if (protocol == IPPROTO_TCP)
		return port_set_has(grant->tcp_ports, port);
	if (protocol == IPPROTO_UDP)
		return port_set_has(grant->udp_ports, port);
	if (protocol == IPPROTO_ICMP)
		return grant->flags & GRANT_ICMP;
	return false;
}

/* Whatever the port. The table also has places where nothing is granted. */
static __always_inline bool grant_has_any(const struct address_grant *grant)
{
	return grant->tcp_ports || grant->udp_ports || grant->flags || grant->budgets;
}

static __always_inline bool address_is_granted(__u32 policy_id, enum address_table table,
					       const union flow_address *address, __u32 protocol,
					       __u16 port)
{
	struct address_grant *grant = grant_find(TABLE_OF(policy_id, table), address);

	return grant && grant_has(grant, protocol, port);
}

/* May a peer come in here? A granted port, or any port from this host: what is bound to a free
 * port is an agent's own affair as long as it stays on loopback. */
static __always_inline bool inbound_is_granted(__u32 policy_id, const struct flow *flow)
{
	return flow_address_is_loopback(&flow->remote) ||
	       address_is_granted(policy_id, TABLE_LISTEN, &flow->local, flow->protocol,
				  flow->local_port);
}

static __always_inline __u64 stir(__u64 word)
{
	word *= 0x9e3779b97f4a7c15ULL;
	return word ^ word >> 29;
}

/* See socket_state.approved. Never 0. */
static __always_inline __u64 approval_of(__u32 policy_id, const struct flow *flow)
{
	__u64 word = egress_config.key[0];

	word = stir(word ^ flow->remote.halves[0]);
	word = stir(word ^ flow->remote.halves[1]);
	word = stir(word ^
		    ((__u64)policy_id << 32 | (__u64)flow->protocol << 16 | flow->remote_port));
	return stir(word ^ egress_config.key[1]) | 1;
}

#endif
