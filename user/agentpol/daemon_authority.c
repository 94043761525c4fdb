// SPDX-License-Identifier: Apache-2.0
#include "agentpol/daemon_authority.h"

#include <string.h>

#include "policyd/client.h"

/* A call that a person is asked about. */
struct waiting_call {
	struct waiting_call *next;
	uint64_t number; /* policyd's */
	call_ruled ruled;
	void *context;
};

struct daemon_authority {
	struct call_authority authority; /* first: it is handed out */
	struct client *client;		 /* owned; NULL: policyd has gone */
	const struct policy *policy;
	struct waiting_call *waiting; /* owned */
	uint64_t last_denied;	      /* numbers of calls that policyd never saw */
};

/* Above all of policyd's. */
#define OWN_NUMBERS (1ULL << 62)

/* ---- decisions, as policyd writes them ---- */

static void take_text(const json_value *object, const char *key, char *place, size_t room)
{
	const char *text = json_as_string(json_member(object, key));

	(void)snprintf(place, room, "%s", text ? text : "");
}

static enum verdict_kind kind_of(const json_value *object)
{
	const char *word = json_as_string(json_member(object, "verdict"));

	for (enum verdict_kind kind = VERDICT_ALLOW; kind <= VERDICT_WOULD_DENY; kind++)
		if (word && strcmp(word, verdict_name(kind)) == 0)
			return kind;
	return VERDICT_UNDECIDED;
}

/* Its strings live in the document. */
static void read_decision(const json_value *object, struct call_decision *decision)
{
	struct verdict *verdict = &decision->verdict;
	const json_value *hint = json_member(object, "hint");
	const json_value *value = json_member(hint, "value");
	_cleanup_free_ char *text = value ? json_print(value) : NULL;

	*decision = (struct call_decision){0};
	verdict->kind = kind_of(object);
	verdict->reason = json_as_string(json_member(object, "reason"));
	take_text(object, "rule", verdict->rule, sizeof(verdict->rule));
	take_text(object, "message", verdict->message, sizeof(verdict->message));
	take_text(hint, "op", verdict->hint_op, sizeof(verdict->hint_op));
	take_text(hint, "path", verdict->hint_path, sizeof(verdict->hint_path));
	if (text)
		(void)snprintf(verdict->hint_value, sizeof(verdict->hint_value), "%s", text);
	decision->retryable = json_as_boolean(json_member(object, "retryable"));
	decision->abandon = json_as_boolean(json_member(object, "abandon"));
}

static void deny_without_daemon(const char *why, struct call_decision *decision)
{
	*decision = (struct call_decision){
		.verdict = {.kind = VERDICT_UNDECIDED, .reason = "policyd"}, .retryable = true};
	(void)snprintf(decision->verdict.message, sizeof(decision->verdict.message),
		       "the session can't be asked: %s", why);
}

/* ---- requests ---- */

static struct json_document *ask(struct daemon_authority *daemon, struct json_writer *request,
				 struct error *error)
{
	struct json_document *reply;

	json_close_object(request);
	json_newline(request);
	if (!daemon->client) {
		(void)error_set(error, STATUS_SYSTEM, "policyd has gone");
		return NULL;
	}
	reply = client_call(daemon->client, request, NULL, 0, error);
	if (reply || error->status != STATUS_SYSTEM)
		return reply;
	client_close(daemon->client);
	daemon->client = NULL;
	return NULL;
}

static void start(struct json_writer *request, const char *operation)
{
	json_open_object(request);
	json_key_string(request, "op", operation);
}

static void write_values(struct json_writer *request, const struct digest *values, size_t count)
{
	json_key(request, "values");
	json_open_array(request);
	for (size_t i = 0; i < count; i++)
		digest_write(request, &values[i]);
	json_close_array(request);
}

static bool keep_waiting(struct daemon_authority *daemon, uint64_t number, call_ruled ruled,
			 void *context)
{
	struct waiting_call *waiting = calloc(1, sizeof(*waiting));

	if (!waiting)
		return false;
	*waiting = (struct waiting_call){daemon->waiting, number, ruled, context};
	daemon->waiting = waiting;
	return true;
}

static uint64_t daemon_begin(struct call_authority *authority, const struct call_claim *claim,
			     const struct call_shown *shown, call_ruled ruled, void *context)
{
	struct daemon_authority *daemon = (struct daemon_authority *)authority;
	_cleanup_json_writer_ struct json_writer request = {0};
	_cleanup_json_document_ struct json_document *reply = NULL;
	struct call_decision decision;
	struct error error;
	uint64_t number;

	start(&request, "call-begin");
	json_key_string(&request, "tool", claim->tool ? claim->tool->name : NULL);
	write_values(&request, claim->values, claim->count);
	if (claim->tool && claim->tool->ask)
		json_key_string(&request, "shown", shown->arguments);
	reply = ask(daemon, &request, &error);
	if (!reply ||
	    !json_as_unsigned(json_member(json_root(reply), "number"), OWN_NUMBERS - 1, &number)) {
		number = OWN_NUMBERS + ++daemon->last_denied;
		deny_without_daemon(reply ? "its answer is not understood" : error.text, &decision);
	} else {
		read_decision(json_root(reply), &decision);
	}
	if (decision.verdict.kind == VERDICT_ASK) {
		if (keep_waiting(daemon, number, ruled, context))
			return number;
		deny_without_daemon("out of memory", &decision);
	}
	ruled(&decision, context);
	return number;
}

