// SPDX-License-Identifier: Apache-2.0
/* A session on disk: what a successor of policyd takes over. */
#include "call/session.h"

#include <string.h>

#include "call/session_internal.h"

#define COUNT_MAX ((uint64_t)1 << 53)

static void write_past(struct json_writer *writer, const struct tool_state *state)
{
	const size_t first = state->past_count == PAST_MAX ? state->past_next : 0;

	json_key(writer, "past");
	json_open_array(writer);
	for (size_t i = 0; i < state->past_count; i++) {
		const size_t at = (first + i) % PAST_MAX;

		json_open_array(writer);
		for (size_t j = 0; j < state->sources; j++)
			digest_write(writer, &state->past[at * state->sources + j]);
		json_close_array(writer);
	}
	json_close_array(writer);
}

static void write_tool(struct json_writer *writer, const struct call_session *session, size_t i,
		       uint64_t now_ns)
{
	const struct tool_state *state = &session->tools[i];
	const struct tool *tool = &session->policy->tools[i];
	const char *pointers[CALL_MATCHES_MAX];
	const size_t sources = call_sources(session->policy, tool, pointers);

	if (!state->asked_for && !state->calls)
		return;
	json_key(writer, tool->name);
	json_open_object(writer);
	json_key_unsigned(writer, "calls", state->calls);
	json_key_unsigned(writer, "successes", state->successes);
	json_key_unsigned(writer, "full_in_ns",
			  state->bucket_ns > now_ns ? state->bucket_ns - now_ns : 0);
	json_key(writer, "sources");
	json_open_array(writer);
	for (size_t j = 0; j < sources; j++)
		json_string(writer, pointers[j]);
	json_close_array(writer);
	write_past(writer, state);
	json_close_object(writer);
}

void call_session_write(const struct call_session *session, uint64_t now_ns,
			struct json_writer *writer)
{
	json_open_object(writer);
	json_key_unsigned(writer, "calls", session->counts.calls);
	json_key_unsigned(writer, "denials", session->counts.denials);
	json_key_unsigned(writer, "confirmations", session->counts.confirmations);
	json_key(writer, "tools");
	json_open_object(writer);
	for (size_t i = 0; i < session->policy->tool_count; i++)
		write_tool(writer, session, i, now_ns);
	json_close_object(writer);
	json_close_object(writer);
}

/* ---- reading ---- */

static bool read_count(const json_value *object, const char *key, uint64_t *count)
{
	return json_as_unsigned(json_member(object, key), COUNT_MAX, count);
}

/* The values were taken at these pointers; under another manifest they may mean something else. */
static bool sources_are(const struct call_session *session, const struct tool *tool,
			const json_value *list)
{
	const char *pointers[CALL_MATCHES_MAX];
	const size_t count = call_sources(session->policy, tool, pointers);
	size_t at = 0;

	if (json_count(list) != count)
		return false;
	json_for_each (item, list) {
		const char *pointer = json_as_string(item);

		if (!pointer || strcmp(pointer, pointers[at++]) != 0)
			return false;
	}
	return true;
}

static bool read_past(struct tool_state *state, const json_value *list)
{
	json_for_each (set, list) {
		struct digest *past = session_new_past(state);
		size_t at = 0;

		if (!past || json_count(set) != state->sources)
			return false;
		json_for_each (item, set)
			if (!digest_read(item, &past[at++]))
				return false;
	}
	return true;
}

static bool read_tool(struct call_session *session, const json_value *member, uint64_t now_ns)
{
	const struct tool *tool = policy_find_tool(session->policy, json_key_of(member));
	struct tool_state *state;
	uint64_t full_in_ns;

	if (!tool)
		return true;
	state = session_tool(session, tool);
	if (!read_count(member, "calls", &state->calls) ||
	    !read_count(member, "successes", &state->successes) ||
	    !read_count(member, "full_in_ns", &full_in_ns))
		return false;
	state->asked_for = true;
	state->bucket_ns = full_in_ns ? now_ns + full_in_ns : 0;
	if (state->sources == 0 || !sources_are(session, tool, json_member(member, "sources")))
		return true;
	return read_past(state, json_member(member, "past"));
}

int call_session_read(struct call_session *session, const json_value *object, uint64_t now_ns,
		      struct error *error)
{
	struct call_session_counts *counts = &session->counts;
	bool good = read_count(object, "calls", &counts->calls) &&
		    read_count(object, "denials", &counts->denials) &&
		    read_count(object, "confirmations", &counts->confirmations);

	json_for_each (member, json_member(object, "tools"))
		good = good && read_tool(session, member, now_ns);
	return good ? 0 : error_set(error, STATUS_UNUSABLE, "a session's state is malformed");
}
