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

static __always_inline __u64 object_tag(__u32 policy_id, __u32 epoch, __u64 directory)
{
	__u64 word = stir(egress_config.key[0] ^ directory);

	word = stir(word ^ ((__u64)policy_id << 32 | epoch));
	return word & ~(__u64)OBJECT_VERDICT_BITS;
}

/* OBJECT_OPEN and what else is known to be allowed; 0: nothing is known. */
static __always_inline __u32 object_recall(struct inode *inode, __u32 policy_id, __u64 tag)
{
	struct object_verdicts *verdicts =
		bpf_inode_storage_get(&verdicts_of_inode, inode, NULL, 0);
	__u64 word;

	if (!verdicts)
		return 0;
	word = *(volatile __u64 *)&verdicts->words[policy_id & (OBJECT_VERDICTS - 1)];
	return (word & ~(__u64)OBJECT_VERDICT_BITS) == tag ? word & OBJECT_VERDICT_BITS : 0;
}

static __always_inline void object_remember(struct inode *inode, __u32 policy_id, __u64 tag,
					    __u32 access)
{
	struct object_verdicts *verdicts;

	verdicts = bpf_inode_storage_get(&verdicts_of_inode, inode, NULL,
					 BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (verdicts)
		*(volatile __u64 *)&verdicts->words[policy_id & (OBJECT_VERDICTS - 1)] =
			tag | access;
}

/* The same of a file that is open, which is looked up once and then known. A file with several
 * names is looked up by the one that it was opened by. */
static __always_inline __u32 object_access_of_file(const struct subject *subject, struct file *file)
{
	struct guard_state *state = guard_state_now();
	struct inode *inode = file->f_inode;
	struct dentry *dentry = file->f_path.dentry;
	struct inode *directory = dentry->d_parent->d_inode;
	__u32 access, id = POLICY_ID(subject->policy);
	__u64 tag;

	if (!state || !directory)
		return OBJECT_DENY;
	tag = object_tag(id, *(volatile __u32 *)&state->epoch, directory->i_ino);
	if (inode->i_nlink == 1 || (inode->i_mode & S_IFMT) == S_IFDIR) {
		access = object_recall(inode, id, tag);
		if (access)
			return access;
	}
	access = object_access_for(subject, dentry);
	if ((access & OBJECT_OPEN) &&
	    bpf_ktime_get_ns() - *(volatile __u64 *)&state->moved_at > CACHE_PAUSE_NS)
		object_remember(inode, id, tag, access);
	return access;
}

#endif
