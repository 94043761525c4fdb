// SPDX-License-Identifier: Apache-2.0
#include "audit/table.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/array.h"

/* An item, and its key behind it. */
struct entry {
	uint64_t hash;
	const char *key;
	alignas(max_align_t) unsigned char item[];
};

struct table {
	size_t item_bytes, bound;
	struct entry **entries; /* owned, each too */
	size_t count, room;
	uint32_t *places;   /* owned; index of an entry, and 1; 0: free */
	size_t place_count; /* a power of two, at least twice the bound */
	uint64_t seed;	    /* so that nobody who is logged chooses what collides */
	int (*compare)(const void *left, const void *right);
};

struct table *table_new(size_t item_bytes, size_t bound)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->item_bytes = item_bytes;
	table->bound = bound;
	for (table->place_count = 2; table->place_count < 2 * bound; table->place_count *= 2)
		;
	table->places = calloc(table->place_count, sizeof(*table->places));
	if (!table->places || getrandom(&table->seed, sizeof(table->seed), 0) < 0) {
		table_free(table);
		return NULL;
	}
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->entries[i]);
	free(table->entries);
	free(table->places);
	free(table);
}

/* FNV-1a from a start that is not known, and a last mixing: the low bits choose the place. */
static uint64_t hash_of(const struct table *table, const char *key)
{
	uint64_t hash = 0xcbf29ce484222325ULL ^ table->seed;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 0x100000001b3ULL;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93ULL;
	return hash ^ hash >> 32;
}

/* The place that has the key, or the free one where it would be. */
static uint32_t *place_of(const struct table *table, const char *key, uint64_t hash)
{
	const size_t mask = table->place_count - 1;
	size_t at = hash & mask;

	for (; table->places[at]; at = (at + 1) & mask) {
		const struct entry *entry = table->entries[table->places[at] - 1];

		if (entry->hash == hash && strcmp(entry->key, key) == 0)
			break;
	}
	return &table->places[at];
}

void *table_find(const struct table *table, const char *key)
{
	const uint32_t *place = place_of(table, key, hash_of(table, key));

	return *place ? table->entries[*place - 1]->item : NULL;
}

static struct entry *entry_new(const struct table *table, const char *key, uint64_t hash)
{
	const size_t length = strlen(key) + 1;
	struct entry *entry = calloc(1, sizeof(*entry) + table->item_bytes + length);

	if (!entry)
		return NULL;
	entry->hash = hash;
	memcpy(entry->item + table->item_bytes, key, length);
	entry->key = (const char *)entry->item + table->item_bytes;
	return entry;
}

void *table_take(struct table *table, const char *key)
{
	const uint64_t hash = hash_of(table, key);
	uint32_t *place = place_of(table, key, hash);
	struct entry **entries;

	if (*place)
		return table->entries[*place - 1]->item;
	if (table->count == table->bound)
		return NULL;
	entries = array_reserve(table->entries, &table->room, table->count, sizeof(struct entry *));
	if (!entries)
		return NULL;
	table->entries = entries;
	entries[table->count] = entry_new(table, key, hash);
	if (!entries[table->count])
		return NULL;
	*place = (uint32_t)++table->count;
	return entries[table->count - 1]->item;
}

size_t table_count(const struct table *table)
{
	return table->count;
}

void *table_item(const struct table *table, size_t index)
{
	return table->entries[index]->item;
}

static int compare_entries(const void *left, const void *right, void *context)
{
	const struct entry *const *a = left, *const *b = right;
	const struct table *table = context;

	return table->compare((*a)->item, (*b)->item);
}

void table_sort(struct table *table, int (*compare)(const void *left, const void *right))
{
	table->compare = compare;
	if (table->count)
		qsort_r(table->entries, table->count, sizeof(struct entry *), compare_entries,
			table);
	memset(table->places, 0, table->place_count * sizeof(*table->places));
}
