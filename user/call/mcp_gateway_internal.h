/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway's rooms share; mcp_gateway*.c and flights.c alone include it. */
#ifndef AGENTPOL_CALL_MCP_GATEWAY_INTERNAL_H
#define AGENTPOL_CALL_MCP_GATEWAY_INTERNAL_H

#include "call/flights.h"
#include "call/mcp_gateway.h"
#include "call/message.h"

/* What has been seen of a tool of the manifest, in its order. */
struct seen_tool {
	bool listed;	 /* by the server */
	bool missed;	 /* was told to be missing */
	bool changed;	 /* is not what was pinned: no more in this session */
	bool has_output; /* has an outputSchema, which a denial would not match */
};

struct mcp_gateway {
	struct mcp_gateway_setup setup;
	const struct policy *policy;
	struct seen_tool *seen; /* owned */
	struct flights flights;
	size_t dropped;		    /* messages of the server */
	struct json_document *none; /* owned: {}, which stands for arguments that are left out */
};

/* ---- gateway.c: what goes out ---- */

void mcp_gateway_to_client(struct mcp_gateway *gateway, const char *text, size_t length);
void mcp_gateway_to_server(struct mcp_gateway *gateway, const char *text, size_t length);
/* A JSON-RPC error; `id` is JSON text. */
void mcp_gateway_answer_error(struct mcp_gateway *gateway, const char *id, int code,
			      const char *message);
/* A denial of something that is no call, as JSON-RPC error and record. `id` NULL: no answer. */
void mcp_gateway_refuse(struct mcp_gateway *gateway, const char *id, int code, const char *reason,
			const char *message);
void mcp_gateway_record(struct mcp_gateway *gateway, const char *tool,
			const struct verdict *verdict, const char *shape);
/* Tells something about the server. */
void mcp_gateway_note(struct mcp_gateway *gateway, const char *tool, const char *reason,
		      const char *format, ...) FORMAT(4, 5);
/* NULL: the manifest does not have the tool. */
struct seen_tool *mcp_gateway_seen(struct mcp_gateway *gateway, const struct tool *tool);

/* ---- mcp_gateway_call.c ---- */

void mcp_gateway_call(struct mcp_gateway *gateway, const struct message *message);
/* The client does not want it any more; true: the server never saw it. */
bool mcp_gateway_cancel_call(struct mcp_gateway *gateway, struct flight *flight);
/* The answer to a call: the flight is ended, or kept for its retry. */
void mcp_gateway_call_answered(struct mcp_gateway *gateway, struct flight *flight,
			       const struct message *message);
/* Tells the authority that it did not succeed, and forgets it. */
void mcp_gateway_drop_call(struct mcp_gateway *gateway, struct flight *flight);

/* ---- mcp_gateway_denial.c: a denial in words for a model ---- */

/* The answer to a call that was denied. `modern`: a client of 2026-07-28 or later. */
void mcp_gateway_answer_denied(struct mcp_gateway *gateway, const struct flight *flight,
			       const struct call_decision *decision);

/* ---- mcp_gateway_tools.c ---- */

/* Passes the answer to tools/list on, with what is granted alone. */
void mcp_gateway_tools_listed(struct mcp_gateway *gateway, const struct flight *flight,
			      const struct message *message);

#endif
