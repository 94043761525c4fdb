// SPDX-License-Identifier: Apache-2.0
#include "compile/tiers.h"

#include <stdarg.h>

#include "compile/hooks.h"
#include "compile/landlock.h"
#include "policy/syscalls.h"

static void add_gap(struct gaps *gaps, bool explicit_in_manifest, const char *what,
		    const char *format, ...) FORMAT(4, 5);
static void add_gap(struct gaps *gaps, bool explicit_in_manifest, const char *what,
		    const char *format, ...)
{
	struct gap *gap = &gaps->items[gaps->count];
	va_list arguments;

	gaps->explicit_count += explicit_in_manifest;
	if (gaps->count == GAPS_MAX)
		return;
	gaps->count++;
	gap->what = what;
	gap->explicit_in_manifest = explicit_in_manifest;
	va_start(arguments, format);
	(void)vsnprintf(gap->pointer, sizeof(gap->pointer), format, arguments);
	va_end(arguments);
}

/* Landlock's rules on what a command opens and executes, and what they leave open. */
static void find_landlock_gaps(const struct scope *scope, const struct place *place,
			       struct gaps *gaps)
{
	const char *pointer = scope->pointer;

	if (scope->process.exec_present && place->landlock_abi == 0)
		add_gap(gaps, true, "what is executed is not judged without Landlock",
			"%s/process/exec", pointer);
	if (scope->files.present && place->landlock_abi == 0)
		add_gap(gaps, true, "file access is not judged without Landlock", "%s/files",
			pointer);
	if (scope->files.present && place->landlock_abi > 0 &&
	    place->landlock_abi < LANDLOCK_ABI_FILES)
		add_gap(gaps, true, "truncate(2) of a file is not judged before Linux 6.2",
			"%s/files/write", pointer);
	if (scope->files.present && place->landlock_abi >= LANDLOCK_ABI_FILES)
		add_gap(gaps, false,
			"of files that are not granted, names and stat(2) can be read, and mode, "
			"owner, times and extended attributes changed where permissions allow it",
			"%s/files", pointer);
	if (scope->files.deny.count)
		add_gap(gaps, false,
			"a denied file is out of sight by its path; a hard link to it below a "
			"granted folder opens it, and so does what is put there later from outside",
			"%s/files/deny", pointer);
	if (scope->process.exec_present && place->landlock_abi > 0)
		add_gap(gaps, false,
			"the loader (ld.so FILE), interpreters and memfd_create(2) run code from "
			"files that may be read but not executed; what may be executed can be read",
			"%s/process/exec", pointer);
}

/* Where a live cgroup is watched. */
#define KILLED_AFTER                                                                              \
	"is enforced by killing the process after the fact; what the call did before stays done " \
	"(docs/processes.md)"

static void find_file_gaps(const struct scope *scope, const struct place *place, struct gaps *gaps)
{
	if (place->lsm)
		return;
	if (place->tier == TIER_LAUNCH) {
		find_landlock_gaps(scope, place, gaps);
		return;
	}
	if (scope->process.exec_present)
		add_gap(gaps, true,
			place->watch ? KILLED_AFTER : "what a live cgroup executes is not judged",
			"%s/process/exec", scope->pointer);
	if (scope->files.present)
		add_gap(gaps, true, "file access of a live cgroup is not judged", "%s/files",
			scope->pointer);
}

#define NO_CONTROLLER(name)                                                                  \
	"cgroup v2 has no " name                                                             \
	" controller here: it is bound to v1; boot with cgroup_no_v1=all, or take the limit" \
	" out"

