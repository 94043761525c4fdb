/* SPDX-License-Identifier: Apache-2.0 */
/* The tool server of `agentpol mcp`: how it is started, and how it is ended. */
#ifndef AGENTPOL_AGENTPOL_MCP_SERVER_H
#define AGENTPOL_AGENTPOL_MCP_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct mcp_server {
	char **command; /* argv, NULL-terminated */
	char **wrapped; /* owned: the command with its launcher (mcp_scope.h); NULL: it has none */
	int lease_fd;	/* the launcher's end, which it inherits; where there is one */
	char lease_text[16];
	pid_t pid;
	int input, output; /* our ends, not blocking; -1: closed */
	int exit_code;	   /* once it has ended */
};

/* Starts the command; its standard error is ours. -1 with *error, and exit_code as env(1) has it.
 */
int mcp_server_start(struct mcp_server *server, struct error *error) MUST_USE;
/* True once it has ended. */
bool mcp_server_reap(struct mcp_server *server);
void mcp_server_close_input(struct mcp_server *server);

#endif
