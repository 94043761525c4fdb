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

static __always_inline __u32 epoch_now(void)
{
	const struct guard_state *state = guard_state_now();

	return state ? *(volatile __u32 *)&state->epoch : 0;
}

static __always_inline __u32 access_wanted(const struct file *file)
{
	const __u32 mode = file->f_mode;

	/* Of what is executed only the kernel reads. */
	if (!(mode & (FMODE_READ | FMODE_WRITE)) || (file->f_flags & FMODE_EXEC_OPEN))
		return OBJECT_OPEN;
	return (mode & FMODE_READ ? OBJECT_READ : 0) | (mode & FMODE_WRITE ? OBJECT_WRITE : 0);
}

/* Whose file in /proc is that, if a process's? */
static __always_inline const struct task_struct *owner_in_proc(const struct inode *inode)
{
	const struct proc_inode *file =
		(const void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	const struct pid *pid = BPF_CORE_READ(file, pid);
	const struct hlist_node *first = pid ? BPF_CORE_READ(pid, tasks[0].first) : NULL;

	return first ? (const void *)first - bpf_core_field_offset(struct task_struct, pid_links)
		     : NULL;
}

/* Files of /proc/PID that show what is in a process. Most ask ptrace's hook, too, but not of who
 * has CAP_PERFMON. By the first eight letters. */
static __always_inline bool shows_memory(const struct dentry *dentry)
{
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	char letters[9] = {};
	__u64 word;

	bpf_probe_read_kernel_str(letters, sizeof(letters), name);
	__builtin_memcpy(&word, letters, sizeof(word));
	switch (bpf_be64_to_cpu(word)) {
	case 0x656e7669726f6e00: /* environ */
	case 0x6d61707300000000: /* maps */
	case 0x6d656d0000000000: /* mem */
	case 0x6175787600000000: /* auxv */
	case 0x736d617073000000: /* smaps */
	case 0x736d6170735f726f: /* smaps_rollup */
	case 0x6e756d615f6d6170: /* numa_maps */
	case 0x706167656d617000: /* pagemap */
	case 0x737461636b000000: /* stack */
	case 0x73797363616c6c00: /* syscall */
		return true;
	default:
		return false;
	}
}

/* A file in /proc by which a process outside is written to, or looked into. Never kept: a process
 * can be moved. */
static __always_inline bool reaches_process_outside(const struct subject *subject,
						    const struct file *file, __u32 wanted)
{
	const struct dentry *dentry = file->f_path.dentry;
	const struct task_struct *owner;

	if (BPF_CORE_READ(dentry, d_sb, s_magic) != PROC_MAGIC)
		return false;
	if (!(wanted & OBJECT_WRITE) && !shows_memory(dentry))
		return false;
	owner = owner_in_proc(file->f_inode);
	return owner && !task_is_below(owner, subject->cgroup);
}

/* What is not known to be allowed. */
static __always_inline int judge_unknown_open(const struct subject *subject, struct file *file,
					      __u32 wanted, __u32 epoch)
{
	struct question question = {.kind = EVENT_FILE, .hook = HOOK_LSM, .detail = wanted};
	__u32 access;

	if (is_internal(file))
		return 0;
	question.subject = *subject;
	if (reaches_process_outside(subject, file, wanted))
		return conclude_object(&question, REASON_PROCESS, file->f_path.dentry,
				       file->f_path.mnt);
	access = object_access_of_file(subject, file, epoch);
	return conclude_object(&question, object_reason(access, wanted), file->f_path.dentry,
			       file->f_path.mnt);
}

static __always_inline int judge_open(const struct subject *subject, struct file *file, __u32 epoch)
{
	const __u32 wanted = access_wanted(file);

	if ((object_recall(file->f_inode, POLICY_ID(subject->policy), epoch) & wanted) == wanted &&
	    !(POLICY_FLAGS(subject->policy) & POLICY_LOG_FILE))
		return 0;
	return judge_unknown_open(subject, file, wanted, epoch);
}

static __always_inline __u32 access_of(const struct subject *subject, struct file *file)
{
	const __u32 epoch = epoch_now();
	const __u32 known = object_recall(file->f_inode, POLICY_ID(subject->policy), epoch);

	return known ? known : object_access_of_file(subject, file, epoch);
}

static __always_inline int judge_exec(const struct subject *subject, struct file *file)
{
	struct question question = {.kind = EVENT_EXEC, .hook = HOOK_LSM, .detail = OBJECT_EXEC};
	__u32 access;

	if (!(POLICY_FLAGS(subject->policy) & (POLICY_EXEC | POLICY_LOG_EXEC)))
		return 0;
	access = access_of(subject, file);
	if (!(POLICY_FLAGS(subject->policy) & POLICY_EXEC))
		access |= OBJECT_EXEC;
	question.subject = *subject;
	return conclude_object(&question, object_reason(access, OBJECT_EXEC), file->f_path.dentry,
			       file->f_path.mnt);
}

/* A list of what may be executed would be worth little beside code of one's own making: what is
 * mapped as code may not be what the policy's processes can write, unless it is in that list. */
static __always_inline int judge_mapping(const struct subject *subject, struct file *file)
{
	const __u32 lists = POLICY_EXEC | POLICY_FILES;
	struct question question = {.kind = EVENT_EXEC, .hook = HOOK_LSM, .detail = OBJECT_EXEC};
	__u32 access;

	if ((POLICY_FLAGS(subject->policy) & lists) != lists)
		return 0;
	access = access_of(subject, file);
	if ((access & OBJECT_EXEC) || ((access & OBJECT_OPEN) && !(access & OBJECT_WRITE)))
		return 0;
	question.subject = *subject;
	return conclude_object(&question, REASON_MAPPED, file->f_path.dentry, file->f_path.mnt);
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

/* Times, owner, mode, attributes. An overlay does the same to the file below, with the credentials
 * of who mounted it, when it was allowed to its own. */
static __always_inline int judge_attributes(const struct dentry *dentry)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, cred) != BPF_CORE_READ(task, real_cred))
		return 0;
	return judge_change(dentry, NULL);
}

