/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places of a machine that no agent gets to see or to write, whatever its manifest says: what
 * `agentpol run` mounts over, and what an OCI profile masks.
 */
#ifndef AGENTPOL_COMPILE_PLACES_H
#define AGENTPOL_COMPILE_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct hidden_place {
	const char *path;
	bool make; /* it may come later: be there first */
};
extern const struct hidden_place hidden_places[];
extern const size_t hidden_place_count;

extern const char *const read_only_places[];
extern const size_t read_only_place_count;

#endif
