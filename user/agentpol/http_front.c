// SPDX-License-Identifier: Apache-2.0
#include "agentpol/http_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "call/http_checks.h"

/* Sessions whose clients have not ended them are forgotten, the longest unused first. */
#define SESSIONS_MAX	       1024
#define HEADER_BYTES_MAX       65536
#define CLIENT_TIMEOUT_SECONDS 86400
#define DEFAULT_PATH	       "/mcp"
#define HTTP_ACCEPTED	       202

/* ---- sessions ---- */

void http_session_free(struct http_session *session)
{
	struct http_front *front = session->front;
	struct http_session **at = &front->sessions;
	struct http_exchange *exchange, *next;

	for (exchange = front->exchanges; exchange; exchange = next) {
		next = exchange->next;
		if (exchange->session == session)
			http_exchange_free(exchange);
	}
	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	front->session_count--;
	mcp_gateway_free(session->gateway);
	free(session);
}

void http_session_take_id(struct http_session *session, const char *id)
{
	/* What no header of ours can hold is never found again: the client gets 404. */
	if (strlen(id) < sizeof(session->id))
		(void)snprintf(session->id, sizeof(session->id), "%s", id);
}

static bool is_used(const struct http_session *session)
{
	for (const struct http_exchange *exchange = session->front->exchanges; exchange;
	     exchange = exchange->next)
		if (exchange->session == session)
			return true;
	return false;
}

/* The list has the one that was used last first. */
static void forget_oldest(struct http_front *front)
{
	struct http_session *oldest = NULL;

	for (struct http_session *session = front->sessions; session; session = session->next)
		if (!is_used(session))
			oldest = session;
	if (oldest)
		http_session_free(oldest);
}

static struct http_session *new_session(struct http_front *front)
{
	struct mcp_gateway_setup setup = front->setup;
	struct http_session *session;

	if (front->session_count >= SESSIONS_MAX)
		forget_oldest(front);
	session = front->session_count < SESSIONS_MAX ? calloc(1, sizeof(*session)) : NULL;
	if (!session)
		return NULL;
	session->front = front;
	setup.io = &front->io;
	setup.context = session;
	session->gateway = mcp_gateway_new(&setup);
	if (!session->gateway) {
		free(session);
		return NULL;
	}
	session->next = front->sessions;
	front->sessions = session;
	front->session_count++;
	return session;
}

static void move_to_front(struct http_session *session)
{
	struct http_session **at = &session->front->sessions;

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	session->next = session->front->sessions;
	session->front->sessions = session;
}

static struct http_session *find_session(struct http_front *front, const char *id)
{
	for (struct http_session *session = front->sessions; session; session = session->next)
		if (strcmp(session->id, id) == 0) {
			move_to_front(session);
			return session;
		}
	return NULL;
}

static struct http_exchange *find_exchange(const struct http_session *session, const char *id_key)
{
	for (struct http_exchange *exchange = session->front->exchanges; exchange;
	     exchange = exchange->next)
		if (exchange->session == session && exchange->id_key[0] &&
		    strcmp(exchange->id_key, id_key) == 0)
			return exchange;
	return NULL;
}

/* Of who has no session: one in which no request of the same id is under way, since clients number
 * theirs each for itself. */
static struct http_session *shared_session(struct http_front *front, const char *id_key)
{
	for (struct http_session *session = front->sessions; session; session = session->next)
		if (!session->id[0] && !find_exchange(session, id_key)) {
			move_to_front(session);
			return session;
		}
	return new_session(front);
}

/* ---- what a gateway says ---- */

/* Whose message it is: of the exchange that is served now, or by its id, where somebody was asked
 * first. */
static struct http_exchange *exchange_of(struct http_session *session, const char *text,
					 size_t length)
{
	_cleanup_message_ struct message message = {0};
	struct message_fault fault;

	if (session->front->current)
		return session->front->current;
	if (message_read(text, length, &message, &fault) < 0 || !message.id_key[0])
		return NULL;
	return find_exchange(session, message.id_key);
}

