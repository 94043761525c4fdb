/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine can enforce, for compile/tiers.h to find the gaps by. */
#ifndef AGENTPOL_KERNEL_PLACE_H
#define AGENTPOL_KERNEL_PLACE_H

#include "compile/tiers.h"
#include "kernel/enforcer.h"

void place_find(struct enforcer *enforcer, enum tier tier, struct place *place);

#endif
