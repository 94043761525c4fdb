// SPDX-License-Identifier: Apache-2.0
#include "compile/confinement.h"

#include <seccomp.h>
#include <sys/socket.h>

#include "policy/syscalls.h"

/* Numbers are those of the architecture that this is built for: another one's entries are denied as
 * a whole. */
static void deny_by_name(const char *name, void *context)
{
	struct confinement *confinement = context;
	const int number = seccomp_syscall_resolve_name(name);

	if (number >= 0 && number < 64 * SYSCALL_WORDS)
		confinement->denied_syscalls[number / 64] |= 1ULL << (number % 64);
}

static void fill_sockets(unsigned families, struct confinement *confinement)
{
	static const int plain[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		confinement->domains |= 1ULL << plain[i];
	for (size_t i = 0; i < family_name_count; i++)
		if (family_names[i].bit & families)
			confinement->domains |= 1ULL << family_names[i].domain;
	if (families & FAMILY_NETLINK)
		confinement->families |= CONFINE_NETLINK;
	if (families & FAMILY_PACKET)
		confinement->families |= CONFINE_PACKET;
}

void confinement_fill(const struct policy *policy, const struct tool *tool,
		      struct confinement *confinement)
{
	const struct scope *agent = &policy->agent;
	const struct process *of_tool = tool ? &tool->scope.process : NULL;

	*confinement = (struct confinement){.capabilities = agent->process.capabilities |
							    (of_tool ? of_tool->capabilities : 0)};
	syscalls_scope_each_denied(&agent->process, of_tool, deny_by_name, confinement);
	fill_sockets(agent->network.families | (tool ? tool->scope.network.families : 0),
		     confinement);
	if (!agent->files.present)
		confinement->objects |= OBJECT_READ | OBJECT_WRITE;
	if (!agent->process.exec_present)
		confinement->objects |= OBJECT_EXEC;
}

uint32_t confinement_flags(const struct policy *policy, const struct tool *tool)
{
	const struct scope *agent = &policy->agent;
	const struct {
		bool set;
		uint32_t flag;
	} flags[] = {
		{agent->process.exec_present, POLICY_EXEC},
		{agent->files.present, POLICY_FILES},
		{agent->process.kill_on_violation ||
			 (tool && tool->scope.process.kill_on_violation),
		 POLICY_KILL},
		{policy->audit_allowed & AUDIT_EXEC, POLICY_LOG_EXEC},
		{policy->audit_allowed & AUDIT_FILE, POLICY_LOG_FILE},
	};
	uint32_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		sum |= flags[i].set ? flags[i].flag : 0;
	return policy->mode == MODE_AUDIT ? sum & ~POLICY_KILL : sum;
}
