/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: allocations that live and die together (a manifest's policy, a map image).
 * Nothing is freed alone; arena_free frees all.
 */
#ifndef AGENTPOL_BASE_ARENA_H
#define AGENTPOL_BASE_ARENA_H

#include <stddef.h>

#include "base/cleanup.h"

struct arena;

/* NULL when out of memory. */
struct arena *arena_new(void) MUST_USE;
/* Accepts NULL. */
void arena_free(struct arena *arena);

/* Zeroed memory for `count` objects of `size` bytes, aligned for any type; NULL when out of
 * memory or when count * size overflows. */
void *arena_alloc(struct arena *arena, size_t count, size_t size) MUST_USE;
/* NUL-terminated copy of `length` bytes; NULL when out of memory. */
char *arena_copy(struct arena *arena, const char *text, size_t length) MUST_USE;
char *arena_printf(struct arena *arena, const char *format, ...) FORMAT(2, 3) MUST_USE;

#define arena_new_array(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type)))

#endif
