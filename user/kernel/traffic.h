/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has counted of what goes where, for policies that ask for it. */
#ifndef AGENTPOL_KERNEL_TRAFFIC_H
#define AGENTPOL_KERNEL_TRAFFIC_H

#include "kernel/enforcer.h"

/* Called for each destination; `name` is the text of the name that led there, "" where there is
 * none. Valid during the call alone. */
typedef void (*traffic_visit)(const struct traffic_key *key, const struct traffic *traffic,
			      const char *name, void *context);

/*
 * Takes out what was counted since it was called last, of all policies, and calls `visit` with it:
 * the kernel counts anew from nothing, so that what is visited can be added up, also by a successor
 * of this process. 0, or -errno: what is left then is there the next time.
 */
int traffic_take(const struct enforcer *enforcer, traffic_visit visit, void *context) MUST_USE;

/* Packets to destinations that the full table did not count, ever. */
uint64_t traffic_lost(const struct enforcer *enforcer);

#endif
