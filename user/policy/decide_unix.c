// SPDX-License-Identifier: Apache-2.0
/* Decisions of "unix": connections and messages to Unix sockets, by the path that a process gives.
 */
#include "policy/verdict.h"

#include <limits.h>
#include <string.h>

#include "policy/paths.h"
#include "policy/servers.h"
#include "policy/unix_sockets.h"

static bool is_abstract(const char *name)
{
	return name[0] == '@';
}

/* What is denied by default is looked for as if a relative path began at the root: its last
 * component tells. An abstract name is its own normal form. */
static bool to_normal(const char *name, char *normal)
{
	char absolute[UNIX_NAME_MAX + 2];

	if (is_abstract(name)) {
		(void)snprintf(normal, PATH_MAX, "%s", name);
		return true;
	}
	(void)snprintf(absolute, sizeof(absolute), "%s%s", name[0] == '/' ? "" : "/", name);
	return path_normalise(absolute, normal, PATH_MAX);
}

static bool entry_grants(const char *entry, const char *name)
{
	/* An abstract name is no path, and a star in it is a star. */
	return is_abstract(entry) ? strcmp(entry, name) == 0 : path_matches(entry, name);
}

static bool is_granted(const struct scopes *scopes, const char *name, struct verdict *verdict)
{
	for (size_t i = 0; i < scopes->count; i++) {
		const struct strings *list = &scopes->items[i]->network.unix_paths;

		for (size_t j = 0; j < list->count; j++) {
			if (!entry_grants(list->items[j], name))
				continue;
			verdict_set_rule(verdict, scopes->items[i], "/network/unix/%zu", j);
			return true;
		}
	}
	return false;
}

/* A tool's server, by whatever path of the same normal form. */
static bool decide_server(const struct scopes *scopes, const char *name, const char *normal,
			  struct verdict *verdict)
{
	const struct tool *tool = servers_find_path(scopes->policy, scopes->tool, normal);

	if (!tool)
		return false;
	verdict_set_rule(verdict, &tool->scope, "/sql/server");
	if (tool != scopes->tool) {
		verdict_deny(verdict, "sql-guard",
			     "%s is the server of the tool %s, which is reached through the guard "
			     "alone: run with --tool %s",
			     name, tool->name, tool->name);
		return true;
	}
	verdict_allow(verdict);
	(void)snprintf(verdict->assumes, sizeof(verdict->assumes),
		       "it is a stream, and goes to the guard, which judges each statement");
	return true;
}

void decide_unix(const struct scopes *scopes, const struct request *request,
		 struct verdict *verdict)
{
	const bool listed =
		scopes->items[0]->network.unix_present || servers_any_unix(scopes->policy);
	const struct scope *last = scopes_last(scopes);
	const struct hint_list list = {last, "network", last->network.present, "unix",
				       last->network.unix_paths.count};
	const struct unix_default *denied;
	const char *name = request->path;
	char normal[PATH_MAX];
	bool plain;

	verdict_set_rule(verdict, last, "/network/unix");
	if (!name[0] || strlen(name) > UNIX_NAME_MAX || !to_normal(name, normal)) {
		verdict_deny(verdict, "unix", "no Unix socket has an address of more than %d bytes",
			     UNIX_NAME_MAX);
		return;
	}
	denied = unix_default_find(normal);
	if (denied && denied->enforcers) {
		verdict_deny(verdict, "enforcer", "%s is the enforcer's own: nothing opens it",
			     normal);
		return;
	}
	if (decide_server(scopes, name, normal, verdict))
		return;
	plain = strcmp(name, normal) == 0;
	if (plain && is_granted(scopes, name, verdict)) {
		verdict_allow(verdict);
		return;
	}
	if (!listed && !denied) {
		verdict->rule[0] = '\0';
		verdict_allow(verdict);
		return;
	}
	if (!plain && listed) {
		verdict_deny(verdict, "unix",
			     "%s is no absolute path in normal form: where \"unix\" lists sockets, "
			     "no other can be granted",
			     name);
		return;
	}
	if (listed)
		verdict_deny(verdict, "unix", "no pattern grants the Unix socket %s", name);
	else
		verdict_deny(verdict, "unix",
			     "%s is a socket of a container runtime or of the enforcer, which only "
			     "an entry of \"unix\" opens; with such a list all others are closed",
			     name);
	if (plain)
		verdict_hint_add_string(verdict, &list, name);
}
