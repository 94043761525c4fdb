// SPDX-License-Identifier: Apache-2.0
/* Order, budgets and people: the half of the answer that is the session's. */
#include "call/session.h"

#include <inttypes.h>
#include <string.h>

#include "call/session_internal.h"
#include "policy/verdict.h"

#define NS_PER_SECOND 1000000000ULL

/* ---- order ---- */

static bool order_forbids(const struct call_session *session, const struct tool *tool,
			  struct call_decision *decision)
{
	char path[64];

	for (size_t i = 0; i < tool->forbids_after.count; i++) {
		const char *name = tool->forbids_after.items[i];
		const struct tool *earlier = policy_find_tool(session->policy, name);

		if (!earlier || session_tool(session, earlier)->calls == 0)
			continue;
		(void)snprintf(path, sizeof(path), "/forbids_after/%zu", i);
		verdict_set_rule(&decision->verdict, &tool->scope, "%s", path);
		verdict_deny(&decision->verdict, "forbids_after",
			     "%s may not be called any more after %s", tool->name, name);
		verdict_hint(&decision->verdict, "remove", &tool->scope, path, "");
		decision->retryable = false;
		return true;
	}
	return false;
}

/* Which digest of a past call a pair is about. */
static size_t source_index(const struct call_session *session, const struct tool *earlier,
			   const char *pointer)
{
	const char *pointers[CALL_MATCHES_MAX];
	const size_t count = call_sources(session->policy, earlier, pointers);
	size_t at = 0;

	while (at < count && strcmp(pointers[at], pointer) != 0)
		at++;
	return at;
}

/* Is there one past call of which all pairs of the requirement hold? */
static bool past_matches(const struct call_session *session,
			 const struct tool_requirement *required, const struct tool *earlier,
			 const struct digest *values)
{
	const struct tool_state *state = session_tool(session, earlier);
	size_t sources[CALL_CLAIMS_MAX];

	for (size_t j = 0; j < required->match_count; j++) {
		sources[j] = source_index(session, earlier, required->matches[j].source_pointer);
		if (sources[j] >= state->sources || !digest_is_set(&values[j]))
			return false;
	}
	for (size_t i = 0; i < state->past_count; i++) {
		const struct digest *past = &state->past[i * state->sources];
		size_t j = 0;

		while (j < required->match_count &&
		       memcmp(&past[sources[j]], &values[j], sizeof(values[j])) == 0)
			j++;
		if (j == required->match_count)
			return true;
	}
	return false;
}

static bool requirement_fails(const struct call_session *session, const struct tool *tool, size_t i,
			      const struct digest *values, struct call_decision *decision)
{
	const struct tool_requirement *required = &tool->requires[i];
	const struct tool *earlier = policy_find_tool(session->policy, required->tool);
	char path[64];

	(void)snprintf(path, sizeof(path), "/requires/%zu", i);
	decision->retryable = true;
	if (!earlier || session_tool(session, earlier)->successes == 0) {
		verdict_set_rule(&decision->verdict, &tool->scope, "%s", path);
		verdict_deny(&decision->verdict, "requires",
			     "%s needs a call of %s before it that has succeeded", tool->name,
			     required->tool);
		verdict_hint(&decision->verdict, "remove", &tool->scope, path, "");
		return true;
	}
	if (required->match_count == 0 || past_matches(session, required, earlier, values))
		return false;
	verdict_set_rule(&decision->verdict, &tool->scope, "%s/match", path);
	verdict_deny(&decision->verdict, "match", "%s is not what a call of %s had at %s",
		     required->matches[0].argument_pointer, required->tool,
		     required->matches[0].source_pointer);
	return true;
}

static bool order_fails(const struct call_session *session, const struct call_claim *claim,
			struct call_decision *decision)
{
	const struct tool *tool = claim->tool;
	size_t at = 0, pairs = 0;

	if (order_forbids(session, tool, decision))
		return true;
	for (size_t i = 0; i < tool->requires_count; i++)
	pairs += tool->requires[i].match_count;
	if (pairs != claim->count) {
		verdict_set_rule(&decision->verdict, &tool->scope, "/requires");
		verdict_deny(&decision->verdict, "match",
			     "what the call is bound to was made for another manifest");
		return true;
	}
	for (size_t i = 0; i < tool->requires_count; i++) {
		if (requirement_fails(session, tool, i, &claim->values[at], decision))
			return true;
		at += tool->requires[i].match_count;
	}
	return false;
}

/* ---- budgets ---- */

static void deny_spent(struct call_decision *decision, const struct scope *scope, const char *path,
		       uint64_t amount, const char *what)
{
	char more[32];

	verdict_set_rule(&decision->verdict, scope, "%s", path);
	verdict_deny(&decision->verdict, "budget", "the budget of %" PRIu64 " %s is spent", amount,
		     what);
	(void)snprintf(more, sizeof(more), "%" PRIu64, amount + 1);
	verdict_hint(&decision->verdict, "replace", scope, path, more);
	decision->retryable = false;
}

/* A bucket of `amount` tokens that fills in `seconds`, kept as the time at which it would be full
 * again (GCRA). Takes a token, or says no. */
static bool take_token(const struct rate *rate, uint64_t *full_ns, uint64_t now_ns)
{
	const uint64_t period = rate->seconds * NS_PER_SECOND, each = period / rate->amount;
	const uint64_t from = *full_ns > now_ns ? *full_ns : now_ns;

	if (from - now_ns + each > period)
		return false;
	*full_ns = from + each;
	return true;
}

