/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of ports: sorted, disjoint, not touching ranges, so that equal sets look equal.
 * Immutable once made; they live in an arena.
 */
#ifndef AGENTPOL_POLICY_PORTS_H
#define AGENTPOL_POLICY_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct port_range {
	uint16_t first, last; /* both inside */
};

struct port_set {
	size_t count;
	struct port_range ranges[];
};

/* Sorts and joins `count` ranges (first <= last each); NULL when out of memory. */
struct port_set *port_set_new(struct arena *arena, const struct port_range *ranges,
			      size_t count) MUST_USE;
/* Either may be NULL (the empty set); may return one of the two unchanged. *failed is set when
 * memory ran out (then NULL is returned), and left alone otherwise. */
const struct port_set *port_set_union(struct arena *arena, const struct port_set *a,
				      const struct port_set *b, bool *failed) MUST_USE;
/* NULL is the empty set. */
bool port_set_has(const struct port_set *set, uint16_t port);
bool port_set_equal(const struct port_set *a, const struct port_set *b);
uint64_t port_set_hash(const struct port_set *set);
/* "443, 8000-8100"; cut off with "..." where it does not fit. */
void port_set_format(const struct port_set *set, char *text, size_t room);

#endif
