/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of watched processes, and what becomes of one that did what it may not. A tracing
 * program can refuse nothing: it sends SIGKILL, which the process gets on its way back from the
 * kernel at the latest.
 */
#ifndef AGENTPOL_BPF_WATCH_H
#define AGENTPOL_BPF_WATCH_H

#include "bpf/task.h"

#define SIGKILL 9

/* Kept in a process's first thread from its first system call under a policy on, so that it is
 * known when it has left. */
struct watched {
	__u64 cgroup; /* the enrolled one */
	__u32 slot;
	__u32 fugitive; /* dies at its next system call */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct watched);
} watched_processes SEC(".maps");

/* How many are to die: as long as there is none, tasks elsewhere are not looked up. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} fugitives SEC(".maps");

static __always_inline __u64 *fugitive_count(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&fugitives, &only);
}

static __always_inline struct watched *watched_of(struct task_struct *task, __u64 flags)
{
	return bpf_task_storage_get(&watched_processes, task->group_leader, NULL, flags);
}

/* Of live cgroups alone: what `agentpol run` starts has a filter of its own. */
static __always_inline bool subject_is_watched(struct subject *subject)
{
	return subject_is_current(subject) && (POLICY_FLAGS(subject->policy) & POLICY_WATCH);
}

static __always_inline void watched_remember(struct task_struct *task,
					     const struct subject *subject)
{
	struct watched *watched = watched_of(task, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!watched || watched->cgroup == subject->cgroup)
		return;
	watched->cgroup = subject->cgroup;
	watched->slot = subject->slot;
}

/* A process that can't be killed from here, since it is not the one that runs. */
static __always_inline void condemn(struct watched *watched)
{
	__u64 *count = fugitive_count();

	if (!watched || !count || __sync_lock_test_and_set(&watched->fugitive, 1))
		return;
	__sync_fetch_and_add(count, 1);
}

/* Its time has come. */
static __always_inline void catch_fugitive(struct task_struct *task)
{
	__u64 *count = fugitive_count();
	struct watched *watched;

	if (!count || !*(volatile __u64 *)count)
		return;
	watched = watched_of(task, 0);
	if (!watched || !*(volatile __u32 *)&watched->fugitive)
		return;
	if (__sync_lock_test_and_set(&watched->fugitive, 0))
		__sync_fetch_and_add(count, -1);
	bpf_send_signal(SIGKILL);
}

/* Tells, and kills who runs. In audit mode nobody dies: then false. */
static __always_inline bool conclude_watch(struct question *question, enum event_reason reason)
{
	if (conclude(question, reason, true) == ALLOW)
		return false;
	bpf_send_signal(SIGKILL);
	return true;
}

#endif
