// SPDX-License-Identifier: Apache-2.0
#include "agentpol/http_internal.h"

#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/json_write.h"

/* Requests that are under way, of all clients. */
#define EXCHANGES_MAX 4096
/* A call may take its time; a stream stays open. */
#define SERVER_TIMEOUT_SECONDS 86400
/* A client that does not read its stream loses it. */
#define STREAM_BYTES_MAX (8U << 20)
#define HTTP_BAD_GATEWAY 502
/* How often a client is looked for that waits. */
#define LOOK_US 500000

/* What a client says to the server besides "Mcp-...", and what the server says to it. Each once:
 * of a header that comes twice, two readers may take two values. */
static const char *const up_headers[] = {"Content-Type", "Accept", "Authorization", "Last-Event-ID",
					 "User-Agent"};
static const char *const down_headers[] = {"Mcp-Session-Id", "WWW-Authenticate", "Retry-After",
					   "Allow", "Mcp-Protocol-Version"};

char *http_error_text(const char *id, int code, const char *message)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", code);
	json_open_object(&writer);
	json_key_string(&writer, "jsonrpc", "2.0");
	json_key(&writer, "id");
	json_verbatim(&writer, id[0] ? id : "null");
	json_key(&writer, "error");
	json_open_object(&writer);
	json_key(&writer, "code");
	json_verbatim(&writer, number);
	json_key_string(&writer, "message", message);
	json_close_object(&writer);
	json_close_object(&writer);
	return json_writer_text(&writer) ? strdup(json_writer_text(&writer)) : NULL;
}

void http_reply(struct evhttp_request *request, int status, const char *text, size_t length)
{
	struct evbuffer *body = evbuffer_new();

	if (body && text) {
		(void)evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
					"application/json");
		(void)evbuffer_add(body, text, length);
	}
	evhttp_send_reply(request, status, NULL, body);
	if (body)
		evbuffer_free(body);
}

/* ---- the client's side ---- */

/* Its connection has gone, and the request with it. */
static void on_client_gone(struct evhttp_connection *connection, void *context)
{
	const struct timeval at_once = {0};
	struct http_exchange *exchange = context;

	/* From the event loop: it may be what is being served. */
	(void)connection;
	exchange->down = NULL;
	evtimer_add(exchange->look, &at_once);
}

/* Nobody waits any more for what a person is asked. */
static void withdraw(struct http_exchange *exchange)
{
	struct http_front *front = exchange->session->front;
	char text[sizeof(exchange->id) + 128];
	const int length = snprintf(text, sizeof(text),
				    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
				    "\"params\":{\"requestId\":%s}}",
				    exchange->id);

	exchange->muted = true;
	front->current = exchange;
	mcp_gateway_from_client(exchange->session->gateway, text, (size_t)length);
	front->current = NULL;
}

/* libevent does not read from a client whose answer is still to come, and would not see it go. */
static bool client_is_there(struct evhttp_request *down)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(down);
	const evutil_socket_t fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

/* Now and then, and when the client has gone. A stream is for that client alone; a call that the
 * server has goes on, and how it ends is noted. */
static void on_look(evutil_socket_t fd, short what, void *context)
{
	const struct timeval later = {.tv_usec = LOOK_US};
	struct http_exchange *exchange = context;

	(void)fd;
	(void)what;
	if (exchange->down && client_is_there(exchange->down)) {
		(void)evtimer_add(exchange->look, &later);
		return;
	}
	if (exchange->down) {
		/* Comes back here. */
		evhttp_connection_free(evhttp_request_get_connection(exchange->down));
		return;
	}
	if (!exchange->up && exchange->id[0])
		withdraw(exchange);
	if (!exchange->up || exchange->command == EVHTTP_REQ_GET)
		http_exchange_free(exchange);
}

static void leave_client(struct http_exchange *exchange)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(exchange->down);

	if (connection)
		evhttp_connection_set_closecb(connection, NULL, NULL);
	exchange->down = NULL;
}

static void finish_client(struct http_exchange *exchange, int status, const char *text,
			  size_t length)
{
	struct evhttp_request *down = exchange->down;

	if (!down)
		return;
	leave_client(exchange);
	http_reply(down, status, text, length);
}

static void start_stream(struct http_exchange *exchange)
{
	struct evkeyvalq *headers;

	if (exchange->started || !exchange->down)
		return;
	headers = evhttp_request_get_output_headers(exchange->down);
	(void)evhttp_add_header(headers, "Content-Type", "text/event-stream");
	(void)evhttp_add_header(headers, "Cache-Control", "no-cache");
	evhttp_send_reply_start(exchange->down, exchange->status, NULL);
	exchange->started = true;
}

