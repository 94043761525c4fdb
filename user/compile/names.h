/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host names of a policy as the kernel has them: each name with the set of rules that grant it, by
 * itself or through wildcards, so that the longest match alone decides. For image.c.
 */
#ifndef AGENTPOL_COMPILE_NAMES_H
#define AGENTPOL_COMPILE_NAMES_H

#include "base/error.h"
#include "compile/budget_table.h"
#include "compile/port_table.h"

struct image_name {
	const char *name; /* of a wildcard: what stands behind "*." */
	bool wildcard;
	bool ask_only;	/* what a search domain makes of a name: may be asked, opens nothing */
	uint32_t grant; /* from 1 on, into the grants */
};

/* What one set of rules opens; numbers of port sets and budget lists as in image.h. */
struct image_grant {
	struct address_grant ports;
	uint32_t sni_ports;
	uint32_t like; /* the first grant that opens the same; its own number where it is the first
			*/
};

struct names {
	struct image_name *names;
	size_t name_count;
	struct image_grant *grants; /* grant n is [n - 1] */
	size_t grant_count;
};

/* The rules of a scope, whose names are taken; up to two scopes. `search` are the target's search
 * domains. What is made lives in `arena`. */
int names_compile(const struct scope *const *scopes, size_t scope_count,
		  const struct strings *search, struct arena *arena, struct port_table *ports,
		  struct budget_table *budgets, struct names *names, struct error *error) MUST_USE;

#endif
