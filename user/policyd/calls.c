// SPDX-License-Identifier: Apache-2.0
#include "policyd/calls.h"

#include <inttypes.h>
#include <string.h>

#include "policy/verdict_json.h"
#include "policyd/calls_internal.h"

#define NS_PER_SECOND 1000000000ULL
/* Of all gateways; each holds some hundred bytes. */
#define OPEN_CALLS_MAX 65536
/* What a person is shown. */
#define SHOWN_BYTES_MAX 16384

static void on_flush(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	calls_write_changed(context);
}

struct calls *calls_new(struct event_base *base, const char *state_folder, struct error *error)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (calls)
		calls->flush = evtimer_new(base, on_flush, calls);
	if (!calls || !calls->flush) {
		free(calls);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	calls->base = base;
	(void)snprintf(calls->folder, sizeof(calls->folder), "%s", state_folder);
	return calls;
}

void calls_free(struct calls *calls)
{
	if (!calls)
		return;
	while (calls->links)
		call_link_close(calls->links);
	calls_write_changed(calls);
	calls_free_sessions(calls);
	event_free(calls->flush);
	free(calls);
}

void calls_set_agents(struct calls *calls, const struct agents *agents)
{
	calls->agents = agents;
}

/* ---- gateways ---- */

struct call_link *call_link_open(struct calls *calls, const char *manifest, size_t length,
				 call_link_send send, void *context, struct error *error)
{
	struct kept_session *kept = calls_keep(calls, manifest, length, error);
	struct call_link *link = kept ? calloc(1, sizeof(*link)) : NULL;

	if (!kept)
		return NULL;
	if (!link) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	*link = (struct call_link){calls->links, calls, kept, send, context};
	calls->links = link;
	return link;
}

void open_call_free(struct calls *calls, struct open_call *call)
{
	struct open_call **at = &calls->open;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	calls->open_count--;
	if (call->timer)
		event_free(call->timer);
	free(call->shown);
	free(call);
}

/* Its tool may have gone with a version of the manifest. */
static void end_call(struct open_call *call, bool succeeded, const struct call_evidence *evidence)
{
	struct kept_session *kept = call->link->kept;

	if (!call->timer && call->claim.tool)
		call_session_end(kept->session, call->claim.tool, succeeded, evidence);
	calls_mark(call->link->calls, kept);
	open_call_free(call->link->calls, call);
}

void call_link_close(struct call_link *link)
{
	struct calls *calls;
	struct open_call *call, *next;
	struct call_link **at;

	if (!link)
		return;
	calls = link->calls;
	for (call = calls->open; call; call = next) {
		next = call->next;
		if (call->link == link)
			end_call(call, false, NULL);
	}
	for (at = &calls->links; *at != link; at = &(*at)->next)
		;
	*at = link->next;
	free(link);
}

/* ---- what a decision is, as JSON ---- */

static void write_decision(const struct call_decision *decision, struct json_writer *writer)
{
	verdict_write(writer, &decision->verdict, NULL);
	json_key_boolean(writer, "retryable", decision->retryable);
	json_key_boolean(writer, "abandon", decision->abandon);
}

/* ---- calls ---- */

static bool read_values(const json_value *list, struct digest *values, size_t room, size_t *count)
{
	*count = 0;
	json_for_each (item, list) {
		if (*count == room || !digest_read(item, &values[*count]))
			return false;
		++*count;
	}
	return true;
}

static int read_claim(const struct call_link *link, const json_value *request,
		      struct call_claim *claim, struct error *error)
{
	const char *tool = json_as_string(json_member(request, "tool"));

	*claim = (struct call_claim){0};
	if (tool)
		claim->tool = policy_find_tool(link->kept->policy, tool);
	if (read_values(json_member(request, "values"), claim->values, CALL_CLAIMS_MAX,
			&claim->count))
		return 0;
	return error_set(error, STATUS_UNUSABLE, "\"values\" of a call are not understood");
}

static struct open_call *find_call(const struct calls *calls, uint64_t number)
{
	struct open_call *call = calls->open;

	while (call && call->number != number)
		call = call->next;
	return call;
}

static struct open_call *own_call(const struct call_link *link, const json_value *request,
				  struct error *error)
{
	struct open_call *call = NULL;
	uint64_t number;