static bool client_reads(struct http_exchange *exchange)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(exchange->down);
	struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);

	return evbuffer_get_length(bufferevent_get_output(stream)) <= STREAM_BYTES_MAX;
}

static void add_data_lines(struct evbuffer *out, const char *text, size_t length)
{
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		const size_t line = end ? (size_t)(end - text) : length;

		(void)evbuffer_add_printf(out, "data: ");
		(void)evbuffer_add(out, text, line);
		(void)evbuffer_add(out, "\n", 1);
		text += end ? line + 1 : line;
		length -= end ? line + 1 : line;
	}
}

static void write_event(struct http_exchange *exchange, const char *text, size_t length)
{
	const struct http_event *event = exchange->event;
	struct evbuffer *out;

	if (!exchange->down)
		return;
	start_stream(exchange);
	if (!client_reads(exchange)) {
		evhttp_connection_free(evhttp_request_get_connection(exchange->down));
		return;
	}
	out = evbuffer_new();
	if (!out)
		return;
	if (!event || event->type[0])
		(void)evbuffer_add_printf(out, "event: message\n");
	if (event && event->id[0])
		(void)evbuffer_add_printf(out, "id: %s\n", event->id);
	if (event && event->retry[0])
		(void)evbuffer_add_printf(out, "retry: %s\n", event->retry);
	if (length == 0 && event && event->has_data)
		(void)evbuffer_add_printf(out, "data:\n");
	add_data_lines(out, text, length);
	(void)evbuffer_add(out, "\n", 1);
	evhttp_send_reply_chunk(exchange->down, out);
	evbuffer_free(out);
}

void http_exchange_answer(struct http_exchange *exchange, const char *text, size_t length)
{
	if (exchange->muted)
		return;
	if (exchange->started || (exchange->up && exchange->body == BODY_EVENTS)) {
		write_event(exchange, text, length);
		return;
	}
	if (exchange->up && exchange->body == BODY_JSON && exchange->text) {
		(void)evbuffer_drain(exchange->text, evbuffer_get_length(exchange->text));
		(void)evbuffer_add(exchange->text, text, length);
		return;
	}
	finish_client(exchange, HTTP_OK, text, length);
}

void http_exchange_answer_status(struct http_exchange *exchange, int status)
{
	finish_client(exchange, status, NULL, 0);
}

/* ---- life ---- */

struct http_exchange *http_exchange_new(struct http_session *session, struct evhttp_request *down)
{
	const struct timeval later = {.tv_usec = LOOK_US};
	struct http_front *front = session->front;
	struct http_exchange *exchange =
		front->exchange_count < EXCHANGES_MAX ? calloc(1, sizeof(*exchange)) : NULL;

	if (!exchange)
		return NULL;
	exchange->text = evbuffer_new();
	exchange->look = evtimer_new(front->base, on_look, exchange);
	if (!exchange->text || !exchange->look) {
		if (exchange->text)
			evbuffer_free(exchange->text);
		if (exchange->look)
			event_free(exchange->look);
		free(exchange);
		return NULL;
	}
	exchange->session = session;
	exchange->down = down;
	exchange->command = down ? evhttp_request_get_command(down) : EVHTTP_REQ_POST;
	TAILQ_INIT(&exchange->headers);
	exchange->next = front->exchanges;
	front->exchanges = exchange;
	front->exchange_count++;
	if (!down)
		return exchange;
	(void)evtimer_add(exchange->look, &later);
	evhttp_connection_set_closecb(evhttp_request_get_connection(down), on_client_gone,
				      exchange);
	return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
	struct http_front *front = exchange->session->front;
	struct http_exchange **at = &front->exchanges;

	while (*at != exchange)
		at = &(*at)->next;
	*at = exchange->next;
	front->exchange_count--;
	if (front->current == exchange)
		front->current = NULL;
	if (exchange->down) {
		struct evhttp_request *down = exchange->down;

		leave_client(exchange);
		if (exchange->started)
			evhttp_send_reply_end(down);
		else
			http_reply(down, HTTP_SERVUNAVAIL, NULL, 0);
	}
	if (exchange->up)
		evhttp_cancel_request(exchange->up);
	event_free(exchange->look);
	evhttp_clear_headers(&exchange->headers);
	evbuffer_free(exchange->text);
	http_events_free(&exchange->events);
	free(exchange);
}

