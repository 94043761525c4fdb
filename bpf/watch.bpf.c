// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live cgroups where the kernel has no LSM that heeds us: tracepoints see what a policed process
 * does, tell of it, and kill the process. Nothing here is prevented for certain: what a system call
 * has done by the time it looks for signals stays done, see docs/processes.md. Attached only while
 * a cgroup needs it: the tracepoint of system calls costs every task of the machine.
 *
 * What a tracepoint returns is not looked at.
 */
#include "bpf/object.h"
#include "bpf/watch_call.h"

char LICENSE[] SEC("license") = "GPL";

/* Every system call of every task, before it is looked up. What goes by a ring of io_uring does
 * not come here. */
SEC("tp_btf/sys_enter")
int BPF_PROG(watch_call, struct pt_regs *registers, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct subject subject = {};
	struct question question = {.kind = EVENT_SYSCALL, .hook = HOOK_TRACE};
	enum event_reason reason;

	if (!subject_is_watched(&subject)) {
		catch_fugitive(task);
		return 0;
	}
	watched_remember(task, &subject);
	catch_fugitive(task);
	question.subject = subject;
	reason = judge_call(task, registers, number, &question);
	if (reason != REASON_NONE)
		conclude_watch(&question, reason);
	return 0;
}

/* execve(2) has done all but return: memory and credentials are the new program's, which has not
 * run. A script's file is closed by now; what is judged is its interpreter. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(watch_exec, struct task_struct *task, int before, struct linux_binprm *bprm)
{
	struct question question = {.kind = EVENT_EXEC, .hook = HOOK_TRACE, .detail = OBJECT_EXEC};
	struct file *file = bprm->file;
	__u32 access;

	if (!subject_is_watched(&question.subject) ||
	    !(POLICY_FLAGS(question.subject.policy) & (POLICY_EXEC | POLICY_LOG_EXEC)))
		return 0;
	access = object_access_for(&question.subject, file->f_path.dentry);
	if (!(POLICY_FLAGS(question.subject.policy) & POLICY_EXEC))
		access |= OBJECT_EXEC;
	if (conclude_object(&question, object_reason(access, OBJECT_EXEC), file->f_path.dentry,
			    file->f_path.mnt))
		bpf_send_signal(SIGKILL);
	return 0;
}

/* Tells of a process that is not the one that runs. */
static __always_inline bool conclude_escape(struct question *question, enum event_reason reason,
					    const struct task_struct *task)
{
	enum event_verdict verdict = verdict_of(question, reason);

	verdict_count(question->subject.slot, reason == REASON_NONE);
	actor_set_current(&question->actor);
	question->actor.pid = task->tgid;
	BPF_CORE_READ_STR_INTO(&question->actor.command, task, comm);
	question_tell(question, verdict, reason);
	return verdict == EVENT_DENY;
}

/* A child that is not born where its parent is (CLONE_INTO_CGROUP), or into a user namespace of its
 * own. It has not run yet, and has no call of its own before it dies. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(watch_fork, struct task_struct *parent, struct task_struct *child)
{
	struct question question = {.kind = EVENT_ESCAPE, .hook = HOOK_TRACE};
	const struct confinement *confinement;
	enum event_reason reason = REASON_NONE;

	if (!subject_is_watched(&question.subject) || parent->tgid == child->tgid)
		return 0;
	confinement = confinement_of(question.subject.policy);
	if (!task_is_below(child, question.subject.cgroup)) {
		reason = REASON_ESCAPE;
	} else if (confinement && syscall_is_denied(confinement, watch_config.unshare) &&
		   child->cred->user_ns != parent->cred->user_ns) {
		reason = REASON_SYSCALL;
		question.kind = EVENT_SYSCALL;
		question.detail = watch_config.clone;
	}
	if (reason == REASON_NONE || !conclude_escape(&question, reason, child))
		return 0;
	condemn(bpf_task_storage_get(&watched_processes, child, NULL,
				     BPF_LOCAL_STORAGE_GET_F_CREATE));
	bpf_send_signal(SIGKILL);
	return 0;
}

/* A process was moved to another cgroup, of whatever hierarchy; a process's first thread stands for
 * all. Where an outsider did it, it is told of and no more. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(watch_move, struct cgroup *to, const char *path, struct task_struct *task)
{
	struct question question = {.kind = EVENT_ESCAPE, .hook = HOOK_TRACE};
	struct task_struct *mover = bpf_get_current_task_btf();
	struct watched *watched = watched_of(task, 0), *by;

	if (!watched || task_is_below(task, watched->cgroup) ||
	    !subject_from_slot(&question.subject, watched->cgroup, watched->slot) ||
	    !(POLICY_FLAGS(question.subject.policy) & POLICY_WATCH))
		return 0;
	by = watched_of(mover, 0);
	if (!by || by->cgroup != watched->cgroup) {
		conclude_escape(&question, REASON_NONE, task);
		watched->cgroup = 0;
		return 0;
	}
	if (!conclude_escape(&question, REASON_ESCAPE, task)) {
		watched->cgroup = 0;
		return 0;
	}
	condemn(watched);
	bpf_send_signal(SIGKILL);
	return 0;
}
