// SPDX-License-Identifier: Apache-2.0
/*
 * Until the session is open: the client's first packets, authentication, what the server says of
 * itself, and the guard's look at its catalog.
 */
#include "sql/session_internal.h"

#include <string.h>
#include <strings.h>

static void to_client(struct session *session, const struct buffer *message)
{
	if (message->failed)
		session_fatal(session, "53200", "out of memory");
	else
		session->host->to_client(session->context, buffer_bytes(message), message->length);
}

/* ---- the client ---- */

static void serve_startup(struct session *session)
{
	switch (session->startup.kind) {
	case STARTUP_SESSION:
		session->state = SESSION_WANTED;
		session->host->want_server(session->context);
		return;
	case STARTUP_CANCEL:
		session->state = SESSION_OVER;
		session->host->cancel_other(session->context, session->startup.pid,
					    session->startup.key);
		return;
	case STARTUP_REFUSED:
		session_end(session, session->startup.code, session->startup.sentence);
		return;
	case STARTUP_ENCRYPTION:
	case STARTUP_CLOSED:
		session->state = SESSION_OVER;
	}
}

/* A packet is whole. `behind`: bytes that came after it. */
static void take_startup(struct session *session, size_t behind)
{
	struct buffer packet = session->client.message;

	session->client.message = (struct buffer){0};
	startup_read(session->rules->policy, buffer_bytes(&packet) + 4, packet.length - 4,
		     &session->startup);
	buffer_clear(&packet);
	if (session->startup.kind != STARTUP_ENCRYPTION) {
		serve_startup(session);
		return;
	}
	/* What stands in clear behind such a request would be taken for what came under
	 * encryption (CVE-2021-23214); and a client asks for each at most once. */
	if (behind || ++session->encryption_asked > 2)
		session->state = SESSION_OVER;
	else
		session->host->to_client(session->context, "N", 1);
}

/* How long the packet is, as far as that is known; 0: as none can be. */
static size_t packet_length(const struct buffer *packet)
{
	uint32_t length;

	if (packet->length < 4)
		return 4;
	length = protocol_get32(buffer_bytes(packet));
	return length < 8 || length > STARTUP_PACKET_MAX ? 0 : length;
}

static size_t startup_bytes(struct session *session, const uint8_t *bytes, size_t length)
{
	struct buffer *packet = &session->client.message;
	size_t taken = 0, wanted = packet_length(packet), more;

	while (taken < length && packet->length < wanted && !packet->failed) {
		more = wanted - packet->length;
		if (more > length - taken)
			more = length - taken;
		buffer_append(packet, bytes + taken, more);
		taken += more;
		wanted = packet_length(packet);
	}
	if (wanted == 0 || packet->failed)
		session->state = SESSION_OVER;
	else if (packet->length == wanted)
		take_startup(session, length - taken);
	return taken;
}

/* Passwords and SASL messages, as they are. What else a client may have sent ahead waits until the
 * session is open. */
static size_t auth_bytes(struct session *session, const uint8_t *bytes, size_t length)
{
	struct stream *stream = &session->client;
	struct message_head head;
	size_t taken;

	if (stream->left) {
		taken = stream_take(stream, bytes, length);
		session->host->to_server(session->context, bytes, taken);
		return taken;
	}
	if (stream->head_used == 0 && bytes[0] != 'p') {
		if (bytes[0] != 'X')
			return 0;
		session->state = SESSION_OVER;
		return length;
	}
	if (!stream_next_head(stream, bytes, length, &head, &taken))
		return taken;
	if (head.type != 'p' || head.body > AUTH_MESSAGE_MAX) {
		session_fatal(session, "08P01", "invalid password packet size");
		return length;
	}
	stream->mode = STREAM_PASS;
	stream->left = head.body;
	session->host->to_server(session->context, stream->head, MESSAGE_HEAD);
	return taken;
}

size_t session_start_client(struct session *session, const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	if (session->state == SESSION_START)
		return startup_bytes(session, bytes, length);
	if (session->state == SESSION_AUTH)
		return auth_bytes(session, bytes, length);
	return 0;
}

