// SPDX-License-Identifier: Apache-2.0
/*
 * A client of PostgreSQL's protocol 3.0 that keeps no rules: what a driver never sends. Usage:
 *
 *	pgraw HOST PORT USER DATABASE ATTEMPT...
 *
 * Runs the attempts (all where none is named), each on a connection of its own, and prints a line
 * each: the attempt, a tab, and the transcript of what the server said: message types, with the
 * SQLSTATE of an error ("E42501", FATAL as "F28000"), the tag of a completion ("C:SELECT"), the
 * state of ReadyForQuery ("ZI"); "closed" where the connection ended, "silent" where nothing came.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MESSAGE_MAX    (1U << 20)
#define TRANSCRIPT_MAX 4096
#define SILENCE_MS     3000
#define PROTOCOL_3     196608U

static const char *host, *port, *user, *database;

struct connection {
	int fd;
	bool bytewise; /* each byte a segment of its own */
	uint32_t pid, key;
	char transcript[TRANSCRIPT_MAX];
};

struct bytes {
	unsigned char data[8192];
	size_t length;
};

static void add(struct bytes *to, const void *data, size_t length)
{
	if (length > sizeof(to->data) - to->length)
		abort();
	memcpy(to->data + to->length, data, length);
	to->length += length;
}
static void add_string(struct bytes *to, const char *text)
{
	add(to, text, strlen(text) + 1);
}
static void add32(struct bytes *to, uint32_t value)
{
	value = htonl(value);
	add(to, &value, sizeof(value));
}
static void add16(struct bytes *to, uint16_t value)
{
	value = htons(value);
	add(to, &value, sizeof(value));
}

static void note(struct connection *c, const char *word)
{
	size_t used = strlen(c->transcript);

	(void)snprintf(c->transcript + used, sizeof(c->transcript) - used, "%s%s", used ? " " : "",
		       word);
}

static bool open_connection(struct connection *c)
{
	const struct timeval wait = {SILENCE_MS / 1000, SILENCE_MS % 1000 * 1000};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
	const int one = 1;

	if (getaddrinfo(host, port, &hints, &found) != 0)
		return false;
	c->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, found->ai_addr, found->ai_addrlen) < 0) {
		note(c, "refused");
		(void)close(c->fd);
		c->fd = -1;
	}
	freeaddrinfo(found);
	return c->fd >= 0;
}

