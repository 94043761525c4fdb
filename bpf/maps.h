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

#include "bpf/workbench.h"

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

/* By which rules is this name granted? */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, NAMES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct name_key);
	__type(value, struct name_entry);
} rules_of_name SEC(".maps");

/* And what do those rules open? Index 0 is never used. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NAME_GRANTS_MAX);
	__type(key, __u32);
	__type(value, struct name_grant);
} name_grants SEC(".maps");

/* What has an answer opened at this address? Full: what does not fit stays closed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LEARNT_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct learnt_key);
	__type(value, struct learnt_address);
} learnt_of_address SEC(".maps");

/* Under which name is this address open by those rules? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LEARNT_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct learnt_name_key);
	__type(value, struct learnt_name);
} learnt_name SEC(".maps");

/* For people, and for who carries learnt names over to a new policy. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NAME_TEXTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct name_text);
} text_of_name SEC(".maps");

/* Was this asked? A cache: an answer that is not found opens nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, QUESTIONS_MAX);
	__type(key, struct question_key);
	__type(value, __u32); /* when, s */
} questions SEC(".maps");

/* Is this name new under its wildcard? A cache: what is not found is paid for again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ASKED_NAMES_MAX);
	__type(key, struct asked_key);
	__type(value, __u32); /* when, s */
} asked_names SEC(".maps");

/* What is left of a rule's budgets? Index 0 is never used, in both. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUDGETS_MAX);
	__type(key, __u32);
	__type(value, struct budget);
} budgets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUDGET_LISTS_MAX);
	__type(key, __u32);
	__type(value, struct budget_list);
} budget_lists SEC(".maps");

/* What goes where, of policies that ask for it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TRAFFIC_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct traffic_key);
	__type(value, struct traffic);
} traffic_of_destination SEC(".maps");

/* Places to read a message in, see workbench.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WORKBENCHES);
	__type(key, __u32);
	__type(value, struct workbench);
} workbenches SEC(".maps");

/* Answers that come over TCP, piece by piece. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct answer_stream);
} answers_of_socket SEC(".maps");

/* The rest of a ClientHello that did not fit one packet. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hello_part);
} hello_of_socket SEC(".maps");

/* Which Unix sockets does the pattern match? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GLOBS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct glob_key);
	__type(value, struct glob);
} globs SEC(".maps");

/* For people, when equal denials are counted up. A cache: what is not found is not shown. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SOCKET_TEXTS_MAX);
	__type(key, __u64);
	__type(value, struct name_text);
} text_of_socket SEC(".maps");

/* Which tool's server is there? See SERVER_OWN. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SERVERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct server_key);
	__type(value, __u32);
} server_of_address SEC(".maps");

/* Where does the guard listen? Nowhere: then nothing goes to the server. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GUARDS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct guard_key);
	__type(value, struct guard_ports);
} guard_of_policy SEC(".maps");

/* Is it the guard's port? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * GUARDS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct guard_port_key);
	__type(value, __u32);
} ports_of_guard SEC(".maps");

/* Is it the guard's listener? User space marks it: what else may come to its port, when it is gone,
 * is not. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} listeners_of_guard SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct steering);
} steering_of_socket SEC(".maps");

/* Who connects to the guard, and where did it want to go? A cache: a miss refuses. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STEERED_MAX);
	__type(key, struct steered_key);
	__type(value, struct steered);
} steered_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GUARDS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct guard_key);
	__type(value, struct guard_name);
} name_of_guard SEC(".maps");

/* As steered_peers, of Unix sockets. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STEERED_MAX);
	__type(key, struct steered_path_key);
	__type(value, struct steered_path);
} steered_paths SEC(".maps");

/* What does a rule say of this file or directory, and all below it? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OBJECTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct object_key);
	__type(value, __u32); /* OBJECT_* */
} rules_of_object SEC(".maps");

/* And of what has this name in this directory? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OBJECT_NAMES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct object_name_key);
	__type(value, __u32);
} rules_of_object_name SEC(".maps");

/* What may the policy's processes do? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONFINEMENTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct confinement);
} confinement_of_policy SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct guard_state);
} guard_state SEC(".maps");

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

/* What would make a refusal felt at once; see struct errand. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16); /* about 1,000 */
} errands SEC(".maps");

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
