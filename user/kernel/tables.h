/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies in the kernel's tables: a map image goes in whole under an id that was never used
 * before, and comes out when nothing can be looking at it any more.
 */
#ifndef AGENTPOL_KERNEL_TABLES_H
#define AGENTPOL_KERNEL_TABLES_H

#include "compile/image.h"
#include "kernel/enforcer.h"

/* Writes every table of the image under a new id, which no cgroup has yet; *policy is the
 * POLICY_WORD to enrol with. On an error nothing of it stays. */
int tables_load(struct enforcer *enforcer, const struct image *image, uint64_t *policy,
		struct error *error) MUST_USE;

/* The policy is no cgroup's any more: it is taken out at the next sweep. */
void tables_retire(struct enforcer *enforcer, uint64_t policy);

/*
 * Takes retired policies out. Waits first until every program that could have read a retired id has
 * ended (an RCU grace period, by membarrier(2)), so that no verdict is made of half a policy and no
 * port set changes under a reader. Some 10 ms when there is anything to do.
 */
void tables_sweep(struct enforcer *enforcer);
size_t tables_retired_count(struct enforcer *enforcer);

/* After an adoption: learns what the predecessor's policies hold; those whose id is not in `live`
 * are retired. */
int tables_adopt(struct enforcer *enforcer, const uint32_t *live, size_t live_count,
		 struct error *error) MUST_USE;

/* Accepts NULL. */
void tables_free(struct tables *tables);

#endif
