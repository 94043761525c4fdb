// SPDX-License-Identifier: Apache-2.0
/*
 * A session of the SQL guard, both directions. The input is pieces: a byte that says what (client,
 * server, a verdict, the server is ready) and how long, then the bytes. Besides what the sanitizers
 * see: no text that was denied may be among what the server gets, and what the session keeps stays
 * bounded.
 */
#include <stdlib.h>

#include "tests/unit/sql_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void from_client(struct wire *wire, struct buffer *held, const uint8_t *bytes, size_t length)
{
	size_t taken = 1;

	buffer_append(held, bytes, length);
	while (held->length && taken) {
		taken = session_from_client(wire->session, buffer_bytes(held), held->length);
		check(taken <= held->length);
		buffer_take(held, taken);
	}
}

/* What the server makes of what it got: whole messages, of which it reads some as SQL. */
struct seen {
	struct buffer bytes;
	size_t skip; /* of a message that is no SQL */
};

static bool is_text(char type)
{
	return type == 'Q' || type == 'P';
}

static void check_seen(struct seen *seen, const struct buffer *more)
{
	struct message_head head;
	const char *text;

	if (more->length)
		buffer_append(&seen->bytes, buffer_bytes(more), more->length);
	for (;;) {
		size_t skipped = seen->skip < seen->bytes.length ? seen->skip : seen->bytes.length;

		buffer_take(&seen->bytes, skipped);
		seen->skip -= skipped;
		if (seen->bytes.length < MESSAGE_HEAD)
			return;
		check(message_head_read(buffer_bytes(&seen->bytes), &head));
		if (is_text(head.type) && seen->bytes.length < MESSAGE_HEAD + head.body)
			return;
		if (is_text(head.type)) {
			text = (const char *)buffer_bytes(&seen->bytes) + MESSAGE_HEAD;
			check(head.body > 0 && memchr(text, '\0', head.body));
			if (head.type == 'P')
				text += strlen(text) + 1;
			check(!strstr(text, "shift"));
			check(!strstr(text, "deny"));
		}
		check(head.type != 'F');
		seen->skip = MESSAGE_HEAD + head.body;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = {0};
	bool open;
	struct wire wire = {.budget = {.limit = 1U << 16}};
	struct buffer held = {0};
	size_t length;
	uint8_t what;

	if (size < 2)
		return 0;
	wire.policy.max_rows = data[0] & 3;
	wire.rules.log_allowed = data[0] & 4;
	wire.rules.audit = data[0] & 8;
	if (!wire_open(&wire))
		return 0;
	/* Most inputs start where statements are served. */
	open = !(data[0] & 16);
	if (open) {
		from_client(&wire, &held, wire_client_start, sizeof(wire_client_start) - 1);
		session_server_ready(wire.session);
		session_from_server(wire.session, wire_server_start, sizeof(wire_server_start) - 1);
		check(session_is_open(wire.session));
		buffer_clear(&wire.server);
		buffer_clear(&wire.client);
	}
	for (data++, size--; size > 0; data += length, size -= length) {
		what = data[0] >> 6;
		length = data[0] & 63;
		data++;
		size--;
		if (length > size)
			length = size;
		if (what <= 1)
			from_client(&wire, &held, data, length);
		else if (what == 2)
			session_from_server(wire.session, data, length);
		else if (length & 1)
			session_judged(wire.session,
				       wire_verdict(length & 2 || strstr(wire.asked, "deny") ||
								    strstr(wire.asked, "shift")
							    ? "deny"
							    : "select 1"));
		else
			session_server_ready(wire.session);
		if (what == 3)
			length = 0;
		from_client(&wire, &held, NULL, 0);
		if (open && !wire.rules.audit)
			check_seen(&seen, &wire.server);
		check(wire.budget.used <= wire.budget.limit);
		buffer_clear(&wire.server);
		buffer_clear(&wire.client);
	}
	wire_close(&wire);
	check(wire.budget.used == 0);
	buffer_clear(&held);
	buffer_clear(&seen.bytes);
	return 0;
}