/* ---- the server's side ---- */

static bool take_header(struct evkeyvalq *to, const struct evkeyvalq *from, const char *name)
{
	const char *value = evhttp_find_header(from, name);

	return value && !evhttp_find_header(to, name) && evhttp_add_header(to, name, value) == 0;
}

void http_exchange_take_headers(struct http_exchange *exchange)
{
	struct evkeyvalq *from = evhttp_request_get_input_headers(exchange->down);
	const struct evkeyval *header;

	for (size_t i = 0; i < ARRAY_SIZE(up_headers); i++)
		(void)take_header(&exchange->headers, from, up_headers[i]);
	TAILQ_FOREACH(header, from, next)
	if (strncasecmp(header->key, "Mcp-", strlen("Mcp-")) == 0)
		(void)take_header(&exchange->headers, from, header->key);
}

/* The gateway is given a message of this exchange. */
static void give_gateway(struct http_exchange *exchange, const char *text, size_t length)
{
	struct http_front *front = exchange->session->front;
	struct http_exchange *before = front->current;

	front->current = exchange;
	mcp_gateway_from_server(exchange->session->gateway, text, length);
	front->current = before;
}

static void on_event(const struct http_event *event, void *context)
{
	struct http_exchange *exchange = context;

	/* Clients of Streamable HTTP know no other. */
	if (event->type[0] && strcmp(event->type, "message") != 0)
		return;
	exchange->event = event;
	exchange->resumable = exchange->resumable || event->id[0];
	if (event->too_long)
		give_gateway(exchange, NULL, 0);
	else if (event->length > 0)
		give_gateway(exchange, event->data, event->length);
	else
		write_event(exchange, "", 0);
	exchange->event = NULL;
}

/* The message has no answer of the server's, and gets one. */
static void answer_for_server(struct http_exchange *exchange, const char *why)
{
	_cleanup_free_ char *text = NULL;

	if (!exchange->id[0])
		return;
	text = http_error_text(exchange->id, RPC_INTERNAL_ERROR, why);
	if (text)
		give_gateway(exchange, text, strlen(text));
}

static bool is_events(const char *type)
{
	static const char events[] = "text/event-stream";

	return type && strncasecmp(type, events, sizeof(events) - 1) == 0;
}

static int on_headers(struct evhttp_request *up, void *context)
{
	struct http_exchange *exchange = context;
	struct evkeyvalq *headers = evhttp_request_get_input_headers(up);
	const char *id = evhttp_find_header(headers, "Mcp-Session-Id");

	exchange->status = evhttp_request_get_response_code(up);
	exchange->body = BODY_JSON;
	if (exchange->status == HTTP_OK && is_events(evhttp_find_header(headers, "Content-Type"))) {
		exchange->body = BODY_EVENTS;
		http_events_start(&exchange->events, on_event, exchange);
	}
	if (exchange->down)
		for (size_t i = 0; i < ARRAY_SIZE(down_headers); i++)
			(void)take_header(evhttp_request_get_output_headers(exchange->down),
					  headers, down_headers[i]);
	if (exchange->initialises && id && exchange->status == HTTP_OK)
		http_session_take_id(exchange->session, id);
	if (exchange->body == BODY_EVENTS)
		start_stream(exchange);
	return 0;
}

static void on_chunk(struct evhttp_request *up, void *context)
{
	struct http_exchange *exchange = context;
	struct evbuffer *input = evhttp_request_get_input_buffer(up);
	const size_t length = evbuffer_get_length(input);
	const char *bytes = (const char *)evbuffer_pullup(input, -1);

	if (!bytes)
		return;
	if (exchange->body == BODY_EVENTS) {
		if (http_events_push(&exchange->events, bytes, length) < 0)
			exchange->too_long = true;
		return;
	}
	if (evbuffer_get_length(exchange->text) + length > MESSAGE_BYTES_MAX)
		exchange->too_long = true;
	else
		(void)evbuffer_add(exchange->text, bytes, length);
}

/* What is no success: the client sees it as it is, the gateway hears that the call has failed. */
static void pass_failure(struct http_exchange *exchange)
{
	const size_t length = evbuffer_get_length(exchange->text);
	const char *text = (const char *)evbuffer_pullup(exchange->text, -1);
	char why[64];

	(void)snprintf(why, sizeof(why), "the server answered with status %d", exchange->status);
	exchange->muted = true;
	answer_for_server(exchange, why);
	finish_client(exchange, exchange->status, length ? text : NULL, length);
}

