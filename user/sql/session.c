// SPDX-License-Identifier: Apache-2.0
/* A session's life, and the two streams of messages. */
#include "sql/session_internal.h"

#include <stdarg.h>
#include <string.h>

struct session *session_new(const struct session_host *host, void *context,
			    const struct session_rules *rules, struct session_budget *budget,
			    uint64_t nonce)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->host = host;
	session->context = context;
	session->rules = rules;
	session->budget = budget;
	session->nonce = nonce;
	session->transaction = 'I';
	return session;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	while (session->denied_count) {
		judgement_release(session->denied[session->denied_first].judgement);
		session->denied_first = (session->denied_first + 1) % DENIED_MAX;
		session->denied_count--;
	}
	session->budget->used -= session->budgeted;
	buffer_clear(&session->client.message);
	buffer_clear(&session->server.message);
	buffer_clear(&session->catalog);
	startup_clear(&session->startup);
	flight_free(session->flight);
	free(session->told);
	free(session);
}

static void end(struct session *session, const char *code, const char *sentence)
{
	const struct error_response error = {
		.severity = "FATAL", .code = code, .message = sentence};
	struct buffer message = {0};

	if (session->state == SESSION_OVER)
		return;
	/* In the middle of a message of the server's nothing can be said any more. */
	if (!session->server_ends &&
	    !(session->server.left && session->server.mode == STREAM_PASS)) {
		message_put_error(&message, &error);
		if (!message.failed)
			session->host->to_client(session->context, buffer_bytes(&message),
						 message.length);
		buffer_clear(&message);
	}
	session->state = SESSION_OVER;
}

void session_end(struct session *session, const char *code, const char *sentence)
{
	end(session, code, sentence);
}

void session_fatal(struct session *session, const char *code, const char *format, ...)
{
	char sentence[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	end(session, code, sentence);
}

bool stream_next_head(struct stream *stream, const uint8_t *bytes, size_t length,
		      struct message_head *head, size_t *taken)
{
	size_t wanted = (size_t)MESSAGE_HEAD - stream->head_used;

	*taken = length < wanted ? length : wanted;
	memcpy(stream->head + stream->head_used, bytes, *taken);
	stream->head_used = (uint8_t)(stream->head_used + *taken);
	if (stream->head_used < MESSAGE_HEAD)
		return false;
	stream->head_used = 0;
	/* A length that can't be is left to the caller's look at the type: no type has it. */
	if (!message_head_read(stream->head, head))
		*head = (struct message_head){0};
	return true;
}

size_t stream_take(struct stream *stream, const uint8_t *bytes, size_t length)
{
	size_t taken = length < stream->left ? length : stream->left;

	if (stream->mode == STREAM_COLLECT)
		buffer_append(&stream->message, bytes, taken);
	stream->left -= (uint32_t)taken;
	return taken;
}

size_t session_from_client(struct session *session, const uint8_t *bytes, size_t length)
{
	size_t taken = 0, before;

	do {
		before = taken;
		if (session->state == SESSION_OVER)
			return length;
		if (session->state == SESSION_OPEN)
			taken += session_open_client(session, bytes + taken, length - taken);
		else
			taken += session_start_client(session, bytes + taken, length - taken);
	} while (taken < length && taken > before);
	return taken;
}

/* Until the session is open, every message of the server's is looked into whole. */
static size_t start_from_server(struct session *session, const uint8_t *bytes, size_t length)
{
	struct stream *stream = &session->server;
	struct message_head head;
	size_t taken = 0, limit;

	if (!stream->message.length) {
		if (!stream_next_head(stream, bytes, length, &head, &taken))
			return taken;
		limit = session->state == SESSION_CATALOG && head.type == 'D' ? CATALOG_MAX
									      : AUTH_MESSAGE_MAX;
		if (head.type == '\0' || head.body > limit) {
			session_fatal(session, "08P01",
				      "the server's answer can't be understood (message type "
				      "0x%02x at session start)",
				      (unsigned char)stream->head[0]);
			return length;
		}
		stream->mode = STREAM_COLLECT;
		stream->left = head.body;
		buffer_append(&stream->message, stream->head, MESSAGE_HEAD);
	}
	taken += stream_take(stream, bytes + taken, length - taken);
	if (stream->message.failed) {
		session_fatal(session, "53200", "out of memory");
	} else if (stream->left == 0) {
		struct buffer message = stream->message;

		stream->message = (struct buffer){0};
		(void)message_head_read(buffer_bytes(&message), &head);
		session_start_server(session, &head, buffer_bytes(&message));
		buffer_clear(&message);
	}
	return taken;
}

void session_from_server(struct session *session, const uint8_t *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && session->state != SESSION_OVER && session->state != SESSION_OPEN)
		at += start_from_server(session, bytes + at, length - at);
	if (at < length && session->state == SESSION_OPEN)
		session_open_server(session, bytes + at, length - at);
}

bool session_reads_client(const struct session *session)
{
	switch (session->state) {
	case SESSION_START:
	case SESSION_AUTH:
		return true;
	case SESSION_OPEN:
		return !session->waiting && session->denied_count < DENIED_MAX &&
		       !(session->flight && flight_is_full(session->flight));
	default:
		return false;
	}
}

bool session_is_over(const struct session *session)
{
	return session->state == SESSION_OVER;
}

bool session_is_open(const struct session *session)
{
	return session->state == SESSION_OPEN;
}

const char *session_user(const struct session *session)
{
	return session->startup.user;
}

const char *session_database(const struct session *session)
{
	return session->startup.database;
}

bool session_is_superuser(const struct session *session)
{
	return session->superuser;
}

bool session_server_key(const struct session *session, uint32_t *pid, uint32_t *key)
{
	*pid = session->server_pid;
	*key = session->server_key;
	return session->has_key;
}
