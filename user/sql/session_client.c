// SPDX-License-Identifier: Apache-2.0
/*
 * What the client of an open session sends. Query and Parse are judged; what only refers to
 * something that was judged (Bind, Execute, ...) passes, whatever its size; FunctionCall has no
 * text and is denied; anything else ends the session.
 */
#include "sql/session_internal.h"

#include <string.h>

#include "sql/limits.h"
#include "sql/parameter_types.h"

/* What a Parse has besides its text: a name, and types of at most 65,535 parameters. */
#define PARSE_EXTRA_MAX (4U * 65536 + 1024)
/* Of a Bind and its kin, where their names are wanted for the log. */
#define NAMES_MAX  1024U
#define REFERENCES "BEDC"
/* What is always open to a session of its own, beside the budget that all share. */
#define BUDGET_FREE 16384U

/* A piece of what the client sent: [from, at) has been looked at and passes. */
struct scan {
	struct session *session;
	const uint8_t *bytes;
	size_t length, at, from;
};

enum action { ACTION_PASS, ACTION_REPLACED, ACTION_WAIT, ACTION_OVER };

/* Sends what passes, up to `end`; what follows starts at `next`. */
static void send_until(struct scan *scan, size_t end, size_t next)
{
	struct session *session = scan->session;

	if (end > scan->from && session->state == SESSION_OPEN)
		session->host->to_server(session->context, scan->bytes + scan->from,
					 end - scan->from);
	scan->from = next;
}

/* ---- Query and Parse ---- */

struct parse {
	const char *name, *text;
	size_t text_length;
	const uint8_t *types;
	uint16_t type_count;
};

static bool read_parse(const uint8_t *body, size_t length, struct parse *parse)
{
	const uint8_t *name_end = memchr(body, '\0', length), *text, *end;
	size_t left;

	if (!name_end)
		return false;
	text = name_end + 1;
	left = length - (size_t)(text - body);
	end = memchr(text, '\0', left);
	if (!end)
		return false;
	left -= (size_t)(end + 1 - text);
	if (left < 2)
		return false;
	*parse = (struct parse){.name = (const char *)body,
				.text = (const char *)text,
				.text_length = (size_t)(end - text),
				.types = end + 3,
				.type_count = protocol_get16(end + 1)};
	return left == 2 + 4 * (size_t)parse->type_count;
}

/* The text of a message, and of a Parse the rest. False: not as the protocol has it. */
static bool read_statement(char type, const uint8_t *body, size_t length, struct parse *parse)
{
	if (type == 'P')
		return read_parse(body, length, parse);
	*parse = (struct parse){.name = "", .text = (const char *)body, .text_length = length - 1};
	return length > 0 && memchr(body, '\0', length) == body + length - 1;
}

static enum verdict_kind unless_audit(const struct session *session, enum verdict_kind kind)
{
	return session->rules->audit ? VERDICT_WOULD_DENY : kind;
}

/* The verdict on parameters' types, or NULL where none is against it. */
static struct judgement *judge_types(const struct session *session, const struct parse *parse)
{
	char sentence[160];
	uint16_t i;

	for (i = 0; i < parse->type_count; i++) {
		uint32_t oid = protocol_get32(parse->types + 4 * (size_t)i);

		if (parameter_type_is_harmless(oid))
			continue;
		(void)snprintf(sentence, sizeof(sentence),
			       "parameter $%u of the type with OID %u: not a type that is known to "
			       "be harmless; leave the type to the server (OID 0)",
			       i + 1U, oid);
		return judgement_plain(unless_audit(session, VERDICT_DENY), "42501", "sql-type",
				       session->rules->pointer, sentence);
	}
	return NULL;
}

/*
 * A server whose encoding is not UTF-8 folds and cuts names beyond ASCII in its own way
 * (downcase_identifier in PostgreSQL's scansup.c), which the parser does not know. The verdict on
 * such a text, or NULL.
 */
static struct judgement *judge_bytes(const struct session *session, const struct parse *parse)
{
	if (session->knows_names)
		return NULL;
	for (size_t i = 0; i < parse->text_length; i++)
		if ((unsigned char)parse->text[i] >= 0x80)
			return judgement_plain(
				unless_audit(session, VERDICT_UNDECIDED), "42501", "sql-limit",
				session->rules->pointer,
				"the database's encoding is not UTF8, so that only statements in "
				"ASCII are judged; pass other text as parameters");
	return NULL;
}