static void pass_json(struct http_exchange *exchange)
{
	const size_t length = evbuffer_get_length(exchange->text);
	_cleanup_free_ char *text = malloc(length + 1);
	size_t answer;

	if (text && evbuffer_remove(exchange->text, text, length) == (int)length)
		give_gateway(exchange, exchange->too_long ? NULL : text, length);
	if (exchange->id[0] && mcp_gateway_awaits(exchange->session->gateway, exchange->id_key)) {
		(void)evbuffer_drain(exchange->text, evbuffer_get_length(exchange->text));
		answer_for_server(exchange, "the server's answer is not one to the request");
	}
	answer = evbuffer_get_length(exchange->text);
	finish_client(exchange, answer ? exchange->status : HTTP_BAD_GATEWAY,
		      answer ? (const char *)evbuffer_pullup(exchange->text, -1) : NULL, answer);
}

/* A call that no stream will answer any more has failed: its lease and its place in the order end
 * here. In a session a stream of events with ids goes on by GET, where the client asks for it. */
static void finish_stream(struct http_exchange *exchange)
{
	struct http_session *session = exchange->session;

	if (exchange->id[0] && !(exchange->resumable && session->id[0]) &&
	    mcp_gateway_awaits(session->gateway, exchange->id_key))
		answer_for_server(exchange, "the server's answer broke off");
	if (exchange->down && exchange->started) {
		struct evhttp_request *down = exchange->down;

		leave_client(exchange);
		evhttp_send_reply_end(down);
	}
}

static void finish(struct http_exchange *exchange)
{
	if (exchange->status < 200 || exchange->status > 299) {
		pass_failure(exchange);
	} else if (evbuffer_get_length(exchange->text) || exchange->too_long) {
		pass_json(exchange);
	} else {
		exchange->muted = true;
		answer_for_server(exchange, "the server's answer is empty");
		finish_client(exchange, exchange->status, NULL, 0);
	}
}

static void on_done(struct evhttp_request *up, void *context)
{
	struct http_exchange *exchange = context;
	bool ends_session;

	if (exchange->body == BODY_EVENTS) {
		exchange->up = NULL;
		finish_stream(exchange);
	} else if (!up || evhttp_request_get_response_code(up) == 0) {
		exchange->body = BODY_NONE;
		exchange->up = NULL;
		answer_for_server(exchange, "the server can't be reached");
		finish_client(exchange, HTTP_BAD_GATEWAY, NULL, 0);
	} else {
		finish(exchange);
	}
	ends_session = up && exchange->command == EVHTTP_REQ_DELETE && exchange->session->id[0] &&
		       exchange->status >= 200 && exchange->status <= 299;
	/* libevent frees it. */
	exchange->up = NULL;
	if (ends_session)
		http_session_free(exchange->session);
	else
		http_exchange_free(exchange);
}

void http_exchange_forward(struct http_exchange *exchange, const char *text, size_t length)
{
	struct http_front *front = exchange->session->front;
	struct evhttp_connection *connection =
		evhttp_connection_base_new(front->base, NULL, front->host, front->port);
	struct evhttp_request *up = connection ? evhttp_request_new(on_done, exchange) : NULL;
	struct evkeyvalq *headers;
	const struct evkeyval *header;
	char host[HTTP_HOST_MAX + 8];

	if (!up) {
		if (connection)
			evhttp_connection_free(connection);
		answer_for_server(exchange, "out of memory");
		return;
	}
	headers = evhttp_request_get_output_headers(up);
	(void)snprintf(host, sizeof(host), "%s:%u", front->host, front->port);
	(void)evhttp_add_header(headers, "Host", host);
	(void)evhttp_add_header(headers, "Connection", "close");
	TAILQ_FOREACH(header, &exchange->headers, next)
	(void)evhttp_add_header(headers, header->key, header->value);
	if (text)
		(void)evbuffer_add(evhttp_request_get_output_buffer(up), text, length);
	evhttp_request_set_header_cb(up, on_headers);
	evhttp_request_set_chunked_cb(up, on_chunk);
	evhttp_connection_set_timeout(connection, SERVER_TIMEOUT_SECONDS);
	evhttp_connection_free_on_completion(connection);
	exchange->up = up;
	/* Owns both from here on. */
	if (evhttp_make_request(connection, up, exchange->command, front->path) == 0)
		return;
	exchange->up = NULL;
	answer_for_server(exchange, "the server can't be reached");
}
