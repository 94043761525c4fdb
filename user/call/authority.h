/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who keeps the session of the agent that a gateway serves: this process, or policyd. The gateway
 * asks for each call that its arguments allow, tells those that they don't, and how each ended. An
 * answer may come at once or later (policyd, a person); questions may overlap.
 */
#ifndef AGENTPOL_CALL_AUTHORITY_H
#define AGENTPOL_CALL_AUTHORITY_H

#include "call/session.h"

/* The answer: allow, deny or would-deny; "ask" has been settled. Valid during the call alone. */
typedef void (*call_ruled)(const struct call_decision *decision, void *context);

/* What a person sees of a call that waits. */
struct call_shown {
	const char *tool;
	const char *arguments; /* JSON text, secrets masked; NULL: {} */
};

struct call_authority;
struct call_authority_methods {
	/* Returns a number that names the call until `end`, never 0. `ruled` may be called before
	 * it returns, with the same `context`. */
	uint64_t (*begin)(struct call_authority *authority, const struct call_claim *claim,
			  const struct call_shown *shown, call_ruled ruled, void *context);
	/* The client does not want it any more: a question that waits is withdrawn, `ruled` is not
	 * called. */
	void (*withdraw)(struct call_authority *authority, uint64_t number);
	/* A call that was allowed ended. `evidence` NULL where it did not succeed. */
	void (*end)(struct call_authority *authority, uint64_t number, bool succeeded,
		    const struct call_evidence *evidence);
	/* call_decide denied it: counted; *decision gets abandon where it is due, at once or (by
	 * policyd) from the next answer on. */
	void (*note_denial)(struct call_authority *authority, struct call_decision *decision);
	void (*free)(struct call_authority *authority);
};
struct call_authority {
	const struct call_authority_methods *methods;
};

#endif
