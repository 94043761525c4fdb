// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include <limits.h>
#include <string.h>

#include "policy/paths.h"
#include "policy/syscalls.h"
#include "policy/verdict.h"

/* ---- exec and files ---- */

/* Paths of a manifest are directories or files; a directory stands for what is below it. */
static bool entry_covers(const char *entry, const char *path)
{
	char top[PATH_MAX];

	return path_normalise(entry, top, sizeof(top)) && path_is_below(top, path);
}

/* The first entry that covers the path; false where none does. */
static bool list_covers(const struct strings *list, const char *path, size_t *index)
{
	for (*index = 0; *index < list->count; (*index)++)
		if (entry_covers(list->items[*index], path))
			return true;
	return false;
}

static size_t covering_entries(const struct strings *list, const char *path)
{
	size_t i, count = 0;

	for (i = 0; i < list->count; i++)
		count += entry_covers(list->items[i], path);
	return count;
}

/* The path's normal form, or the denial of what no policy can grant. */
static bool judgeable_path(const struct scopes *scopes, const char *path, const char *reason,
			   char *normal, struct verdict *verdict)
{
	verdict_set_rule(verdict, scopes->items[0], "/files");
	if (!path_normalise(path, normal, PATH_MAX)) {
		verdict_deny(verdict, reason, "not an absolute path of less than %d bytes",
			     PATH_MAX);
		return false;
	}
	if (path_is_enforcers(normal)) {
		verdict_deny(verdict, "enforcer", "%s is the enforcer's own: nothing opens it",
			     normal);
		return false;
	}
	verdict->rule[0] = '\0';
	return true;
}

/* Is the path in a "deny" list? A hint is given where taking out that one entry would do. */
static bool denied_by_entry(const struct scopes *scopes, const char *path, bool granted,
			    struct verdict *verdict)
{
	const struct scope *scope = NULL;
	size_t i, index, first = 0, count = 0;
	char pointer[64];

	for (i = 0; i < scopes->count; i++) {
		const struct strings *deny = &scopes->items[i]->files.deny;

		count += covering_entries(deny, path);
		if (!scope && list_covers(deny, path, &index)) {
			scope = scopes->items[i];
			first = index;
		}
	}
	if (!scope)
		return false;
	(void)snprintf(pointer, sizeof(pointer), "/files/deny/%zu", first);
	verdict_set_rule(verdict, scope, "%s", pointer);
	verdict_deny(verdict, "file", "%s is denied by the entry %s", path,
		     scope->files.deny.items[first]);
	if (granted && count == 1)
		verdict_hint(verdict, "remove", scope, pointer, "");
	return true;
}

/* Does a "read" or "write" entry grant it? Sets the rule. Without a section all is granted. */
static bool files_granted(const struct scopes *scopes, const char *path, enum file_access access,
			  struct verdict *verdict)
{
	size_t i, index;

	if (!scopes->items[0]->files.present)
		return true;
	for (i = 0; i < scopes->count; i++) {
		const struct files *files = &scopes->items[i]->files;

		if (access == ACCESS_READ && list_covers(&files->read, path, &index)) {
			verdict_set_rule(verdict, scopes->items[i], "/files/read/%zu", index);
			return true;
		}
		if (list_covers(&files->write, path, &index)) {
			verdict_set_rule(verdict, scopes->items[i], "/files/write/%zu", index);
			return true;
		}
	}
	return false;
}

static void decide_file(const struct scopes *scopes, const struct request *request,
			struct verdict *verdict)
{
	const enum file_access access = request->file.access;
	const struct scope *last = scopes_last(scopes);
	const bool write = access == ACCESS_WRITE;
	const struct hint_list list = {last, "files", last->files.present, write ? "write" : "read",
				       write ? last->files.write.count : last->files.read.count};
	char path[PATH_MAX];
	bool granted;

	if (!judgeable_path(scopes, request->file.path, "file", path, verdict))
		return;
	granted = files_granted(scopes, path, access, verdict);
	if (denied_by_entry(scopes, path, granted, verdict))
		return;
	if (granted) {
		verdict_allow(verdict);
		return;
	}
	verdict_set_rule(verdict, last, "/files/%s", list.list);
	verdict_deny(verdict, "file", "no entry grants to %s %s", list.list, path);
	verdict_hint_add_string(verdict, &list, path);
}

static bool exec_granted(const struct scopes *scopes, const char *path, struct verdict *verdict)
{
	size_t i, j;

	if (!scopes->items[0]->process.exec_present)
		return true;
	for (i = 0; i < scopes->count; i++) {
		const struct strings *exec = &scopes->items[i]->process.exec;

		for (j = 0; j < exec->count; j++) {
			if (!path_matches(exec->items[j], path))
				continue;
			verdict_set_rule(verdict, scopes->items[i], "/process/exec/%zu", j);
			return true;
		}
	}
	return false;
}

static void decide_exec(const struct scopes *scopes, const struct request *request,
			struct verdict *verdict)
{
	const struct scope *last = scopes_last(scopes);
	const struct hint_list list = {last, "process", last->process.present, "exec",
				       last->process.exec.count};
	char path[PATH_MAX];
	bool granted;

