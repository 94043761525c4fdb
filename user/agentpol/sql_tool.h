/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that judge SQL share: the tool whose "sql" it is, and a snapshot's file. */
#ifndef AGENTPOL_AGENTPOL_SQL_TOOL_H
#define AGENTPOL_AGENTPOL_SQL_TOOL_H

#include "base/error.h"
#include "policy/policy.h"
#include "sql/decision.h"

/* The tool of that name, or with NULL the only one with "sql"; NULL with *error set. */
const struct tool *sql_tool_find(const struct policy *policy, const char *name,
				 struct error *error) MUST_USE;

/* A snapshot as `agentpol sql snapshot` prints it. The caller's to free. */
struct sql_catalog *sql_schema_read_file(const char *path, struct error *error) MUST_USE;

/* Judges a text for a tool of the policy; `catalog` may be NULL. What the tool lacks is denied. */
void sql_tool_decide(const struct policy *policy, const char *name,
		     const struct sql_catalog *catalog, const char *text, struct arena *arena,
		     struct sql_decision *decision);

#endif