void session_server_ready(struct session *session)
{
	struct buffer message = {0};

	if (session->state != SESSION_WANTED)
		return;
	session->state = SESSION_AUTH;
	if (session->startup.negotiate) {
		startup_build_negotiate(&session->startup, &message);
		to_client(session, &message);
		buffer_clear(&message);
	}
	startup_build(&session->startup, session->rules->policy, &message);
	if (message.failed)
		session_fatal(session, "53200", "out of memory");
	else
		session->host->to_server(session->context, buffer_bytes(&message), message.length);
	buffer_clear(&message);
	startup_clear(&session->startup);
}

/* ---- the server ---- */

/*
 * AuthenticationSASL: the names of mechanisms, the last one empty. Channel binding would bind to
 * the guard's own TLS connection, which the client does not see: it is not offered.
 */
static void pass_sasl(struct session *session, const uint8_t *body, size_t length)
{
	const uint8_t *at = body + 4, *end = body + length, *stop;
	struct buffer message = {0};
	size_t begin = message_begin(&message, 'R'), count = 0;

	buffer_append(&message, body, 4);
	while (at < end && *at != '\0') {
		size_t name;

		stop = memchr(at, '\0', (size_t)(end - at));
		if (!stop)
			break;
		name = (size_t)(stop - at);
		if (name < 5 || memcmp(stop - 5, "-PLUS", 5) != 0) {
			buffer_append(&message, at, name + 1);
			count++;
		}
		at = stop + 1;
	}
	buffer_append(&message, "", 1);
	message_end(&message, begin);
	if (count == 0)
		session_fatal(session, "28000",
			      "the server wants SASL with channel binding, which can't be had "
			      "through the guard");
	else
		to_client(session, &message);
	buffer_clear(&message);
}

static void on_authentication(struct session *session, const uint8_t *message, size_t length)
{
	const uint8_t *body = message + MESSAGE_HEAD;
	uint32_t kind;

	if (session->state != SESSION_AUTH || length < 4) {
		session_fatal(session, "08P01", "the server authenticates at the wrong time");
		return;
	}
	kind = protocol_get32(body);
	if (kind == 10) {
		pass_sasl(session, body, length);
		return;
	}
	/* The guard's own query would stand in the middle of it, and its rest be taken for later.
	 */
	if (kind == 0 && (session->client.left || session->client.head_used)) {
		session_fatal(session, "08P01", "authentication has ended within a message");
		return;
	}
	if (kind == 0)
		session->state = SESSION_SETTLE;
	session->host->to_client(session->context, message, MESSAGE_HEAD + length);
}

static bool is_guarded_encoding(const char *value)
{
	return strcasecmp(value, "UTF8") == 0 || strcasecmp(value, "SQL_ASCII") == 0;
}

bool session_watch_parameter(struct session *session, const uint8_t *body, size_t length)
{
	const char *name = (const char *)body, *value;
	const uint8_t *end = memchr(body, '\0', length);

	if (!end || !memchr(end + 1, '\0', length - (size_t)(end + 1 - body))) {
		session_fatal(session, "08P01", "the server's ParameterStatus is not understood");
		return false;
	}
	value = (const char *)end + 1;
	if (strcmp(name, "standard_conforming_strings") == 0) {
		session->strings_conform = strcmp(value, "on") == 0;
		if (!session->strings_conform)
			session_fatal(session, "28000",
				      "standard_conforming_strings is %.20s: statements can't be "
				      "judged; it must be on",
				      value);
	} else if (strcmp(name, "client_encoding") == 0) {
		session->encoding_known = is_guarded_encoding(value);
		if (!session->encoding_known)
			session_fatal(session, "28000",
				      "client_encoding is %.40s: statements can't be judged; it "
				      "must be UTF8",
				      value);
	} else if (strcmp(name, "server_encoding") == 0) {
		session->knows_names = strcmp(value, "UTF8") == 0;
	} else if (strcmp(name, "is_superuser") == 0) {
		session->superuser = strcmp(value, "on") == 0;
	}
	return session->state != SESSION_OVER;
}

static void on_key(struct session *session, const uint8_t *body, size_t length)
{
	struct buffer message = {0};
	uint32_t pid, key;
	size_t begin;

	if (length != 8 || session->state != SESSION_SETTLE) {
		session_fatal(session, "08P01", "the server's BackendKeyData is not understood");
		return;
	}
	session->server_pid = protocol_get32(body);
	session->server_key = protocol_get32(body + 4);
	session->has_key = true;
	session->host->issue_key(session->context, &pid, &key);
	begin = message_begin(&message, 'K');
	protocol_put32(&message, pid);
	protocol_put32(&message, key);
	message_end(&message, begin);
	to_client(session, &message);
	buffer_clear(&message);
}

