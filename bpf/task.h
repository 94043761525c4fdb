/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose task is this? For hooks that are called for every task of the machine: those without a
 * policy leave after a few instructions.
 */
#ifndef AGENTPOL_BPF_TASK_H
#define AGENTPOL_BPF_TASK_H

#include "bpf/kernel_types.h"
#include "bpf/question.h"
#include "bpf/step.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define EPERM 1

static __always_inline struct guard_state *guard_state_now(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&guard_state, &only);
}

struct level_walk {
	const struct guard_state *state;
	__u64 cgroup;
	__u32 slot; /* 0: not found yet */
};

static int level_step(__u32 turn, void *context)
{
	struct level_walk *walk = context;

	if (turn >= walk->state->level_count)
		return STEP_LAST;
	walk->cgroup = bpf_get_current_ancestor_cgroup_id(
		(int)walk->state->levels[index_bound(turn, CGROUP_LEVELS_MAX)]);
	walk->slot = slot_of(walk->cgroup);
	return walk->slot ? STEP_LAST : STEP_ON;
}

/* Looked for in the table of all. */
static __always_inline bool subject_is_enrolled(struct subject *subject,
						const struct guard_state *state)
{
	struct level_walk walk = {.state = state};

	bpf_loop(CGROUP_LEVELS_MAX, level_step, &walk, 0);
	return walk.slot && subject_from_slot(subject, walk.cgroup, walk.slot);
}

static __always_inline bool subject_is_current_in(struct subject *subject,
						  const volatile struct guard_state *state)
{
	__u32 i, count, change, level = ~0U;
	__u64 cgroup = 0;

	if (!state || !state->level_count)
		return false;
	change = state->change;
	count = state->near_count;
	NO_UNROLL
	for (i = 0; i < GUARD_NEAR_MAX; i++) {
		if (i >= count)
			break;
		if (state->near[i].level != level) {
			level = state->near[i].level;
			cgroup = bpf_get_current_ancestor_cgroup_id((int)level);
		}
		if (cgroup == state->near[i].cgroup &&
		    subject_from_slot(subject, cgroup, state->near[i].slot))
			return true;
	}
	/* Not among them, if they have stayed the same meanwhile. */
	if (count && !(change & 1) && state->change == change)
		return false;
	return subject_is_enrolled(subject, (const struct guard_state *)state);
}

/* False for a task without a policy: the hook has nothing to say. */
static __always_inline bool subject_is_current(struct subject *subject)
{
	return subject_is_current_in(subject, guard_state_now());
}

static __always_inline const struct confinement *confinement_of(__u64 policy)
{
	__u32 id = POLICY_ID(policy);

	return bpf_map_lookup_elem(&confinement_of_policy, &id);
}

/* Is it that cgroup, or below it? Not found out: no. */
static __always_inline bool cgroup_is_below(const struct cgroup *leaf, __u64 cgroup)
{
	int level, leaf_level = BPF_CORE_READ(leaf, level);
	const struct cgroup *above;

	NO_UNROLL
	for (level = 0; level < CGROUP_LEVELS_MAX; level++) {
		if (level > leaf_level)
			break;
		above = NULL;
		bpf_probe_read_kernel(&above, sizeof(above),
				      (const void *)leaf +
					      bpf_core_field_offset(struct cgroup, ancestors) +
					      (__u32)level * sizeof(above));
		if (BPF_CORE_READ(above, kn, id) == cgroup)
			return true;
	}
	return false;
}

static __always_inline bool task_is_below(const struct task_struct *task, __u64 cgroup)
{
	return cgroup_is_below(BPF_CORE_READ(task, cgroups, dfl_cgrp), cgroup);
}

/* What a hook of the LSM returns. */
static __always_inline int refuse(const struct question *question, int verdict)
{
	if (verdict == ALLOW)
		return 0;
	if (POLICY_FLAGS(question->subject.policy) & POLICY_KILL)
		bpf_send_signal(9 /* SIGKILL */);
	return -EPERM;
}

/* Counts, tells, and says what becomes of it. */
static __always_inline int conclude_task(struct question *question, enum event_reason reason)
{
	return refuse(question, conclude(question, reason, true));
}

#endif
