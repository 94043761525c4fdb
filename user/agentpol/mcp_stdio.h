/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of `agentpol mcp`: standard input and output to the client, pipes to the server, and
 * the gateway between them. Reads from one side only while the other side takes.
 */
#ifndef AGENTPOL_AGENTPOL_MCP_STDIO_H
#define AGENTPOL_AGENTPOL_MCP_STDIO_H

#include "agentpol/mcp_log.h"
#include "agentpol/mcp_server.h"
#include "call/authority.h"

struct mcp_setup {
	struct mcp_server *server; /* it runs */
	struct mcp_log *log;
	const struct call_grants *grants;
	struct call_authority *authority;
	struct call_authority *daemon; /* policyd's, which has a descriptor; NULL: none */
	struct pins *pins;
	const char *pin_file; /* NULL: pins last as long as the session */
	int signals;	      /* a signalfd */
};

/* Until the server has ended; its exit code is in setup->server then. */
int mcp_stdio_serve(const struct mcp_setup *setup, struct error *error) MUST_USE;

#endif
