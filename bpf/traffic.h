/* SPDX-License-Identifier: GPL-2.0-only */
/* How much goes where, for policies that ask for an inventory. */
#ifndef AGENTPOL_BPF_TRAFFIC_H
#define AGENTPOL_BPF_TRAFFIC_H

#include "bpf/question.h"

/* The name under which the address was learnt last, or 0. */
static __always_inline __u64 name_of_address(const struct subject *subject,
					     const union flow_address *address)
{
	struct learnt_key key = {.policy_id = POLICY_ID(subject->policy), .space = subject->space};
	struct learnt_address *learnt;

	__builtin_memcpy(key.address, address, sizeof(key.address));
	learnt = bpf_map_lookup_elem(&learnt_of_address, &key);
	return learnt ? learnt->name : 0;
}

/* A packet that leaves. Full: what is new is not counted. */
VERIFIED_ONCE int traffic_count(const struct question *question, __u32 bytes)
{
	struct traffic_key key = {};
	struct traffic fresh = {};
	struct traffic *traffic;
	__u64 now = bpf_ktime_get_ns();

	if (!question)
		return 0;
	key.cgroup = question->subject.cgroup;
	key.policy_id = POLICY_ID(question->subject.policy);
	key.name = name_of_address(&question->subject, &question->flow.remote);
	key.port = question->flow.remote_port;
	key.protocol = (__u16)question->flow.protocol;
	__builtin_memcpy(key.address, &question->flow.remote, sizeof(key.address));
	traffic = bpf_map_lookup_elem(&traffic_of_destination, &key);
	if (!traffic) {
		fresh.first_ns = now;
		fresh.pid = question->actor.pid;
		fresh.uid = question->actor.uid;
		bpf_map_update_elem(&traffic_of_destination, &key, &fresh, BPF_NOEXIST);
		traffic = bpf_map_lookup_elem(&traffic_of_destination, &key);
	}
	if (!traffic) {
		enforcer_count(COUNTER_TRAFFIC_LOST);
		return 0;
	}
	__sync_fetch_and_add(&traffic->bytes, bytes);
	__sync_fetch_and_add(&traffic->packets, 1);
	traffic->last_ns = now;
	return 0;
}

#endif
