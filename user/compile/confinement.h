/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy's processes may do, as the hooks of the LSM look it up. For image.c. */
#ifndef AGENTPOL_COMPILE_CONFINEMENT_H
#define AGENTPOL_COMPILE_CONFINEMENT_H

#include "bpf/abi.h"
#include "policy/policy.h"

/* The agent's own, or (tool not NULL) joined with the tool's. */
void confinement_fill(const struct policy *policy, const struct tool *tool,
		      struct confinement *confinement);
/* What of it every hook asks first: POLICY_* flags. */
uint32_t confinement_flags(const struct policy *policy, const struct tool *tool);

#endif
