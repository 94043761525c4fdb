// SPDX-License-Identifier: Apache-2.0
#include "compile/confinement.h"

#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "policy/syscalls.h"

/* Of every policy, whatever "families" says. */
static const int common_domains[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

static void deny_syscall(const char *name, void *context)
{
	struct confinement *confinement = context;
	const int number = seccomp_syscall_resolve_name(name);

	/* Negative: not one of this architecture's. */
	if (number >= 0 && number < SYSCALL_WORDS * 64)
		confinement->denied_syscalls[number / 64] |= 1ULL << (number % 64);
}

static void allow_families(unsigned families, struct confinement *confinement)
{
	for (size_t i = 0; i < ARRAY_SIZE(common_domains); i++)
		confinement->domains |= 1ULL << common_domains[i];
	for (size_t i = 0; i < family_name_count; i++)
		if (families & family_names[i].bit)
			confinement->domains |= 1ULL << family_names[i].domain;
	if (families & FAMILY_NETLINK)
		confinement->families |= CONFINE_NETLINK;
	if (families & FAMILY_PACKET)
		confinement->families |= CONFINE_PACKET;
}

void confinement_compile(const struct policy *policy, const struct tool *tool,
			 struct confinement *confinement)
{
	const struct process *process = &policy->agent.process;
	const struct process *more = tool ? &tool->scope.process : NULL;

	memset(confinement, 0, sizeof(*confinement));
	syscalls_scope_each_denied(process, more, deny_syscall, confinement);
	confinement->capabilities = process->capabilities | (more ? more->capabilities : 0);
	allow_families(policy->agent.network.families | (tool ? tool->scope.network.families : 0),
		       confinement);
	/* A tool's lists add to the agent's; where the agent has none, nothing is restricted. */
	if (!policy->agent.files.present)
		confinement->objects |= OBJECT_READ | OBJECT_WRITE;
	if (!process->exec_present)
		confinement->objects |= OBJECT_EXEC;
}

uint32_t confinement_flags(const struct policy *policy, const struct tool *tool)
{
	uint32_t flags = 0;

	if (policy->agent.process.exec_present)
		flags |= POLICY_EXEC;
	if (policy->agent.files.present)
		flags |= POLICY_FILES;
	if (policy_kills(policy, tool))
		flags |= POLICY_KILL;
	if (policy->audit_allowed & AUDIT_EXEC)
		flags |= POLICY_LOG_EXEC;
	if (policy->audit_allowed & AUDIT_FILE)
		flags |= POLICY_LOG_FILE;
	return flags;
}

void confinement_allow_all(struct confinement *confinement)
{
	*confinement = (struct confinement){
		.capabilities = UINT64_MAX,
		.domains = UINT64_MAX,
		.families = CONFINE_NETLINK | CONFINE_PACKET,
		.objects = OBJECT_READ | OBJECT_WRITE | OBJECT_EXEC,
	};
}
