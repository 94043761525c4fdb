/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of the kernel's own structs that the hooks of the LSM look at. libbpf finds where
 * they are in the kernel that runs (CO-RE), so that only names count here, not the order.
 */
#ifndef AGENTPOL_BPF_KERNEL_TYPES_H
#define AGENTPOL_BPF_KERNEL_TYPES_H

#include <linux/types.h>

#define KERNEL_VIEW __attribute__((preserve_access_index))

struct kernfs_node {
	__u64 id;
} KERNEL_VIEW;

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[]; /* from Linux 6.1 on */
} KERNEL_VIEW;

struct css_set {
	struct cgroup *dfl_cgrp;
} KERNEL_VIEW;

struct mnt_idmap;
struct mnt_namespace;
struct nsproxy {
	struct mnt_namespace *mnt_ns;
} KERNEL_VIEW;

struct user_namespace;
struct cred {
	struct user_namespace *user_ns;
} KERNEL_VIEW;

struct upid {
	int nr;
} KERNEL_VIEW;

struct hlist_node {
	struct hlist_node *next;
} KERNEL_VIEW;

struct hlist_head {
	struct hlist_node *first;
} KERNEL_VIEW;

struct pid {
	unsigned int level;
	struct hlist_head tasks[4]; /* by enum pid_type */
	struct upid numbers[];	    /* by level of PID namespace */
} KERNEL_VIEW;

struct signal_struct {
	struct pid *pids[4];
} KERNEL_VIEW;

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 alone */
} KERNEL_VIEW;

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int tgid;
	char comm[16];
	const struct cred *cred, *real_cred;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct signal_struct *signal;
} KERNEL_VIEW;

struct qstr {
	__u32 len; /* in an anonymous struct in an anonymous union */
	const unsigned char *name;
} KERNEL_VIEW;

struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
	struct dentry *s_root;
} KERNEL_VIEW;

struct inode {
	__u16 i_mode;
	const unsigned int i_nlink;
	struct super_block *i_sb;
	unsigned long i_ino;
	__u32 i_generation;
} KERNEL_VIEW;

/* A file in /proc, see fs/proc/internal.h. */
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
} KERNEL_VIEW;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
} KERNEL_VIEW;

struct vfsmount {
	struct dentry *mnt_root;
} KERNEL_VIEW;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
} KERNEL_VIEW;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} KERNEL_VIEW;

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct inode *f_inode;
	const struct path f_path;
} KERNEL_VIEW;

struct sock;
struct unix_sock {
	struct path path; /* where it is bound; empty for an abstract name */
} KERNEL_VIEW;

struct linux_binprm {
	struct file *file;
} KERNEL_VIEW;

/* include/linux/fs.h, sched.h, uapi/linux/stat.h, uapi/linux/magic.h */
#define PROC_MAGIC	     0x9fa0
#define FMODE_READ	     0x1
#define FMODE_WRITE	     0x2
#define FMODE_EXEC_OPEN	     0x20 /* __FMODE_EXEC, in f_flags */
#define PF_DUMPCORE	     0x200
#define S_IFMT		     0170000
#define S_IFDIR		     0040000
#define PROT_EXEC	     0x4
#define SB_NOUSER	     (1UL << 31)	  /* nobody can mount it: pipes, memfds, sockets */
#define MOUNT_SPACE_INTERNAL ((unsigned long)-22) /* MNT_NS_INTERNAL, fs/mount.h */

#endif
