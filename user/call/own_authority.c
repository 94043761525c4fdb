// SPDX-License-Identifier: Apache-2.0
#include "call/own_authority.h"

#include <time.h>

#define NS_PER_SECOND 1000000000ULL

struct open_call {
	struct open_call *next;
	uint64_t number;
	const struct tool *tool;
};

struct own_authority {
	struct call_authority authority; /* first: it is handed out */
	struct call_session *session;	 /* owned */
	struct open_call *open;		 /* owned */
	uint64_t last_number;
	call_asked ask;
	void *context;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static const struct tool *take_open(struct own_authority *own, uint64_t number)
{
	for (struct open_call **at = &own->open; *at; at = &(*at)->next) {
		struct open_call *call = *at;
		const struct tool *tool = call->tool;

		if (call->number != number)
			continue;
		*at = call->next;
		free(call);
		return tool;
	}
	return NULL;
}

/* What can't be kept can't be ended: denied. */
static void keep_open(struct own_authority *own, uint64_t number, const struct tool *tool,
		      struct call_decision *decision)
{
	struct open_call *call = calloc(1, sizeof(*call));

	if (!call) {
		if (tool)
			call_session_end(own->session, tool, false, NULL);
		decision->verdict = (struct verdict){.kind = VERDICT_UNDECIDED, .reason = "memory"};
		return;
	}
	*call = (struct open_call){own->open, number, tool};
	own->open = call;
}

static uint64_t own_begin(struct call_authority *authority, const struct call_claim *claim,
			  const struct call_shown *shown, call_ruled ruled, void *context)
{
	struct own_authority *own = (struct own_authority *)authority;
	const uint64_t number = ++own->last_number;
	struct call_decision decision;

	call_session_begin(own->session, claim, now_ns(), &decision);
	if (decision.verdict.kind == VERDICT_ASK) {
		const char *why = NULL;
		const bool yes = own->ask && own->ask(claim->tool, shown, &why, own->context);

		call_session_confirm(own->session, claim, yes,
				     why ? why
					 : "nobody can be asked: there is no terminal and no "
					   "policyd",
				     now_ns(), &decision);
	}
	if (decision.verdict.kind == VERDICT_ALLOW || decision.verdict.kind == VERDICT_WOULD_DENY)
		keep_open(own, number, claim->tool, &decision);
	ruled(&decision, context);
	return number;
}

/* Each question is answered before begin returns. */
static void own_withdraw(struct call_authority *authority, uint64_t number)
{
	(void)authority;
	(void)number;
}

static void own_end(struct call_authority *authority, uint64_t number, bool succeeded,
		    const struct call_evidence *evidence)
{
	struct own_authority *own = (struct own_authority *)authority;
	const struct tool *tool = take_open(own, number);

	if (tool)
		call_session_end(own->session, tool, succeeded, evidence);
}

static void own_note_denial(struct call_authority *authority, struct call_decision *decision)
{
	call_session_note_denial(((struct own_authority *)authority)->session, decision);
}

static void own_free(struct call_authority *authority)
{
	struct own_authority *own = (struct own_authority *)authority;

	while (own->open)
		(void)take_open(own, own->open->number);
	call_session_free(own->session);
	free(own);
}

struct call_authority *own_authority_new(const struct policy *policy, call_asked ask, void *context,
					 struct error *error)
{
	static const struct call_authority_methods methods = {own_begin, own_withdraw, own_end,
							      own_note_denial, own_free};
	struct own_authority *own = calloc(1, sizeof(*own));

	if (own)
		own->session = call_session_new(policy, error);
	if (!own || !own->session) {
		free(own);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	own->authority.methods = &methods;
	own->ask = ask;
	own->context = context;
	return &own->authority;
}
