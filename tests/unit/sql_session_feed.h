/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sessions say as a client and as a server, in pieces of any size. */
#ifndef AGENTPOL_TESTS_UNIT_SQL_SESSION_FEED_H
#define AGENTPOL_TESTS_UNIT_SQL_SESSION_FEED_H

#include "tests/unit/sql_wire.h"

/* Both directions, in pieces of `step` bytes. */
static size_t step = 1U << 30;

static inline size_t feed(struct wire *wire, bool client, const void *bytes, size_t length)
{
	size_t at = 0, more, taken;

	while (at < length) {
		more = length - at < step ? length - at : step;
		taken = more;
		if (client)
			taken = session_from_client(wire->session, (const uint8_t *)bytes + at,
						    more);
		else
			session_from_server(wire->session, (const uint8_t *)bytes + at, more);
		at += taken;
		if (taken < more)
			break;
	}
	return at;
}
#define CLIENT(literal) feed(&wire, true, (literal), sizeof(literal) - 1)
#define SERVER(literal) feed(&wire, false, (literal), sizeof(literal) - 1)

static inline size_t client_says(struct wire *wire, char type, const void *body, size_t length)
{
	struct buffer message = {0};
	size_t begin = message_begin(&message, type), taken;

	buffer_append(&message, body, length);
	message_end(&message, begin);
	taken = feed(wire, true, buffer_bytes(&message), message.length);
	buffer_clear(&message);
	return taken;
}

static inline size_t query(struct wire *wire, const char *text)
{
	return client_says(wire, 'Q', text, strlen(text) + 1);
}

static inline size_t parse(struct wire *wire, const char *name, const char *text)
{
	struct buffer body = {0};
	size_t taken;

	protocol_put_string(&body, name);
	protocol_put_string(&body, text);
	buffer_append(&body, "\0", 2);
	taken = client_says(wire, 'P', buffer_bytes(&body), body.length);
	buffer_clear(&body);
	return taken;
}

static inline void server_says_error(struct wire *wire, const char *code, const char *text)
{
	const struct error_response error = {.severity = "ERROR", .code = code, .message = text};
	struct buffer message = {0};

	message_put_error(&message, &error);
	feed(wire, false, buffer_bytes(&message), message.length);
	buffer_clear(&message);
}

static inline bool has(const struct buffer *buffer, const char *text)
{
	return buffer->length && memmem(buffer_bytes(buffer), buffer->length, text, strlen(text));
}

/* The types of the messages that stand in the buffer. */
static inline const char *types(const struct buffer *buffer)
{
	static char list[64];
	struct message_head head;
	size_t at = 0, count = 0;

	while (at + MESSAGE_HEAD <= buffer->length && count < sizeof(list) - 1) {
		assert_true(message_head_read(buffer_bytes(buffer) + at, &head));
		list[count++] = head.type;
		at += MESSAGE_HEAD + head.body;
	}
	assert_int_equal(at, buffer->length);
	list[count] = '\0';
	return list;
}

static inline void forget(struct wire *wire)
{
	buffer_clear(&wire->client);
	buffer_clear(&wire->server);
}

static inline void start(struct wire *wire)
{
	assert_true(wire_open(wire));
	feed(wire, true, wire_client_start, sizeof(wire_client_start) - 1);
	assert_int_equal(wire->servers_wanted, 1);
	session_server_ready(wire->session);
	feed(wire, false, wire_server_start, sizeof(wire_server_start) - 1);
	assert_true(session_is_open(wire->session));
	forget(wire);
}

static inline int in_whole_messages(void **state)
{
	(void)state;
	step = 1U << 30;
	return 0;
}

static inline int in_single_bytes(void **state)
{
	(void)state;
	step = 1;
	return 0;
}

static inline int in_sevens(void **state)
{
	(void)state;
	step = 7;
	return 0;
}

#endif
