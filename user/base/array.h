/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that grow: `items` with `room` places, of which the caller counts what is used. */
#ifndef AGENTPOL_BASE_ARRAY_H
#define AGENTPOL_BASE_ARRAY_H

#include <stddef.h>

#include "base/cleanup.h"

#define ARRAY_ROOM_FIRST 64

/*
 * Room for one more: `items` itself where there is room, or twice as much of it elsewhere. NULL
 * when out of memory, and then `items` is still the caller's.
 */
static inline void *array_reserve(void *items, size_t *room, size_t used, size_t size) MUST_USE;
static inline void *array_reserve(void *items, size_t *room, size_t used, size_t size)
{
	size_t wanted = *room ? *room * 2 : ARRAY_ROOM_FIRST;
	void *more;

	if (used < *room)
		return items;
	more = reallocarray(items, wanted, size);
	if (more)
		*room = wanted;
	return more;
}

#endif