static struct waiting_call *take_waiting(struct daemon_authority *daemon, uint64_t number)
{
	for (struct waiting_call **at = &daemon->waiting; *at; at = &(*at)->next) {
		struct waiting_call *waiting = *at;

		if (waiting->number != number)
			continue;
		*at = waiting->next;
		return waiting;
	}
	return NULL;
}

/* What is told and needs no answer; a daemon that has gone knows it from the end of the connection.
 */
static void tell(struct daemon_authority *daemon, struct json_writer *request)
{
	struct error error;

	json_document_free(ask(daemon, request, &error));
}

static void daemon_withdraw(struct call_authority *authority, uint64_t number)
{
	struct daemon_authority *daemon = (struct daemon_authority *)authority;
	_cleanup_json_writer_ struct json_writer request = {0};

	free(take_waiting(daemon, number));
	if (number > OWN_NUMBERS)
		return;
	start(&request, "call-withdraw");
	json_key_unsigned(&request, "number", number);
	tell(daemon, &request);
}

static void daemon_end(struct call_authority *authority, uint64_t number, bool succeeded,
		       const struct call_evidence *evidence)
{
	struct daemon_authority *daemon = (struct daemon_authority *)authority;
	_cleanup_json_writer_ struct json_writer request = {0};

	start(&request, "call-end");
	json_key_unsigned(&request, "number", number);
	json_key_boolean(&request, "succeeded", succeeded);
	write_values(&request, evidence ? evidence->values : NULL, evidence ? evidence->count : 0);
	tell(daemon, &request);
}

static void daemon_note_denial(struct call_authority *authority, struct call_decision *decision)
{
	struct daemon_authority *daemon = (struct daemon_authority *)authority;
	_cleanup_json_writer_ struct json_writer request = {0};
	_cleanup_json_document_ struct json_document *reply = NULL;
	struct error error;

	start(&request, "call-denied");
	json_key_string(&request, "verdict", verdict_name(decision->verdict.kind));
	reply = ask(daemon, &request, &error);
	if (reply && json_as_boolean(json_member(json_root(reply), "abandon"))) {
		decision->abandon = true;
		decision->retryable = false;
	}
}

static void daemon_free(struct call_authority *authority)
{
	struct daemon_authority *daemon = (struct daemon_authority *)authority;

	while (daemon->waiting)
		free(take_waiting(daemon, daemon->waiting->number));
	client_close(daemon->client);
	free(daemon);
}

/* ---- what comes by itself ---- */

static void rule(struct daemon_authority *daemon, const char *line)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_free_ struct waiting_call *waiting = NULL;
	struct call_decision decision;
	struct json_fault fault;
	uint64_t number;

	document = json_document_parse(line, strlen(line), &fault);
	if (!document ||
	    !json_as_unsigned(json_member(json_root(document), "number"), OWN_NUMBERS - 1, &number))
		return;
	waiting = take_waiting(daemon, number);
	if (!waiting)
		return;
	read_decision(json_root(document), &decision);
	waiting->ruled(&decision, waiting->context);
}

static void deny_all_waiting(struct daemon_authority *daemon)
{
	struct call_decision decision;

	while (daemon->waiting) {
		_cleanup_free_ struct waiting_call *waiting =
			take_waiting(daemon, daemon->waiting->number);

		deny_without_daemon("policyd has gone", &decision);
		waiting->ruled(&decision, waiting->context);
	}
}

bool daemon_authority_read(struct call_authority *authority)
{
	struct daemon_authority *daemon = (struct daemon_authority *)authority;
	const char *line;
	bool ended = false;

	while (daemon->client && (line = client_next_line(daemon->client, &ended)))
		rule(daemon, line);
	if (ended) {
		client_close(daemon->client);
		daemon->client = NULL;
	}
	if (!daemon->client)
		deny_all_waiting(daemon);
	return daemon->client != NULL;
}

int daemon_authority_fd(const struct call_authority *authority)
{
	const struct daemon_authority *daemon = (const struct daemon_authority *)authority;

	return daemon->client ? client_fd(daemon->client) : -1;
}

static struct client *open_link(const char *socket, const char *manifest, struct error *error)
{
	_cleanup_json_writer_ struct json_writer request = {0};
	_cleanup_json_document_ struct json_document *reply = NULL;
	struct client *client = client_open(socket, error);

	if (!client)
		return NULL;
	start(&request, "calls");
	json_key_unsigned(&request, "body_bytes", strlen(manifest));
	json_close_object(&request);
	json_newline(&request);
	reply = client_call(client, &request, manifest, strlen(manifest), error);
	if (reply)
		return client;
	client_close(client);
	return NULL;
}

struct call_authority *daemon_authority_new(const char *socket, const char *manifest,
					    const struct policy *policy, struct error *error)
{
	static const struct call_authority_methods methods = {
		daemon_begin, daemon_withdraw, daemon_end, daemon_note_denial, daemon_free};
	struct daemon_authority *daemon = calloc(1, sizeof(*daemon));

	if (!daemon) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	daemon->authority.methods = &methods;
	daemon->policy = policy;
	daemon->client = open_link(socket, manifest, error);
	if (daemon->client)
		return &daemon->authority;
	free(daemon);
	return NULL;
}
