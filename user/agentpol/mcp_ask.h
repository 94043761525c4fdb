/* SPDX-License-Identifier: Apache-2.0 */
/* "confirm": "ask" without policyd: the person at the terminal is asked, where there is one. */
#ifndef AGENTPOL_AGENTPOL_MCP_ASK_H
#define AGENTPOL_AGENTPOL_MCP_ASK_H

#include "call/own_authority.h"

/* A call_asked. */
bool mcp_ask(const struct tool *tool, const struct call_shown *shown, const char **why,
	     void *context);

#endif
