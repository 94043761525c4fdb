// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks of the LSM: what a policed task executes, opens, changes and asks of the kernel, by
 * whatever system call or ring it asks. The kernel calls them for every task of the machine; they
 * are attached while any cgroup is enrolled.
 *
 * Return values: 0 has no objection, -EPERM refuses. Only where the kernel lists "bpf" among its
 * active LSMs is what they return heeded: user space looks there first, and tries one denial.
 */
#include "bpf/guard_file.h"

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

SEC("lsm/file_ioctl")
int BPF_PROG(guard_ioctl, struct file *file, unsigned int request)
{
	if (!sets_flags(request))
		return 0;
	return judge_change(file->f_path.dentry, file->f_path.mnt);
}

/* The 32-bit entry's. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(guard_ioctl_compat, struct file *file, unsigned int request)
{
	if (!sets_flags(request))
		return 0;
	return judge_change(file->f_path.dentry, file->f_path.mnt);
}