static void on_to_client(const char *text, size_t length, void *context)
{
	struct http_exchange *exchange = exchange_of(context, text, length);
	const bool by_itself = exchange && !exchange->session->front->current;

	if (!exchange)
		return;
	http_exchange_answer(exchange, text, length);
	if (by_itself && !exchange->up)
		http_exchange_free(exchange);
}

static void on_to_server(const char *text, size_t length, void *context)
{
	struct http_session *session = context;
	struct http_exchange *exchange = exchange_of(session, text, length), *aside;
	const struct evkeyval *header;

	if (!exchange || exchange->muted)
		return;
	if (exchange->command == EVHTTP_REQ_POST && !exchange->up) {
		http_exchange_forward(exchange, text, length);
		return;
	}
	/* The gateway answers the server by itself. */
	aside = http_exchange_new(session, NULL);
	if (!aside)
		return;
	TAILQ_FOREACH(header, &exchange->headers, next)
	(void)evhttp_add_header(&aside->headers, header->key, header->value);
	http_exchange_forward(aside, text, length);
}

static void on_record(const struct mcp_gateway_record *record, void *context)
{
	const struct http_session *session = context;
	const struct mcp_gateway_setup *setup = &session->front->setup;

	setup->io->record(record, setup->context);
}

static void on_pinned(void *context)
{
	const struct http_session *session = context;
	const struct mcp_gateway_setup *setup = &session->front->setup;

	setup->io->pinned(setup->context);
}

/* ---- requests ---- */

static void refuse(struct evhttp_request *request, int status, const char *id, int code,
		   const char *message)
{
	_cleanup_free_ char *text = http_error_text(id, code, message);

	http_reply(request, status, text, text ? strlen(text) : 0);
}

/* The same of what is no mistake but a trick: logged, too. */
static void refuse_trick(struct http_front *front, struct evhttp_request *request, int status,
			 const char *id, int code, const char *message)
{
	struct verdict verdict = {.kind = VERDICT_DENY, .reason = "header"};
	const struct mcp_gateway_record record = {.verdict = &verdict};

	(void)snprintf(verdict.message, sizeof(verdict.message), "%s", message);
	front->setup.io->record(&record, front->setup.context);
	refuse(request, status, id, code, message);
}

static struct http_claims claims_of(struct evhttp_request *request)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(request);

	return (struct http_claims){
		.origin = evhttp_find_header(headers, "Origin"),
		.host = evhttp_find_header(headers, "Host"),
		.content_type = evhttp_find_header(headers, "Content-Type"),
		.protocol = evhttp_find_header(headers, "MCP-Protocol-Version"),
		.method = evhttp_find_header(headers, "Mcp-Method"),
		.name = evhttp_find_header(headers, "Mcp-Name"),
	};
}

static bool is_once(struct evkeyvalq *headers, const char *name)
{
	const struct evkeyval *header;
	int count = 0;

	TAILQ_FOREACH(header, headers, next)
	count += strcasecmp(header->key, name) == 0;
	return count <= 1;
}

/* The headers that decide who is spoken to, and what about. */
static bool is_plain(struct evkeyvalq *headers)
{
	static const char *const names[] = {
		"Origin",     "Host",	  "Content-Type",	 "Mcp-Session-Id",
		"Mcp-Method", "Mcp-Name", "MCP-Protocol-Version"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!is_once(headers, names[i]))
			return false;
	return true;
}

/* The session that the request names; NULL where it names one that is not there, or none can be
 * made, and then it is answered. */
static struct http_session *session_of(struct http_front *front, struct evhttp_request *request,
				       const struct message *message)
{
	const char *id =
		evhttp_find_header(evhttp_request_get_input_headers(request), "Mcp-Session-Id");
	struct http_session *session;

	if (id && id[0]) {
		session = find_session(front, id);
		if (!session)
			refuse(request, HTTP_NOTFOUND, "", -32001, "there is no such session");
		return session;
	}
	/* One that begins gets its own: the server will name it. */
	if (message && message->method && strcmp(message->method, "initialize") == 0)
		session = new_session(front);
	else
		session = shared_session(front, message ? message->id_key : "");
	if (!session)
		refuse(request, HTTP_SERVUNAVAIL, "", RPC_INTERNAL_ERROR, "too many sessions");
	return session;
}

