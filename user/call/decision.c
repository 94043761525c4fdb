// SPDX-License-Identifier: Apache-2.0
#include "call/decision.h"

#include <string.h>

#include "call/arguments.h"
#include "call/digest.h"
#include "call/schema.h"
#include "policy/verdict.h"
#include "sql/decision.h"

/* One tool, made ready; in the policy's order. */
struct ready_tool {
	struct schema *schema;	    /* owned; NULL: any object */
	struct ready_limit *limits; /* owned; as many as the tool has */
};

struct call_grants {
	const struct policy *policy;
	struct ready_tool *tools; /* owned */
};

static int ready_schema(const struct tool *tool, struct ready_tool *ready, struct error *error)
{
	struct schema_fault fault;

	if (!tool->input_schema)
		return 0;
	ready->schema = schema_compile(tool->input_schema, strlen(tool->input_schema), &fault);
	if (ready->schema)
		return 0;
	return error_set(error, STATUS_UNUSABLE, "%s/inputSchema%s: %s", tool->scope.pointer,
			 fault.pointer, fault.message);
}

static int ready_limits(const struct tool *tool, struct ready_tool *ready, struct error *error)
{
	char fault[256];

	ready->limits = calloc(tool->argument_count + 1, sizeof(*ready->limits));
	if (!ready->limits)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (size_t i = 0; i < tool->argument_count; i++) {
		const struct argument_limit *limit = &tool->arguments[i];

		ready->limits[i].limit = limit;
		if (!limit->pattern)
			continue;
		ready->limits[i].pattern = regex_compile(limit->pattern, fault, sizeof(fault));
		if (!ready->limits[i].pattern)
			return error_set(error, STATUS_UNUSABLE, "%s/arguments: %s: %s",
					 tool->scope.pointer, limit->pointer, fault);
	}
	return 0;
}

struct call_grants *call_grants_new(const struct policy *policy, struct error *error)
{
	struct call_grants *grants = calloc(1, sizeof(*grants));

	if (grants)
		grants->tools = calloc(policy->tool_count + 1, sizeof(*grants->tools));
	if (!grants || !grants->tools) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		free(grants);
		return NULL;
	}
	grants->policy = policy;
	for (size_t i = 0; i < policy->tool_count; i++) {
		if (ready_schema(&policy->tools[i], &grants->tools[i], error) == 0 &&
		    ready_limits(&policy->tools[i], &grants->tools[i], error) == 0)
			continue;
		call_grants_free(grants);
		return NULL;
	}
	return grants;
}

void call_grants_free(struct call_grants *grants)
{
	if (!grants)
		return;
	for (size_t i = 0; i < grants->policy->tool_count; i++) {
		struct ready_tool *ready = &grants->tools[i];

		schema_free(ready->schema);
		for (size_t j = 0; ready->limits && j < grants->policy->tools[i].argument_count;
		     j++)
			regex_free(ready->limits[j].pattern);
		free(ready->limits);
	}
	free(grants->tools);
	free(grants);
}

const struct policy *call_grants_policy(const struct call_grants *grants)
{
	return grants->policy;
}

/* ---- the decision ---- */

static bool takes_schema(const struct tool *tool, const struct ready_tool *ready,
			 const json_value *arguments, struct verdict *verdict)
{
	struct schema_fault fault;
	enum schema_answer answer;

	if (!ready->schema)
		return true;
	answer = schema_judge(ready->schema, arguments, &fault);
	if (answer == SCHEMA_ACCEPTS)
		return true;
	verdict_set_rule(verdict, &tool->scope, "/inputSchema");
	verdict_deny(verdict, "schema", "%s%s%s", fault.pointer, fault.pointer[0] ? ": " : "",
		     fault.message);
	if (answer == SCHEMA_UNDECIDED)
		verdict->kind = VERDICT_UNDECIDED;
	return false;
}

/* The statement in the argument that "sql" names. Without one there is nothing that could be
 * granted. */
