/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Items by a text, no more than a bound: what a log of any length is added up in. Items stand in
 * the order in which they came, until they are sorted.
 */
#ifndef AGENTPOL_AUDIT_TABLE_H
#define AGENTPOL_AUDIT_TABLE_H

#include <stddef.h>

#include "base/cleanup.h"

struct table;

/* Of items of `item_bytes`, at most `bound`; NULL when out of memory. */
struct table *table_new(size_t item_bytes, size_t bound) MUST_USE;
/* What items own is the caller's to free before. Accepts NULL. */
void table_free(struct table *table);

/* The key's item; NULL where there is none. */
void *table_find(const struct table *table, const char *key);
/* The key's item; a zeroed one where there was none. NULL where there is no room for another, or
 * memory ran out. */
void *table_take(struct table *table, const char *key) MUST_USE;

size_t table_count(const struct table *table);
void *table_item(const struct table *table, size_t index);
/* `compare` gets the items. No key is found any more after it. */
void table_sort(struct table *table, int (*compare)(const void *left, const void *right));

#endif