static void send_bytes(struct connection *c, const void *data, size_t length)
{
	const unsigned char *at = data;

	while (length > 0 && c->fd >= 0) {
		ssize_t sent = send(c->fd, at, c->bytewise ? 1 : length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		at += sent;
		length -= (size_t)sent;
	}
}

static void send_message(struct connection *c, char type, const struct bytes *body)
{
	struct bytes message = {0};

	add(&message, &type, 1);
	add32(&message, (uint32_t)body->length + 4);
	add(&message, body->data, body->length);
	send_bytes(c, message.data, message.length);
}

static void send_simple(struct connection *c, char type)
{
	send_message(c, type, &(struct bytes){0});
}

static void query(struct connection *c, const char *text)
{
	struct bytes body = {0};

	add_string(&body, text);
	send_message(c, 'Q', &body);
}

static void parse(struct connection *c, const char *name, const char *text)
{
	struct bytes body = {0};

	add_string(&body, name);
	add_string(&body, text);
	add16(&body, 0);
	send_message(c, 'P', &body);
}

static void bind_portal(struct connection *c, const char *portal, const char *statement)
{
	struct bytes body = {0};

	add_string(&body, portal);
	add_string(&body, statement);
	add16(&body, 0);
	add16(&body, 0);
	add16(&body, 0);
	send_message(c, 'B', &body);
}

static void describe(struct connection *c, char what, const char *name)
{
	struct bytes body = {0};

	add(&body, &what, 1);
	add_string(&body, name);
	send_message(c, 'D', &body);
}

static void execute(struct connection *c, const char *portal)
{
	struct bytes body = {0};

	add_string(&body, portal);
	add32(&body, 0);
	send_message(c, 'E', &body);
}

static void run_extended(struct connection *c, const char *name, const char *text)
{
	parse(c, name, text);
	bind_portal(c, "", name);
	execute(c, "");
}

static bool receive(struct connection *c, void *data, size_t length)
{
	unsigned char *at = data;

	while (length > 0) {
		ssize_t got = recv(c->fd, at, length, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			note(c, got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? "silent"
										     : "closed");
			return false;
		}
		at += got;
		length -= (size_t)got;
	}
	return true;
}

/* The error's severity and code. */
static void note_error(struct connection *c, const char *body, size_t length)
{
	char word[16] = "E?????";

	for (size_t at = 0; at < length && body[at];) {
		const char field = body[at];
		const char *text = body + at + 1;

		if (field == 'C')
			(void)snprintf(word + 1, sizeof(word) - 1, "%.5s", text);
		if (field == 'V' && strcmp(text, "ERROR") != 0)
			word[0] = 'F';
		at += strlen(text) + 2;
	}
	note(c, word);
}

/* One message; its type, or 0 at the end. Rows and notices leave no trace but one "D". */
static char take(struct connection *c)
{
	static char body[MESSAGE_MAX + 1];
	unsigned char head[5];
	char word[64];
	uint32_t length, left;

	if (c->fd < 0 || !receive(c, head, sizeof(head)))
		return 0;
	memcpy(&length, head + 1, sizeof(length));
	length = ntohl(length);
	if (length < 4) {
		note(c, "bad-length");
		return 0;
	}
	left = length - 4;
	length = left < MESSAGE_MAX ? left : MESSAGE_MAX;
	if (!receive(c, body, length))
		return 0;
	body[length] = '\0';
	for (left -= length; left > 0; left -= left < 4096 ? left : 4096)
		if (!receive(c, body + MESSAGE_MAX - 4096, left < 4096 ? left : 4096))
			return 0;
	switch (head[0]) {
	case 'E':
		note_error(c, body, length);
		break;
	case 'C':
		(void)snprintf(word, sizeof(word), "C:%.40s", body);
		word[strcspn(word, " ")] = '\0';
		note(c, word);
		break;
	case 'Z':
		(void)snprintf(word, sizeof(word), "Z%c", body[0]);
		note(c, word);
		break;
	case 'K':
		memcpy(&c->pid, body, 4);
		memcpy(&c->key, body + 4, 4);
		break;
	case 'D':
		if (!strlen(c->transcript) || c->transcript[strlen(c->transcript) - 1] != 'D')
			note(c, "D");
		break;
	case 'S':
	case 'N':
	case 'R':
		break;
	default:
		(void)snprintf(word, sizeof(word), "%c", head[0]);
		note(c, word);
	}
	return (char)head[0];
}

/* Until ReadyForQuery, or the end. */
static bool until_ready(struct connection *c)
{
	char type;

	do
		type = take(c);
	while (type && type != 'Z');
	return type == 'Z';
}

static void until_end(struct connection *c)
{
	while (take(c))
		;
}

static void send_startup(struct connection *c, uint32_t version, const char *const *more)
{
	struct bytes body = {0}, packet = {0};

	add32(&body, version);
	add_string(&body, "user");
	add_string(&body, user);
	add_string(&body, "database");
	add_string(&body, database);
	for (; more && *more; more++)
		add_string(&body, *more);
	add(&body, "", 1);
	add32(&packet, (uint32_t)body.length + 4);
	add(&packet, body.data, body.length);
	send_bytes(c, packet.data, packet.length);
}

/* Ready, with an empty transcript. */
static bool start(struct connection *c)
{
	if (!open_connection(c))
		return false;
	send_startup(c, PROTOCOL_3, NULL);
	if (!until_ready(c))
		return false;
	c->transcript[0] = '\0';
	return true;
}

static void start_with(struct connection *c, const char *key, const char *value)
{
	const char *const more[] = {key, value, NULL};

	if (!open_connection(c))
		return;
	send_startup(c, PROTOCOL_3, more);
	(void)until_ready(c);
}

/* ---- attempts ---- */

#define GRANTED	 "SELECT id FROM orders WHERE id = 1"
#define GRANTED2 "SELECT name FROM customers WHERE id = 2"
#define DENIED	 "SELECT secret FROM vault"
#define DROP	 "DROP TABLE orders"

static void simple_granted(struct connection *c)
{
	if (!start(c))
		return;
	query(c, GRANTED);
	(void)until_ready(c);
}

static void simple_denied(struct connection *c)
{
	if (!start(c))
		return;
	query(c, DENIED);
	(void)until_ready(c);
	query(c, GRANTED);
	(void)until_ready(c);
}

static void extended_denied(struct connection *c)
{
	if (!start(c))
		return;
	run_extended(c, "", DENIED);
	send_simple(c, 'S');
	(void)until_ready(c);
	run_extended(c, "", GRANTED);
	send_simple(c, 'S');
	(void)until_ready(c);
}

static void pipeline_middle(struct connection *c)
{
	if (!start(c))
		return;
	run_extended(c, "", GRANTED);
	run_extended(c, "", DENIED);
	run_extended(c, "", GRANTED2);
	send_simple(c, 'S');
	run_extended(c, "", GRANTED2);
	send_simple(c, 'S');
	(void)until_ready(c);
	(void)until_ready(c);
}

/* What is behind the failed one must not be run, though it is granted. */
static void pipeline_no_sync(struct connection *c)
{
	if (!start(c))
		return;
	run_extended(c, "", DENIED);
	run_extended(c, "", GRANTED);
	send_simple(c, 'H');
	query(c, GRANTED2);
	send_simple(c, 'S');
	(void)until_ready(c);
}

static void transaction_failed(struct connection *c)
{
	if (!start(c))
		return;
	query(c, "BEGIN");
	(void)until_ready(c);
	query(c, DENIED);
	(void)until_ready(c);
	query(c, GRANTED);
	(void)until_ready(c);
	query(c, "ROLLBACK");
	(void)until_ready(c);
	query(c, GRANTED);
	(void)until_ready(c);
}

static void transaction_failed_extended(struct connection *c)
{
	if (!start(c))
		return;
	run_extended(c, "", "BEGIN");
	run_extended(c, "", DENIED);
	send_simple(c, 'S');
	(void)until_ready(c);
	run_extended(c, "", GRANTED);
	send_simple(c, 'S');
	(void)until_ready(c);
	query(c, "ROLLBACK");
	(void)until_ready(c);
}

static void named_denied(struct connection *c)
{
	if (!start(c))
		return;
	parse(c, "evil", DENIED);
	send_simple(c, 'S');
	(void)until_ready(c);
	bind_portal(c, "", "evil");
	execute(c, "");
	send_simple(c, 'S');
	(void)until_ready(c);
	describe(c, 'S', "evil");
	send_simple(c, 'S');
	(void)until_ready(c);
}

/* The name stays the granted one's. */
static void named_again(struct connection *c)
{
	if (!start(c))
		return;
	parse(c, "s", GRANTED);
	send_simple(c, 'S');
	(void)until_ready(c);
	parse(c, "s", DENIED);
	send_simple(c, 'S');
	(void)until_ready(c);
	bind_portal(c, "", "s");
	execute(c, "");
	send_simple(c, 'S');
	(void)until_ready(c);
}

static void parse_stacked(struct connection *c)
{
	if (!start(c))
		return;
	run_extended(c, "", "SELECT 1; " DROP);
	send_simple(c, 'S');
	(void)until_ready(c);
}

static void query_stacked(struct connection *c)
{
	if (!start(c))
		return;
	query(c, "COMMIT; " DROP);
	(void)until_ready(c);
}

static void cursor_by_execute(struct connection *c)
{
	if (!start(c))
		return;
	query(c, "BEGIN");
	(void)until_ready(c);
	query(c, "DECLARE p CURSOR FOR " DENIED);
	(void)until_ready(c);
	execute(c, "p");
	send_simple(c, 'S');
	(void)until_ready(c);
}

static void prepared_by_bind(struct connection *c)
{
	if (!start(c))
		return;
	query(c, "PREPARE p AS " DENIED);
	(void)until_ready(c);
	bind_portal(c, "", "p");
	execute(c, "");
	send_simple(c, 'S');
	(void)until_ready(c);
}

static void function_call(struct connection *c)
{
	struct bytes body = {0};

	if (!start(c))
		return;
	add32(&body, 715); /* lo_create(oid) */
	add16(&body, 0);
	add16(&body, 1);
	add32(&body, 1);
	add(&body, "7", 1);
	add16(&body, 0);
	send_message(c, 'F', &body);
	(void)until_ready(c);
	query(c, GRANTED);
	(void)until_ready(c);
}

static void startup_replication(struct connection *c)
{
	start_with(c, "replication", "database");
}
static void startup_options(struct connection *c)
{
	start_with(c, "options", "-c standard_conforming_strings=off");
}
static void startup_strings(struct connection *c)
{
	start_with(c, "standard_conforming_strings", "off");
}
static void startup_encoding(struct connection *c)
{
	start_with(c, "client_encoding", "SJIS");
}
static void startup_role(struct connection *c)
{
	start_with(c, "role", "postgres");
}
static void startup_search_path(struct connection *c)
{
	start_with(c, "search_path", "hidden");
}
static void startup_read_only(struct connection *c)
{
	start_with(c, "options", "-cdefault_transaction_read_only=off");
}

static void startup_twice(struct connection *c)
{
	const char *const more[] = {"client_encoding", "UTF8", "client_encoding", "SJIS", NULL};

	if (!open_connection(c))
		return;
	send_startup(c, PROTOCOL_3, more);
	(void)until_ready(c);
}

static void startup_version(struct connection *c, uint32_t version)
{
	if (!open_connection(c))
		return;
	send_startup(c, version, NULL);
	(void)until_ready(c);
}
static void version_2(struct connection *c)
{
	startup_version(c, 2U << 16);
}
static void version_3_2(struct connection *c)
{
	startup_version(c, PROTOCOL_3 + 2);
}
static void version_4(struct connection *c)
{
	startup_version(c, 4U << 16);
}

/* A request of 8 bytes, then what stands behind it in the same segment. */
static void ask_encryption(struct connection *c, uint32_t code, bool behind)
{
	struct bytes packet = {0};
	char answer;

	if (!open_connection(c))
		return;
	add32(&packet, 8);
	add32(&packet, code);
	if (behind) {
		struct bytes body = {0};

		add32(&body, PROTOCOL_3);
		add_string(&body, "user");
		add_string(&body, user);
		add(&body, "", 1);
		add32(&packet, (uint32_t)body.length + 4);
		add(&packet, body.data, body.length);
	}
	send_bytes(c, packet.data, packet.length);
	if (!receive(c, &answer, 1))
		return;
	note(c, (char[]){answer, '\0'});
	if (!behind)
		send_startup(c, PROTOCOL_3, NULL);
	(void)until_ready(c);
}
static void ssl_request(struct connection *c)
{
	ask_encryption(c, 80877103, false);
}
static void ssl_buffered(struct connection *c)
{
	ask_encryption(c, 80877103, true);
}
static void gss_request(struct connection *c)
{
	ask_encryption(c, 80877104, false);
}
static void gss_buffered(struct connection *c)
{
	ask_encryption(c, 80877104, true);
}

static void query_before_answer(struct connection *c)
{
	if (!open_connection(c))
		return;
	send_startup(c, PROTOCOL_3, NULL);
	query(c, DENIED);
	(void)until_ready(c);
	(void)until_ready(c);
}

static void raw_message(struct connection *c, const void *data, size_t length)
{
	if (!start(c))
		return;
	send_bytes(c, data, length);
	(void)until_ready(c);
}
static void unknown_type(struct connection *c)
{
	raw_message(c, "y\0\0\0\4", 5);
}
static void length_short(struct connection *c)
{
	raw_message(c, "Q\0\0\0\3", 5);
}
static void length_negative(struct connection *c)
{
	raw_message(c, "Q\xff\xff\xff\xf0SELECT 1", 13);
}
static void length_huge(struct connection *c)
{
	raw_message(c, "Q\x7f\xff\xff\xff", 5);
}
static void query_without_nul(struct connection *c)
{
	raw_message(c, "Q\0\0\0\014SELECT 1", 13);
}
static void query_with_nul(struct connection *c)
{
	raw_message(c, "Q\0\0\0\042SELECT 1\0; DROP TABLE orders--x", 34 + 1);
}
static void parse_without_nul(struct connection *c)
{
	raw_message(c, "P\0\0\0\013s\0SELECT\0\0\0\0\4", 17);
}

static void copy_outside(struct connection *c)
{
	struct bytes body = {0};

	if (!start(c))
		return;
	add(&body, "Q\0\0\0\025" DROP, 22);
	send_message(c, 'd', &body);
	send_simple(c, 'c');
	query(c, GRANTED);
	(void)until_ready(c);
}

static void copy_in_denied(struct connection *c)
{
	struct bytes body = {0};

	if (!start(c))
		return;
	query(c, "COPY vault FROM STDIN");
	add(&body, "1\tx\n", 4);
	send_message(c, 'd', &body);
	send_simple(c, 'c');
	(void)until_ready(c);
	query(c, GRANTED);
	(void)until_ready(c);
}

static void copy_out(struct connection *c)
{
	if (!start(c))
		return;
	query(c, "COPY customers (id, name) TO STDOUT");
	while (take(c) == 'd')
		;
	(void)until_ready(c);
	query(c, "COPY vault TO STDOUT");
	(void)until_ready(c);
	query(c, "COPY orders TO PROGRAM 'touch /tmp/pwned'");
	(void)until_ready(c);
}

static void password_later(struct connection *c)
{
	struct bytes body = {0};

	if (!start(c))
		return;
	add_string(&body, DENIED);
	send_message(c, 'p', &body);
	(void)until_ready(c);
}

static void one_byte_segments(struct connection *c)
{
	c->bytewise = true;
	if (!start(c))
		return;
	query(c, DENIED);
	(void)until_ready(c);
	run_extended(c, "", GRANTED);
	run_extended(c, "", DROP);
	send_simple(c, 'S');
	(void)until_ready(c);
}

static void cancel(uint32_t pid, uint32_t key)
{
	struct connection other = {.fd = -1};
	struct bytes packet = {0};

	if (!open_connection(&other))
		return;
	add32(&packet, 16);
	add32(&packet, 80877102);
	add(&packet, &pid, 4);
	add(&packet, &key, 4);
	send_bytes(&other, packet.data, packet.length);
	until_end(&other);
	(void)close(other.fd);
}

#define LONG_QUERY "SELECT count(*) FROM generate_series(1, 300000000)"

static void cancel_own(struct connection *c)
{
	if (!start(c))
		return;
	query(c, LONG_QUERY);
	(void)usleep(200000);
	cancel(c->pid, c->key);
	(void)until_ready(c);
	query(c, GRANTED);
	(void)until_ready(c);
}

static void cancel_guessed(struct connection *c)
{
	if (!start(c))
		return;
	query(c, "SELECT count(*) FROM generate_series(1, 3000000)");
	cancel(c->pid, c->key ^ htonl(1));
	cancel(htonl(ntohl(c->pid) + 1), c->key);
	(void)until_ready(c);
}

static void statement_of_17_mib(struct connection *c)
{
	const size_t size = 17U << 20;
	char *text = malloc(size);
	struct bytes head = {0};

	if (!text || !start(c)) {
		free(text);
		return;
	}
	memset(text, ' ', size);
	memcpy(text, GRANTED, strlen(GRANTED));
	text[size - 1] = '\0';
	add(&head, "Q", 1);
	add32(&head, (uint32_t)size + 4);
	send_bytes(c, head.data, head.length);
	send_bytes(c, text, size);
	free(text);
	(void)until_ready(c);
	query(c, GRANTED);
	(void)until_ready(c);
}

static void parameter_of_64_mib(struct connection *c)
{
	const uint32_t size = 64U << 20;
	struct bytes head = {0}, tail = {0};
	char *text = malloc(size);

	if (!text || !start(c)) {
		free(text);
		return;
	}
	memset(text, 'x', size);
	parse(c, "", "SELECT length($1)");
	add(&head, "B", 1);
	add32(&head, 4 + 1 + 1 + 2 + 2 + 4 + size + 2);
	add(&head, "\0\0", 2);
	add16(&head, 0);
	add16(&head, 1);
	add32(&head, size);
	add16(&tail, 0);
	send_bytes(c, head.data, head.length);
	send_bytes(c, text, size);
	send_bytes(c, tail.data, tail.length);
	free(text);
	execute(c, "");
	send_simple(c, 'S');
	(void)until_ready(c);
}

static const struct {
	const char *name;
	void (*run)(struct connection *c);
} attempts[] = {
	{"simple-granted", simple_granted},
	{"simple-denied", simple_denied},
	{"extended-denied", extended_denied},
	{"pipeline-middle", pipeline_middle},
	{"pipeline-no-sync", pipeline_no_sync},
	{"transaction-failed", transaction_failed},
	{"transaction-failed-extended", transaction_failed_extended},
	{"named-denied", named_denied},
	{"named-again", named_again},
	{"parse-stacked", parse_stacked},
	{"query-stacked", query_stacked},
	{"cursor-by-execute", cursor_by_execute},
	{"prepared-by-bind", prepared_by_bind},
	{"function-call", function_call},
	{"startup-replication", startup_replication},
	{"startup-options", startup_options},
	{"startup-strings", startup_strings},
	{"startup-encoding", startup_encoding},
	{"startup-role", startup_role},
	{"startup-search-path", startup_search_path},
	{"startup-read-only", startup_read_only},
	{"startup-twice", startup_twice},
	{"version-2", version_2},
	{"version-3.2", version_3_2},
	{"version-4", version_4},
	{"ssl-request", ssl_request},
	{"ssl-buffered", ssl_buffered},
	{"gss-request", gss_request},
	{"gss-buffered", gss_buffered},
	{"query-before-answer", query_before_answer},
	{"unknown-type", unknown_type},
	{"length-short", length_short},
	{"length-negative", length_negative},
	{"length-huge", length_huge},
	{"query-without-nul", query_without_nul},
	{"query-with-nul", query_with_nul},
	{"parse-without-nul", parse_without_nul},
	{"copy-outside", copy_outside},
	{"copy-in-denied", copy_in_denied},
	{"copy-out", copy_out},
	{"password-later", password_later},
	{"one-byte-segments", one_byte_segments},
	{"cancel-own", cancel_own},
	{"cancel-guessed", cancel_guessed},
	{"statement-of-17-mib", statement_of_17_mib},
	{"parameter-of-64-mib", parameter_of_64_mib},
};

static void run_attempt(size_t number)
{
	struct connection connection = {.fd = -1};

	attempts[number].run(&connection);
	(void)printf("%s\t%s\n", attempts[number].name, connection.transcript);
	(void)fflush(stdout);
	if (connection.fd >= 0)
		(void)close(connection.fd);
}

int main(int argc, char **argv)
{
	const size_t count = sizeof(attempts) / sizeof(attempts[0]);

	if (argc < 5) {
		(void)fprintf(stderr, "usage: pgraw HOST PORT USER DATABASE [ATTEMPT...]\n");
		return 2;
	}
	host = argv[1];
	port = argv[2];
	user = argv[3];
	database = argv[4];
	for (size_t i = 0; i < count; i++) {
		bool wanted = argc == 5;

		for (int j = 5; j < argc; j++)
			wanted |= strcmp(argv[j], attempts[i].name) == 0;
		if (wanted)
			run_attempt(i);
	}
	return 0;
}
