// SPDX-License-Identifier: Apache-2.0
#include "call/session.h"

#include <string.h>

#include "call/session_internal.h"

size_t call_sources(const struct policy *policy, const struct tool *tool,
		    const char *pointers[CALL_MATCHES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < policy->tool_count; i++)
		for (size_t j = 0; j < policy->tools[i].requires_count; j++) {
			const struct tool_requirement *required = &policy->tools[i].requires[j];

			if (strcmp(required->tool, tool->name) != 0)
				continue;
			for (size_t k = 0; k < required->match_count; k++) {
				const char *pointer = required->matches[k].source_pointer;
				size_t at = 0;

				while (at < count && strcmp(pointers[at], pointer) != 0)
					at++;
				if (at == count && count < CALL_MATCHES_MAX)
					pointers[count++] = pointer;
			}
		}
	return count;
}

void call_claim_make(const struct tool *tool, const json_value *arguments, struct call_claim *claim)
{
	*claim = (struct call_claim){.tool = tool};
	for (size_t i = 0; tool && i < tool->requires_count; i++)
		for (size_t j = 0; j < tool->requires[i].match_count; j++)
			if (claim->count < CALL_CLAIMS_MAX)
				claim->values[claim->count++] = digest_of(digest_find(
					arguments, tool->requires[i].matches[j].argument_pointer));
}

/* "/result/..." or "/arguments/..." of a call, which are two documents. */
static const json_value *find_source(const char *pointer, const json_value *arguments,
				     const json_value *result)
{
	static const char of_result[] = "/result", of_arguments[] = "/arguments";

	if (strncmp(pointer, of_result, sizeof(of_result) - 1) == 0)
		return digest_find(result, pointer + sizeof(of_result) - 1);
	return digest_find(arguments, pointer + sizeof(of_arguments) - 1);
}

void call_evidence_make(const struct policy *policy, const struct tool *tool,
			const json_value *arguments, const json_value *result,
			struct call_evidence *evidence)
{
	const char *pointers[CALL_MATCHES_MAX];

	*evidence = (struct call_evidence){.count = call_sources(policy, tool, pointers)};
	for (size_t i = 0; i < evidence->count; i++)
		evidence->values[i] = digest_of(find_source(pointers[i], arguments, result));
}

/* ---- life ---- */

struct call_session *call_session_new(const struct policy *policy, struct error *error)
{
	struct call_session *session = calloc(1, sizeof(*session));

	if (session)
		session->tools = calloc(policy->tool_count + 1, sizeof(*session->tools));
	if (!session || !session->tools) {
		free(session);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	session->policy = policy;
	for (size_t i = 0; i < policy->tool_count; i++) {
		const char *pointers[CALL_MATCHES_MAX];

		session->tools[i].sources = call_sources(policy, &policy->tools[i], pointers);
	}
	return session;
}

static void forget_tools(struct call_session *session)
{
	for (size_t i = 0; i < session->policy->tool_count; i++)
		free(session->tools[i].past);
}

void call_session_free(struct call_session *session)
{
	if (!session)
		return;
	forget_tools(session);
	free(session->tools);
	free(session);
}

void call_session_reset(struct call_session *session)
{
	session->counts = (struct call_session_counts){0};
	for (size_t i = 0; i < session->policy->tool_count; i++) {
		struct tool_state *state = &session->tools[i];

		free(state->past);
		*state = (struct tool_state){.sources = state->sources};
	}
}

/* Are the values that two versions remember of a tool the same ones? */
static bool sources_agree(const struct policy *one, const struct tool *tool_of_one,
			  const struct policy *other, const struct tool *tool_of_other)
{
	const char *left[CALL_MATCHES_MAX], *right[CALL_MATCHES_MAX];
	const size_t count = call_sources(one, tool_of_one, left);

	if (call_sources(other, tool_of_other, right) != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(left[i], right[i]) != 0)
			return false;
	return true;
}

int call_session_adopt(struct call_session *session, const struct policy *policy,
		       struct error *error)
{
	struct call_session *other = call_session_new(policy, error);

	if (!other)
		return -1;
	for (size_t i = 0; i < policy->tool_count; i++) {
		const struct tool *tool = &policy->tools[i];
		const struct tool *before = policy_find_tool(session->policy, tool->name);
		struct tool_state *from, *to = &other->tools[i];
		const size_t sources = to->sources;

		if (!before)
			continue;
		from = &session->tools[before - session->policy->tools];
		*to = *from;
		to->sources = sources;
		from->past = NULL;
		if (sources_agree(session->policy, before, policy, tool))
			continue;
		/* It has succeeded; with which values is not known of what is asked for now. */
		free(to->past);
		to->past = NULL;
		to->past_count = to->past_room = to->past_next = 0;
	}
	forget_tools(session);
	free(session->tools);
	session->policy = policy;
	session->tools = other->tools;
	free(other);
	return 0;
}

struct tool_state *session_tool(const struct call_session *session, const struct tool *tool)
{
	return &session->tools[tool - session->policy->tools];
}

/* ---- ends of calls ---- */

/* Room for one more set of values, the oldest one's where there are PAST_MAX; NULL: no memory. */
struct digest *session_new_past(struct tool_state *state)
{
	struct digest *more;
	size_t room = state->past_room ? state->past_room * 2 : PAST_FIRST;

	if (state->past_count < state->past_room || state->past_count == PAST_MAX) {
		const size_t at = state->past_next;

		state->past_next = (at + 1) % PAST_MAX;
		if (state->past_count < PAST_MAX)
			state->past_count++;
		return &state->past[at * state->sources];
	}
	more = reallocarray(state->past, room, state->sources * sizeof(*more));
	if (!more)
		return NULL;
	state->past = more;
	state->past_room = room;
	return session_new_past(state);
}

void call_session_end(struct call_session *session, const struct tool *tool, bool succeeded,
		      const struct call_evidence *evidence)
{
	struct tool_state *state = session_tool(session, tool);
	struct digest *past;

	if (state->under_way > 0)
		state->under_way--;
	if (!succeeded)
		return;
	state->successes++;
	if (state->sources == 0 || !evidence || evidence->count != state->sources)
		return;
	/* Without memory a later call that wants these values is denied. */
	past = session_new_past(state);
	if (past)
		memcpy(past, evidence->values, state->sources * sizeof(*past));
}

bool call_session_expects(const struct call_session *session, const struct tool *tool)
{
	const struct tool_state *state = session_tool(session, tool);

	return state->under_way > 0 || !state->asked_for;
}

struct call_session_counts call_session_counts(const struct call_session *session)
{
	return session->counts;
}