/* A tool's own budgets; a rate is paid here, last, so that nothing is paid for a denial. */
static bool tool_is_spent(struct call_session *session, const struct tool *tool, bool pays,
			  uint64_t now_ns, struct call_decision *decision)
{
	struct tool_state *state = session_tool(session, tool);
	uint64_t full_ns = state->bucket_ns;

	if (tool->budget_calls && state->calls >= tool->budget_calls) {
		deny_spent(decision, &tool->scope, "/budget/calls", tool->budget_calls, "calls");
		return true;
	}
	if (tool->budget_rate.seconds && !take_token(&tool->budget_rate, &full_ns, now_ns)) {
		verdict_set_rule(&decision->verdict, &tool->scope, "/budget/rate");
		verdict_deny(&decision->verdict, "budget",
			     "%s may be called %" PRIu64 " times in %u s; later it may be again",
			     tool->name, tool->budget_rate.amount, tool->budget_rate.seconds);
		decision->retryable = true;
		return true;
	}
	if (pays)
		state->bucket_ns = full_ns;
	return false;
}

/* The rule of a budget of the whole session that has run out, or NULL. */
static const char *spent_budget(const struct call_session *session, uint64_t *amount)
{
	const struct budgets *budgets = &session->policy->budgets;

	if (!budgets->present)
		return NULL;
	/* With none at all the first one is the last. */
	*amount = budgets->denials;
	if (session->counts.denials >= (budgets->denials ? budgets->denials : 1))
		return "/budgets/denials";
	*amount = budgets->calls;
	return session->counts.calls >= budgets->calls ? "/budgets/calls" : NULL;
}

static bool session_is_spent(const struct call_session *session, struct call_decision *decision)
{
	uint64_t amount;
	const char *path = spent_budget(session, &amount);

	if (!path)
		return false;
	deny_spent(decision, &session->policy->agent, path, amount,
		   strcmp(path, "/budgets/calls") == 0 ? "calls" : "denials");
	return true;
}

bool call_session_is_exhausted(const struct call_session *session)
{
	uint64_t amount;

	return session->policy->mode != MODE_AUDIT && spent_budget(session, &amount);
}

/* ---- the verdict ---- */

static bool is_refused(struct call_session *session, const struct call_claim *claim, bool pays,
		       uint64_t now_ns, struct call_decision *decision)
{
	if (!claim->tool) {
		verdict_set_rule(&decision->verdict, &session->policy->agent, "/tools");
		verdict_deny(&decision->verdict, "tool", "the manifest has no such tool");
		return true;
	}
	return session_is_spent(session, decision) || order_fails(session, claim, decision) ||
	       tool_is_spent(session, claim->tool, pays, now_ns, decision);
}

static bool must_ask(struct call_session *session, const struct tool *tool,
		     struct call_decision *decision)
{
	const struct budgets *budgets = &session->policy->budgets;

	if (!tool->ask || session->policy->mode == MODE_AUDIT)
		return false;
	if (budgets->present && session->counts.confirmations >= budgets->confirmations) {
		deny_spent(decision, &session->policy->agent, "/budgets/confirmations",
			   budgets->confirmations, "questions to a person");
		return true;
	}
	session->counts.confirmations++;
	decision->verdict.kind = VERDICT_ASK;
	decision->verdict.reason = "confirm";
	verdict_set_rule(&decision->verdict, &tool->scope, "/confirm");
	(void)snprintf(decision->verdict.message, sizeof(decision->verdict.message),
		       "a call of %s waits for a person", tool->name);
	return true;
}

/* Allowed, or only told in audit mode: it goes on either way. */
static void note_call(struct call_session *session, const struct tool *tool)
{
	struct tool_state *state = session_tool(session, tool);

	session->counts.calls++;
	state->calls++;
	state->under_way++;
}

void call_session_note_denial(struct call_session *session, struct call_decision *decision)
{
	const struct budgets *budgets = &session->policy->budgets;

	if (decision->verdict.kind == VERDICT_WOULD_DENY)
		return;
	if (session->counts.denials < UINT64_MAX)
		session->counts.denials++;
	if (call_session_is_exhausted(session))
		decision->abandon = true;
	if (budgets->present && decision->abandon)
		decision->retryable = false;
}

void call_session_begin(struct call_session *session, const struct call_claim *claim,
			uint64_t now_ns, struct call_decision *decision)
{
	bool refused;

	*decision = (struct call_decision){0};
	refused = is_refused(session, claim, true, now_ns, decision);
	if (claim->tool)
		session_tool(session, claim->tool)->asked_for = true;
	if (refused && session->policy->mode == MODE_AUDIT)
		decision->verdict.kind = VERDICT_WOULD_DENY;
	if (!refused && !must_ask(session, claim->tool, decision))
		decision->verdict.kind = VERDICT_ALLOW;
	if (decision->verdict.kind == VERDICT_DENY)
		call_session_note_denial(session, decision);
	else if (decision->verdict.kind != VERDICT_ASK && claim->tool)
		note_call(session, claim->tool);
}

void call_session_confirm(struct call_session *session, const struct call_claim *claim, bool yes,
			  const char *why, uint64_t now_ns, struct call_decision *decision)
{
	*decision = (struct call_decision){0};
	if (!yes) {
		verdict_set_rule(&decision->verdict, &claim->tool->scope, "/confirm");
		verdict_deny(&decision->verdict, "confirm", "%s", why);
	} else if (!is_refused(session, claim, false, now_ns, decision)) {
		/* Others may have used up what was left while it waited. */
		note_call(session, claim->tool);
	}
	if (decision->verdict.kind == VERDICT_DENY)
		call_session_note_denial(session, decision);
}