static struct http_exchange *start_exchange(struct http_session *session,
					    struct evhttp_request *request)
{
	struct http_exchange *exchange = http_exchange_new(session, request);

	if (exchange)
		http_exchange_take_headers(exchange);
	else
		refuse(request, HTTP_SERVUNAVAIL, "", RPC_INTERNAL_ERROR, "too many requests");
	return exchange;
}

/* Gives it to the gateway, which sends it on, answers it, or holds it until somebody has decided.
 */
static void serve_message(struct http_exchange *exchange, const char *text, size_t length,
			  bool expects_answer)
{
	struct http_front *front = exchange->session->front;

	front->current = exchange;
	mcp_gateway_from_client(exchange->session->gateway, text, length);
	if (front->current != exchange)
		return; /* it is gone */
	front->current = NULL;
	if (exchange->up || (expects_answer && exchange->down))
		return;
	http_exchange_answer_status(exchange, HTTP_ACCEPTED);
	http_exchange_free(exchange);
}

static void serve_post(struct http_front *front, struct evhttp_request *request,
		       const struct http_claims *claims)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	const size_t length = evbuffer_get_length(input);
	const char *text = length ? (const char *)evbuffer_pullup(input, -1) : "";
	_cleanup_message_ struct message message = {0};
	struct http_exchange *exchange;
	struct http_session *session;
	struct message_fault fault;
	const char *mismatch;

	if (!http_is_json(claims->content_type)) {
		refuse(request, 415, "", RPC_INVALID_REQUEST,
		       "the Content-Type must be application/json");
		return;
	}
	if (message_read(text, length, &message, &fault) < 0) {
		session = shared_session(front, "");
		if (session) {
			/* So that it is logged; the answer is the same. */
			struct http_exchange mute = {.session = session, .muted = true};

			front->current = &mute;
			mcp_gateway_from_client(session->gateway, text, length);
			front->current = NULL;
		}
		refuse(request, HTTP_BADREQUEST, strcmp(fault.id, "null") ? fault.id : "",
		       fault.code, fault.text);
		return;
	}
	mismatch = http_mismatch(claims, &message);
	if (mismatch) {
		refuse_trick(front, request, HTTP_BADREQUEST, message.id, RPC_HEADER_MISMATCH,
			     mismatch);
		return;
	}
	session = session_of(front, request, &message);
	exchange = session ? start_exchange(session, request) : NULL;
	if (!exchange)
		return;
	if (message.method && message.id[0]) {
		(void)snprintf(exchange->id, sizeof(exchange->id), "%s", message.id);
		(void)snprintf(exchange->id_key, sizeof(exchange->id_key), "%s", message.id_key);
	}
	exchange->initialises = message.method && strcmp(message.method, "initialize") == 0;
	serve_message(exchange, text, length, exchange->id[0] != '\0');
}

/* The server's own stream (GET), or the end of a session (DELETE). */
static void serve_other(struct http_front *front, struct evhttp_request *request)
{
	struct http_session *session = session_of(front, request, NULL);
	struct http_exchange *exchange = session ? start_exchange(session, request) : NULL;

	if (exchange)
		http_exchange_forward(exchange, NULL, 0);
}

static void on_request(struct evhttp_request *request, void *context)
{
	const enum evhttp_cmd_type command = evhttp_request_get_command(request);
	const struct http_claims claims = claims_of(request);
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	struct http_front *front = context;

	if (!http_is_local(&claims) || !is_plain(evhttp_request_get_input_headers(request)))
		refuse_trick(
			front, request, 403, "", RPC_INVALID_REQUEST,
			"Host and Origin must be of this machine, and no header may come twice");
	else if (!path || strcmp(path, front->path) != 0)
		refuse(request, HTTP_NOTFOUND, "", RPC_INVALID_REQUEST, "there is nothing here");
	else if (command == EVHTTP_REQ_POST)
		serve_post(front, request, &claims);
	else
		serve_other(front, request);
}

/* ---- life ---- */

