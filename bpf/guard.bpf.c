// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks of the LSM: what a policed task executes, opens, changes and asks of the kernel, by
 * whatever system call or ring it asks. The kernel calls them for every task of the machine; they
 * are attached while any cgroup is enrolled.
 *
 * Return values: 0 has no objection, -EPERM refuses. Only where the kernel lists "bpf" among its
 * active LSMs is what they return heeded: user space looks there first, and tries one denial.
 */
#include "bpf/guard_socket.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- files ---- */

/* open(2) and all its kin, io_uring's too, before the descriptor is given out; O_PATH opens nothing
 * and does not come here. */
SEC("lsm/file_open")
int BPF_PROG(guard_file_open, struct file *file)
{
	const volatile struct guard_state *state = guard_state_now();
	struct subject subject = {};

	if (!state || !subject_is_current_in(&subject, state))
		return 0;
	return judge_open(&subject, file, state->epoch);
}

/* execve(2): once for the file, and once for each interpreter that a script names. */
SEC("lsm/bprm_check_security")
int BPF_PROG(guard_exec, struct linux_binprm *bprm)
{
	struct subject subject = {};

	if (!subject_is_current(&subject))
		return 0;
	return judge_exec(&subject, bprm->file);
}

SEC("lsm/mmap_file")
int BPF_PROG(guard_mmap, struct file *file, unsigned long wanted, unsigned long protection)
{
	struct subject subject = {};

	if (!file || !(protection & PROT_EXEC) || !subject_is_current(&subject))
		return 0;
	return judge_mapping(&subject, file);
}

/* What was mapped to be read becomes code. */
SEC("lsm/file_mprotect")
int BPF_PROG(guard_mprotect, struct vm_area_struct *area, unsigned long wanted,
	     unsigned long protection)
{
	struct subject subject = {};
	struct file *file = area->vm_file;

	if (!file || !(protection & PROT_EXEC) || !subject_is_current(&subject))
		return 0;
	return judge_mapping(&subject, file);
}

SEC("lsm/path_truncate")
int BPF_PROG(guard_truncate, const struct path *path)
{
	return judge_change(path->dentry, path->mnt);
}

SEC("lsm/path_unlink")
int BPF_PROG(guard_unlink, const struct path *directory, struct dentry *dentry)
{
	object_loses_name(dentry);
	return judge_change(dentry, directory->mnt);
}

SEC("lsm/path_rmdir")
int BPF_PROG(guard_rmdir, const struct path *directory, struct dentry *dentry)
{
	return judge_change(dentry, directory->mnt);
}

SEC("lsm/path_mkdir")
int BPF_PROG(guard_mkdir, const struct path *directory, struct dentry *dentry)
{
	return judge_change(dentry, directory->mnt);
}

/* Also what open(2) creates, and the file that bind(2) of a Unix socket makes. */
SEC("lsm/path_mknod")
int BPF_PROG(guard_mknod, const struct path *directory, struct dentry *dentry)
{
	return judge_change(dentry, directory->mnt);
}

SEC("lsm/path_symlink")
int BPF_PROG(guard_symlink, const struct path *directory, struct dentry *dentry)
{
	return judge_change(dentry, directory->mnt);
}

SEC("lsm/path_link")
int BPF_PROG(guard_link, struct dentry *from, const struct path *directory, struct dentry *to)
{
	return judge_link(from, to, directory->mnt);
}

/* Called for every task: a directory that moves makes what is known of all below it void. */
SEC("lsm/path_rename")
int BPF_PROG(guard_rename, const struct path *from_directory, struct dentry *from,
	     const struct path *to_directory, struct dentry *to, unsigned int flags)
{
	object_loses_name(to);
	object_moves(from, to);
	return judge_rename(from, to, from_directory->mnt, flags);
}

SEC("lsm/path_chmod")
int BPF_PROG(guard_chmod, const struct path *path)
{
	return judge_change(path->dentry, path->mnt);
}

SEC("lsm/path_chown")
int BPF_PROG(guard_chown, const struct path *path)
{
	return judge_change(path->dentry, path->mnt);
}

