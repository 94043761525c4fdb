/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One agent's budgets over all the policies that its leases put it under: each has buckets of its
 * own in the kernel, and what is taken from one is taken from the rule in all of them. For
 * leases.c.
 */
#ifndef AGENTPOL_POLICYD_LEASE_BUDGETS_H
#define AGENTPOL_POLICYD_LEASE_BUDGETS_H

#include "policyd/agents.h"

/* What was taken, by rules of the manifest. */
struct lease_ledger {
	struct ledger_entry *entries; /* owned */
	size_t count;
};

/* The buckets of one policy. */
struct lease_buckets {
	uint32_t *places; /* owned */
	size_t *entries;  /* owned; each place's entry in the ledger */
	size_t count;
};

void lease_ledger_free(struct lease_ledger *ledger);
void lease_buckets_free(struct lease_buckets *buckets);

/* The buckets of the policy that `agent` is shown with. */
int lease_buckets_find(const struct enforcer *enforcer, const struct agent *agent,
		       struct lease_ledger *ledger, struct lease_buckets *buckets,
		       struct error *error) MUST_USE;
/* Before another policy holds: what was taken under this one is written down. */
void lease_buckets_leave(const struct enforcer *enforcer, struct lease_ledger *ledger,
			 const struct lease_buckets *buckets);
/* Before this one holds: what was taken under others is taken from it, too. */
void lease_buckets_enter(const struct enforcer *enforcer, const struct lease_ledger *ledger,
			 const struct lease_buckets *buckets);

#endif