	if (!judgeable_path(scopes, request->path, "exec", path, verdict))
		return;
	granted = exec_granted(scopes, path, verdict);
	if (denied_by_entry(scopes, path, granted, verdict))
		return;
	if (granted) {
		verdict_allow(verdict);
		return;
	}
	verdict_set_rule(verdict, last, "/process/exec");
	verdict_deny(verdict, "exec", "no pattern grants to execute %s", path);
	verdict_hint_add_string(verdict, &list, path);
}

/* ---- syscalls ---- */

static void hint_syscall(const struct scope *scope, const char *name, struct verdict *verdict)
{
	const struct process *process = &scope->process;
	/* The agent's lists replace the default, so an edit that makes them writes it out. */
	const char *deny = scope->tool ? "" : "\"deny\":[\"@escape\"],";
	char value[VERDICT_TEXT_MAX];
	const char *path;

	if (!process->present) {
		path = "/process";
		(void)snprintf(value, sizeof(value), "{\"syscalls\":{%s\"allow\":[\"%s\"]}}", deny,
			       name);
	} else if (!process->syscalls_present) {
		path = "/process/syscalls";
		(void)snprintf(value, sizeof(value), "{%s\"allow\":[\"%s\"]}", deny, name);
	} else if (process->syscalls_allow.count == 0) {
		path = "/process/syscalls/allow";
		(void)snprintf(value, sizeof(value), "[\"%s\"]", name);
	} else {
		path = "/process/syscalls/allow/-";
		(void)snprintf(value, sizeof(value), "\"%s\"", name);
	}
	verdict_hint(verdict, "add", scope, path, value);
}

static void decide_syscall(const struct scopes *scopes, const struct request *request,
			   struct verdict *verdict)
{
	const struct process *agent = &scopes->items[0]->process;
	const struct process *tool = scopes->tool ? &scopes->tool->scope.process : NULL;
	const char *name = request->syscall, *entry;

	if (!syscall_is_known(name)) {
		verdict_set_rule(verdict, scopes_last(scopes), "/process/syscalls");
		verdict_deny(verdict, "syscall", "%.64s is no system call that is known", name);
		return;
	}
	if (syscalls_scope_denied(agent, tool, name, &entry)) {
		verdict_set_rule(verdict, scopes_last(scopes), "/process/syscalls");
		verdict_deny(verdict, "syscall", "%s is denied by %s", name, entry);
		hint_syscall(scopes_last(scopes), name, verdict);
		return;
	}
	if (strncmp(name, "clone", strlen("clone")) == 0 &&
	    syscalls_scope_denied(agent, tool, "unshare", &entry))
		(void)snprintf(verdict->assumes, sizeof(verdict->assumes),
			       "the flags ask for no user namespace");
	verdict_allow(verdict);
}

static void decide_capability(const struct scopes *scopes, const struct request *request,
			      struct verdict *verdict)
{
	const struct scope *last = scopes_last(scopes);
	const struct process *process = &last->process;
	const struct hint_list list = {last, "process", process->present, "capabilities",
				       (size_t)__builtin_popcountll(process->capabilities)};
	const unsigned number = request->capability;

	verdict_set_rule(verdict, last, "/process/capabilities");
	for (size_t i = 0; number < 64 && i < scopes->count; i++)
		if (scopes->items[i]->process.capabilities >> number & 1) {
			verdict_set_rule(verdict, scopes->items[i], "/process/capabilities");
			verdict_allow(verdict);
			return;
		}
	if (number >= capability_count) {
		verdict_deny(verdict, "capability", "capability %u is none that is known", number);
		return;
	}
	verdict_deny(verdict, "capability", "%s is not kept", capability_names[number]);
	verdict_hint_add_string(verdict, &list, capability_names[number]);
}

/* ---- */

static void (*const deciders[])(const struct scopes *scopes, const struct request *request,
				struct verdict *verdict) = {
	[REQUEST_CONNECT] = decide_connect,
	[REQUEST_DNS] = decide_dns,
	[REQUEST_LISTEN] = decide_listen,
	[REQUEST_EXEC] = decide_exec,
	[REQUEST_FILE] = decide_file,
	[REQUEST_SYSCALL] = decide_syscall,
	[REQUEST_SOCKET] = decide_socket,
	[REQUEST_UNIX] = decide_unix,
	[REQUEST_CAPABILITY] = decide_capability,
};

static void add_tool(struct scopes *scopes, const struct tool *tool)
{
	for (size_t i = 0; tool && i < tool->part_count; i++)
		scopes->items[scopes->count++] = &tool->parts[i]->scope;
	if (tool && !tool->part_count)
		scopes->items[scopes->count++] = &tool->scope;
}

void policy_decide(const struct policy *policy, const struct request *request,
		   struct verdict *verdict)
{
	const struct tool *tool = request->tool ? policy_find_tool(policy, request->tool) : NULL;
	struct scopes scopes = {{&policy->agent}, 1, policy, tool};

	*verdict = (struct verdict){0};
	add_tool(&scopes, tool);
	if (request->tool && !tool) {
		verdict_set_rule(verdict, &policy->agent, "/tools");
		verdict_deny(verdict, "tool", "the manifest has no tool %.*s", TOOL_NAME_MAX,
			     request->tool);
	} else {
		deciders[request->kind](&scopes, request, verdict);
	}
	if (verdict->kind == VERDICT_DENY && policy->mode == MODE_AUDIT)
		verdict->kind = VERDICT_WOULD_DENY;
}
