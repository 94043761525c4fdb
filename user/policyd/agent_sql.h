/* SPDX-License-Identifier: Apache-2.0 */
/* What the SQL guard is to be told of an agent whose tool has a server: kept with the agent, since
 * the guard may have to be told again. */
#ifndef AGENTPOL_POLICYD_AGENT_SQL_H
#define AGENTPOL_POLICYD_AGENT_SQL_H

#include "base/error.h"
#include "policy/policy.h"

struct agent_sql {
	int manifest; /* owned: a sealed memfd with the manifest's text */
	char *text;   /* owned: the "sql" alone: equal texts are one policy to the guard */
};

/* NULL, without an error, where the tool has no server; NULL with *error else. */
struct agent_sql *agent_sql_new(const struct tool *tool, const char *manifest, size_t length,
				struct error *error) MUST_USE;
/* Accepts NULL. */
void agent_sql_free(struct agent_sql *sql);

#endif
