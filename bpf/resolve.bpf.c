// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space has to ask the kernel: the object behind an open file, as the hooks will see it.
 * stat(2) does not tell it: file systems answer with numbers of their own (overlayfs, btrfs).
 * Attached while a policy's paths are looked up, for one thread.
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

/* The open file behind a descriptor of the task that runs; NULL: none. Nobody else opens or closes
 * files of who asks meanwhile. */
static __always_inline const struct file *file_of(const struct task_struct *task, __u32 fd)
{
	const struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	const struct file *file = NULL;

	if (fd < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	return file;
}

/* Every system call of every task, before it is looked up. The next one of who asks is answered.
 * What is returned is not looked at. */
SEC("tp_btf/sys_enter")
int BPF_PROG(answer_object, struct pt_regs *registers, long number)
{
	__u32 only = 0;
	struct object_question *question = bpf_map_lookup_elem(&object_question, &only);
	const struct file *file;
	const struct inode *inode;

	if (!question || question->answered || question->thread != bpf_get_current_pid_tgid())
		return 0;
	file = file_of(bpf_get_current_task_btf(), question->fd);
	inode = BPF_CORE_READ(file, f_path.dentry, d_inode);
	if (!file || !inode)
		return 0;
	question->object.device = BPF_CORE_READ(inode, i_sb, s_dev);
	question->object.inode = BPF_CORE_READ(inode, i_ino);
	question->object.generation = BPF_CORE_READ(inode, i_generation);
	question->answered = 1;
	return 0;
}
