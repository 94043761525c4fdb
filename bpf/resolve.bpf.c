// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space has to ask the kernel: the object behind an open file, as the hooks will see it.
 * stat(2) does not tell it: file systems answer with numbers of their own (overlayfs, btrfs).
 * Attached while a policy is loaded, for one thread; it refuses nothing.
 */
#include "bpf/kernel_types.h"

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/abi.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct object_question);
} object_question SEC(".maps");

/* statx(2) and its kin. */
SEC("lsm/inode_getattr")
int BPF_PROG(answer_object, const struct path *path)
{
	__u32 only = 0;
	struct object_question *question = bpf_map_lookup_elem(&object_question, &only);
	struct inode *inode;

	if (!question || question->thread != bpf_get_current_pid_tgid())
		return 0;
	inode = path->dentry->d_inode;
	if (!inode)
		return 0;
	question->object.device = inode->i_sb->s_dev;
	question->object.inode = inode->i_ino;
	question->object.generation = inode->i_generation;
	question->answered = 1;
	return 0;
}