/* What was approved goes to the server now. */
static void note_approved(struct session *session, char type, const struct parse *parse,
			  struct judgement *judgement)
{
	if (judgement->statement == SQL_STATEMENT_COPY_IN || judgement->kind == VERDICT_WOULD_DENY)
		session->copy_approved = true;
	if (judgement->kind == VERDICT_WOULD_DENY)
		session_tell(session, judgement, parse->text, parse->text_length);
	if (type == 'Q') {
		session->syncs_sent++;
		session->executes++;
	}
	if (!session->flight)
		return;
	if (type == 'Q')
		flight_query(session->flight, judgement, parse->text, parse->text_length,
			     session->host->now_us(session->context));
	else
		flight_parse(session->flight, parse->name, judgement, parse->text,
			     parse->text_length);
	session_tell_untold(session);
}

/* What refers to a statement goes to the server now, or what only has its place in the queue. */
static void note_reference(struct session *session, char type, const uint8_t *body, size_t length)
{
	flight_refer(session->flight, type, body, length, session->host->now_us(session->context));
	session_tell_untold(session);
}

static void note_mark(struct session *session, char type)
{
	if (!session->flight)
		return;
	flight_mark(session->flight, type);
	session_tell_untold(session);
}

/* Acts by a verdict on a whole message, and releases it. */
static enum action act(struct session *session, char type, const uint8_t *body, size_t length,
		       struct judgement *judgement)
{
	struct parse parse = {.name = "", .text = ""};
	enum action action = ACTION_PASS;

	if (!judgement) {
		session_fatal(session, "53200", "out of memory");
		return ACTION_OVER;
	}
	if (!read_statement(type, body, length, &parse))
		parse = (struct parse){.name = "", .text = ""};
	if (judgement_passes(judgement)) {
		note_approved(session, type, &parse, judgement);
	} else {
		session_deny(session, type, judgement);
		session_tell(session, judgement, parse.text, parse.text_length);
		action = ACTION_REPLACED;
	}
	judgement_release(judgement);
	return session->state == SESSION_OVER ? ACTION_OVER : action;
}

static enum action judge(struct session *session, char type, const uint8_t *body, size_t length)
{
	struct judgement *judgement;
	struct parse parse;

	if (!read_statement(type, body, length, &parse))
		return act(session, type, body, length,
			   judgement_plain(VERDICT_DENY, "08P01", "sql-protocol", "",
					   "invalid message format"));
	judgement = judge_types(session, &parse);
	if (!judgement)
		judgement = judge_bytes(session, &parse);
	if (!judgement)
		judgement = session->host->judge(session->context, parse.text, parse.text_length);
	if (!judgement)
		return session->state == SESSION_OVER ? ACTION_OVER : ACTION_WAIT;
	return act(session, type, body, length, judgement);
}

void session_judged(struct session *session, struct judgement *judgement)
{
	struct buffer message = session->client.message;
	const uint8_t *bytes = buffer_bytes(&message);

	if (session->state != SESSION_OPEN || !session->waiting) {
		judgement_release(judgement);
		return;
	}
	session->waiting = false;
	session->client.message = (struct buffer){0};
	session->budget->used -= session->budgeted;
	session->budgeted = 0;
	if (act(session, (char)bytes[0], bytes + MESSAGE_HEAD, message.length - MESSAGE_HEAD,
		judgement) == ACTION_PASS)
		session->host->to_server(session->context, bytes, message.length);
	buffer_clear(&message);
}

/* ---- messages ---- */

/* How much of a message's body is to be looked at before it may go on. */
static uint32_t bytes_to_see(const struct session *session, const struct message_head *head)
{
	if (session->skipping)
		return 0;
	if (head->type == 'Q' || head->type == 'P')
		return head->body;
	if (session->flight && head->type && strchr(REFERENCES, head->type))
		return head->body < NAMES_MAX ? head->body : NAMES_MAX;
	return 0;
}

/* What has come whole, as far as it is to be seen. */
static enum action on_seen(struct session *session, char type, const uint8_t *body, size_t length)
{
	if (type == 'Q' || type == 'P')
		return judge(session, type, body, length);
	note_reference(session, type, body, length);
	return ACTION_PASS;
}

