/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hook of the kernel's LSM stands before which system call: what is enforced on live cgroups.
 * A call that is not in the table is denied by seccomp at launch alone. For people, and for tests;
 * the hooks themselves are in bpf/guard.bpf.c.
 */
#ifndef AGENTPOL_COMPILE_HOOKS_H
#define AGENTPOL_COMPILE_HOOKS_H

#include <stddef.h>

struct syscall_hook {
	const char *name;
	const char *hooks; /* names as in the kernel, "capable" among them: of privileged calls */
	const char *note;  /* what of the call is not judged; NULL: nothing */
};
extern const struct syscall_hook syscall_hooks[];
extern const size_t syscall_hook_count;

/* NULL where no hook stands before it. */
const struct syscall_hook *syscall_hook_find(const char *name);

#endif
