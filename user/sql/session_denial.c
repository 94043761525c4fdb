// SPDX-License-Identifier: Apache-2.0
/*
 * Denials, told by the server itself. In the place of a denied text it gets a quoted name with a
 * number that nobody outside can guess: a statement never begins with a name, so raw parsing fails,
 * which is before anything is looked up and before the state of the transaction is looked at. Its
 * ErrorResponse names the token, and goes on to the client as the verdict.
 */
#include "sql/session_internal.h"

#include <inttypes.h>
#include <string.h>

/* Below NAMEDATALEN, so that the server has nothing to notice. */
#define TOKEN_FORMAT "agentpol-denied-%016" PRIx64 "-"

static void put_substitute(struct session *session, char type, uint64_t number)
{
	struct buffer message = {0};
	char text[64];
	size_t begin;

	(void)snprintf(text, sizeof(text), "\"" TOKEN_FORMAT "%" PRIu64 "\"", session->nonce,
		       number);
	begin = message_begin(&message, type == 'P' ? 'P' : 'Q');
	/* With a name of its own: the unnamed statement would be dropped first. It is never made.
	 */
	if (type == 'P')
		protocol_put_string(&message, "agentpol-denied");
	protocol_put_string(&message, text);
	if (type == 'P')
		buffer_append(&message, "\0", 2);
	message_end(&message, begin);
	if (message.failed)
		session_fatal(session, "53200", "out of memory");
	else
		session->host->to_server(session->context, buffer_bytes(&message), message.length);
	buffer_clear(&message);
}

void session_deny(struct session *session, char type, struct judgement *judgement)
{
	struct denied *denied;

	if (session->denied_count == DENIED_MAX) { /* the client is not read then */
		session_fatal(session, "53400", "too many denied statements at once");
		return;
	}
	denied = &session->denied[(session->denied_first + session->denied_count++) % DENIED_MAX];
	denied->number = ++session->denied_numbers;
	denied->judgement = judgement_hold(judgement);
	if (type == 'P') {
		session->skipping = true;
		denied->sync = session->syncs_sent + 1;
	} else {
		denied->sync = ++session->syncs_sent;
	}
	if (session->flight && type == 'P')
		flight_parse(session->flight, "", NULL, "", 0);
	else if (session->flight)
		flight_query(session->flight, NULL, "", 0, 0);
	put_substitute(session, type, denied->number);
}

static void drop_first(struct session *session)
{
	judgement_release(session->denied[session->denied_first].judgement);
	session->denied_first = (session->denied_first + 1) % DENIED_MAX;
	session->denied_count--;
}

void session_forget_denied(struct session *session)
{
	while (session->denied_count &&
	       session->denied[session->denied_first].sync <= session->syncs_seen)
		drop_first(session);
}

/* What the client gets to hear: what was denied, by which rule, and the edit that would allow it.
 */
static void put_verdict(struct session *session, const struct judgement *judgement)
{
	const char *const *text = judgement->text;
	char detail[VERDICT_TEXT_MAX + 128] = "", hint[2 * VERDICT_TEXT_MAX + 128] = "";
	const struct error_response error = {
		.severity = "ERROR",
		.code = judgement->code,
		.message = text[JUDGEMENT_MESSAGE][0] ? text[JUDGEMENT_MESSAGE]
						      : "the statement is denied by policy",
		.detail = detail,
		.hint = hint};
	struct buffer message = {0};

	(void)snprintf(detail, sizeof(detail), "agentpol: %s (%s)%s%s",
		       judgement->kind == VERDICT_UNDECIDED ? "not understood, so denied"
							    : "denied",
		       text[JUDGEMENT_REASON], text[JUDGEMENT_RULE][0] ? " by rule " : "",
		       text[JUDGEMENT_RULE]);
	if (text[JUDGEMENT_HINT_OP][0])
		(void)snprintf(hint, sizeof(hint), "To allow it in the manifest: %s %s %s",
			       text[JUDGEMENT_HINT_OP], text[JUDGEMENT_HINT_PATH],
			       text[JUDGEMENT_HINT_VALUE]);
	message_put_error(&message, &error);
	if (message.failed)
		session_fatal(session, "53200", "out of memory");
	else
		session->host->to_client(session->context, buffer_bytes(&message), message.length);
	buffer_clear(&message);
}

/* The number in a message that names one of our tokens, or 0. */
static uint64_t token_number(const struct session *session, const char *message)
{
	char token[48];
	const char *at;

	(void)snprintf(token, sizeof(token), TOKEN_FORMAT, session->nonce);
	at = strstr(message, token);
	return at ? strtoull(at + strlen(token), NULL, 10) : 0;
}

bool session_answer_denied(struct session *session, const uint8_t *body, size_t length)
{
	const char *said = error_body_field(body, length, 'M');
	uint64_t number = said ? token_number(session, said) : 0;

	if (number == 0)
		return false;
	/* Those before it were skipped by the server, as the texts would have been. */
	while (session->denied_count && session->denied[session->denied_first].number < number)
		drop_first(session);
	if (session->denied_count == 0 || session->denied[session->denied_first].number != number)
		return false;
	put_verdict(session, session->denied[session->denied_first].judgement);
	drop_first(session);
	return true;
}

void session_answer_cut(struct session *session)
{
	char sentence[96];
	const struct error_response error = {
		.severity = "ERROR",
		.code = "54000",
		.message = sentence,
		.detail = "Cut off by agentpol (max_rows).",
		.hint = "Add LIMIT, or ask for less.",
	};
	struct buffer message = {0};

	(void)snprintf(sentence, sizeof(sentence), "the answer has more than %llu rows",
		       (unsigned long long)session->rules->policy->max_rows);
	message_put_error(&message, &error);
	if (message.failed)
		session_fatal(session, "53200", "out of memory");
	else
		session->host->to_client(session->context, buffer_bytes(&message), message.length);
	buffer_clear(&message);
}

/* FNV-1a over what makes two denials the same kind. */
static uint64_t kind_of(const struct judgement *judgement)
{
	static const enum judgement_text parts[] = {JUDGEMENT_REASON, JUDGEMENT_RULE,
						    JUDGEMENT_MESSAGE};
	uint64_t hash = 0xcbf29ce484222325ULL;
	const char *at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		for (at = judgement->text[parts[i]]; *at; at++)
			hash = (hash ^ (unsigned char)*at) * 0x100000001b3ULL;
	return hash ? hash : 1;
}

/* The count of its kind; what finds no place is counted with the last one. */
static uint64_t count_told(struct session *session, const struct judgement *judgement)
{
	uint64_t hash = kind_of(judgement);
	size_t i;

	if (!session->told)
		session->told = calloc(TOLD_MAX, sizeof(*session->told));
	if (!session->told)
		return 1;
	for (i = 0; i < TOLD_MAX - 1; i++)
		if (session->told[i].hash == hash || session->told[i].hash == 0)
			break;
	session->told[i].hash = hash;
	return ++session->told[i].count;
}

void session_tell(struct session *session, const struct judgement *judgement, const char *text,
		  size_t length)
{
	struct session_record record = {
		.judgement = judgement, .text = text, .text_length = length};

	record.count = count_told(session, judgement);
	/* The 1st, 2nd, 4th, 8th ... */
	if (record.count & (record.count - 1))
		return;
	session->host->record(session->context, &record);
}

void session_tell_untold(struct session *session)
{
	struct session_record record;

	while (flight_untold(session->flight, &record))
		session->host->record(session->context, &record);
}