/* A FunctionCall names a function by its OID: nothing to be judged. */
static bool function_call_passes(struct session *session)
{
	struct judgement *judgement = judgement_plain(
		unless_audit(session, VERDICT_DENY), "42501", "sql-function",
		session->rules->pointer,
		"permission denied for a function call message: it has no text that could be "
		"judged; call the function in a statement");

	if (!judgement) {
		session_fatal(session, "53200", "out of memory");
		return false;
	}
	if (!judgement_passes(judgement)) {
		session_deny(session, 'F', judgement);
	} else {
		session->syncs_sent++;
		note_mark(session, 'F');
	}
	session_tell(session, judgement, "", 0);
	judgement_release(judgement);
	return session->rules->audit;
}

/* May a message of this type go on (or be looked at)? */
static enum stream_mode mode_of(struct session *session, const struct message_head *head)
{
	if (session->skipping && head->type != 'S' && head->type != 'X') {
		/* The server would skip it too: PostgresMain(), ignore_till_sync. */
		if (head->type && strchr("QPBEDCHFdcf", head->type))
			return STREAM_SKIP;
	}
	switch (head->type) {
	case 'S':
		session->skipping = false;
		session->syncs_sent++;
		note_mark(session, 'S');
		return STREAM_PASS;
	case 'E':
		session->executes++;
		return STREAM_PASS;
	case 'Q':
	case 'P':
	case 'B':
	case 'D':
	case 'C':
	case 'H':
		return STREAM_PASS;
	case 'F':
		return function_call_passes(session) ? STREAM_PASS : STREAM_SKIP;
	case 'c':
	case 'f':
		if (session->copy_approved)
			note_mark(session, 'c');
		/* fallthrough */
	case 'd':
		/* Outside of a COPY the server ignores them. */
		return session->copy_approved ? STREAM_PASS : STREAM_SKIP;
	case 'X':
		session->state = SESSION_OVER;
		return STREAM_SKIP;
	case 'p':
		session_fatal(session, "08P01", "unexpected password message");
		return STREAM_SKIP;
	case '\0':
		session_fatal(session, "08P01", "invalid message length");
		return STREAM_SKIP;
	default:
		session_fatal(session, "08P01", "invalid frontend message type %d",
			      (unsigned char)head->type);
		return STREAM_SKIP;
	}
}

/* The statement is refused without a look at it. */
static void refuse_unseen(struct session *session, char type, const char *sentence)
{
	struct judgement *judgement = judgement_plain(VERDICT_UNDECIDED, "42501", "sql-limit",
						      session->rules->pointer, sentence);

	if (!judgement) {
		session_fatal(session, "53200", "out of memory");
		return;
	}
	session_deny(session, type, judgement);
	session_tell(session, judgement, "", 0);
	judgement_release(judgement);
}

/* Is a statement of that length to be judged? */
static bool is_within_limit(struct session *session, const struct message_head *head)
{
	char sentence[128];

	if (head->body <= SQL_TEXT_MAX + (head->type == 'P' ? PARSE_EXTRA_MAX : 1))
		return true;
	(void)snprintf(sentence, sizeof(sentence),
		       "the statement has about %u bytes; at most %u are judged", head->body,
		       SQL_TEXT_MAX);
	refuse_unseen(session, head->type, sentence);
	return false;
}

/* A message that is to be seen has not come whole: its bytes are put together, where there is
 * memory for that. */
static void start_collecting(struct scan *scan, const struct message_head *head,
			     const uint8_t *head_bytes, uint32_t see)
{
	struct session *session = scan->session;
	struct stream *stream = &session->client;

	if (see > BUDGET_FREE && session->budget->used + see > session->budget->limit) {
		refuse_unseen(session, head->type,
			      "too many long statements are on their way at once");
		stream->mode = STREAM_SKIP;
		stream->left = head->body;
		return;
	}
	if (see > BUDGET_FREE) {
		session->budget->used += see;
		session->budgeted = see;
	}
	stream->mode = STREAM_COLLECT;
	stream->left = see;
	stream->rest = head->body - see;
	buffer_append(&stream->message, head_bytes, MESSAGE_HEAD);
}

