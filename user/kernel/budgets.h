/* SPDX-License-Identifier: Apache-2.0 */
/* The buckets of single budgets: for leases, under which an agent has another policy for a while
 * and is to have no more for it. */
#ifndef AGENTPOL_KERNEL_BUDGETS_H
#define AGENTPOL_KERNEL_BUDGETS_H

#include "kernel/enforcer.h"

/* The places of a policy's budgets, which stay the same as long as it is loaded; the caller's to
 * free. NULL when out of memory. */
uint32_t *budgets_places(const struct enforcer *enforcer, uint32_t policy_id, size_t *count);
bool budgets_read(const struct enforcer *enforcer, uint32_t place, struct budget *budget) MUST_USE;
/* What the kernel takes from it at the same moment is lost: best while no cgroup is under it. */
void budgets_write(const struct enforcer *enforcer, uint32_t place, const struct budget *budget);

#endif
