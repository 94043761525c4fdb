/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this tool be called with these arguments? The half of the answer that needs no memory: the
 * tool is granted, its inputSchema and "arguments" take the values, its "sql" grants the statement.
 * The other half, order, budgets and people, is a session's (call/session.h).
 */
#ifndef AGENTPOL_CALL_DECISION_H
#define AGENTPOL_CALL_DECISION_H

#include "base/error.h"
#include "json/json.h"
#include "policy/decide.h"
#include "sql/catalog.h"

struct call_grants; /* a policy's tools, made ready to judge calls: schemas and patterns compiled */

/* The policy stays the caller's and must outlive it. NULL with *error: an inputSchema or a pattern
 * that manifest_read would have refused, or no memory. */
struct call_grants *call_grants_new(const struct policy *policy, struct error *error) MUST_USE;
/* Accepts NULL. */
void call_grants_free(struct call_grants *grants);
const struct policy *call_grants_policy(const struct call_grants *grants);

/* One call, as it is asked for. */
struct call {
	const char *tool;
	const json_value *arguments; /* an object; NULL: none were given, which is {} */
};

struct call_decision {
	/* reason: "tool", "schema", "argument", "egress", one of sql/decision.h; see
	 * call/session.h for the others */
	struct verdict verdict;
	bool retryable; /* other arguments, or later, may do */
	bool abandon;	/* the session has no denials, or calls, left */
	struct strings assumes;
};

/*
 * Judges by the policy alone; what *decision points to lives in `arena`. `catalog` may be NULL:
 * then what "sql" assumes is listed. In audit mode a denial is a would-deny.
 */
void call_decide(const struct call_grants *grants, const struct call *call,
		 const struct sql_catalog *catalog, struct arena *arena,
		 struct call_decision *decision);

#endif
