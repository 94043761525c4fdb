/* SPDX-License-Identifier: Apache-2.0 */
/* `agentpol mcp --http`: the front and its event loop, until a signal ends it. */
#ifndef AGENTPOL_AGENTPOL_MCP_HTTP_H
#define AGENTPOL_AGENTPOL_MCP_HTTP_H

#include "agentpol/mcp_log.h"
#include "call/authority.h"

struct mcp_http_setup {
	const char *listen, *upstream;
	struct mcp_log *log;
	const struct call_grants *grants;
	struct call_authority *authority;
	struct call_authority *daemon; /* policyd's, which has a descriptor; NULL: none */
	struct pins *pins;
	const char *pin_file; /* NULL: pins last as long as the process */
};

int mcp_http_serve(const struct mcp_http_setup *setup, struct error *error) MUST_USE;

#endif
