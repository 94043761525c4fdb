/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps, each named after the question it answers. What holds policy is hash, array or trie,
 * never LRU: an LRU that evicts a rule opens a hole. Sizes are bounds of abi.h; user space lowers
 * those that take their memory in advance.
 */
#ifndef AGENTPOL_BPF_MAPS_H
#define AGENTPOL_BPF_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

/* Where does this cgroup stand in `enrolments`? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CGROUPS_MAX);
	__type(key, __u64);
	__type(value, __u32);
} slot_of_cgroup SEC(".maps");

/* Which policy does it have? Mapped by user space: one store there swaps a policy. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CGROUPS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct enrolment);
} enrolments SEC(".maps");

/* What does the policy grant at this address? */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, ADDRESSES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* the kernel insists, for tries */
	__type(key, struct address_key);
	__type(value, struct address_grant);
} grant_of_address SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORT_SETS_MAX);
	__type(key, __u32);
	__type(value, struct port_bits);
} port_sets SEC(".maps");

/* Cloned to what a listener accepts, so that an accepted socket is known as such. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_state);
} state_of_socket SEC(".maps");

/* Who has sent to a UDP listener and may be answered? A cache: a miss denies. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, UDP_PEERS_MAX);
	__type(key, struct udp_peer_key);
	__type(value, __u32);
} udp_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DENIALS_MAX);
	__type(key, struct denial_key);
	__type(value, struct denial_count);
} denial_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* about 10,000 events */
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CGROUPS_MAX);
	__type(key, __u32);
	__type(value, struct verdict_counters);
} counters_of_slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTER_LAST);
	__type(key, __u32);
	__type(value, __u64);
} enforcer_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct enforcer_state);
} enforcer_state SEC(".maps");

#endif
