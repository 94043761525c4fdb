/* SPDX-License-Identifier: Apache-2.0 */
/* What the front's rooms share; http_front.c and http_exchange.c alone include it. */
#ifndef AGENTPOL_CALL_HTTP_INTERNAL_H
#define AGENTPOL_CALL_HTTP_INTERNAL_H

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <sys/queue.h>

#include "call/http_events.h"
#include "agentpol/http_front.h"
#include "call/message.h"

#define HTTP_SESSION_ID_MAX 512
#define HTTP_URL_MAX	    1024
#define HTTP_HOST_MAX	    256

/* A session of the protocol. */
struct http_session {
	struct http_session *next; /* the one that was used last is first */
	struct http_front *front;
	struct mcp_gateway *gateway;  /* owned */
	char id[HTTP_SESSION_ID_MAX]; /* "": shared by who has none */
};

/* What the server's answer is. */
enum http_body { BODY_NONE, BODY_JSON, BODY_EVENTS };

/* One request of a client, and the one to the server that it becomes. */
struct http_exchange {
	struct http_exchange *next;
	struct http_session *session;
	struct evhttp_request *down; /* the client's; NULL: answered, or the client is gone */
	struct evhttp_request *up;   /* to the server; NULL: none is under way */
	enum evhttp_cmd_type command;
	struct evkeyvalq headers;    /* owned: for the server */
	char id[MESSAGE_ID_MAX + 1]; /* of the message; "" where it has none */
	char id_key[MESSAGE_ID_MAX + 1];
	bool initialises;
	/* the server's answer */
	int status;
	enum http_body body;
	bool too_long;
	struct evbuffer *text;	   /* owned: of a JSON answer; then what the client gets of it */
	struct http_events events; /* of a stream */
	const struct http_event *event; /* that is being passed on */
	bool started;			/* the stream to the client */
	bool resumable;			/* the stream: an event of it had an id */
	struct event *look;		/* owned: is the client still there? */
	bool muted;			/* what the gateway says to the client is not passed on */
};

struct http_front {
	struct event_base *base;
	struct evhttp *server; /* owned */
	struct mcp_gateway_setup setup;
	struct mcp_gateway_io io;
	struct http_session *sessions;	 /* owned */
	struct http_exchange *exchanges; /* owned */
	struct http_exchange *current;	 /* whose message the gateway is given now */
	size_t session_count, exchange_count;
	char host[HTTP_HOST_MAX], path[HTTP_URL_MAX], url[HTTP_URL_MAX];
	uint16_t port;
};

/* ---- http_exchange.c ---- */

/* NULL: no memory, or too many. */
struct http_exchange *http_exchange_new(struct http_session *session, struct evhttp_request *down);
void http_exchange_free(struct http_exchange *exchange);
/* Takes the headers that go on to the server. */
void http_exchange_take_headers(struct http_exchange *exchange);
/* Sends it to the server; `text` NULL: it has no body. */
void http_exchange_forward(struct http_exchange *exchange, const char *text, size_t length);
/* A message for the client: by itself, or in the stream. */
void http_exchange_answer(struct http_exchange *exchange, const char *text, size_t length);
void http_exchange_answer_status(struct http_exchange *exchange, int status);
/* An answer that needs no exchange; `text` may be NULL. */
void http_reply(struct evhttp_request *request, int status, const char *text, size_t length);
/* {"jsonrpc": "2.0", "id": ID, "error": ...}; the caller's (free), NULL: no memory. */
char *http_error_text(const char *id, int code, const char *message);

/* ---- http_front.c ---- */

/* The server has given it a name. */
void http_session_take_id(struct http_session *session, const char *id);
void http_session_free(struct http_session *session);

#endif