/* utimensat(2) and all that has its own hook, too; before Linux 6.9 without the map of ids. */
SEC("lsm/inode_setattr")
int BPF_PROG(guard_attributes, struct dentry *dentry)
{
	return judge_attributes(dentry);
}

SEC("lsm/inode_setattr")
int BPF_PROG(guard_attributes_mapped, struct mnt_idmap *map, struct dentry *dentry)
{
	return judge_attributes(dentry);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(guard_set_extended, struct mnt_idmap *map, struct dentry *dentry)
{
	return judge_attributes(dentry);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(guard_remove_extended, struct mnt_idmap *map, struct dentry *dentry)
{
	return judge_attributes(dentry);
}

/* From Linux 6.2 on; before, they are extended attributes as others. */
SEC("lsm/inode_set_acl")
int BPF_PROG(guard_set_acl, struct mnt_idmap *map, struct dentry *dentry)
{
	return judge_attributes(dentry);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(guard_remove_acl, struct mnt_idmap *map, struct dentry *dentry)
{
	return judge_attributes(dentry);
}

/* ---- system calls ---- */

SEC("lsm/bpf")
int BPF_PROG(guard_bpf, int command)
{
	return judge_bpf(command);
}

SEC("lsm/perf_event_open")
int BPF_PROG(guard_perf)
{
	return judge_calls(CALLS_PERF);
}

SEC("lsm/ptrace_traceme")
int BPF_PROG(guard_traceme)
{
	return judge_calls(CALLS_TRACE);
}

SEC("lsm/sb_mount")
int BPF_PROG(guard_mount)
{
	return judge_calls(CALLS_MOUNT);
}

SEC("lsm/sb_remount")
int BPF_PROG(guard_remount)
{
	return judge_calls(CALLS_MOUNT);
}

SEC("lsm/sb_umount")
int BPF_PROG(guard_umount)
{
	return judge_calls(CALLS_UMOUNT);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(guard_pivot_root)
{
	return judge_calls(CALLS_PIVOT);
}

SEC("lsm/move_mount")
int BPF_PROG(guard_move_mount)
{
	return judge_calls(CALLS_MOVE_MOUNT);
}

SEC("lsm/path_chroot")
int BPF_PROG(guard_chroot)
{
	return judge_calls(CALLS_CHROOT);
}

/* Modules and kernels; firmware that a driver asks for is none of them. */
SEC("lsm/kernel_load_data")
int BPF_PROG(guard_load_data)
{
	return judge_calls(CALLS_LOAD);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(guard_read_file)
{
	return judge_calls(CALLS_LOAD);
}

SEC("lsm/settime")
int BPF_PROG(guard_settime)
{
	return judge_calls(CALLS_CLOCK);
}

/* syslog(2), and who opens /dev/kmsg or /proc/kmsg. */
SEC("lsm/syslog")
int BPF_PROG(guard_syslog)
{
	return judge_calls(CALLS_SYSLOG);
}

SEC("lsm/quotactl")
int BPF_PROG(guard_quotactl)
{
	return judge_calls(CALLS_QUOTA);
}

SEC("lsm/quota_on")
int BPF_PROG(guard_quota_on)
{
	return judge_calls(CALLS_QUOTA);
}

/* Keys that the kernel makes for itself are not asked about by one of these calls. */
SEC("lsm/key_alloc")
int BPF_PROG(guard_key_alloc)
{
	return judge_calls(CALLS_KEYS);
}

SEC("lsm/key_permission")
int BPF_PROG(guard_key)
{
	return judge_calls(CALLS_KEYS);
}

/* unshare(2) and clone(2) alike. */
SEC("lsm/userns_create")
int BPF_PROG(guard_user_namespace)
{
	return judge_calls(CALLS_NAMESPACE);
}

SEC("lsm/uring_cmd")
int BPF_PROG(guard_ring_command)
{
	return judge_calls(CALLS_RINGS);
}

/* From Linux 6.17 on; before, the ring is known by the name of its file, below. */
SEC("lsm/uring_allowed")
int BPF_PROG(guard_ring_allowed)
{
	return judge_calls(CALLS_RINGS);
}

/* userfaultfd(2) and io_uring_setup(2) make a file, which is known by its name alone. */
SEC("lsm/inode_init_security_anon")
int BPF_PROG(guard_anonymous, struct inode *inode, const struct qstr *name)
{
	return judge_anonymous(name);
}

SEC("lsm/uring_override_creds")
int BPF_PROG(guard_ring_credentials)
{
	return judge_ring();
}

SEC("lsm/uring_sqpoll")
int BPF_PROG(guard_ring_thread)
{
	return judge_ring();
}

SEC("lsm/task_alloc")
int BPF_PROG(guard_clone, struct task_struct *task, unsigned long flags)
{
	return judge_clone(flags);
}

/* Each privilege that the kernel asks about; for many system calls the only hook there is. */
SEC("lsm/capable")
int BPF_PROG(guard_capable, const struct cred *cred, void *space, int capability,
	     unsigned int options)
{
	return judge_capability(cred, capability, options);
}

/* ---- other processes ---- */

/* ptrace(2), process_vm_readv(2), pidfd_getfd(2), and files of /proc/PID. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(guard_trace, struct task_struct *other, unsigned int mode)
{
	return judge_trace(other, mode);
}

/* Signals that a process sends, 0 too; those of the kernel do not come here. */
SEC("lsm/task_kill")
int BPF_PROG(guard_signal, struct task_struct *other)
{
	return judge_other(other, PROCESS_SIGNAL);
}

SEC("lsm/task_setnice")
int BPF_PROG(guard_setnice, struct task_struct *other)
{
	return judge_other(other, PROCESS_SCHEDULE);
}

SEC("lsm/task_setioprio")
int BPF_PROG(guard_setioprio, struct task_struct *other)
{
	return judge_other(other, PROCESS_SCHEDULE);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(guard_setscheduler, struct task_struct *other)
{
	return judge_other(other, PROCESS_SCHEDULE);
}

SEC("lsm/task_movememory")
int BPF_PROG(guard_move_memory, struct task_struct *other)
{
	return judge_other(other, PROCESS_SCHEDULE);
}

SEC("lsm/task_setrlimit")
int BPF_PROG(guard_setrlimit, struct task_struct *other)
{
	return judge_other(other, PROCESS_SCHEDULE);
}

SEC("lsm/file_fcntl")
int BPF_PROG(guard_fcntl, struct file *file, unsigned int command, unsigned long argument)
{
	return judge_control(command, argument);
}

/* ---- sockets and terminals ---- */

/* Whatever path led to the server's socket: it is known by where it is bound. */
SEC("lsm/unix_stream_connect")
int BPF_PROG(guard_stream, struct sock *from, struct sock *to)
{
	return judge_server(to);
}

SEC("lsm/unix_may_send")
int BPF_PROG(guard_datagram, struct socket *from, struct socket *to)
{
	return judge_server(to->sk);
}

static __always_inline int judge_any_ioctl(struct file *file, unsigned int request)
{
	int result = judge_ioctl(request);

	if (!result)
		result = judge_owner_ioctl(request);
	if (!result && sets_flags(request))
		result = judge_change(file->f_path.dentry, file->f_path.mnt);
	return result;
}

SEC("lsm/socket_create")
int BPF_PROG(guard_family, int family, int type, int protocol, int by_kernel)
{
	return judge_family(family, type, protocol, by_kernel);
}

SEC("lsm/socket_setsockopt")
int BPF_PROG(guard_option, struct socket *socket, int level, int option)
{
	return judge_option(level, option);
}

SEC("lsm/file_ioctl")
int BPF_PROG(guard_ioctl, struct file *file, unsigned int request)
{
	return judge_any_ioctl(file, request);
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(guard_ioctl_compat, struct file *file, unsigned int request)
{
	return judge_any_ioctl(file, request);
}

/* SCM_RIGHTS and pidfd_getfd(2), at the receiver: a file is opened thereby. A program of its own
 * for sockets, since one stack is too small for both. */
SEC("lsm/file_receive")
int BPF_PROG(guard_receive, struct file *file)
{
	struct subject subject = {};

	if (!subject_is_current(&subject))
		return 0;
	return judge_open(&subject, file, epoch_now());
}

SEC("lsm/file_receive")
int BPF_PROG(guard_receive_socket, struct file *file)
{
	return judge_received(file);
}