static void judge_sql(const struct call_grants *grants, const struct tool *tool,
		      const json_value *arguments, const struct sql_catalog *catalog,
		      struct arena *arena, struct call_decision *decision)
{
	const char *text = json_as_string(digest_find(arguments, tool->sql->argument));
	char pointer[VERDICT_TEXT_MAX];
	const struct sql_subject subject = {.policy = tool->sql,
					    .pointer = pointer,
					    .catalog = catalog,
					    .audit = grants->policy->mode == MODE_AUDIT};
	struct sql_decision sql;

	if (!text) {
		verdict_set_rule(&decision->verdict, &tool->scope, "/sql/argument");
		verdict_deny(&decision->verdict, "argument", "%s must be the statement, a string",
			     tool->sql->argument);
		return;
	}
	(void)snprintf(pointer, sizeof(pointer), "%s/sql", tool->scope.pointer);
	sql_decide(&subject, text, strlen(text), arena, &sql);
	decision->verdict = sql.verdict;
	decision->assumes = sql.assumes;
}

static bool is_manifest_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length <= TOOL_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       length;
}

static void deny_unknown(const struct policy *policy, const char *name, struct verdict *verdict)
{
	char path[TOOL_NAME_MAX + 16];

	verdict_set_rule(verdict, &policy->agent, "/tools");
	verdict_deny(verdict, "tool", "the manifest has no tool %.*s", TOOL_NAME_MAX, name);
	if (!is_manifest_name(name))
		return;
	(void)snprintf(path, sizeof(path), "/tools%s%s", policy->tool_count ? "/" : "",
		       policy->tool_count ? name : "");
	if (policy->tool_count)
		verdict_hint(verdict, "add", &policy->agent, path, "{\"confirm\":\"ask\"}");
}

static void judge(const struct call_grants *grants, const struct tool *tool,
		  const struct call *call, const struct sql_catalog *catalog, struct arena *arena,
		  struct call_decision *decision)
{
	const struct ready_tool *ready = &grants->tools[tool - grants->policy->tools];
	const json_value *arguments = call->arguments;

	decision->retryable = true;
	if (!takes_schema(tool, ready, arguments, &decision->verdict))
		return;
	for (size_t i = 0; i < tool->argument_count; i++)
		if (!arguments_hold(grants->policy, tool, &ready->limits[i], arguments,
				    &decision->verdict))
			return;
	decision->verdict = (struct verdict){.kind = VERDICT_ALLOW};
	if (tool->sql && tool->sql->argument)
		judge_sql(grants, tool, arguments, catalog, arena, decision);
	decision->retryable = decision->verdict.kind != VERDICT_ALLOW;
}

/* What stands for a call without arguments: MCP lets a client leave them out. */
static const json_value *empty_object(struct json_document **document)
{
	struct json_fault fault;

	*document = json_document_parse("{}", 2, &fault);
	return *document ? json_root(*document) : NULL;
}

void call_decide(const struct call_grants *grants, const struct call *call,
		 const struct sql_catalog *catalog, struct arena *arena,
		 struct call_decision *decision)
{
	const struct policy *policy = grants->policy;
	const struct tool *tool = policy_find_tool(policy, call->tool);
	_cleanup_json_document_ struct json_document *empty = NULL;
	struct call given = *call;

	*decision = (struct call_decision){0};
	if (!given.arguments)
		given.arguments = empty_object(&empty);
	if (!tool) {
		deny_unknown(policy, call->tool, &decision->verdict);
	} else if (!json_is_object(given.arguments)) {
		verdict_set_rule(&decision->verdict, &tool->scope, "/inputSchema");
		verdict_deny(&decision->verdict, "schema", "arguments are an object");
		decision->retryable = true;
	} else {
		judge(grants, tool, &given, catalog, arena, decision);
	}
	if (policy->mode == MODE_AUDIT && decision->verdict.kind != VERDICT_ALLOW)
		decision->verdict.kind = VERDICT_WOULD_DENY;
}
