// SPDX-License-Identifier: Apache-2.0
#include "agentpol/sql_tool.h"

#include <string.h>

#include "base/file.h"

/* A snapshot names the granted relations alone; this is far beyond any. */
#define SCHEMA_FILE_MAX (64UL << 20)

const struct tool *sql_tool_find(const struct policy *policy, const char *name, struct error *error)
{
	const struct tool *found = NULL;

	for (size_t i = 0; i < policy->tool_count; i++) {
		const struct tool *tool = &policy->tools[i];

		if (!tool->sql || (name && strcmp(tool->name, name) != 0))
			continue;
		if (found) {
			(void)error_set(error, STATUS_UNUSABLE,
					"several tools have \"sql\": name one with --tool");
			return NULL;
		}
		found = tool;
	}
	if (!found && name)
		(void)error_set(error, STATUS_UNUSABLE, "no tool \"%s\" with \"sql\"", name);
	else if (!found)
		(void)error_set(error, STATUS_UNUSABLE, "no tool has \"sql\"");
	return found;
}

struct sql_catalog *sql_schema_read_file(const char *path, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	struct sql_catalog *catalog;
	size_t length;

	if (file_read_all(path, SCHEMA_FILE_MAX, &text, &length, error) < 0)
		return NULL;
	catalog = sql_catalog_read(text, length, error);
	if (!catalog)
		(void)error_wrap(error, "%s", path);
	return catalog;
}

static void deny(struct sql_decision *decision, const struct policy *policy, const char *rule,
		 const char *message, const char *name)
{
	struct verdict *verdict = &decision->verdict;

	*decision = (struct sql_decision){0};
	verdict->kind = policy->mode == MODE_AUDIT ? VERDICT_WOULD_DENY : VERDICT_DENY;
	verdict->reason = "tool";
	(void)snprintf(verdict->rule, sizeof(verdict->rule), "%s", rule);
	(void)snprintf(verdict->message, sizeof(verdict->message), message, TOOL_NAME_MAX, name);
}

void sql_tool_decide(const struct policy *policy, const char *name,
		     const struct sql_catalog *catalog, const char *text, struct arena *arena,
		     struct sql_decision *decision)
{
	const struct tool *tool = policy_find_tool(policy, name);
	char pointer[VERDICT_TEXT_MAX];
	struct sql_subject subject = {
		.pointer = pointer, .catalog = catalog, .audit = policy->mode == MODE_AUDIT};

	if (!tool) {
		deny(decision, policy, "/tools", "the manifest has no tool %.*s", name);
		return;
	}
	(void)snprintf(pointer, sizeof(pointer), "%s/sql", tool->scope.pointer);
	if (!tool->sql) {
		deny(decision, policy, pointer, "the tool %.*s has no \"sql\"", name);
		return;
	}
	subject.policy = tool->sql;
	sql_decide(&subject, text, strlen(text), arena, decision);
}
