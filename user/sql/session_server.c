// SPDX-License-Identifier: Apache-2.0
/*
 * What the server of an open session sends: heads alone are looked at, and the few messages that
 * the guard has to know (ReadyForQuery, ParameterStatus, the answer to a denied statement).
 */
#include "sql/session_internal.h"

#include <string.h>

struct scan {
	struct session *session;
	const uint8_t *bytes;
	size_t length, at, from;
};

static void send_until(struct scan *scan, size_t end, size_t next)
{
	if (end > scan->from)
		scan->session->host->to_client(scan->session->context, scan->bytes + scan->from,
					       end - scan->from);
	scan->from = next;
}

/* ---- messages that are seen whole; true: the client gets it as it is ---- */

/* Of what was sent, this has become of the first; `rows` NULL: none are counted. */
static void log_answer(struct session *session, char type, const uint64_t *rows)
{
	struct session_record record;

	if (!session->flight)
		return;
	if (flight_answer(session->flight, type, session->host->now_us(session->context),
			  &record)) {
		record.has_rows = rows != NULL;
		record.rows = rows ? *rows : 0;
		session->host->record(session->context, &record);
	}
	session_tell_untold(session);
}

/*
 * More rows than granted have come, and the server has ended the command by itself. Where nothing
 * else can have run behind it, the client hears of an error; else what it believes and what was
 * done would differ.
 */
static void end_over(struct session *session)
{
	session->rows_over = false;
	session->rows = 0;
	session->over_pieces = 0;
	if (session->cancelling && session->host->withdraw_cancel(session->context))
		session->cancelling = false;
	if (session->cancelling || session->executes > 1) {
		session_fatal(session, "54000",
			      "the answer has more than %llu rows; add LIMIT, or ask for less",
			      (unsigned long long)session->rules->policy->max_rows);
		return;
	}
	session_answer_cut(session);
	session->discarding = true;
	/* As after an error of the server's own. */
	if (session->syncs_sent == session->syncs_seen)
		session->skipping = true;
}

static bool on_complete(struct session *session, const uint8_t *body, size_t length)
{
	uint64_t rows = 0;
	bool counted =
		length && body[length - 1] == '\0' && command_tag_rows((const char *)body, &rows);

	log_answer(session, 'C', counted ? &rows : NULL);
	if (session->rows_over) {
		end_over(session);
		return false;
	}
	session->rows = 0;
	return true;
}

static bool on_error(struct session *session, const uint8_t *body, size_t length)
{
	const char *code, *severity = error_body_field(body, length, 'V');

	session->rows = 0;
	if (severity && strcmp(severity, "ERROR") != 0)
		session->server_ends = true;
	log_answer(session, 'E', NULL);
	if (session->denied_count && session_answer_denied(session, body, length))
		return false;
	if (!session->rows_over)
		return true;
	session->rows_over = false;
	session->over_pieces = 0;
	if (session->cancelling && session->host->withdraw_cancel(session->context))
		session->cancelling = false;
	code = error_body_field(body, length, 'C');
	if (session->cancelling && !(code && strcmp(code, "57014") == 0)) {
		/* The cancel is still on its way and would hit what comes next. */
		session_fatal(session, "54000", "the answer has too many rows; add LIMIT");
		return false;
	}
	session->cancelling = false;
	session_answer_cut(session);
	return false;
}

static bool on_ready(struct session *session, const uint8_t *body, size_t length)
{
	if (length != 1) {
		session_fatal(session, "08P01", "the server's ReadyForQuery is not understood");
		return false;
	}
	session->transaction = (char)body[0];
	session->syncs_seen++;
	session->discarding = false;
	session_forget_denied(session);
	if (session->syncs_seen >= session->syncs_sent)
		session->executes = 0;
	log_answer(session, 'Z', NULL);
	return true;
}

static bool on_seen(struct session *session, char type, const uint8_t *body, size_t length)
{
	switch (type) {
	case 'C':
		return on_complete(session, body, length);
	case 'E':
		return on_error(session, body, length);
	case 'Z':
		return on_ready(session, body, length);
	default:
		return session_watch_parameter(session, body, length);
	}
}

/* ---- heads ---- */

static bool is_seen_whole(const struct session *session, const struct message_head *head)
{
	switch (head->type) {
	case 'Z':
	case 'S':
		return true;
	case 'C':
		return session->flight || session->rows_over;
	case 'E':
		return true;
	default:
		return false;
	}
}

/* A row has come, or a line of COPY. */
static enum stream_mode count_row(struct session *session)
{
	uint64_t highest = session->rules->policy->max_rows;

	if (highest && ++session->rows > highest)
		session->rows_over = true;
	return session->rows_over ? STREAM_SKIP : STREAM_PASS;
}

