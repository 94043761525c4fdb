/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy becomes in the kernel: a map image, the same for every machine, with no policy id
 * in it yet. kernel/tables.h loads it; `agentpol compile` shows it; the tests look into it.
 */
#ifndef AGENTPOL_COMPILE_IMAGE_H
#define AGENTPOL_COMPILE_IMAGE_H

#include "base/error.h"
#include "bpf/abi.h"
#include "compile/names.h"
#include "policy/policy.h"

/* One entry of the LPM trie. Port sets are numbers from 1 on into image->port_sets (0: none,
 * PORT_SET_ALL: all); the loader maps them to slots of the kernel's array. */
struct image_address {
	enum address_table table;
	struct ip_prefix prefix;
	struct address_grant grant;
};

/* A tool's server that is known by its address; all of loopback is 127.0.0.1. */
struct image_server {
	struct ip_address address;
	uint16_t port;
	uint32_t server; /* see SERVER_OWN */
};

/* A path of the manifest, and what it says of what it names: OBJECT_READ, WRITE, DENY; or, of a
 * pattern, OBJECT_EXEC. */
struct image_path {
	const char *path;
	const char *pointer; /* JSON pointer of the entry */
	uint32_t bits;
};

/* What the target has, where the policy says "system": read before, see policyd/resolvers.h. */
struct image_target {
	const struct ip_address *resolvers;
	size_t resolver_count;
	struct strings search; /* search domains, lower case, without dots at their ends */
};

struct image {
	struct arena *arena;		 /* owns everything, the image too */
	uint32_t flags;			 /* POLICY_* */
	struct image_address *addresses; /* flattened: the longest match alone decides */
	size_t address_count;
	const struct port_set **port_sets; /* different from each other; number n is [n - 1] */
	size_t port_set_count;
	struct names names;
	struct image_server *servers;
	size_t server_count;
	/* Servers behind Unix sockets: of the scope's own tool, and of the others. */
	struct glob *own_paths, *other_paths;
	size_t own_path_count, other_path_count;
	struct glob *globs; /* of Unix sockets that may be connected to */
	size_t glob_count;
	struct image_path *paths;
	size_t path_count;
	struct confinement confinement;
	const struct image_budget *budgets; /* number n is [n - 1] */
	size_t budget_count;
	const struct budget_list *budget_lists; /* number n is [n - 1] */
	size_t budget_list_count;
};

/*
 * Compiles the agent's own grants, or (tool not NULL) those joined with the tool's. `target` NULL:
 * one without resolvers. NULL, with *error, when it does not fit the limits of abi.h or memory ran
 * out.
 */
struct image *image_new(const struct policy *policy, const struct tool *tool,
			const struct image_target *target, struct error *error) MUST_USE;
/* Does the policy grant any host name, and does it ask the target's own resolvers then? */
bool image_needs_resolvers(const struct policy *policy, const struct tool *tool);
/* Accepts NULL. */
void image_free(struct image *image);
static inline void cleanup_image_free(struct image **image)
{
	image_free(*image);
}
#define _cleanup_image_ __attribute__((cleanup(cleanup_image_free)))

/* 65,536 bits as the kernel reads them. */
void image_port_bits(const struct port_set *set, struct port_bits *bits);

/* The order of image->addresses, for qsort and bsearch: by table, then a prefix in front of all
 * that it covers. */
int image_address_compare(const void *left, const void *right);

/* What the image answers for one question, by the same longest match as the kernel's; for
 * `agentpol compile` and tests. */
bool image_allows(const struct image *image, enum address_table table,
		  const struct ip_address *address, enum protocol_bit protocol, uint16_t port);

#endif
