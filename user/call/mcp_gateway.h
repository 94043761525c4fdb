/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MCP gateway between one client and one server, as a state machine over messages: what the
 * client says and what the server says goes in, what each gets comes out by callbacks. Whoever
 * carries the bytes (standard input and output, HTTP) calls it; it does no I/O of its own.
 *
 * What is no matter of tools passes as it came. A call is decided by its parsed form, and its
 * original bytes go on. Bounded: requests under way, calls that wait, what is kept of each.
 */
#ifndef AGENTPOL_CALL_MCP_GATEWAY_H
#define AGENTPOL_CALL_MCP_GATEWAY_H

#include "call/authority.h"
#include "call/pins.h"

/* Requests of the client that have no answer yet; one more is refused. */
#define MCP_FLIGHTS_MAX 1024
/* Of them, calls that wait for a person or policyd, and bytes of them. */
#define MCP_HELD_MAX	   64
#define MCP_HELD_BYTES_MAX (16U << 20)

/* What is worth a line in the log. */
struct mcp_gateway_record {
	const char *tool; /* as it was named; NULL: none */
	bool noted;	  /* no question was decided: something is told */
	const struct verdict *verdict;
	const char *arguments; /* their shape, JSON text; NULL: none */
};

struct mcp_gateway_io {
	/* A message without a line's end. */
	void (*to_client)(const char *text, size_t length, void *context);
	void (*to_server)(const char *text, size_t length, void *context);
	/* What the manifest's "audit" does not ask for is not told. */
	void (*record)(const struct mcp_gateway_record *record, void *context);
	/* A tool was seen for the first time: the pins have changed. */
	void (*pinned)(void *context);
};

/* All stay the caller's and must outlive the gateway. */
struct mcp_gateway_setup {
	const struct call_grants *grants;
	struct call_authority *authority;
	const struct sql_catalog *catalog; /* may be NULL */
	struct pins *pins;
	const struct mcp_gateway_io *io;
	void *context; /* of io */
};

struct mcp_gateway;

/* NULL when out of memory. */
struct mcp_gateway *mcp_gateway_new(const struct mcp_gateway_setup *setup) MUST_USE;
/* Ends the calls that are under way. Accepts NULL. */
void mcp_gateway_free(struct mcp_gateway *gateway);

/* One message; `text` NULL: one that was too long, and was skipped. */
void mcp_gateway_from_client(struct mcp_gateway *gateway, const char *text, size_t length);
void mcp_gateway_from_server(struct mcp_gateway *gateway, const char *text, size_t length);
/* Is a request of this id (message.h: id_key) at the server, without its answer? */
bool mcp_gateway_awaits(const struct mcp_gateway *gateway, const char *id_key);
/* The server has gone: what has no answer gets one. */
void mcp_gateway_server_gone(struct mcp_gateway *gateway, const char *why);

#endif
