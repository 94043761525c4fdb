// SPDX-License-Identifier: Apache-2.0
#include "policy/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_ranges(const void *left, const void *right)
{
	const struct port_range *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->last > b->last) - (a->last < b->last);
}

/* Joins sorted ranges in place; how many are left. */
static size_t join_ranges(struct port_range *ranges, size_t count)
{
	size_t i, kept = 0;

	for (i = 1; i < count; i++) {
		if ((unsigned)ranges[i].first > (unsigned)ranges[kept].last + 1) {
			ranges[++kept] = ranges[i];
			continue;
		}
		if (ranges[i].last > ranges[kept].last)
			ranges[kept].last = ranges[i].last;
	}
	return count ? kept + 1 : 0;
}

struct port_set *port_set_new(struct arena *arena, const struct port_range *ranges, size_t count)
{
	struct port_set *set;
	size_t bytes;

	if (__builtin_mul_overflow(count, sizeof(*ranges), &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(*set), &bytes))
		return NULL;
	set = arena_alloc(arena, 1, bytes);
	if (!set)
		return NULL;
	if (count == 0)
		return set;
	memcpy(set->ranges, ranges, count * sizeof(*ranges));
	qsort(set->ranges, count, sizeof(*ranges), compare_ranges);
	set->count = join_ranges(set->ranges, count);
	return set;
}

static bool contains(const struct port_set *outer, const struct port_set *inner)
{
	size_t i, at = 0;

	for (i = 0; i < inner->count; i++) {
		while (at < outer->count && outer->ranges[at].last < inner->ranges[i].first)
			at++;
		if (at == outer->count || outer->ranges[at].first > inner->ranges[i].first ||
		    outer->ranges[at].last < inner->ranges[i].last)
			return false;
	}
	return true;
}

const struct port_set *port_set_union(struct arena *arena, const struct port_set *a,
				      const struct port_set *b, bool *failed)
{
	const struct port_set *both;
	_cleanup_free_ struct port_range *ranges = NULL;

	if (!b || b->count == 0 || (a && contains(a, b)))
		return a;
	if (!a || a->count == 0 || contains(b, a))
		return b;
	ranges = calloc(a->count + b->count, sizeof(*ranges));
	if (!ranges) {
		*failed = true;
		return NULL;
	}
	memcpy(ranges, a->ranges, a->count * sizeof(*ranges));
	memcpy(ranges + a->count, b->ranges, b->count * sizeof(*ranges));
	both = port_set_new(arena, ranges, a->count + b->count);
	if (!both)
		*failed = true;
	return both;
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
	size_t low = 0, high = set ? set->count : 0;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (port < set->ranges[middle].first)
			high = middle;
		else if (port > set->ranges[middle].last)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

bool port_set_equal(const struct port_set *a, const struct port_set *b)
{
	const size_t a_count = a ? a->count : 0, b_count = b ? b->count : 0;

	if (a_count != b_count)
		return false;
	return a_count == 0 || memcmp(a->ranges, b->ranges, a_count * sizeof(a->ranges[0])) == 0;
}

uint64_t port_set_hash(const struct port_set *set)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a, a range at a time */
	size_t i;

	for (i = 0; set && i < set->count; i++) {
		hash ^= (uint64_t)set->ranges[i].first << 16 | set->ranges[i].last;
		hash *= 0x100000001b3ULL;
		hash ^= hash >> 29;
	}
	return hash;
}

void port_set_format(const struct port_set *set, char *text, size_t room)
{
	size_t i, used = 0;

	if (room == 0)
		return;
	text[0] = '\0';
	for (i = 0; set && i < set->count; i++) {
		const struct port_range *range = &set->ranges[i];
		const bool last = i + 1 == set->count;
		char item[16]; /* "65535-65535, " */
		size_t length;

		if (range->first == range->last)
			(void)snprintf(item, sizeof(item), "%s%u", i ? ", " : "", range->first);
		else
			(void)snprintf(item, sizeof(item), "%s%u-%u", i ? ", " : "", range->first,
				       range->last);
		length = strlen(item);
		/* Keep room for ", ..." behind all but the last. */
		if (used + length + (last ? 0 : strlen(", ...")) >= room) {
			(void)snprintf(text + used, room - used, "%s...", i ? ", " : "");
			return;
		}
		memcpy(text + used, item, length + 1);
		used += length;
	}
}
