/* SPDX-License-Identifier: Apache-2.0 */
/* `agentpol mcp --tool-scope`: the tool server's command, under `agentpol run` with its tools' own
 * grants. */
#ifndef AGENTPOL_AGENTPOL_MCP_SCOPE_H
#define AGENTPOL_AGENTPOL_MCP_SCOPE_H

#include "agentpol/mcp_server.h"

/* What is passed on to `agentpol run`. */
struct mcp_scope {
	const char *manifest, *log, *socket, *user; /* user: NULL: ours */
	bool standalone, quiet, allow_degraded;
};

/* Puts the launcher in front of the server's command; *fd is our end of what mcp_leases_new takes.
 * What the server has of it is freed by mcp_scope_free. */
int mcp_scope_wrap(const struct mcp_scope *scope, struct mcp_server *server, int *fd,
		   struct error *error) MUST_USE;
void mcp_scope_free(struct mcp_server *server);

#endif