/* What becomes of a message that is not seen whole. */
static enum stream_mode mode_of(struct session *session, const struct message_head *head)
{
	log_answer(session, head->type, NULL);
	if (session->discarding && head->type != 'N' && head->type != 'A')
		return STREAM_SKIP;
	switch (head->type) {
	case 'D':
	case 'd':
		return count_row(session);
	case '2': /* BindComplete: a portal from its start */
	case 'I':
		if (!session->rows_over)
			session->rows = 0;
		return STREAM_PASS;
	case 'C':
		session->rows = 0;
		return STREAM_PASS;
	case 's':
		if (!session->rows_over)
			return STREAM_PASS;
		end_over(session);
		return STREAM_SKIP;
	case 'c':
		return session->rows_over ? STREAM_SKIP : STREAM_PASS;
	case '1':
	case '3':
	case 'A':
	case 'E':
	case 'G':
	case 'H':
	case 'N':
	case 'n':
	case 'T':
	case 't':
	case 'V':
		return STREAM_PASS;
	default:
		session_fatal(session, "08P01", "the server sent a message of type 0x%02x",
			      (unsigned char)head->type);
		return STREAM_SKIP;
	}
}

/* The rest of a message from an earlier piece, or of one that passes or is skipped. */
static void take_rest(struct scan *scan)
{
	struct session *session = scan->session;
	struct stream *stream = &session->server;
	struct buffer message;

	scan->at += stream_take(stream, scan->bytes + scan->at, scan->length - scan->at);
	if (stream->mode == STREAM_PASS)
		return;
	scan->from = scan->at;
	if (stream->mode == STREAM_SKIP || stream->left)
		return;
	message = stream->message;
	stream->message = (struct buffer){0};
	stream->mode = STREAM_SKIP;
	if (message.failed)
		session_fatal(session, "53200", "out of memory");
	else if (on_seen(session, (char)buffer_bytes(&message)[0],
			 buffer_bytes(&message) + MESSAGE_HEAD, message.length - MESSAGE_HEAD))
		session->host->to_client(session->context, buffer_bytes(&message), message.length);
	buffer_clear(&message);
}

/* The whole message stands in the piece, its head just before `at`. */
static void see_in_place(struct scan *scan, const struct message_head *head)
{
	struct session *session = scan->session;
	const uint8_t *body = scan->bytes + scan->at;
	size_t begin = scan->at - MESSAGE_HEAD;

	/* What stands before it goes first: it may be replaced. */
	if (head->type != 'Z' || session->discarding)
		send_until(scan, begin, begin);
	scan->at += head->body;
	if (!on_seen(session, head->type, body, head->body))
		scan->from = scan->at;
}

static void next_message(struct scan *scan)
{
	struct session *session = scan->session;
	struct stream *stream = &session->server;
	bool split = stream->head_used > 0;
	size_t begin = scan->at, taken;
	struct message_head head;
	enum stream_mode mode;
	bool seen;

	if (!stream_next_head(stream, scan->bytes + scan->at, scan->length - scan->at, &head,
			      &taken)) {
		scan->at += taken;
		send_until(scan, begin, scan->at);
		return;
	}
	scan->at += taken;
	seen = is_seen_whole(session, &head) && head.body <= LOOK_MAX &&
	       !(session->discarding && head.type != 'Z' && head.type != 'S');
	if (seen && !split && scan->length - scan->at >= head.body) {
		see_in_place(scan, &head);
		return;
	}
	if (seen) {
		send_until(scan, begin, scan->at);
		stream->mode = STREAM_COLLECT;
		stream->left = head.body;
		buffer_append(&stream->message, stream->head, MESSAGE_HEAD);
		return;
	}
	/* A message that the guard makes in its place comes behind what stands before. */
	if (head.type == 's' || head.type == '\0')
		send_until(scan, begin, begin);
	mode = mode_of(session, &head);
	if (session->state == SESSION_OVER)
		return;
	if (mode == STREAM_SKIP)
		send_until(scan, begin, scan->at);
	stream->mode = mode;
	stream->left = head.body;
	if (split && mode == STREAM_PASS) {
		session->host->to_client(session->context, stream->head, MESSAGE_HEAD);
		scan->from = scan->at;
	}
}

void session_open_server(struct session *session, const uint8_t *bytes, size_t length)
{
	struct scan scan = {.session = session, .bytes = bytes, .length = length};

	while (scan.at < length && session->state == SESSION_OPEN) {
		if (session->server.left)
			take_rest(&scan);
		else
			next_message(&scan);
	}
	if (session->state == SESSION_OPEN)
		send_until(&scan, scan.at, scan.at);
	if (session->state == SESSION_OPEN && session->rows_over && !session->cancelling &&
	    ++session->over_pieces > OVER_PIECES) {
		session->cancelling = true;
		session->host->cancel_own(session->context);
	}
}
