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
	uint32_t internal; /* the grant that has its servers alone; 0: it has none */
	struct name_server servers[NAME_SERVERS_MAX];
};

/* A tool's server that is known by its name. */
struct named_server {
	const char *name;
	uint16_t port;
	uint32_t server; /* see SERVER_OWN; the name of another tool's is not granted by this */
};

struct names {
	struct image_name *names;
	size_t name_count;
	struct image_grant *grants; /* grant n is [n - 1] */
	size_t grant_count;
};

/* What names are taken from. */
struct names_source {
	const struct scope *const *scopes; /* up to two */
	size_t scope_count;
	const struct named_server *servers;
	size_t server_count;
	const struct strings *search; /* the target's search domains; NULL: none */
};

/* What is made lives in `arena`. */
int names_compile(const struct names_source *source, struct arena *arena, struct port_table *ports,
		  struct budget_table *budgets, struct names *names, struct error *error) MUST_USE;

#endif
