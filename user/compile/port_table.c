// SPDX-License-Identifier: Apache-2.0
#include "compile/port_table.h"

#include <string.h>

#include "bpf/abi.h"

#define FIRST_SLOTS ((size_t)64) /* a power of two */

/* A union that was asked for: both numbers (a < b) and the answer; a is 0 in a free slot. */
struct joined {
	uint32_t a, b, number;
};

/* Both tables are open addressing with linear probing, at most half full. */
struct port_table {
	struct arena *arena;	      /* not owned */
	const struct port_set **sets; /* number n is [n - 1] */
	size_t count, room;
	uint32_t *slots; /* numbers by the set's hash; 0: free */
	size_t slot_count;
	struct joined *unions;
	size_t union_count, union_slots;
};

struct port_table *port_table_new(struct arena *arena)
{
	struct port_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->arena = arena;
	table->room = FIRST_SLOTS;
	table->slot_count = 2 * FIRST_SLOTS;
	table->union_slots = 2 * FIRST_SLOTS;
	table->sets = calloc(table->room, sizeof(const struct port_set *));
	table->slots = calloc(table->slot_count, sizeof(*table->slots));
	table->unions = calloc(table->union_slots, sizeof(*table->unions));
	if (table->sets && table->slots && table->unions)
		return table;
	port_table_free(table);
	return NULL;
}

void port_table_free(struct port_table *table)
{
	if (!table)
		return;
	free(table->sets);
	free(table->slots);
	free(table->unions);
	free(table);
}

/* The slot of an equal set, or the free one where it belongs. */
static size_t find_slot(const struct port_table *table, const struct port_set *set)
{
	size_t slot = port_set_hash(set) & (table->slot_count - 1);

	while (table->slots[slot] && !port_set_equal(table->sets[table->slots[slot] - 1], set))
		slot = (slot + 1) & (table->slot_count - 1);
	return slot;
}

static bool grow_sets(struct port_table *table)
{
	const struct port_set **sets =
		reallocarray(table->sets, 2 * table->room, sizeof(const struct port_set *));
	uint32_t *slots;
	size_t i;

	if (!sets)
		return false;
	table->sets = sets;
	slots = calloc(2 * table->slot_count, sizeof(*slots));
	if (!slots)
		return false;
	free(table->slots);
	table->slots = slots;
	table->room *= 2;
	table->slot_count *= 2;
	for (i = 0; i < table->count; i++)
		table->slots[find_slot(table, table->sets[i])] = (uint32_t)(i + 1);
	return true;
}

static bool is_full_set(const struct port_set *set)
{
	return set->count == 1 && set->ranges[0].first <= 1 && set->ranges[0].last == UINT16_MAX;
}

bool port_table_number(struct port_table *table, const struct port_set *set, uint32_t *number)
{
	size_t slot;

	*number = PORT_SET_NONE;
	if (!set || set->count == 0)
		return true;
	*number = PORT_SET_ALL;
	if (is_full_set(set))
		return true;
	if (table->count == table->room && !grow_sets(table))
		return false;
	slot = find_slot(table, set);
	if (!table->slots[slot]) {
		table->sets[table->count++] = set;
		table->slots[slot] = (uint32_t)table->count;
	}
	*number = table->slots[slot];
	return true;
}

static size_t find_union(const struct port_table *table, uint32_t a, uint32_t b)
{
	const uint64_t hash = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ULL;
	size_t slot = (hash >> 32) & (table->union_slots - 1);

	while (table->unions[slot].a && (table->unions[slot].a != a || table->unions[slot].b != b))
		slot = (slot + 1) & (table->union_slots - 1);
	return slot;
}

static bool grow_unions(struct port_table *table)
{
	struct joined *old = table->unions;
	const size_t old_slots = table->union_slots;
	size_t i;

	table->unions = calloc(2 * old_slots, sizeof(*table->unions));
	if (!table->unions) {
		table->unions = old;
		return false;
	}
	table->union_slots = 2 * old_slots;
	for (i = 0; i < old_slots; i++)
		if (old[i].a)
			table->unions[find_union(table, old[i].a, old[i].b)] = old[i];
	free(old);
	return true;
}

bool port_table_union(struct port_table *table, uint32_t a, uint32_t b, uint32_t *number)
{
	const struct port_set *both;
	bool failed = false;
	size_t slot;

	*number = a;
	if (a == b || b == PORT_SET_NONE || a == PORT_SET_ALL)
		return true;
	*number = b;
	if (a == PORT_SET_NONE || b == PORT_SET_ALL)
		return true;
	if (a > b) {
		*number = a;
		a = b;
		b = *number;
	}
	if (2 * table->union_count >= table->union_slots && !grow_unions(table))
		return false;
	slot = find_union(table, a, b);
	if (!table->unions[slot].a) {
		both = port_set_union(table->arena, port_table_set(table, a),
				      port_table_set(table, b), &failed);
		if (failed || !port_table_number(table, both, number))
			return false;
		table->unions[slot] = (struct joined){a, b, *number};
		table->union_count++;
	}
	*number = table->unions[slot].number;
	return true;
}

const struct port_set *port_table_set(const struct port_table *table, uint32_t number)
{
	return table->sets[number - 1];
}

size_t port_table_count(const struct port_table *table)
{
	return table->count;
}
