/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine can enforce, for compile/tiers.h to find the gaps by. */
#ifndef AGENTPOL_KERNEL_PLACE_H
#define AGENTPOL_KERNEL_PLACE_H

#include "compile/tiers.h"
#include "kernel/enforcer.h"

/* For the policy (and one tool's scope, if not NULL): whether a live cgroup can be watched takes
 * loading programs, and is found out for a policy that asks for it. */
void place_find(struct enforcer *enforcer, enum tier tier, const struct policy *policy,
		const struct tool *tool, struct place *place);

#endif
