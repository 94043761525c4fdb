/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling user space. A verdict never waits for this, nor changes by it. */
#ifndef AGENTPOL_BPF_EVENT_H
#define AGENTPOL_BPF_EVENT_H

#include <stdbool.h>

#include "bpf/maps.h"

/* Who did it, as far as the hook knows. */
struct actor {
	__u32 pid;
	__u32 uid;
	char command[16]; /* empty: not known */
};

/* For socket calls alone: packets have no task, and their programs may not ask for one. */
static __always_inline void actor_set_current(struct actor *actor)
{
	actor->pid = bpf_get_current_pid_tgid() >> 32;
	actor->uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(actor->command, sizeof(actor->command));
}

static __always_inline void enforcer_count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&enforcer_counters, &counter);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/* The 1st, 2nd, 4th, 8th ... of its kind. */
static __always_inline bool is_power_of_two(__u64 count)
{
	return (count & (count - 1)) == 0;
}

static const struct denial_count never_denied = {};

/* How often this has happened, this time too. */
static __always_inline __u64 denial_count_up(const struct denial_key *what,
					     struct denial_count **entry)
{
	struct denial_count *seen;

	seen = bpf_map_lookup_elem(&denial_counts, what);
	if (!seen) {
		/* Another CPU may be first: then its entry is the one. */
		bpf_map_update_elem(&denial_counts, what, &never_denied, BPF_NOEXIST);
		seen = bpf_map_lookup_elem(&denial_counts, what);
	}
	*entry = seen;
	if (seen)
		return __sync_fetch_and_add(&seen->count, 1) + 1;
	enforcer_count(COUNTER_DENIALS_UNCOUNTED);
	return 1;
}

static __always_inline void event_fill(struct event *event, const struct denial_key *what,
				       __u64 count, __u32 hook, const struct actor *actor)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->time_ns = bpf_ktime_get_ns();
	event->count = count;
	event->what = *what;
	event->hook = hook;
	event->pid = actor->pid;
	event->uid = actor->uid;
	__builtin_memcpy(event->command, actor->command, sizeof(event->command));
}

static __always_inline void verdict_count(__u32 slot, bool allowed)
{
	struct verdict_counters *counters = bpf_map_lookup_elem(&counters_of_slot, &slot);

	if (!counters)
		return;
	if (allowed)
		counters->allowed++;
	else
		counters->denied++;
}

#endif
