/* SPDX-License-Identifier: Apache-2.0 */
/* What the linter's files share. A finding names its rule by the index in lint_rules. */
#ifndef AGENTPOL_MANIFEST_LINT_RULES_H
#define AGENTPOL_MANIFEST_LINT_RULES_H

#include "manifest/lint.h"

/* The order of lint_rules: B001 is the first. */
enum lint_rule_index {
	LINT_EVERYTHING,
	LINT_ANY_ADDRESS,
	LINT_WIDE_PREFIX,
	LINT_METADATA,
	LINT_SHARED_SUFFIX,
	LINT_SNI_IGNORED,
	LINT_DNS_BY_ADDRESS,
	LINT_RAW_FAMILY,
	LINT_CAPABILITY,
	LINT_ESCAPE,
	LINT_RUNTIME_SOCKET,
	LINT_WRITE_ROOT,
	LINT_WRITE_SYSTEM,
	LINT_READ_ROOT,
	LINT_UNCONFIRMED,
	LINT_SQL_UNCHECKED,
	LINT_SQL_EFFECT,
	LINT_SQL_PLAIN,
	LINT_NO_BUDGET,
	LINT_AUDIT_MODE,
	LINT_ANY_EXEC,
	LINT_SERVER_PORT,
	LINT_SQL_FUNCTION,
	LINT_SQL_PATH,
	LINT_IGNORED_LIMIT,
	LINT_RULES,
};

struct linter {
	const struct policy *policy;
	const struct json_document *document;
	struct diagnostics *diagnostics;
};

/* One scope with its object in the document. */
struct lint_scope {
	const struct scope *scope;
	const json_value *value;
};

/* Adds a finding at `at`. `pointer` is that of a scope, followed by the path given by `format`;
 * the message is the rule's summary, `what` (may be NULL) and the rule's help. */
void lint_find(struct linter *linter, enum lint_rule_index rule, const json_value *at,
	       const char *what, const char *pointer, const char *format, ...) FORMAT(6, 7);

void lint_network(struct linter *linter, const struct lint_scope *scope);
void lint_process(struct linter *linter, const struct lint_scope *scope);
void lint_files(struct linter *linter, const struct lint_scope *scope);
void lint_tool(struct linter *linter, const struct tool *tool, const json_value *value);

#endif
