/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdicts on files that are kept in the files' inodes, so that a repeated open costs one lookup.
 * Only programs of the LSM may keep anything there, see object.h for the others. */
#ifndef AGENTPOL_BPF_OBJECT_CACHE_H
#define AGENTPOL_BPF_OBJECT_CACHE_H

#include "bpf/object.h"

/* A directory that moves takes everything below it along. The hook speaks before it does. */
#define CACHE_PAUSE_NS 1000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct object_verdicts);
} verdicts_of_inode SEC(".maps");

/* ---- verdicts that are kept ---- */

/* OBJECT_OPEN and what else is known to be allowed; 0: nothing is known. A file with several names
 * is looked up by the one that it was opened by. */
static __always_inline __u32 object_recall(struct inode *inode, __u32 policy_id, __u32 epoch)
{
	struct object_verdicts *verdicts;
	__u64 word;

	if (inode->i_nlink != 1 && (inode->i_mode & S_IFMT) != S_IFDIR)
		return 0;
	verdicts = bpf_inode_storage_get(&verdicts_of_inode, inode, NULL, 0);
	if (!verdicts)
		return 0;
	word = *(volatile __u64 *)&verdicts->words[policy_id & (OBJECT_VERDICTS - 1)];
	return (word ^ OBJECT_VERDICT(policy_id, epoch, 0)) > 0xff ? 0 : OBJECT_VERDICT_BITS(word);
}

static __always_inline void object_remember(struct inode *inode, __u32 policy_id, __u32 epoch,
					    __u32 access)
{
	struct object_verdicts *verdicts;

	verdicts = bpf_inode_storage_get(&verdicts_of_inode, inode, NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!verdicts ||
	    bpf_ktime_get_ns() - *(volatile __u64 *)&verdicts->moved_at < CACHE_PAUSE_NS)
		return;
	*(volatile __u64 *)&verdicts->words[policy_id & (OBJECT_VERDICTS - 1)] =
		OBJECT_VERDICT(policy_id, epoch, access);
}

/* It is about to be elsewhere: the hook speaks before, so that for a while nothing is kept anew. */
static __always_inline void object_forget(struct inode *inode)
{
	struct object_verdicts *verdicts;

	verdicts = bpf_inode_storage_get(&verdicts_of_inode, inode, NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!verdicts)
		return;
	*(volatile __u64 *)&verdicts->moved_at = bpf_ktime_get_ns();
	for (int i = 0; i < OBJECT_VERDICTS; i++)
		*(volatile __u64 *)&verdicts->words[i] = 0;
}

/* The same of a file that is open, and is kept for the next time; but not in /proc, where inodes
 * come and go with processes. */
static __always_inline __u32 object_access_of_file(const struct subject *subject, struct file *file,
						   __u32 epoch)
{
	const struct guard_state *state = guard_state_now();
	const __u32 id = POLICY_ID(subject->policy);
	const __u32 access = object_access_for(subject, file->f_path.dentry);

	if (state && (access & OBJECT_OPEN) &&
	    BPF_CORE_READ(file, f_path.dentry, d_sb, s_magic) != PROC_MAGIC &&
	    bpf_ktime_get_ns() - *(volatile __u64 *)&state->moved_at > CACHE_PAUSE_NS)
		object_remember(file->f_inode, id, epoch, access);
	return access;
}

#endif
