// SPDX-License-Identifier: Apache-2.0
#include "sql/decision.h"

#include <pg_query.h>
#include <stdarg.h>
#include <string.h>

#include "sql/analysis.h"
#include "sql/limits.h"

/* ---- faults ---- */

static void set_fault(struct analysis *analysis, enum verdict_kind kind, const char *reason,
		      const char *format, va_list arguments)
{
	struct verdict *verdict = &analysis->decision->verdict;

	if (analysis->failed)
		return;
	analysis->failed = true;
	verdict->kind = kind;
	verdict->reason = reason;
	(void)snprintf(verdict->rule, sizeof(verdict->rule), "%s/allow",
		       analysis->subject->pointer);
	(void)vsnprintf(verdict->message, sizeof(verdict->message), format, arguments);
}

void analysis_deny(struct analysis *analysis, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_fault(analysis, VERDICT_DENY, reason, format, arguments);
	va_end(arguments);
}

void analysis_undecided(struct analysis *analysis, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_fault(analysis, VERDICT_UNDECIDED, reason, format, arguments);
	va_end(arguments);
}

void analysis_no_memory(struct analysis *analysis)
{
	analysis_undecided(analysis, "sql-limit", "out of memory");
}

bool analysis_work(struct analysis *analysis, size_t names)
{
	analysis->work += names;
	if (analysis->work > ANALYSIS_WORK_MAX)
		analysis_undecided(analysis, "sql-limit", "the statement names too much");
	return !analysis->failed;
}

bool analysis_enter(struct analysis *analysis)
{
	if (++analysis->depth > ANALYSIS_DEPTH_MAX)
		analysis_undecided(analysis, "sql-limit",
				   "the statement is nested more than %d levels deep",
				   ANALYSIS_DEPTH_MAX);
	return !analysis->failed;
}

void analysis_leave(struct analysis *analysis)
{
	analysis->depth--;
}

void analysis_unknown_node(struct analysis *analysis, const char *kind, const char *member)
{
	analysis_undecided(analysis, "sql-node", "%s%s%s is not understood", kind,
			   member ? "." : "", member ? member : "");
}

/* ---- the text ---- */

static const struct tree_value *read_tree(struct analysis *analysis, const char *json)
{
	enum tree_fault fault;
	const struct tree_value *tree = tree_read(json, strlen(json), analysis->arena, &fault);

	if (fault == TREE_TOO_DEEP)
		analysis_undecided(analysis, "sql-limit",
				   "the statement is nested more than %d levels deep",
				   TREE_DEPTH_MAX);
	else if (fault == TREE_NO_MEMORY)
		analysis_no_memory(analysis);
	else if (!tree)
		analysis_undecided(analysis, "sql-parser", "the parser's answer is not understood");
	return tree;
}

static void walk_tree(struct analysis *analysis, const struct tree_value *tree)
{
	const struct tree_value *statements = tree_member(tree, "stmts");

	if (!statements || statements->count == 0)
		return;
	if (statements->count > 1) {
		analysis_deny(analysis, "sql-stacked",
			      "%u statements in one message; one at a time is granted",
			      (unsigned)statements->count);
		return;
	}
	walk_statement(analysis, tree_member(statements + 1, "stmt"));
}

static void judge_text(struct analysis *analysis, const char *text)
{
	const PgQueryParseResult result = pg_query_parse(text);
	const struct tree_value *tree = NULL;

	if (result.error) {
		analysis->decision->literals_decide = true;
		analysis_deny(analysis, "sql-syntax", "no SQL that is understood: %s",
			      result.error->message ? result.error->message : "?");
	} else if (result.parse_tree) {
		tree = read_tree(analysis, result.parse_tree);
	} else {
		analysis_undecided(analysis, "sql-parser", "the parser gave no answer");
	}
	pg_query_free_parse_result(result);
	if (tree)
		walk_tree(analysis, tree);
}

/* A schema before pg_catalog could bring functions, operators and types in PostgreSQL's place. */
static bool path_is_fine(const struct strings *path)
{
	for (size_t i = 1; i < path->count; i++)
		if (strcmp(path->items[i], "pg_catalog") == 0)
			return false;
	return true;
}

static void judge(struct analysis *analysis, const char *text, size_t length)
{
	const char *limit = sql_limits_exceeded(text, length);

	if (limit) {
		analysis->decision->literals_decide = true;
		analysis_undecided(analysis, "sql-limit", "%s", limit);
		return;
	}
	if (!path_is_fine(&analysis->subject->policy->search_path)) {
		analysis_undecided(analysis, "sql-setting",
				   "search_path has pg_catalog behind another schema");
		return;
	}
	judge_text(analysis, text);
}

/* What bare names mean where there is no policy. */
static const char *default_path[] = {"public"};
static const struct sql_policy no_policy = {.search_path = {default_path, 1}, .read_only = 0};

void sql_decide(const struct sql_subject *subject, const char *text, size_t length,
		struct arena *arena, struct sql_decision *decision)
{
	struct sql_subject as_judged = *subject;
	struct analysis analysis = {.subject = &as_judged, .arena = arena, .decision = decision};

	*decision = (struct sql_decision){0};
	if (!subject->policy)
		as_judged.policy = &no_policy;
	judge(&analysis, text, length);
	if (!analysis.failed && subject->policy)
		grants_judge(&analysis);
	decision->accesses = analysis.accesses;
	decision->access_count = analysis.access_count;
	if (decision->verdict.kind == VERDICT_ALLOW)
		return;
	decision->assumes = (struct strings){0};
	if (subject->audit)
		decision->verdict.kind = VERDICT_WOULD_DENY;
}