static void find_limit_gaps(const struct scope *scope, const struct place *place, struct gaps *gaps)
{
	const struct limits *limits = &scope->process.limits;

	if (limits->pids && !(place->controllers & CONTROLLER_PIDS))
		add_gap(gaps, true, NO_CONTROLLER("pids"), "%s/process/limits/pids",
			scope->pointer);
	if (limits->memory_bytes && !(place->controllers & CONTROLLER_MEMORY))
		add_gap(gaps, true, NO_CONTROLLER("memory"), "%s/process/limits/memory",
			scope->pointer);
	if (limits->cpu_percent && !(place->controllers & CONTROLLER_CPU))
		add_gap(gaps, true, NO_CONTROLLER("cpu"), "%s/process/limits/cpu", scope->pointer);
}

/* Where a denial comes before the kill, or without one. */
static void find_kill_gaps(const struct policy *policy, const struct tool *tool,
			   const struct place *place, struct gaps *gaps)
{
	const bool by_tool = tool && tool->scope.process.kill_on_violation;
	const bool lists = policy->agent.files.present || policy->agent.process.exec_present;
	const char *pointer = by_tool ? tool->scope.pointer : "";

	if (!policy_kills(policy, tool))
		return;
	add_gap(gaps, false,
		"after a denial on the network a process runs on for some milliseconds until "
		"agentpol has killed it, and as long as policyd is away",
		"%s/process/on_violation", pointer);
	if (place->tier == TIER_LAUNCH && !place->lsm && lists)
		add_gap(gaps, false,
			"Landlock denies, but neither logs nor kills: a process lives on after a "
			"denial by the lists of files and exec, and where capabilities are missing",
			"%s/process/on_violation", pointer);
}

/* What neither tier enforces. */
static void find_common_gaps(const struct scope *scope, const struct place *place,
			     struct gaps *gaps)
{
	const char *pointer = scope->pointer;

	if (scope->network.unix_present && !place->unix_sockets)
		add_gap(gaps, true, "connects to Unix sockets are not judged before Linux 6.7",
			"%s/network/unix", pointer);
	find_limit_gaps(scope, place, gaps);
	find_file_gaps(scope, place, gaps);
}

/* What can only be done to a process before it starts. */
static void find_attach_gaps(const struct scope *scope, const struct place *place,
			     struct gaps *gaps)
{
	const struct process *process = &scope->process;
	const bool agents = scope->tool == NULL;

	if (process->syscalls_present || agents)
		add_gap(gaps, process->syscalls_present,
			place->watch ? KILLED_AFTER
				     : "system calls of a live cgroup are not denied",
			"%s/process/syscalls", scope->pointer);
	if (process->capabilities_present || agents)
		add_gap(gaps, process->capabilities_present,
			"capabilities of a live cgroup are not dropped", "%s/process/capabilities",
			scope->pointer);
}

/* What the format promises without a word in the manifest. */
static void find_default_gaps(const struct policy *policy, const struct place *place,
			      struct gaps *gaps)
{
	const bool attach = place->tier == TIER_ATTACH;

	if (place->unix_sockets && !place->lsm)
		add_gap(gaps, false,
			"a Unix socket is judged by the path that a process gives: one that a "
			"link or a mount shows under another path is not known by it",
			"/network/unix");
	else if (!place->unix_sockets && !policy->agent.network.unix_present)
		add_gap(gaps, false,
			"Unix sockets of the enforcer and of container runtimes can be connected "
			"to where their permissions allow it",
			"/network/unix");
	if (!policy->agent.files.present && !place->lsm)
		add_gap(gaps, false, "the enforcer's own files are kept by their permissions alone",
			"/files");
	if (!place->lsm)
		add_gap(gaps, false,
			place->watch ? "who leaves the cgroup is killed when it has left; other "
				       "writes to cgroup files are kept by their permissions alone"
				     : "writes to cgroup files are kept by their permissions alone",
			"/process/syscalls");
	if (attach && !place->lsm)
		add_gap(gaps, false,
			place->watch ? KILLED_AFTER
				     : "packet, vsock, XDP and other socket families of a live "
				       "cgroup are not denied",
			"/network/families");
	if (attach && !place->lsm)
		add_gap(gaps, false,
			place->watch ? "who joins a multicast group is killed; the kernel may have "
				       "sent the group's address by then"
				     : "joining a multicast group is not denied on a live cgroup; "
				       "the kernel sends the group's address",
			"/network");
	if (policy->tool_count == 0)
		add_gap(gaps, false, "tool calls are judged where they pass agentpol mcp",
			"/tools");
}

