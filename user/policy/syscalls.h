/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and groups of system calls: systemd's groups (systemd-analyze syscall-filter), generated
 * into syscall_groups.inc by tools/gen-syscall-groups.sh, and our own @escape.
 */
#ifndef AGENTPOL_POLICY_SYSCALLS_H
#define AGENTPOL_POLICY_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

struct syscall_group {
	const char *name;	    /* "@mount" */
	const char *const *members; /* names and other groups; NULL-terminated */
};

/* NULL where there is none of that name. */
const struct syscall_group *syscall_group_find(const char *name);
bool syscall_is_known(const char *name);
/* Is `name` in the group, or in a group of the group? */
bool syscall_group_has(const struct syscall_group *group, const char *name);
/* Is it denied by the process section's lists (exceptions win, the default applies)? *entry is
 * the list's entry that denies it, as written. */
bool syscalls_denied(const struct process *process, const char *name, const char **entry);
/* Calls `visit` once for each syscall that the section denies. */
void syscalls_each_denied(const struct process *process,
			  void (*visit)(const char *name, void *context), void *context);

/* The same for a tool's scope: the agent's section joined with the tool's (NULL: none), whose
 * exceptions lift what the agent's lists deny, and whose own list denies more. */
bool syscalls_scope_denied(const struct process *agent, const struct process *tool,
			   const char *name, const char **entry);
void syscalls_scope_each_denied(const struct process *agent, const struct process *tool,
				void (*visit)(const char *name, void *context), void *context);

#endif
