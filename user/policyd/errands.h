/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's programs ask for, so that a refusal is felt at once and not as a timeout. */
#ifndef AGENTPOL_POLICYD_ERRANDS_H
#define AGENTPOL_POLICYD_ERRANDS_H

#include "bpf/abi.h"

/* Does it, within a few milliseconds; where it can't, the refusal holds and is felt later.
 * `cgroup_path` is the agent's, NULL where it is not known. */
void errand_run(const struct errand *errand, const char *cgroup_path);

#endif
