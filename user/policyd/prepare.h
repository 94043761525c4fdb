/* SPDX-License-Identifier: Apache-2.0 */
/* From a manifest's text to a policy in the kernel's tables, which no cgroup has yet. For agents.c.
 */
#ifndef AGENTPOL_POLICYD_PREPARE_H
#define AGENTPOL_POLICYD_PREPARE_H

#include "policyd/agents.h"

/* What becomes of a request; what it owns goes into the agent. */
struct prepared {
	struct policy *policy;
	struct agent_sql *sql;
	struct resolvers resolvers;
	uint64_t loaded;
};

/* Reads the manifest, refuses what the tier can't enforce, and loads it. `resolvers` may be known
 * before. Nothing is loaded on an error. */
int prepare(struct enforcer *enforcer, const struct agent_request *request,
	    struct prepared *prepared, struct error *error) MUST_USE;

#endif
