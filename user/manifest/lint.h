/* SPDX-License-Identifier: Apache-2.0 */
/* Blast-radius findings: what a manifest grants that its author may not have meant to. */
#ifndef AGENTPOL_MANIFEST_LINT_H
#define AGENTPOL_MANIFEST_LINT_H

#include "manifest/diagnostics.h"
#include "policy/policy.h"

struct lint_rule {
	const char *code; /* "B001": stable */
	const char *name; /* "any-destination": stable, for SARIF */
	enum severity severity;
	const char *summary; /* one sentence */
	const char *help;    /* what to do instead */
};
extern const struct lint_rule lint_rules[];
extern const size_t lint_rule_count;

/* Adds findings to `diagnostics`; positions are those of the values in `document`. */
void manifest_lint(const struct policy *policy, const struct json_document *document,
		   struct diagnostics *diagnostics);

#endif
