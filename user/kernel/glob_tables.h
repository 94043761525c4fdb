/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of patterns in the kernel: those of a policy, for tables.c, and those of the enforcer. */
#ifndef AGENTPOL_KERNEL_GLOB_TABLES_H
#define AGENTPOL_KERNEL_GLOB_TABLES_H

#include "kernel/enforcer.h"

/* A policy's, under its id. On an error what was written is to be unloaded, too. */
int glob_tables_load(struct enforcer *enforcer, uint32_t list, const struct glob *globs,
		     size_t count, struct error *error) MUST_USE;
/* Nothing may be reading it. */
void glob_tables_unload(struct enforcer *enforcer, uint32_t list);

/* What is denied whatever a policy says, and what unless it says so. `own_socket`, the daemon's, is
 * among the former; NULL: none but those that are always. */
int glob_tables_load_defaults(struct enforcer *enforcer, const char *own_socket,
			      struct error *error) MUST_USE;

/* After an adoption: the policy of each list; policies with patterns alone have no other entry. */
int glob_tables_each(const struct enforcer *enforcer,
		     int (*visit)(uint32_t policy_id, void *context), void *context) MUST_USE;

#endif
