/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `agentpol run --leases FD`: who stands between the command and those that call its tools
 * (agentpol mcp) says on that descriptor which call begins and ends, a line each, "open TOOL" and
 * "close TOOL", and gets "ok" or "error SENTENCE" for each. The grants of tools with "scope":
 * "call" are open in between. Where that end is closed all are closed.
 */
#ifndef AGENTPOL_AGENTPOL_RUN_LEASES_H
#define AGENTPOL_AGENTPOL_RUN_LEASES_H

#include <time.h>

#include "policyd/leases.h"

#define RUN_LEASES_LINE_MAX 1024

struct run_leases {
	int fd;		    /* -1: none */
	struct leases *own; /* NULL: policyd's */
	const char *socket, *cgroup_path;
	uint64_t cgroup;
	char line[RUN_LEASES_LINE_MAX];
	size_t used;
	size_t open; /* calls under way */
	time_t renewed;
};

/* The name of the scope of all that may ever be open: `base` (may be NULL) and the tools with
 * "scope": "call". */
int run_leases_widest(const struct policy *policy, const char *base, char name[SCOPE_NAME_MAX + 1],
		      struct error *error) MUST_USE;
/* Before the command starts: all that will be needed is loaded. */
int run_leases_prepare(struct run_leases *leases, struct error *error) MUST_USE;
/* What has come on the descriptor. */
void run_leases_serve(struct run_leases *leases);
/* At every turn of the loop: what is open stays open. */
void run_leases_renew(struct run_leases *leases);

#endif
