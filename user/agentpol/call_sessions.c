// SPDX-License-Identifier: Apache-2.0
#include "agentpol/call_sessions.h"

#include <search.h>
#include <string.h>

/* What is kept of a tool's latest call until its result comes. */
struct latest_call {
	struct call_evidence arguments; /* what the result leaves, as far as arguments tell it */
	struct call_claim claim;
	bool asked; /* a person was: a result says that the answer was yes */
};

struct named_session {
	char *name;		      /* owned */
	struct call_session *session; /* owned */
	struct latest_call *latest;   /* owned; a tool each, in the policy's order */
};

struct call_sessions {
	const struct policy *policy;
	struct call_grants *grants; /* owned */
	void *tree;		    /* of struct named_session, by tsearch(3) */
	size_t count;
};

struct call_sessions *call_sessions_new(const struct policy *policy, struct error *error)
{
	struct call_sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	sessions->policy = policy;
	sessions->grants = call_grants_new(policy, error);
	if (!sessions->grants) {
		free(sessions);
		return NULL;
	}
	return sessions;
}

static void free_named(void *node)
{
	struct named_session *named = node;

	call_session_free(named->session);
	free(named->latest);
	free(named->name);
	free(named);
}

void call_sessions_forget(struct call_sessions *sessions)
{
	tdestroy(sessions->tree, free_named);
	sessions->tree = NULL;
	sessions->count = 0;
}

void call_sessions_free(struct call_sessions *sessions)
{
	if (!sessions)
		return;
	call_sessions_forget(sessions);
	call_grants_free(sessions->grants);
	free(sessions);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(((const struct named_session *)left)->name,
		      ((const struct named_session *)right)->name);
}

static struct named_session *make_named(const struct call_sessions *sessions, const char *name)
{
	struct named_session *named = calloc(1, sizeof(*named));
	struct error error;

	if (!named)
		return NULL;
	named->name = strdup(name);
	named->latest = calloc(sessions->policy->tool_count + 1, sizeof(*named->latest));
	named->session = call_session_new(sessions->policy, &error);
	if (named->name && named->latest && named->session)
		return named;
	free_named(named);
	return NULL;
}

/* NULL where there are too many, or no memory. */
static struct named_session *find_session(struct call_sessions *sessions, const json_value *request)
{
	const char *name = json_as_string(json_member(request, "session"));
	struct named_session key = {.name = (char *)(name ? name : "")};
	struct named_session **found = tfind(&key, &sessions->tree, compare_names);
	struct named_session *named;

	if (found)
		return *found;
	named = sessions->count < CALL_SESSIONS_MAX ? make_named(sessions, key.name) : NULL;
	if (!named)
		return NULL;
	if (!tsearch(named, &sessions->tree, compare_names)) {
		free_named(named);
		return NULL;
	}
	sessions->count++;
	return named;
}

/* What needs a session, of a call that its arguments allow. */
static void judge_in_session(struct named_session *named, const struct policy *policy,
			     const struct call *call, uint64_t now_ns,
			     struct call_decision *decision)
{
	const struct tool *tool = policy_find_tool(policy, call->tool);
	struct latest_call *latest = &named->latest[tool - policy->tools];
	const struct strings assumes = decision->assumes;

	call_claim_make(tool, call->arguments, &latest->claim);
	call_evidence_make(policy, tool, call->arguments, NULL, &latest->arguments);
	call_session_begin(named->session, &latest->claim, now_ns, decision);
	latest->asked = decision->verdict.kind == VERDICT_ASK;
	decision->assumes = assumes;
}

void call_sessions_call(struct call_sessions *sessions, const json_value *request, uint64_t now_ns,
			const struct sql_catalog *catalog, struct arena *arena,
			struct call_decision *decision)
{
	const struct call call = {json_as_string(json_member(request, "tool")),
				  json_member(request, "arguments")};
	struct named_session *named = find_session(sessions, request);

	if (!named) {
		*decision = (struct call_decision){
			.verdict = {.kind = VERDICT_UNDECIDED, .reason = "sessions"}};
		(void)snprintf(decision->verdict.message, sizeof(decision->verdict.message),
			       "there are more than %d sessions", CALL_SESSIONS_MAX);
		return;
	}
	call_decide(sessions->grants, &call, catalog, arena, decision);
	if (decision->verdict.kind == VERDICT_ALLOW)
		judge_in_session(named, sessions->policy, &call, now_ns, decision);
	else
		call_session_note_denial(named->session, decision);
}

static void take_yes(struct named_session *named, struct latest_call *latest, uint64_t now_ns)
{
	struct call_decision decision;

	call_session_confirm(named->session, &latest->claim, true, "", now_ns, &decision);
	latest->asked = false;
}

void call_sessions_result(struct call_sessions *sessions, const json_value *request,
			  uint64_t now_ns)
{
	const struct policy *policy = sessions->policy;
	const struct tool *tool =
		policy_find_tool(policy, json_as_string(json_member(request, "tool")));
	struct named_session *named = tool ? find_session(sessions, request) : NULL;
	struct call_evidence evidence;
	struct latest_call *latest;

	if (!named)
		return;
	latest = &named->latest[tool - policy->tools];
	if (latest->asked)
		take_yes(named, latest, now_ns);
	if (!call_session_expects(named->session, tool))
		return;
	call_evidence_make(policy, tool, NULL, json_member(request, "result"), &evidence);
	for (size_t i = 0; i < evidence.count && i < latest->arguments.count; i++)
		if (!digest_is_set(&evidence.values[i]))
			evidence.values[i] = latest->arguments.values[i];
	call_session_end(named->session, tool, json_as_boolean(json_member(request, "ok")),
			 &evidence);
}