/* The server is ready: before the client may be, the guard asks for the catalog. */
static void ask_catalog(struct session *session)
{
	struct buffer message = {0};
	size_t begin;

	if (!session->strings_conform || !session->encoding_known) {
		session_fatal(session, "28000",
			      "the server does not tell %s: statements can't be judged",
			      session->strings_conform ? "client_encoding"
						       : "standard_conforming_strings");
		return;
	}
	session->state = SESSION_CATALOG;
	begin = message_begin(&message, 'Q');
	protocol_put_string(&message, session->rules->catalog_query);
	message_end(&message, begin);
	if (message.failed)
		session_fatal(session, "53200", "out of memory");
	else
		session->host->to_server(session->context, buffer_bytes(&message), message.length);
	buffer_clear(&message);
}

/* One row, one column. */
static void take_catalog_row(struct session *session, const uint8_t *body, size_t length)
{
	uint32_t value;

	if (length < 6 || protocol_get16(body) != 1 || session->catalog.length)
		return;
	value = protocol_get32(body + 2);
	if (value == length - 6)
		buffer_append(&session->catalog, body + 6, value);
}

static void on_catalog_ready(struct session *session)
{
	struct buffer text = session->catalog;

	session->catalog = (struct buffer){0};
	if (text.failed || text.length == 0) {
		session_fatal(session, "58000",
			      "the server's catalog has not come: statements can't be judged");
	} else {
		session->state = SESSION_SNAPSHOT;
		session->host->take_catalog(session->context, (const char *)buffer_bytes(&text),
					    text.length);
	}
	buffer_clear(&text);
}

/* The server's refusal is the client's to see; after it nothing more comes. */
static void on_error(struct session *session, const uint8_t *message, size_t length)
{
	const char *said = error_body_field(message + MESSAGE_HEAD, length, 'M');

	if (session->state == SESSION_CATALOG || session->state == SESSION_SNAPSHOT) {
		session_fatal(session, "58000", "the server's catalog can't be read: %.300s",
			      said ? said : "no reason given");
		return;
	}
	session->host->to_client(session->context, message, MESSAGE_HEAD + length);
	session->state = SESSION_OVER;
}

void session_start_server(struct session *session, const struct message_head *head,
			  const uint8_t *message)
{
	const uint8_t *body = message + MESSAGE_HEAD;
	bool catalog = session->state == SESSION_CATALOG;

	switch (head->type) {
	case 'R':
		on_authentication(session, message, head->body);
		return;
	case 'S':
		if (!session_watch_parameter(session, body, head->body))
			return;
		session->host->to_client(session->context, message, MESSAGE_HEAD + head->body);
		return;
	case 'K':
		on_key(session, body, head->body);
		return;
	case 'N':
	case 'A':
		/* Of the guard's own query nobody else is told. */
		if (!catalog)
			session->host->to_client(session->context, message,
						 MESSAGE_HEAD + head->body);
		return;
	case 'E':
		on_error(session, message, head->body);
		return;
	case 'Z':
		if (session->state == SESSION_SETTLE)
			ask_catalog(session);
		else if (catalog)
			on_catalog_ready(session);
		else
			break;
		return;
	case 'D':
		if (!catalog)
			break;
		take_catalog_row(session, body, head->body);
		return;
	case 'T':
	case 'C':
		if (!catalog)
			break;
		return;
	default:
		break;
	}
	session_fatal(session, "08P01", "the server sent a message of type 0x%02x at session start",
		      (unsigned char)head->type);
}

void session_catalog_ready(struct session *session)
{
	static const uint8_t ready[] = {'Z', 0, 0, 0, 5, 'I'};

	if (session->state != SESSION_SNAPSHOT)
		return;
	if (session->rules->log_allowed) {
		session->flight = flight_new();
		if (!session->flight) {
			session_fatal(session, "53200", "out of memory");
			return;
		}
	}
	session->state = SESSION_OPEN;
	session->host->to_client(session->context, ready, sizeof(ready));
}
