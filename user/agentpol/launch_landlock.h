/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file and exec rules of `agentpol run` where they are Landlock's: made before the fork, from
 * what the manifest's paths name on this machine, entered by the child. What Landlock can't say
 * ("deny" below a granted folder) is hidden in the command's own mount namespace.
 */
#ifndef AGENTPOL_AGENTPOL_LAUNCH_LANDLOCK_H
#define AGENTPOL_AGENTPOL_LAUNCH_LANDLOCK_H

#include <stdbool.h>

#include "base/error.h"
#include "policy/policy.h"

struct launch_files {
	int rules;     /* Landlock's rule set, to be entered; -1: the kernel has none */
	char **hidden; /* owned, each too: what "deny" names, without links */
	size_t hidden_count, hidden_room;
};

/*
 * For the policy and, if not NULL, a tool of it. `degraded`: a denied path that can't be kept is
 * told on standard error instead of refused. *files is the caller's to free, also on an error.
 */
int launch_files_prepare(const struct policy *policy, const struct tool *tool, bool degraded,
			 struct launch_files *files, struct error *error) MUST_USE;
void launch_files_free(struct launch_files *files);

#endif
