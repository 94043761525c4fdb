/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agents under policy: which cgroup has which manifest, and the kernel's tables that follow
 * from it. Held by policyd for all agents, by `agentpol run` for its one when no policyd runs.
 */
#ifndef AGENTPOL_POLICYD_AGENTS_H
#define AGENTPOL_POLICYD_AGENTS_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "compile/tiers.h"
#include "kernel/enforcer.h"
#include "kernel/limits.h"
#include "policy/policy.h"
#include "policyd/agent_sql.h"
#include "policyd/resolvers.h"

/* What a cgroup is to be put under. Nothing is kept of it but copies. */
struct agent_request {
	const char *cgroup_path;
	const char *manifest_path; /* absolute; "" where it came from a pipe: not to be reloaded */
	const char *manifest_text;
	size_t manifest_length;
	const char *tool; /* whose grants are joined, see policy/joined.h; NULL or "": none */
	enum tier tier;
	bool allow_degraded; /* take it though not all that it asks for is enforced */
};

struct agent {
	struct agent *next;
	struct policy *policy; /* owned */
	struct agent_sql *sql; /* owned; NULL: the scope has no server */
	uint64_t loaded;       /* the POLICY_WORD that it is enrolled with */
	uint64_t cgroup;
	enum tier tier;
	bool allow_degraded;
	struct resolvers resolvers;	    /* the target's own, as it had them at first */
	struct limits_before limits_before; /* of the cgroup, to be put back */
	char tool[SCOPE_NAME_MAX + 1];
	char container[65]; /* "" where it is none */
	char cgroup_path[PATH_MAX];
	char manifest_path[PATH_MAX];
	char *manifest_text; /* owned; kept where a tool has "scope": "call", else NULL */
	size_t manifest_length;
};

struct agents;

/* `state_folder` keeps what a successor needs to adopt; NULL: nothing is kept. The enforcer stays
 * the caller's. */
struct agents *agents_new(struct enforcer *enforcer, const char *state_folder,
			  struct error *error) MUST_USE;
/* Forgets; enforcement goes on. Accepts NULL. */
void agents_free(struct agents *agents);

/* The request's manifest as a policy; the caller's to free. STATUS_UNUSABLE, with all that is
 * wrong, where it is not usable. */
struct policy *agents_read_manifest(const struct agent_request *request,
				    struct error *error) MUST_USE;

/*
 * Reads the manifest, refuses what the tier can't enforce (STATUS_SYSTEM, unless allow_degraded),
 * loads it and enrols the cgroup; a cgroup that is an agent's already gets the new policy in one
 * step. Nothing changes on an error. *agent, where not NULL, is the agents' to own.
 */
int agents_attach(struct agents *agents, const struct agent_request *request,
		  const struct agent **agent, struct error *error) MUST_USE;
int agents_detach(struct agents *agents, uint64_t cgroup, struct error *error) MUST_USE;
/* Reads an agent's manifest again from its path, as agents_attach. */
int agents_reload(struct agents *agents, uint64_t cgroup, struct error *error) MUST_USE;

/* What is lent to their cgroups (leases.h). */
struct leases *agents_leases(const struct agents *agents);
const struct agent *agents_first(const struct agents *agents);
const struct agent *agents_find(const struct agents *agents, uint64_t cgroup);
/* The policy that has, or lately had, that id, and its agent; NULL where there is none. */
const struct policy *agents_find_policy(const struct agents *agents, uint32_t policy_id,
					const struct agent **agent);

/* Calls `visit` for each policy that was replaced and is still in the kernel. */
void agents_each_past(const struct agents *agents, void (*visit)(uint32_t policy_id, void *context),
		      void *context);

/*
 * House-keeping, once a second: takes replaced policies out of the kernel, and calls `vanished` for
 * agents whose cgroup is gone before it forgets them.
 */
void agents_tidy(struct agents *agents, void (*vanished)(const struct agent *agent, void *context),
		 void *context);

/* Takes over what a predecessor left: agents from the state folder whose cgroups are enrolled. What
 * is enrolled without a state (`orphans`) stays enforced, and is told. */
int agents_adopt(struct agents *agents, size_t *adopted, size_t *orphans,
		 struct error *error) MUST_USE;

#endif
