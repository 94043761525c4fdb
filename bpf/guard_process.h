/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policed task does to others: to those that are not of its cgroup or below, nothing. */
#ifndef AGENTPOL_BPF_GUARD_PROCESS_H
#define AGENTPOL_BPF_GUARD_PROCESS_H

#include "bpf/guard_call.h"

/* include/linux/ptrace.h */
#define PTRACE_MODE_ATTACH  0x02
#define PTRACE_MODE_NOAUDIT 0x04

VERIFIED_ONCE int judge_other_at(__u64 other, __u32 way)
{
	struct question question = {.kind = EVENT_PROCESS, .hook = HOOK_LSM, .detail = way};

	if (!subject_is_current(&question.subject) ||
	    task_is_below((const struct task_struct *)other, question.subject.cgroup))
		return 0;
	return conclude_task(&question, REASON_PROCESS);
}

static __always_inline int judge_other(const struct task_struct *other, __u32 way)
{
	return hook_result(judge_other_at(address_of(other), way));
}

/* Looking at what is in another process, which ps(1) does to all that it sees: that kills nobody,
 * and where the kernel itself would not tell of a refusal, neither do we. */
VERIFIED_ONCE int judge_look_at(__u64 other, __u32 mode)
{
	struct question question = {
		.kind = EVENT_PROCESS, .hook = HOOK_LSM, .detail = PROCESS_TRACE};

	if (!subject_is_current(&question.subject) ||
	    task_is_below((const struct task_struct *)other, question.subject.cgroup))
		return 0;
	if (mode & PTRACE_MODE_NOAUDIT)
		return verdict_of(&question, REASON_PROCESS) == EVENT_DENY;
	return conclude(&question, REASON_PROCESS, true) == DENY;
}

static __always_inline int judge_trace(const struct task_struct *other, unsigned int mode)
{
	int result;

	if (!(mode & PTRACE_MODE_ATTACH))
		return hook_result(judge_look_at(address_of(other), mode));
	result = judge_other(other, PROCESS_TRACE);
	return result ? result : judge_calls(CALLS_TRACE);
}

#endif
