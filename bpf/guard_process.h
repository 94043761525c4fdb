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

/* include/uapi/asm-generic/fcntl.h, sockios.h */
#define F_SETOWN    8
#define F_SETOWN_EX 15
#define FIOSETOWN   0x8901
#define SIOCSPGRP   0x8902
/* No process has it. */
#define NOBODYS_NUMBER 0x100000000L

static __always_inline int number_of(const struct pid *pid)
{
	const unsigned int level = BPF_CORE_READ(pid, level);
	struct upid number = {};

	/* Of the innermost namespace, as the process itself counts. */
	bpf_core_read(&number, sizeof(number), &pid->numbers[index_bound(level, 32)]);
	return number.nr;
}

/* Its own process, thread or group: or nobody. */
static __always_inline bool is_own_number(long number)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();

	return number == 0 || number == number_of(BPF_CORE_READ(task, thread_pid)) ||
	       number == number_of(BPF_CORE_READ(task, group_leader, thread_pid)) ||
	       -number == number_of(BPF_CORE_READ(task, signal, pids[2] /* PIDTYPE_PGID */));
}

VERIFIED_ONCE int judge_owner_of(long number)
{
	struct question question = {
		.kind = EVENT_PROCESS, .hook = HOOK_LSM, .detail = PROCESS_SIGNAL};

	if (!subject_is_current(&question.subject) || is_own_number(number))
		return 0;
	return conclude_task(&question, REASON_PROCESS);
}

/* Who is signalled when a file is ready: the signal comes from an interrupt, which nobody could
 * judge. What is in the caller's memory can change after a look, so that it is refused as a whole.
 */
static __always_inline int judge_control(unsigned int command, unsigned long argument)
{
	if (command == F_SETOWN)
		return hook_result(judge_owner_of((int)argument));
	return command == F_SETOWN_EX ? hook_result(judge_owner_of(NOBODYS_NUMBER)) : 0;
}

static __always_inline int judge_owner_ioctl(unsigned int request)
{
	if (request != FIOSETOWN && request != SIOCSPGRP)
		return 0;
	return hook_result(judge_owner_of(NOBODYS_NUMBER));
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