	if (json_as_unsigned(json_member(request, "number"), UINT64_MAX >> 11, &number))
		call = find_call(link->calls, number);
	if (call && call->link == link)
		return call;
	(void)error_set(error, STATUS_UNUSABLE, "no call of that number is under way");
	return NULL;
}

static struct open_call *new_call(struct call_link *link, const struct call_claim *claim,
				  struct error *error)
{
	struct calls *calls = link->calls;
	struct open_call *call =
		calls->open_count < OPEN_CALLS_MAX ? calloc(1, sizeof(*call)) : NULL;

	if (!call) {
		(void)error_set(error, STATUS_SYSTEM, "too many calls are under way");
		return NULL;
	}
	call->link = link;
	call->number = ++calls->last_number;
	call->claim = *claim;
	if (claim->tool)
		(void)snprintf(call->tool, sizeof(call->tool), "%s", claim->tool->name);
	call->next = calls->open;
	calls->open = call;
	calls->open_count++;
	return call;
}

/* ---- questions to a person ---- */

static void send_ruling(const struct open_call *call, const struct call_decision *decision)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_open_object(&writer);
	json_key_unsigned(&writer, "number", call->number);
	write_decision(decision, &writer);
	json_close_object(&writer);
	json_newline(&writer);
	if (json_writer_text(&writer))
		call->link->send(json_writer_text(&writer), writer.length, call->link->context);
}

static void settle(struct open_call *call, bool yes, const char *why)
{
	struct calls *calls = call->link->calls;
	struct kept_session *kept = call->link->kept;
	struct call_decision decision;

	if (call->claim.tool)
		call_session_confirm(kept->session, &call->claim, yes, why, calls_now_ns(),
				     &decision);
	else
		decision =
			(struct call_decision){.verdict = {.kind = VERDICT_DENY, .reason = "tool"}};
	event_free(call->timer);
	call->timer = NULL;
	send_ruling(call, &decision);
	calls_mark(calls, kept);
	if (decision.abandon)
		calls_punish(calls, kept);
	if (decision.verdict.kind != VERDICT_ALLOW)
		open_call_free(calls, call);
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	settle(context, false, "nobody has answered in time");
}

static int ask(struct open_call *call, const json_value *request, struct error *error)
{
	const uint32_t seconds = call->claim.tool->ask_timeout_seconds;
	const struct timeval patience = {.tv_sec = seconds};
	const char *shown = json_as_string(json_member(request, "shown"));

	call->shown = strndup(shown ? shown : "{}", SHOWN_BYTES_MAX);
	call->timer = evtimer_new(call->link->calls->base, on_timeout, call);
	call->until_ns = calls_now_ns() + seconds * NS_PER_SECOND;
	if (call->shown && call->timer && evtimer_add(call->timer, &patience) == 0)
		return 0;
	return error_set(error, STATUS_SYSTEM, "out of memory");
}

int call_link_begin(struct call_link *link, const json_value *request, struct json_writer *answer,
		    struct error *error)
{
	struct kept_session *kept = link->kept;
	struct call_decision decision;
	struct call_claim claim;
	struct open_call *call;

	if (read_claim(link, request, &claim, error) < 0)
		return -1;
	call = new_call(link, &claim, error);
	if (!call)
		return -1;
	call_session_begin(kept->session, &claim, calls_now_ns(), &decision);
	calls_mark(link->calls, kept);
	json_key_unsigned(answer, "number", call->number);
	write_decision(&decision, answer);
	if (decision.abandon)
		calls_punish(link->calls, kept);
	switch (decision.verdict.kind) {
	case VERDICT_ASK:
		if (ask(call, request, error) == 0)
			return 0;
		break;
	case VERDICT_ALLOW:
	case VERDICT_WOULD_DENY:
		return 0;
	default:
		open_call_free(link->calls, call);
		return 0;
	}
	open_call_free(link->calls, call);
	return -1;
}

int call_link_end(struct call_link *link, const json_value *request, struct error *error)
{
	struct open_call *call = own_call(link, request, error);
	struct call_evidence evidence;

	if (!call)
		return -1;
	if (!read_values(json_member(request, "values"), evidence.values, CALL_MATCHES_MAX,
			 &evidence.count))
		return error_set(error, STATUS_UNUSABLE, "\"values\" of a call are not understood");
	end_call(call, json_as_boolean(json_member(request, "succeeded")), &evidence);
	return 0;
}

