/* SPDX-License-Identifier: GPL-2.0-only */
/* How a system call comes in on each architecture: its arguments, and which entry it took. */
#ifndef AGENTPOL_BPF_ENTRY_H
#define AGENTPOL_BPF_ENTRY_H

#include <stdbool.h>

#include "bpf/kernel_types.h"

#if defined(__TARGET_ARCH_x86)

#define X32_SYSCALL_BIT 0x40000000 /* arch/x86/include/uapi/asm/unistd.h */
#define TS_COMPAT	0x0002	   /* arch/x86/include/asm/thread_info.h: set at a 32-bit entry */

struct pt_regs {
	unsigned long di, si, dx;
} KERNEL_VIEW;

static __always_inline __u64 entry_argument(const struct pt_regs *registers, int n)
{
	return n == 0 ? registers->di : n == 1 ? registers->si : registers->dx;
}

/* Numbers mean something else there. */
static __always_inline bool entry_is_other(const struct task_struct *task, long number)
{
	return (number & X32_SYSCALL_BIT) || (task->thread_info.status & TS_COMPAT);
}

#elif defined(__TARGET_ARCH_arm64)

#define TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */

struct pt_regs {
	__u64 regs[31];
} KERNEL_VIEW;

static __always_inline __u64 entry_argument(const struct pt_regs *registers, int n)
{
	return registers->regs[n];
}

static __always_inline bool entry_is_other(const struct task_struct *task, long number)
{
	return task->thread_info.flags >> TIF_32BIT & 1;
}

#else
#error "how does a system call come in on this architecture?"
#endif

#endif
