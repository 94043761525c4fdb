/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls and capabilities. The hooks of the LSM are asked what is done, not by which call; so
 * the number of the call that runs tells which entry of the manifest's list it is. What is done by
 * other means (a ring, a file in /proc) is judged as the one call that the hook stands for.
 */
#ifndef AGENTPOL_BPF_GUARD_CALL_H
#define AGENTPOL_BPF_GUARD_CALL_H

#include <asm/unistd.h>

#include "bpf/guard_file.h"

struct pt_regs {
	unsigned long orig_ax;
	int syscallno;
} KERNEL_VIEW;

/* arch/x86/include/asm/thread_info.h and syscall.h: entries of other architectures have numbers of
 * their own. */
#define TS_COMPAT   0x0002
#define X32_BIT	    0x40000000U
#define CALL_NONE   0xffffU /* no system call of this architecture */
#define CALLS_NAMED 8

enum calls {
	CALLS_BPF,
	CALLS_PERF,
	CALLS_TRACE,
	CALLS_MOUNT,
	CALLS_UMOUNT,
	CALLS_PIVOT,
	CALLS_MOVE_MOUNT,
	CALLS_CHROOT,
	CALLS_LOAD,
	CALLS_CLOCK,
	CALLS_SYSLOG,
	CALLS_QUOTA,
	CALLS_KEYS,
	CALLS_NAMESPACE,
	CALLS_FAULTS,
	CALLS_RINGS,
	CALLS_COUNT
};

/* `own`: the calls that have an entry of their own in a manifest's list, ended by 0. */
static const struct {
	__u16 instead; /* what all others count as; CALL_NONE: they are nothing to this hook */
	__u16 own[CALLS_NAMED];
} calls_of_hook[CALLS_COUNT] = {
	[CALLS_BPF] = {__NR_bpf, {__NR_bpf}},
	[CALLS_PERF] = {__NR_perf_event_open, {__NR_perf_event_open}},
	[CALLS_TRACE] = {__NR_ptrace,
			 {__NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev,
			  __NR_pidfd_getfd, __NR_kcmp, __NR_process_madvise, __NR_move_pages}},
	[CALLS_MOUNT] = {__NR_mount, {__NR_mount, __NR_fsmount, __NR_fsconfig, __NR_open_tree}},
	[CALLS_UMOUNT] = {__NR_umount2, {__NR_umount2}},
	[CALLS_PIVOT] = {__NR_pivot_root, {__NR_pivot_root}},
	[CALLS_MOVE_MOUNT] = {__NR_move_mount, {__NR_move_mount}},
	[CALLS_CHROOT] = {__NR_chroot, {__NR_chroot}},
	[CALLS_LOAD] = {CALL_NONE, {0}},
	[CALLS_CLOCK] = {__NR_clock_settime, {__NR_clock_settime, __NR_settimeofday}},
	[CALLS_SYSLOG] = {__NR_syslog, {__NR_syslog}},
	[CALLS_QUOTA] = {__NR_quotactl, {__NR_quotactl, 443 /* quotactl_fd */}},
	[CALLS_KEYS] = {CALL_NONE, {0}},
	[CALLS_NAMESPACE] = {__NR_unshare, {__NR_unshare}},
	[CALLS_FAULTS] = {__NR_userfaultfd, {__NR_userfaultfd}},
	[CALLS_RINGS] = {__NR_io_uring_setup,
			 {__NR_io_uring_setup, __NR_io_uring_enter, __NR_io_uring_register}},
};

/* CALL_NONE where a fault or the kernel itself is what runs; `*foreign`: by another architecture's
 * entry. */
static __always_inline __u32 running_call(bool *foreign)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	*foreign = false;
#if defined(__TARGET_ARCH_x86)
	{
		struct task_struct *thread = (void *)task;
		__u64 number = regs->orig_ax;

		*foreign = BPF_CORE_READ(thread, thread_info.status) & TS_COMPAT;
		if ((__s64)number >= 0 && (number & X32_BIT))
			*foreign = true;
		return number < CALL_NONE ? (__u32)number : CALL_NONE;
	}
#else
	return regs->syscallno < CALL_NONE ? (__u32)regs->syscallno : CALL_NONE;
#endif
}

static __always_inline bool call_is_denied(const struct confinement *confinement, __u32 number)
{
	__u64 word;

	if (number >= SYSCALL_WORDS * 64)
		return false;
	word = confinement->denied_syscalls[index_bound(number >> 6, SYSCALL_WORDS)];
	return word >> (number & 63) & 1;
}

static __always_inline bool is_own_call(__u32 calls, __u32 number)
{
	__u32 i;

	for (i = 0; i < CALLS_NAMED; i++)
		if (number && calls_of_hook[calls].own[i] == number)
			return true;
	return false;
}

/* Of the call that runs. `calls`: of the hook that asks. */
static __always_inline enum event_reason judge_running(struct question *question, __u32 calls)
{
	const struct confinement *confinement = confinement_of(question->subject.policy);
	bool foreign;
	__u32 number = running_call(&foreign), instead;

	question->kind = EVENT_SYSCALL;
	question->hook = HOOK_LSM;
	question->detail = number;
	if (!confinement)
		return REASON_NO_POLICY;
	instead = calls_of_hook[index_bound(calls, CALLS_COUNT)].instead;
	if (foreign) {
		question->detail = instead;
		return REASON_SYSCALL;
	}
	if (call_is_denied(confinement, number))
		return REASON_SYSCALL;
	if (instead == CALL_NONE || is_own_call(index_bound(calls, CALLS_COUNT), number))
		return REASON_NONE;
	question->detail = instead;
	return call_is_denied(confinement, instead) ? REASON_SYSCALL : REASON_NONE;
}

