/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway in front of an MCP server that speaks Streamable HTTP: a listener on loopback, and
 * for each request of a client one to the server. A session of the protocol (Mcp-Session-Id) has
 * one gateway; who has none shares.
 */
#ifndef AGENTPOL_CALL_HTTP_FRONT_H
#define AGENTPOL_CALL_HTTP_FRONT_H

#include <event2/event.h>

#include "call/mcp_gateway.h"

struct http_front;

struct http_front_options {
	const char *listen; /* "PORT" or "ADDRESS:PORT", of loopback; port 0: any */
	const char *server; /* "http://HOST:PORT/PATH" */
	/* Of each session: io->record and io->pinned are called, with `context`. */
	struct mcp_gateway_setup setup;
};

/* STATUS_UNUSABLE where one of the two is no such address, STATUS_SYSTEM where it can't listen. */
struct http_front *http_front_new(struct event_base *base, const struct http_front_options *options,
				  struct error *error) MUST_USE;
/* Accepts NULL. */
void http_front_free(struct http_front *front);
/* "http://127.0.0.1:8080/mcp": where clients go. */
const char *http_front_url(const struct http_front *front);

#endif
