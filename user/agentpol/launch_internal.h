/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the launch tier share: how a step of the child fails, and its view of files. */
#ifndef AGENTPOL_AGENTPOL_LAUNCH_INTERNAL_H
#define AGENTPOL_AGENTPOL_LAUNCH_INTERNAL_H

#include "agentpol/launch.h"

/* What the child tells before it ends; pipes carry this much in one piece. */
struct failure {
	int exit_code;
	char text[512];
};

/* "WHAT: errno's sentence"; returns -1. */
int launch_failed(struct failure *failure, const char *what);

/* A mount namespace without the enforcer's own places and what "deny" names, in which the kernel's
 * control files are read-only. */
int launch_make_view(const struct launch *launch, struct failure *failure) MUST_USE;

#endif