/* 0 or what a hook returns, see hook_result(). */
VERIFIED_ONCE int judge_calls_now(__u32 calls)
{
	struct question question = {};

	if (!subject_is_current(&question.subject))
		return 0;
	return conclude_task(&question, judge_running(&question, calls));
}

static __always_inline int judge_calls(enum calls calls)
{
	return hook_result(judge_calls_now(calls));
}

/* Where the policy's list says nothing of it, but `reason` does. */
VERIFIED_ONCE int refuse_call(__u32 reason)
{
	struct question question = {.kind = EVENT_SYSCALL, .hook = HOOK_LSM};
	bool foreign;

	if (!subject_is_current(&question.subject))
		return 0;
	question.detail = running_call(&foreign);
	return conclude_task(&question, reason);
}

/* ---- bpf ---- */

/* What may be reached of programs, maps and links that others made; even who is granted bpf gets to
 * no part of the enforcer's. Numbers of enum bpf_cmd, whose newer ones <linux/bpf.h> may lack. */
static __always_inline bool reaches_others(int command)
{
	switch (command) {
	case 7:	 /* BPF_OBJ_GET */
	case 8:	 /* BPF_PROG_ATTACH */
	case 9:	 /* BPF_PROG_DETACH */
	case 13: /* BPF_PROG_GET_FD_BY_ID */
	case 14: /* BPF_MAP_GET_FD_BY_ID */
	case 19: /* BPF_BTF_GET_FD_BY_ID */
	case 28: /* BPF_LINK_CREATE */
	case 29: /* BPF_LINK_UPDATE */
	case 30: /* BPF_LINK_GET_FD_BY_ID */
	case 34: /* BPF_LINK_DETACH */
		return true;
	default:
		return false;
	}
}

static __always_inline int judge_bpf(int command)
{
	int result = judge_calls(CALLS_BPF);

	if (!result && reaches_others(command))
		result = hook_result(refuse_call(REASON_ENFORCER));
	return result;
}

/* ---- capabilities ---- */

#define CAP_OPT_NOAUDIT 2 /* include/linux/security.h */

/*
 * Asked only where the task has the capability: the kernel's own check comes first. In whichever
 * namespace: one of the task's own making gives nothing that the policy has not.
 *
 * A capability that is not kept never kills. The kernel asks for one where another way may be open
 * yet (CAP_DAC_OVERRIDE, then CAP_DAC_READ_SEARCH), and a command that was launched without it only
 * gets EPERM; what a live cgroup does is not to be deadlier. A call of the list kills.
 */
static __always_inline int judge_capability_of(struct subject *subject, __u32 capability,
					       __u32 options)
{
	const struct confinement *confinement = confinement_of(subject->policy);
	struct question question = {.subject = *subject, .kind = EVENT_SYSCALL, .hook = HOOK_LSM};
	enum event_reason reason = REASON_NONE;
	bool foreign, kept;

	kept = confinement && capability < 64 && (confinement->capabilities >> capability & 1);
	question.detail = running_call(&foreign);
	if (!confinement)
		reason = REASON_NO_POLICY;
	else if (foreign || call_is_denied(confinement, question.detail))
		reason = REASON_SYSCALL;
	else if (!kept)
		reason = REASON_CAPABILITY;
	if (reason == REASON_NONE)
		return 0;
	/* A question whose "no" is as good an answer. */
	if (options & CAP_OPT_NOAUDIT)
		return verdict_of(&question, reason) == EVENT_DENY ? -EPERM : 0;
	if (reason == REASON_SYSCALL)
		return conclude_task(&question, reason);
	question.kind = EVENT_CAPABILITY;
	question.detail = capability;
	return conclude(&question, reason, true) == ALLOW ? 0 : -EPERM;
}

VERIFIED_ONCE int judge_capability_now(__u32 capability, __u32 options)
{
	struct subject subject = {};

	if (!subject_is_current(&subject))
		return 0;
	return judge_capability_of(&subject, capability, options);
}

/* The kernel acts with other credentials where it does its own business for a task, as an overlay
 * does below itself. */
static __always_inline int judge_capability(const struct cred *cred, int capability,
					    unsigned int options)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (task->cred != task->real_cred || cred != task->cred)
		return 0;
	return hook_result(judge_capability_now((__u32)capability, options));
}

/* ---- what is known by a name ---- */

static __always_inline int judge_anonymous(const struct qstr *name)
{
	char text[8] = {};

	/* What can't be read may be the worst of them. */
	if (!name || bpf_probe_read_kernel(text, sizeof(text), BPF_CORE_READ(name, name)) < 0)
		return judge_calls(CALLS_RINGS);
	if (__builtin_memcmp(text, "[userfau", sizeof(text)) == 0)
		return judge_calls(CALLS_FAULTS);
	if (__builtin_memcmp(text, "[io_urin", sizeof(text)) == 0)
		return judge_calls(CALLS_RINGS);
	return 0;
}

/* A ring that acts as another, or by itself, is past what rules of files can be held against. */
static __always_inline int judge_ring(void)
{
	struct subject subject = {};
	int result = judge_calls(CALLS_RINGS);

	if (result || !subject_is_current(&subject) ||
	    !(POLICY_FLAGS(subject.policy) & (POLICY_EXEC | POLICY_FILES)))
		return result;
	return hook_result(refuse_call(REASON_SYSCALL));
}

#define CLONE_INTO_CGROUP 0x200000000ULL

/* A child in another cgroup is out of the policy: no manifest grants that. */
static __always_inline int judge_clone(__u64 flags)
{
	if (!(flags & CLONE_INTO_CGROUP))
		return 0;
	return hook_result(refuse_call(REASON_FROZEN));
}

#endif