/* "http://HOST[:PORT][/PATH]". */
static int read_server(struct http_front *front, const char *text, struct error *error)
{
	struct evhttp_uri *uri = evhttp_uri_parse(text);
	const char *scheme = uri ? evhttp_uri_get_scheme(uri) : NULL;
	const char *host = uri ? evhttp_uri_get_host(uri) : NULL;
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const int port = uri ? evhttp_uri_get_port(uri) : -1;
	int result = 0;

	if (!scheme || strcasecmp(scheme, "http") != 0 || !host || !host[0] ||
	    strlen(host) >= sizeof(front->host) || evhttp_uri_get_query(uri) ||
	    evhttp_uri_get_userinfo(uri) || (path && strlen(path) >= sizeof(front->path)))
		result = error_set(error, STATUS_UNUSABLE,
				   "\"%s\" is no address of a server: write http://HOST:PORT/PATH",
				   text);
	else {
		(void)snprintf(front->host, sizeof(front->host), "%s", host);
		(void)snprintf(front->path, sizeof(front->path), "%s",
			       path && path[0] ? path : DEFAULT_PATH);
		front->port = port > 0 ? (uint16_t)port : 80;
	}
	if (uri)
		evhttp_uri_free(uri);
	return result;
}

/* "PORT" or "ADDRESS:PORT". */
static int listen_at(struct http_front *front, const char *text, struct error *error)
{
	const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
	char address[64] = "127.0.0.1", *end;
	struct sockaddr_storage bound;
	socklen_t length = sizeof(bound);
	struct evhttp_bound_socket *handle;
	unsigned long port;

	errno = 0;
	port = strtoul(digits, &end, 10);
	if (colon)
		(void)snprintf(address, sizeof(address), "%.*s", (int)(colon - text), text);
	if (strcmp(address, "[::1]") == 0)
		(void)snprintf(address, sizeof(address), "::1");
	if (errno || end == digits || *end || port > UINT16_MAX ||
	    (strcmp(address, "127.0.0.1") != 0 && strcmp(address, "::1") != 0 &&
	     strcmp(address, "localhost") != 0))
		return error_set(error, STATUS_UNUSABLE,
				 "\"%s\" is no address to listen at: write PORT or 127.0.0.1:PORT; "
				 "others than this machine have no business here",
				 text);
	handle = evhttp_bind_socket_with_handle(front->server, address, (uint16_t)port);
	if (!handle ||
	    getsockname(evhttp_bound_socket_get_fd(handle), (struct sockaddr *)&bound, &length) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "cannot listen at %s", text);
	port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						 : ((struct sockaddr_in *)&bound)->sin_port);
	(void)snprintf(front->url, sizeof(front->url), "http://%s:%lu%s",
		       bound.ss_family == AF_INET6 ? "[::1]" : "127.0.0.1", port, front->path);
	return 0;
}

struct http_front *http_front_new(struct event_base *base, const struct http_front_options *options,
				  struct error *error)
{
	struct http_front *front = calloc(1, sizeof(*front));

	if (front)
		front->server = evhttp_new(base);
	if (!front || !front->server) {
		free(front);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	front->base = base;
	front->setup = options->setup;
	front->io = (struct mcp_gateway_io){on_to_client, on_to_server, on_record, on_pinned};
	evhttp_set_gencb(front->server, on_request, front);
	evhttp_set_allowed_methods(front->server,
				   EVHTTP_REQ_POST | EVHTTP_REQ_GET | EVHTTP_REQ_DELETE);
	evhttp_set_max_headers_size(front->server, HEADER_BYTES_MAX);
	evhttp_set_max_body_size(front->server, MESSAGE_BYTES_MAX);
	evhttp_set_timeout(front->server, CLIENT_TIMEOUT_SECONDS);
	if (read_server(front, options->server, error) == 0 &&
	    listen_at(front, options->listen, error) == 0)
		return front;
	http_front_free(front);
	return NULL;
}

void http_front_free(struct http_front *front)
{
	if (!front)
		return;
	while (front->sessions)
		http_session_free(front->sessions);
	evhttp_free(front->server);
	free(front);
}

const char *http_front_url(const struct http_front *front)
{
	return front->url;
}
