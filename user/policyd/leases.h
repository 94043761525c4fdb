/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "scope": "call": the grants of a tool that are open in the kernel only while a call of it is
 * under way. A lease is a policy of its own, loaded beside the cgroup's, that holds instead of it
 * until a time: opening and closing are single stores, and a lease that nobody renews ends by
 * itself. Calls that overlap are counted; tools that overlap are joined.
 */
#ifndef AGENTPOL_POLICYD_LEASES_H
#define AGENTPOL_POLICYD_LEASES_H

#include "policyd/agents.h"

/* Sets of tools of one cgroup that are kept loaded; one more is refused. */
#define LEASE_SETS_MAX 16
/* Who holds one renews it each second. */
#define LEASE_TTL_NS 5000000000ULL

struct leases;

/* Both stay the caller's and must outlive it. */
struct leases *leases_new(struct enforcer *enforcer, struct agents *agents,
			  struct error *error) MUST_USE;
/* Accepts NULL. */
void leases_free(struct leases *leases);

/* Loads what each tool with "scope": "call" of an agent needs, so that its first call does not
 * wait. STATUS_SYSTEM where a tool asks for what can't be enforced. */
int leases_prepare(struct leases *leases, uint64_t cgroup, struct error *error) MUST_USE;
/* A call of the tool begins: its grants are open for `ttl_ns`, and as long as leases_renew comes in
 * time. STATUS_UNUSABLE where the tool is not the manifest's or is not of that scope. */
int leases_open(struct leases *leases, uint64_t cgroup, const char *tool, uint64_t ttl_ns,
		struct error *error) MUST_USE;
/* A call has ended. The last one closes the grants; connections that they opened carry nothing
 * any more. */
void leases_close(struct leases *leases, uint64_t cgroup, const char *tool);
/* What is open stays so for `ttl_ns` from now on. */
void leases_renew(struct leases *leases, uint64_t cgroup, uint64_t ttl_ns);
/* Ends what is open, and forgets what is loaded: for a cgroup whose policy has changed, or that has
 * gone. */
void leases_drop(struct leases *leases, uint64_t cgroup);

/* The policy of a lease by its id, and the agent with the scope that it has; NULL: none has it. */
const struct policy *leases_find_policy(const struct leases *leases, uint32_t policy_id,
					const struct agent **agent);

#endif