/* linux/fs.h: flags like "immutable", for which a descriptor that reads is enough. */
#define FS_IOC_SETFLAGS	  0x40086602
#define FS_IOC32_SETFLAGS 0x40046602
#define FS_IOC_FSSETXATTR 0x401c5820

static __always_inline bool sets_flags(unsigned int request)
{
	return request == FS_IOC_SETFLAGS || request == FS_IOC32_SETFLAGS ||
	       request == FS_IOC_FSSETXATTR;
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

static __always_inline void forget_file(const struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	if (inode)
		object_forget(inode);
}

/* Whoever does it. */
static __always_inline void object_moves(const struct dentry *from, const struct dentry *to)
{
	struct guard_state *state = guard_state_now();

	if (!state || BPF_CORE_READ(from, d_parent) == BPF_CORE_READ(to, d_parent))
		return;
	forget_file(from);
	forget_file(to);
	if (!is_directory(from) && !is_directory(to))
		return;
	*(volatile __u64 *)&state->moved_at = bpf_ktime_get_ns();
	__sync_fetch_and_add(&state->epoch, 1);
}

/* One name less: what is known of it may be by that one. */
static __always_inline void object_loses_name(const struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	if (inode && inode->i_nlink > 1)
		object_forget(inode);
}

/* A Unix socket's file that is the enforcer's, or denied. Which ones may be connected to by their
 * path the cgroup's hooks judge, from Linux 6.7 on. */
VERIFIED_ONCE int judge_server_at(__u64 socket)
{
	struct question question = {.kind = EVENT_FILE, .hook = HOOK_LSM, .detail = OBJECT_WRITE};
	const struct unix_sock *server = (const struct unix_sock *)socket;
	const struct dentry *dentry = BPF_CORE_READ(server, path.dentry);
	enum event_reason reason;

	if (!dentry || !subject_is_current(&question.subject))
		return 0;
	reason = object_reason(object_access_for(&question.subject, dentry), 0);
	if (reason == REASON_NONE)
		return 0;
	return conclude_object(&question, reason, dentry, BPF_CORE_READ(server, path.mnt));
}

static __always_inline int judge_server(const struct sock *socket)
{
	return hook_result(judge_server_at(address_of(socket)));
}

#endif
