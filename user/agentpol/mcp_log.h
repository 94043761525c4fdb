/* SPDX-License-Identifier: Apache-2.0 */
/* What `agentpol mcp` tells: records for the audit log, where it may be written, and lines on
 * standard error. */
#ifndef AGENTPOL_AGENTPOL_MCP_LOG_H
#define AGENTPOL_AGENTPOL_MCP_LOG_H

#include "audit/store.h"
#include "call/mcp_gateway.h"

struct mcp_log {
	struct audit_store *store; /* owned; NULL: standard error alone */
	const struct policy *policy;
	bool quiet;
};

/* Where the folder can't be written, nothing is kept there. */
void mcp_log_open(struct mcp_log *log, const char *folder);
void mcp_log_close(struct mcp_log *log);
void mcp_log_record(struct mcp_log *log, const struct mcp_gateway_record *told);

#endif
