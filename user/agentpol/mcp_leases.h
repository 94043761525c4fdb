/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `agentpol mcp --tool-scope`: an authority in front of another one, which has the grants of a tool
 * with "scope": "call" opened before a call of it goes to the server, and closed when it has ended.
 * The server runs under `agentpol run --leases`, which does it.
 */
#ifndef AGENTPOL_AGENTPOL_MCP_LEASES_H
#define AGENTPOL_AGENTPOL_MCP_LEASES_H

#include "call/authority.h"

/* Owns `inner` and the descriptor from here on, also where it fails: NULL when out of memory. */
struct call_authority *mcp_leases_new(struct call_authority *inner, int fd,
				      struct error *error) MUST_USE;

#endif
