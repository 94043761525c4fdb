/* SPDX-License-Identifier: Apache-2.0 */
/* The names and budgets of a policy in the kernel's tables; for tables.c. */
#ifndef AGENTPOL_KERNEL_NAME_TABLES_H
#define AGENTPOL_KERNEL_NAME_TABLES_H

#include "compile/image.h"
#include "kernel/enforcer.h"

/* Which places of the shared arrays are whose. */
struct pools;
/* NULL when out of memory. */
struct pools *pools_new(void) MUST_USE;
/* Accepts NULL. */
void pools_free(struct pools *pools);

/* A policy's places, by image number (from 1 on), and its keys. */
struct loaded_names {
	uint32_t *budgets, *lists, *grants;
	size_t budget_count, list_count, grant_count;
	struct name_key *keys;
	size_t key_count;
};
void loaded_names_free(struct loaded_names *loaded);

/* From an image's numbers of port sets to the kernel's slots. */
typedef uint32_t (*slot_of_number)(const void *context, uint32_t number);

/* On an error what was written is to be unloaded, too. */
int name_tables_load(struct enforcer *enforcer, struct pools *pools, const struct image *image,
		     uint32_t policy_id, slot_of_number port_slot, const void *context,
		     struct loaded_names *loaded, struct error *error) MUST_USE;
/* Nothing may be reading them. */
void name_tables_unload(struct enforcer *enforcer, struct pools *pools,
			const struct loaded_names *loaded);

/* After an adoption: takes notice of all places that are in use. */
void pools_adopt(struct enforcer *enforcer, struct pools *pools);
/* Whose the place of a grant is, 0: nobody's; false past the last place. */
bool pools_grant_owner(const struct pools *pools, size_t place, uint32_t *owner) MUST_USE;
/* And of those of one policy. -ENOMEM. */
int loaded_names_adopt(struct enforcer *enforcer, const struct pools *pools, uint32_t policy_id,
		       struct loaded_names *loaded) MUST_USE;

#endif