/* The message stands in the piece, as far as it is to be seen; its head is just before `at`. */
static void see_in_place(struct scan *scan, const struct message_head *head, uint32_t see)
{
	struct session *session = scan->session;
	const uint8_t *body = scan->bytes + scan->at;
	enum action action;

	session->client.mode = STREAM_PASS;
	session->client.left = head->body - see;
	session->client.rest = 0;
	scan->at += see;
	action = on_seen(session, head->type, body, see);
	if (action == ACTION_PASS)
		return;
	if (action == ACTION_WAIT) {
		buffer_append(&session->client.message, body - MESSAGE_HEAD, see + MESSAGE_HEAD);
		session->waiting = true;
	}
	scan->from = scan->at;
}

/* The rest of what was begun in an earlier piece, or of a message that is passed or skipped. */
static void take_rest(struct scan *scan)
{
	struct session *session = scan->session;
	struct stream *stream = &session->client;
	struct buffer message;
	enum action action;

	scan->at += stream_take(stream, scan->bytes + scan->at, scan->length - scan->at);
	if (stream->mode == STREAM_PASS)
		return;
	scan->from = scan->at;
	if (stream->mode == STREAM_SKIP || stream->left)
		return;
	message = stream->message;
	stream->mode = STREAM_PASS;
	stream->left = stream->rest;
	stream->rest = 0;
	if (message.failed) {
		session_fatal(session, "53200", "out of memory");
		return;
	}
	action = on_seen(session, (char)buffer_bytes(&message)[0],
			 buffer_bytes(&message) + MESSAGE_HEAD, message.length - MESSAGE_HEAD);
	if (action == ACTION_WAIT) {
		session->waiting = true;
		return;
	}
	stream->message = (struct buffer){0};
	session->budget->used -= session->budgeted;
	session->budgeted = 0;
	if (action == ACTION_PASS)
		session->host->to_server(session->context, buffer_bytes(&message), message.length);
	buffer_clear(&message);
}

/* The next message; its head may have begun in an earlier piece. */
static void next_message(struct scan *scan)
{
	struct session *session = scan->session;
	struct stream *stream = &session->client;
	bool split = stream->head_used > 0;
	size_t begin = scan->at, taken;
	struct message_head head;
	enum stream_mode mode;
	uint32_t see;

	if (!stream_next_head(stream, scan->bytes + scan->at, scan->length - scan->at, &head,
			      &taken)) {
		scan->at += taken;
		send_until(scan, begin, scan->at);
		return;
	}
	scan->at += taken;
	/* In whatever becomes of it, what stands before goes first. */
	if (head.type == 'F' || head.type == 'X')
		send_until(scan, begin, begin);
	see = bytes_to_see(session, &head);
	mode = mode_of(session, &head);
	if (session->state == SESSION_OVER)
		return;
	if (see && (head.type == 'Q' || head.type == 'P')) {
		send_until(scan, begin, begin);
		if (!is_within_limit(session, &head))
			mode = STREAM_SKIP;
	}
	if (mode == STREAM_SKIP) {
		send_until(scan, begin, scan->at);
		stream->mode = STREAM_SKIP;
		stream->left = head.body;
		return;
	}
	if (session->flight && head.body == 0 && strchr(REFERENCES, head.type))
		note_reference(session, head.type, (const uint8_t *)"", 0);
	if (head.body == 0 && (head.type == 'Q' || head.type == 'P')) {
		send_until(scan, begin, scan->at);
		(void)judge(session, head.type, (const uint8_t *)"", 0);
		return;
	}
	if (see && !split && scan->length - scan->at >= see) {
		see_in_place(scan, &head, see);
		return;
	}
	if (see) {
		send_until(scan, begin, scan->at);
		start_collecting(scan, &head, stream->head, see);
		return;
	}
	stream->mode = STREAM_PASS;
	stream->left = head.body;
	if (split) {
		session->host->to_server(session->context, stream->head, MESSAGE_HEAD);
		scan->from = scan->at;
	}
}

size_t session_open_client(struct session *session, const uint8_t *bytes, size_t length)
{
	struct scan scan = {.session = session, .bytes = bytes, .length = length};

	while (scan.at < length && session_reads_client(session)) {
		if (session->client.left)
			take_rest(&scan);
		else
			next_message(&scan);
	}
	if (session->state == SESSION_OVER)
		return length;
	send_until(&scan, scan.at, scan.at);
	return scan.at;
}