int call_link_denied(struct call_link *link, const json_value *request, struct json_writer *answer,
		     struct error *error)
{
	const char *word = json_as_string(json_member(request, "verdict"));
	struct call_decision decision = {.verdict = {.kind = VERDICT_DENY}};

	if (!word)
		return error_set(error, STATUS_UNUSABLE, "\"verdict\" is missing");
	if (strcmp(word, "would-deny") == 0)
		decision.verdict.kind = VERDICT_WOULD_DENY;
	call_session_note_denial(link->kept->session, &decision);
	calls_mark(link->calls, link->kept);
	if (decision.abandon)
		calls_punish(link->calls, link->kept);
	json_key_boolean(answer, "abandon", decision.abandon);
	return 0;
}

int call_link_withdraw(struct call_link *link, const json_value *request, struct error *error)
{
	struct open_call *call = own_call(link, request, error);

	if (!call)
		return -1;
	end_call(call, false, NULL);
	return 0;
}

/* ---- for people ---- */

/* The oldest question that is younger than `number`; the list has the newest first. */
static const struct open_call *next_question(const struct calls *calls, uint64_t number)
{
	const struct open_call *oldest = NULL;

	for (const struct open_call *call = calls->open; call; call = call->next)
		if (call->timer && call->number > number)
			oldest = call;
	return oldest;
}

void calls_write_questions(const struct calls *calls, struct json_writer *answer)
{
	const struct open_call *call = next_question(calls, 0);
	const uint64_t now = calls_now_ns();

	json_open_array(answer);
	for (; call; call = next_question(calls, call->number)) {
		json_open_object(answer);
		json_key_unsigned(answer, "id", call->number);
		json_key_string(answer, "agent", call->link->kept->name);
		json_key_string(answer, "tool", call->tool);
		json_key_string(answer, "arguments", call->shown);
		json_key_unsigned(answer, "seconds_left",
				  call->until_ns > now ? (call->until_ns - now) / NS_PER_SECOND
						       : 0);
		json_close_object(answer);
	}
	json_close_array(answer);
}

int calls_answer_question(struct calls *calls, uint64_t id, bool yes, struct error *error)
{
	struct open_call *call = find_call(calls, id);

	if (!call || !call->timer)
		return error_set(error, STATUS_UNUSABLE,
				 "no call %" PRIu64 " waits; `agentpol approvals` lists those that "
				 "do",
				 id);
	settle(call, yes, "a person has refused it");
	return 0;
}

static void write_limit(struct json_writer *answer, const char *key, uint64_t of)
{
	json_key(answer, key);
	if (of == UINT64_MAX)
		json_null(answer);
	else
		json_unsigned(answer, of);
}

static void write_session(const struct calls *calls, const struct kept_session *kept,
			  struct json_writer *answer)
{
	const struct call_session_counts counts = call_session_counts(kept->session);
	const struct budgets *budgets = &kept->policy->budgets;
	uint64_t gateways = 0, waiting = 0, under_way = 0;

	for (const struct call_link *link = calls->links; link; link = link->next)
		gateways += link->kept == kept;
	for (const struct open_call *call = calls->open; call; call = call->next) {
		waiting += call->link->kept == kept && call->timer;
		under_way += call->link->kept == kept && !call->timer;
	}
	json_open_object(answer);
	json_key_string(answer, "agent", kept->name);
	json_key_string(answer, "policy", kept->policy->digest);
	json_key_unsigned(answer, "calls", counts.calls);
	json_key_unsigned(answer, "denials", counts.denials);
	json_key_unsigned(answer, "confirmations", counts.confirmations);
	json_key(answer, "of");
	json_open_object(answer);
	write_limit(answer, "calls", budgets->present ? budgets->calls : UINT64_MAX);
	write_limit(answer, "denials", budgets->present ? budgets->denials : UINT64_MAX);
	write_limit(answer, "confirmations",
		    budgets->present ? budgets->confirmations : UINT64_MAX);
	json_close_object(answer);
	json_key_boolean(answer, "exhausted", call_session_is_exhausted(kept->session));
	json_key_unsigned(answer, "gateways", gateways);
	json_key_unsigned(answer, "under_way", under_way);
	json_key_unsigned(answer, "waiting", waiting);
	json_close_object(answer);
}

void calls_write_sessions(const struct calls *calls, struct json_writer *answer)
{
	json_open_array(answer);
	for (const struct kept_session *kept = calls->sessions; kept; kept = kept->next)
		write_session(calls, kept, answer);
	json_close_array(answer);
}
