/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of files and directories in the kernel's tables; tables.c takes them out again. */
#ifndef AGENTPOL_KERNEL_OBJECT_TABLES_H
#define AGENTPOL_KERNEL_OBJECT_TABLES_H

#include "kernel/enforcer.h"
#include "kernel/objects.h"

/* Writes them under a policy that is loaded and no cgroup's yet. */
int object_tables_load(struct enforcer *enforcer, uint32_t policy_id,
		       const struct object_list *list, struct error *error) MUST_USE;
void object_tables_unload(struct enforcer *enforcer, uint32_t policy_id);

#endif
