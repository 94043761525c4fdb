/* SPDX-License-Identifier: GPL-2.0-only */
/* What each hook of files asks of the rules, see object.h. */
#ifndef AGENTPOL_BPF_GUARD_FILE_H
#define AGENTPOL_BPF_GUARD_FILE_H

#include "bpf/object_cache.h"

struct vm_area_struct {
	struct file *vm_file;
} KERNEL_VIEW;

#define RENAME_EXCHANGE 2 /* include/uapi/linux/fs.h */

/*
 * The kernel's own business: what an overlay opens below itself for who opened its file (that was
 * judged), and what has no path at all: pipes, memfds, sockets. Nobody else gets to a mount of no
 * namespace.
 */
static __always_inline bool is_internal(struct file *file)
{
	const struct mount *mount = mount_of(file->f_path.mnt);

	if ((unsigned long)BPF_CORE_READ(mount, mnt_ns) == MOUNT_SPACE_INTERNAL)
		return true;
	/* Before Linux 6.5 it has the path of the overlay's file and the inode of the one below. */
	return file->f_inode != BPF_CORE_READ(file, f_path.dentry, d_inode);
}

static __always_inline int judge_open(struct subject *subject, struct file *file)
{
	struct question question = {.kind = EVENT_FILE, .hook = HOOK_LSM};
	__u32 wanted = 0, access;

	if (file->f_mode & FMODE_READ)
		wanted |= OBJECT_READ;
	if (file->f_mode & FMODE_WRITE)
		wanted |= OBJECT_WRITE;
	/* Of what is executed only the kernel reads. */
	if (!wanted || (file->f_flags & FMODE_EXEC_OPEN))
		wanted = OBJECT_OPEN;
	access = object_access_of_file(subject, file);
	if ((access & wanted) == wanted && !(POLICY_FLAGS(subject->policy) & POLICY_LOG_FILE))
		return 0;
	if (is_internal(file))
		return 0;
	question.subject = *subject;
	question.detail = wanted;
	return conclude_object(&question, object_reason(access, wanted), file->f_path.dentry,
			       file->f_path.mnt);
}

static __always_inline int judge_exec(struct subject *subject, struct file *file)
{
	struct question question = {.kind = EVENT_EXEC, .hook = HOOK_LSM, .detail = OBJECT_EXEC};
	__u32 access;

	if (!(POLICY_FLAGS(subject->policy) & (POLICY_EXEC | POLICY_LOG_EXEC)))
		return 0;
	access = object_access_of_file(subject, file);
	if (!(POLICY_FLAGS(subject->policy) & POLICY_EXEC))
		access |= OBJECT_EXEC;
	question.subject = *subject;
	return conclude_object(&question, object_reason(access, OBJECT_EXEC), file->f_path.dentry,
			       file->f_path.mnt);
}

/* A list of what may be executed would be worth little beside code of one's own making: what is
 * mapped as code may not be what the policy's processes can write, unless it is in that list. */
static __always_inline int judge_mapping(struct subject *subject, struct file *file)
{
	const __u32 lists = POLICY_EXEC | POLICY_FILES;
	struct question question = {.kind = EVENT_EXEC, .hook = HOOK_LSM, .detail = OBJECT_EXEC};
	enum event_reason reason;
	__u32 access;

	if ((POLICY_FLAGS(subject->policy) & lists) != lists)
		return 0;
	access = object_access_of_file(subject, file);
	if ((access & OBJECT_EXEC) || ((access & OBJECT_OPEN) && !(access & OBJECT_WRITE)))
		return 0;
	reason = REASON_MAPPED;
	question.subject = *subject;
	return conclude_object(&question, reason, file->f_path.dentry, file->f_path.mnt);
}

/* ---- changes by path ---- */

/* What a global function returns may be anything to the verifier; a hook's result may not. */
static __always_inline int hook_result(int refused)
{
	asm volatile("" : "+r"(refused));
	return refused ? -EPERM : 0;
}

VERIFIED_ONCE int judge_change_at(__u64 dentry, __u64 mnt)
{
	struct question question = {.kind = EVENT_FILE, .hook = HOOK_LSM, .detail = OBJECT_WRITE};
	const struct dentry *at = (const struct dentry *)dentry;
	__u32 access;

	if (!subject_is_current(&question.subject))
		return 0;
	access = object_access_for(&question.subject, at);
	return conclude_object(&question, object_reason(access, OBJECT_WRITE), at,
			       (const struct vfsmount *)mnt);
}

static __always_inline int judge_change(const struct dentry *dentry, const struct vfsmount *mnt)
{
	return hook_result(judge_change_at(address_of(dentry), address_of(mnt)));
}

/* By its new place an object may not be open to more than it is, see landlock(7) on REFER. */
VERIFIED_ONCE int judge_move_to(__u64 from, __u64 to, __u64 mnt)
{
	const __u32 rights = OBJECT_READ | OBJECT_WRITE | OBJECT_EXEC;
	struct question question = {.kind = EVENT_FILE, .hook = HOOK_LSM, .detail = OBJECT_WRITE};
	const struct dentry *there = (const struct dentry *)to;
	enum event_reason reason;
	__u32 now, then;

	if (!subject_is_current(&question.subject))
		return 0;
	now = object_access_for(&question.subject, (const struct dentry *)from);
	then = object_access_for(&question.subject, there);
	reason = object_reason(then, OBJECT_WRITE);
	if (reason == REASON_NONE)
		reason = object_reason(now, OBJECT_OPEN);
	if (reason == REASON_NONE && (then & rights & ~now))
		reason = REASON_GAIN;
	return conclude_object(&question, reason, there, (const struct vfsmount *)mnt);
}

static __always_inline int judge_link(const struct dentry *from, const struct dentry *to,
				      const struct vfsmount *mnt)
{
	return hook_result(judge_move_to(address_of(from), address_of(to), address_of(mnt)));
}

static __always_inline int judge_rename(const struct dentry *from, const struct dentry *to,
					const struct vfsmount *mnt, unsigned int flags)
{
	int result = judge_change(from, mnt);

	if (!result)
		result = judge_link(from, to, mnt);
	if (!result && (flags & RENAME_EXCHANGE))
		result = judge_link(to, from, mnt);
	return result;
}

static __always_inline bool is_directory(const struct dentry *dentry)
{
	const struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	return inode && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR;
}

static __always_inline void object_moves(const struct dentry *from, const struct dentry *to)
{
	struct guard_state *state = guard_state_now();

	if (!state || BPF_CORE_READ(from, d_parent) == BPF_CORE_READ(to, d_parent) ||
	    (!is_directory(from) && !is_directory(to)))
		return;
	*(volatile __u64 *)&state->moved_at = bpf_ktime_get_ns();
	__sync_fetch_and_add(&state->epoch, 1);
}

#endif
