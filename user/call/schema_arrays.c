// SPDX-License-Identifier: Apache-2.0
/* The keywords of arrays. */
#include <inttypes.h>

#include "call/schema_judge.h"

static bool judge_count(struct judgement *judgement, const struct schema_node *node,
			const json_value *array)
{
	uint64_t count;

	if (!node->max_items.set && !node->min_items.set)
		return true;
	count = json_count(array);
	if (!judge_spend(judgement, count / 16))
		return false;
	if (node->max_items.set && count > node->max_items.value)
		return judge_refuse(judgement, array, "maxItems",
				    "must have at most %" PRIu64 " items", node->max_items.value);
	if (node->min_items.set && count < node->min_items.value)
		return judge_refuse(judgement, array, "minItems",
				    "must have at least %" PRIu64 " items", node->min_items.value);
	return true;
}

/* prefixItems, and items for those behind them. */
static bool judge_items(struct judgement *judgement, const struct schema_node *node,
			const json_value *array, struct seen *seen)
{
	size_t index = 0;

	json_for_each (item, array) {
		const struct schema_node *each = index < node->prefix_items.count
							 ? node->prefix_items.items[index]
							 : node->items;

		if (!each)
			return true;
		if (!judge_spend(judgement, 1) || !judge_value(judgement, each, item))
			return false;
		seen_add(seen, index++);
	}
	return true;
}

static bool judge_contains(struct judgement *judgement, const struct schema_node *node,
			   const json_value *array, struct seen *seen)
{
	const uint64_t least = node->min_contains.set ? node->min_contains.value : 1;
	uint64_t count = 0;
	size_t index = 0;

	judgement->quiet++;
	json_for_each (item, array) {
		if (judge_spend(judgement, 1) && judge_value(judgement, node->contains, item)) {
			count++;
			seen_add(seen, index);
		}
		index++;
	}
	judgement->quiet--;
	if (count < least)
		return judge_refuse(judgement, array, "contains",
				    "has %" PRIu64
				    " items of the kind of which it must have %" PRIu64,
				    count, least);
	if (node->max_contains.set && count > node->max_contains.value)
		return judge_refuse(judgement, array, "maxContains",
				    "has %" PRIu64 " items of a kind of which it may have %" PRIu64,
				    count, node->max_contains.value);
	return true;
}

bool judge_array(struct judgement *judgement, const struct schema_node *node,
		 const json_value *array, struct seen *seen)
{
	if (!judge_count(judgement, node, array))
		return false;
	if (node->unique_items && !schema_is_unique(array, &judgement->steps))
		return judge_refuse(judgement, array, "uniqueItems", "must not have an item twice");
	if ((node->items || node->prefix_items.count) && !judge_items(judgement, node, array, seen))
		return false;
	return !node->contains || judge_contains(judgement, node, array, seen);
}

bool judge_rest_of_array(struct judgement *judgement, const struct schema_node *node,
			 const json_value *array, struct seen *seen)
{
	size_t index = 0;

	if (!node->unevaluated_items)
		return true;
	json_for_each (item, array) {
		const size_t at = index++;

		if (!judge_spend(judgement, 1))
			return false;
		if (seen_has(seen, at))
			continue;
		if (!judge_value(judgement, node->unevaluated_items, item))
			return false;
		seen_add(seen, at);
	}
	return true;
}
