/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy's processes may do, as the hooks of the kernel's LSM read it. */
#ifndef AGENTPOL_COMPILE_CONFINEMENT_H
#define AGENTPOL_COMPILE_CONFINEMENT_H

#include "bpf/abi.h"
#include "policy/policy.h"

/* Of the agent's own grants, or (tool not NULL) those joined with the tool's. System calls go by
 * the numbers of the architecture that this runs on. */
void confinement_compile(const struct policy *policy, const struct tool *tool,
			 struct confinement *confinement);
/* POLICY_* flags that go with it. */
uint32_t confinement_flags(const struct policy *policy, const struct tool *tool);

/* What takes nothing away; for who judges other things, as the self-test does. */
void confinement_allow_all(struct confinement *confinement);

#endif
