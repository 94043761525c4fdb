// SPDX-License-Identifier: Apache-2.0
#include "policyd/explain_task.h"

#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static const char *const kinds[] = {
	[EVENT_EXEC] = "exec",	     [EVENT_FILE] = "file",
	[EVENT_SYSCALL] = "syscall", [EVENT_CAPABILITY] = "capability",
	[EVENT_PROCESS] = "process", [EVENT_FAMILY] = "socket",
	[EVENT_ESCAPE] = "escape",
};

static const char *const ways[] = {
	[PROCESS_SIGNAL] = "signal",
	[PROCESS_TRACE] = "trace",
	[PROCESS_SCHEDULE] = "schedule",
};

/* Why it is denied, where no rule of the manifest says so. */
static const struct {
	enum event_reason reason;
	const char *name, *message;
} own_reasons[] = {
	{REASON_ENFORCER, "enforcer", "that is the enforcer's own: nothing opens it"},
	{REASON_FROZEN, "frozen",
	 "the kernel is commanded there; who is under a policy may read it, and write nothing"},
	{REASON_PROCESS, "process", "the other process is not of this agent"},
	{REASON_MAPPED, "mapped",
	 "it would be run as code, and the policy's processes can write it; list it in \"exec\" to "
	 "allow that"},
	{REASON_GAIN, "gain",
	 "at its new place it would be open to more than where it is; copy it instead"},
	{REASON_NO_POLICY, "no-policy", "the enforcer has no whole policy for it"},
};

bool explain_is_task(enum event_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(kinds) && kinds[kind];
}

const char *explain_task_kind(enum event_kind kind)
{
	return kinds[kind];
}

static bool wants_write(const struct denial_key *what)
{
	return what->detail & OBJECT_WRITE;
}

/* The caller's to free; NULL where it has none on this architecture. */
static char *syscall_name(const struct denial_key *what)
{
	return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, what->detail);
}

static const char *family_name(const struct denial_key *what)
{
	if (what->family == AF_NETLINK)
		return "netlink";
	for (size_t i = 0; i < family_name_count; i++)
		if (family_names[i].domain == (int)what->family)
			return family_names[i].name;
	return NULL;
}

static void write_family(const struct denial_key *what, struct json_writer *writer)
{
	const char *name = family_name(what);
	char text[64];

	if (name)
		(void)snprintf(text, sizeof(text), "%s, protocol %u", name, what->detail);
	else
		(void)snprintf(text, sizeof(text), "family %u, protocol %u", what->family,
			       what->detail);
	json_key_string(writer, "socket", text);
}

void explain_task_subject(const struct denial_key *what, const char *path,
			  struct json_writer *writer)
{
	_cleanup_free_ char *name = NULL;
	char number[32];

	switch (what->kind) {
	case EVENT_FILE:
		json_key_string(writer, "access", wants_write(what) ? "write" : "read");
		json_key_string(writer, "path", path[0] ? path : NULL);
		break;
	case EVENT_EXEC:
		json_key_string(writer, "path", path[0] ? path : NULL);
		break;
	case EVENT_SYSCALL:
		name = syscall_name(what);
		(void)snprintf(number, sizeof(number), "number %u", what->detail);
		json_key_string(writer, "syscall", name ? name : number);
		break;
	case EVENT_CAPABILITY:
		(void)snprintf(number, sizeof(number), "number %u", what->detail);
		json_key_string(writer, "capability",
				what->detail < capability_count ? capability_names[what->detail]
								: number);
		break;
	case EVENT_PROCESS:
		json_key_string(writer, "process",
				what->detail < ARRAY_SIZE(ways) ? ways[what->detail] : NULL);
		break;
	case EVENT_FAMILY:
		write_family(what, writer);
		break;
	default:
		break;
	}
}

/* False where the core has no word for it. */
static bool ask(const struct denial_key *what, const char *path, const struct policy *policy,
		const char *tool, struct verdict *verdict)
{
	struct request request = {.tool = tool};
	_cleanup_free_ char *name = NULL;

	switch (what->kind) {
	case EVENT_FILE:
		request.kind = REQUEST_FILE;
		request.file.path = path;
		request.file.access = wants_write(what) ? ACCESS_WRITE : ACCESS_READ;
		break;
	case EVENT_EXEC:
		request.kind = REQUEST_EXEC;
		request.path = path;
		break;
	case EVENT_SYSCALL:
		name = syscall_name(what);
		if (!name)
			return false;
		request.kind = REQUEST_SYSCALL;
		request.syscall = name;
		break;
	case EVENT_CAPABILITY:
		request.kind = REQUEST_CAPABILITY;
		request.capability = what->detail;
		break;
	case EVENT_FAMILY:
		request.family = family_name(what);
		if (!request.family)
			return false;
		request.kind = REQUEST_SOCKET;
		break;
	default:
		return false;
	}
	policy_decide(policy, &request, verdict);
	return true;
}

static void say(struct verdict *verdict, const char *reason, const char *message)
{
	verdict->kind = VERDICT_DENY;
	verdict->reason = reason;
	verdict->hint_op[0] = '\0';
	(void)snprintf(verdict->message, sizeof(verdict->message), "%s", message);
}

/* The core knows the path as text; the kernel, what it named when the policy was loaded. */
static void explain_other_object(const struct denial_key *what, struct verdict *verdict)
{
	const char *kind = explain_task_kind(what->kind);

	if (what->kind == EVENT_SYSCALL)
		say(verdict, kind,
		    "the call is granted, but not this use of it, which no manifest can grant: it "
		    "joins a multicast group, types into a terminal, or has a ring act as another");
	else if (what->reason == REASON_FILE_DENIED)
		say(verdict, kind,
		    "it is what an entry of \"deny\" names, by another path, or a file that "
		    "cannot be placed in any folder");
	else
		say(verdict, kind,
		    "a rule grants this path, but what is there now is not what the path named "
		    "when the policy was loaded; load the policy again");
}

bool explain_task(const struct denial_key *what, const char *path, const struct policy *policy,
		  const char *tool, struct verdict *verdict)
{
	const bool known = ask(what, path, policy, tool, verdict);
	const bool granted = known && verdict->kind == VERDICT_ALLOW;

	if (what->verdict == EVENT_ALLOW)
		return granted;
	for (size_t i = 0; i < ARRAY_SIZE(own_reasons); i++)
		if (own_reasons[i].reason == what->reason) {
			say(verdict, own_reasons[i].name, own_reasons[i].message);
			return granted;
		}
	if (what->kind == EVENT_ESCAPE)
		say(verdict, "escape", "a process of the agent was moved out of its cgroup");
	else if (what->kind == EVENT_FAMILY && !known)
		say(verdict, "family", "sockets of that family are not granted");
	else if (what->kind == EVENT_SYSCALL && !known)
		say(verdict, "syscall", "no system call of this architecture has that number");
	else if (granted)
		explain_other_object(what, verdict);
	return granted;
}
