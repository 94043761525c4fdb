// SPDX-License-Identifier: Apache-2.0
#include "policy/syscalls.h"

#include <string.h>

#include "policy/syscall_groups.inc"

/* Groups in groups: systemd nests three deep, and a group has fewer than eight groups in it. */
#define OPEN_GROUPS_MAX 32

/*
 * What an agent has no use for and an attacker has. clone and clone3 can make user namespaces too;
 * they are judged by their arguments (compile/seccomp.c) wherever unshare is denied.
 */
static const char *const group_escape[] = {
	"bpf",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"pidfd_getfd", /* ptrace by another door: takes another process's open files */
	"@mount",
	"@module",
	"kexec_load",
	"kexec_file_load",
	"@keyring",
	"unshare",
	"setns",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"io_uring_enter", /* these two for rings that were made before */
	"io_uring_register",
	NULL,
};
static const struct syscall_group escape_group = {"@escape", group_escape};
static const char *default_deny[] = {"@escape"};

const struct syscall_group *syscall_group_find(const char *name)
{
	size_t i;

	if (strcmp(name, escape_group.name) == 0)
		return &escape_group;
	for (i = 0; i < ARRAY_SIZE(systemd_groups); i++)
		if (strcmp(name, systemd_groups[i].name) == 0)
			return &systemd_groups[i];
	return NULL;
}

bool syscall_is_known(const char *name)
{
	size_t i;

	for (i = 0; group_known[i]; i++)
		if (strcmp(group_known[i], name) == 0)
			return true;
	return false;
}

bool syscall_group_has(const struct syscall_group *group, const char *name)
{
	const char *const *open[OPEN_GROUPS_MAX];
	size_t count = 0;

	open[count++] = group->members;
	while (count > 0) {
		const char *const *member = open[--count];

		for (; *member; member++) {
			const struct syscall_group *inner =
				**member == '@' ? syscall_group_find(*member) : NULL;

			if (inner && count < OPEN_GROUPS_MAX)
				open[count++] = inner->members;
			else if (!inner && strcmp(*member, name) == 0)
				return true;
		}
	}
	return false;
}

/* The entry of the list that names the syscall or a group of it, or NULL. */
static const char *list_entry(const struct strings *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct syscall_group *group =
			list->items[i][0] == '@' ? syscall_group_find(list->items[i]) : NULL;

		if (group ? syscall_group_has(group, name) : strcmp(list->items[i], name) == 0)
			return list->items[i];
	}
	return NULL;
}

/* Exceptions alone are exceptions from the default; an empty "deny" alone denies nothing. */
static struct strings deny_list(const struct process *process)
{
	const struct strings by_default = {default_deny, ARRAY_SIZE(default_deny)};

	if (!process->syscalls_present)
		return by_default;
	if (process->syscalls_deny.count == 0 && process->syscalls_allow.count > 0)
		return by_default;
	return process->syscalls_deny;
}

bool syscalls_scope_denied(const struct process *agent, const struct process *tool,
			   const char *name, const char **entry)
{
	const struct strings agent_deny = deny_list(agent);

	if (list_entry(&agent->syscalls_allow, name))
		return false;
	if (tool && list_entry(&tool->syscalls_allow, name))
		return false;
	*entry = list_entry(&agent_deny, name);
	if (!*entry && tool)
		*entry = list_entry(&tool->syscalls_deny, name);
	return *entry != NULL;
}

void syscalls_scope_each_denied(const struct process *agent, const struct process *tool,
				void (*visit)(const char *name, void *context), void *context)
{
	const char *entry;
	size_t i;

	for (i = 0; group_known[i]; i++)
		if (syscalls_scope_denied(agent, tool, group_known[i], &entry))
			visit(group_known[i], context);
}

bool syscalls_denied(const struct process *process, const char *name, const char **entry)
{
	return syscalls_scope_denied(process, NULL, name, entry);
}

void syscalls_each_denied(const struct process *process,
			  void (*visit)(const char *name, void *context), void *context)
{
	syscalls_scope_each_denied(process, NULL, visit, context);
}
