/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts by text: of one policy under one catalog; it goes with either. A key is a statement's
 * exact bytes or its shape, and is compared whole: the hash only finds the place. Its seed is
 * random, and a place has few entries, so that no choice of texts makes it slow or large.
 */
#ifndef AGENTPOL_SQL_CACHE_H
#define AGENTPOL_SQL_CACHE_H

#include <stdint.h>

#include "sql/judgement.h"

#define CACHE_KEY_MAX	65536U	    /* a longer text is judged each time */
#define CACHE_BYTES_MAX (8U << 20) /* keys and verdicts of one cache */

enum cache_kind { CACHE_EXACT, CACHE_SHAPE };

struct cache;

/* NULL when out of memory. */
struct cache *cache_new(const uint64_t seed[2]) MUST_USE;
/* Accepts NULL. */
void cache_free(struct cache *cache);

/* The verdict, owned by the cache, or NULL. */
struct judgement *cache_find(struct cache *cache, enum cache_kind kind, const char *key,
			     size_t length);
/* Keeps a reference of its own; what does not fit is not kept. */
void cache_add(struct cache *cache, enum cache_kind kind, const char *key, size_t length,
	       struct judgement *judgement);

size_t cache_bytes(const struct cache *cache);

#endif