/* What a manifest asks of calls; what a tool's process may do is its scope's, and enforced. */
static bool judges_calls(const struct tool *tool)
{
	return tool->input_schema || (tool->sql && tool->sql->argument) || tool->requires_count ||
	       tool->budget_calls || tool->forbids_after.count || tool->budget_rate.seconds ||
	       tool->ask || tool->argument_count;
}

static void find_tool_gaps(const struct policy *policy, const struct place *place,
			   struct gaps *gaps)
{
	size_t i;

	for (i = 0; i < policy->tool_count; i++) {
		const struct tool *tool = &policy->tools[i];

		if (tool->sql && tool->sql->server_path && !place->unix_sockets)
			add_gap(gaps, true,
				"a server behind a Unix socket is not guarded before Linux 6.7",
				"%s/sql/server", tool->scope.pointer);
		if (judges_calls(tool))
			add_gap(gaps, false,
				"calls of this tool are judged where they pass agentpol mcp", "%s",
				tool->scope.pointer);
		if (tool->call_scope)
			add_gap(gaps, false,
				"its grants are open during calls that pass agentpol mcp "
				"--tool-scope alone",
				"%s/scope", tool->scope.pointer);
	}
	if (policy->budgets.present)
		add_gap(gaps, false, "budgets are counted where calls pass agentpol mcp",
			"/budgets");
}

static bool scope_asks_watch(const struct scope *scope)
{
	return scope->process.syscalls_present || scope->process.exec_present;
}

bool tiers_ask_watch(const struct policy *policy, const struct tool *tool)
{
	return scope_asks_watch(&policy->agent) || (tool && scope_asks_watch(&tool->scope));
}

static void note_unhooked(const char *name, void *context)
{
	const struct syscall_hook *hook = syscall_hook_find(name);
	/* What Linux has long given up is there on no machine. */
	const struct syscall_group *obsolete = syscall_group_find("@obsolete");
	bool *unhooked = context;

	if ((!hook || !hook->hooks) && !syscall_group_has(obsolete, name))
		*unhooked = true;
}

/* The LSM is asked what is done, and not about every call. */
static void find_hook_gaps(const struct policy *policy, const struct tool *tool,
			   const struct place *place, struct gaps *gaps)
{
	const struct process *agent = &policy->agent.process;
	bool unhooked = false;

	if (place->tier != TIER_ATTACH || !place->lsm || !agent->syscalls_present)
		return;
	syscalls_scope_each_denied(agent, tool ? &tool->scope.process : NULL, note_unhooked,
				   &unhooked);
	if (unhooked)
		add_gap(gaps, true,
			"of the calls that are denied, some have no hook of the LSM; on a live "
			"cgroup they are not denied (agentpol doctor --syscalls)",
			"/process/syscalls");
}

void tiers_find_gaps(const struct policy *policy, const struct tool *tool,
		     const struct place *place, struct gaps *gaps)
{
	struct place here = *place;

	*gaps = (struct gaps){0};
	here.watch = place->watch && tiers_ask_watch(policy, tool);
	find_common_gaps(&policy->agent, &here, gaps);
	if (tool)
		find_common_gaps(&tool->scope, &here, gaps);
	if (here.tier == TIER_ATTACH && !here.lsm)
		find_attach_gaps(&policy->agent, &here, gaps);
	if (here.tier == TIER_ATTACH && !here.lsm && tool)
		find_attach_gaps(&tool->scope, &here, gaps);
	find_kill_gaps(policy, tool, &here, gaps);
	find_hook_gaps(policy, tool, &here, gaps);
	find_tool_gaps(policy, &here, gaps);
	find_default_gaps(policy, &here, gaps);
}
