// SPDX-License-Identifier: Apache-2.0
#include "policy/policy.h"

#include <string.h>
#include <sys/socket.h>

/* In the order of FAMILY_*. */
const struct family_name family_names[] = {
	{"raw", FAMILY_RAW, AF_INET},
	{"packet", FAMILY_PACKET, AF_PACKET},
	{"vsock", FAMILY_VSOCK, AF_VSOCK},
	{"xdp", FAMILY_XDP, AF_XDP},
	{"netlink", FAMILY_NETLINK, AF_NETLINK},
	{"bluetooth", FAMILY_BLUETOOTH, AF_BLUETOOTH},
	{"can", FAMILY_CAN, AF_CAN},
	{"alg", FAMILY_ALG, AF_ALG},
	{"tipc", FAMILY_TIPC, AF_TIPC},
};
const size_t family_name_count = ARRAY_SIZE(family_names);

/* include/uapi/linux/capability.h, by number. */
const char *const capability_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};
const size_t capability_count = ARRAY_SIZE(capability_names);

void policy_free(struct policy *policy)
{
	if (policy)
		arena_free(policy->arena);
}

const struct tool *policy_find_tool(const struct policy *policy, const char *name)
{
	size_t i;

	for (i = 0; i < policy->tool_count; i++)
		if (strcmp(policy->tools[i].name, name) == 0)
			return &policy->tools[i];
	for (const struct joined_scope *joined = policy->joined; joined; joined = joined->next)
		if (strcmp(joined->name, name) == 0)
			return joined->tool;
	return NULL;
}

struct limits policy_limits(const struct policy *policy, const struct tool *tool)
{
	struct limits limits = policy->agent.process.limits;

	if (policy->mode == MODE_AUDIT)
		return (struct limits){0};
	if (tool && tool->scope.process.limits.pids)
		limits.pids = tool->scope.process.limits.pids;
	if (tool && tool->scope.process.limits.memory_bytes)
		limits.memory_bytes = tool->scope.process.limits.memory_bytes;
	if (tool && tool->scope.process.limits.cpu_percent)
		limits.cpu_percent = tool->scope.process.limits.cpu_percent;
	return limits;
}

bool policy_kills(const struct policy *policy, const struct tool *tool)
{
	return policy->agent.process.kill_on_violation ||
	       (tool && tool->scope.process.kill_on_violation);
}

int capability_find(const char *name)
{
	size_t i;

	for (i = 0; i < capability_count; i++)
		if (strcmp(capability_names[i], name) == 0)
			return (int)i;
	return -1;
}

bool network_names_hosts(const struct network *network)
{
	for (size_t i = 0; i < network->egress_count; i++)
		for (size_t j = 0; j < network->egress[i].target_count; j++)
			if (network->egress[i].targets[j].kind == TARGET_NAME ||
			    network->egress[i].targets[j].kind == TARGET_WILDCARD)
				return true;
	return false;
}
