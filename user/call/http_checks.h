/* SPDX-License-Identifier: Apache-2.0 */
/* Is an HTTP request what it claims to be? Headers against each other and against the message. */
#ifndef AGENTPOL_CALL_HTTP_CHECKS_H
#define AGENTPOL_CALL_HTTP_CHECKS_H

#include <stdbool.h>

#include "call/message.h"

/* MCP 2026-07-28: the headers are not those of the body. */
#define RPC_HEADER_MISMATCH (-32020)

struct http_claims {
	const char *origin, *host; /* NULL: absent */
	const char *content_type;
	const char *protocol, *method, *name; /* MCP-Protocol-Version, Mcp-Method, Mcp-Name */
};

/* Does a page of another site speak here (DNS rebinding, cross-site requests)? "Host" must be a
 * loopback one, "Origin" too where there is one. */
bool http_is_local(const struct http_claims *claims);
/* Of UTF-8 and of no other charset. */
bool http_is_json(const char *content_type);
/* NULL where the headers agree with the message, else a sentence (static). From 2026-07-28 on they
 * must be there. */
const char *http_mismatch(const struct http_claims *claims, const struct message *message);

#endif
