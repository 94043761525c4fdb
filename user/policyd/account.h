/* SPDX-License-Identifier: Apache-2.0 */
/* What went to a destination, as an audit record of kind "traffic". */
#ifndef AGENTPOL_POLICYD_ACCOUNT_H
#define AGENTPOL_POLICYD_ACCOUNT_H

#include "policyd/agents.h"
#include "policyd/explain.h"

struct counted {
	const struct traffic_key *key;
	const struct traffic *traffic;
	const char *name;	    /* that led there; "" where there is none */
	uint64_t first_ns, last_ns; /* since 1970 */
};

/*
 * Fills kind, verdict, reason, rule, subject, message, hint, pid, exe and count of `record`, which
 * points into *explanation. `policy` is the one that let it through, `agent` whose it was; both may
 * be NULL.
 */
void account_traffic(const struct counted *counted, const struct policy *policy,
		     const struct agent *agent, struct explanation *explanation,
		     struct audit_record *record);

#endif
