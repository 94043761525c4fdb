/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard's event loop: listeners, sessions, the link to policyd and the parser. Run by the
 * sql-guard-child process; what a policy's manifest says is read through the host, since that is
 * another room's.
 */
#ifndef AGENTPOL_SQL_GATEWAY_H
#define AGENTPOL_SQL_GATEWAY_H

#include "policy/policy.h"
#include "sql/upstream_tls.h"

struct gateway_host {
	/* A manifest's text; NULL where it is unusable. The gateway's to free. */
	struct policy *(*read_policy)(const char *text, size_t length);
};

/* Serves until the link (taken over) is closed by the other side. `trust` stays the caller's. */
int gateway_run(int link, const struct gateway_host *host, const struct tls_trust *trust,
		struct error *error) MUST_USE;

#endif
