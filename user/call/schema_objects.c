// SPDX-License-Identifier: Apache-2.0
/* The keywords of objects. */
#include <inttypes.h>
#include <string.h>

#include "call/schema_judge.h"

static const struct schema_member *find_member(const struct schema_members *members,
					       const char *name)
{
	size_t low = 0, high = members->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, members->items[middle].name);

		if (order == 0)
			return &members->items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool judge_names(struct judgement *judgement, const json_value *object,
			const json_value *names, const char *keyword, const char *because)
{
	const size_t count = names ? json_count(object) : 0;

	json_for_each (name, names) {
		if (!judge_spend(judgement, 1 + count / 8))
			return false;
		if (json_member(object, json_as_string(name)))
			continue;
		return because ? judge_refuse(judgement, object, keyword,
					      "must have \"%.80s\" where it has \"%.80s\"",
					      json_as_string(name), because)
			       : judge_refuse(judgement, object, keyword, "must have \"%.100s\"",
					      json_as_string(name));
	}
	return true;
}

static bool judge_dependencies(struct judgement *judgement, const struct schema_members *members,
			       const json_value *object, struct seen *seen)
{
	const struct subject subject = {.value = object, .type = TYPE_OBJECT};

	for (size_t i = 0; i < members->count; i++) {
		const struct schema_member *member = &members->items[i];

		if (!judge_spend(judgement, 1 + json_count(object) / 8))
			return false;
		if (!json_member(object, member->name))
			continue;
		if (member->node && !judge_node(judgement, member->node, &subject, seen))
			return false;
		if (member->names && !judge_names(judgement, object, member->names,
						  "dependentRequired", member->name))
			return false;
	}
	return true;
}

static bool judge_additional(struct judgement *judgement, const struct schema_node *node,
			     const json_value *value, const char *keyword)
{
	if (node->refuses_all)
		return judge_refuse(judgement, value, keyword,
				    "is not allowed here: remove \"%.100s\"", json_key_of(value));
	return judge_value(judgement, node, value);
}

static bool judge_name(struct judgement *judgement, const struct schema_node *node,
		       const json_value *member)
{
	const struct subject name = {
		.value = member, .text = json_key_of(member), .type = TYPE_STRING, .is_name = true};

	if (!node->property_names)
		return true;
	judgement->quiet++;
	bool fits = judge_node(judgement, node->property_names, &name, NULL);
	judgement->quiet--;
	return fits || judge_refuse(judgement, member, "propertyNames",
				    "has a name that is not allowed: \"%.100s\"", name.text);
}

/* *known: some keyword but unevaluatedProperties has taken the member. */
static bool judge_member(struct judgement *judgement, const struct schema_node *node,
			 const json_value *member, bool *known)
{
	const char *name = json_key_of(member);
	const struct schema_member *property = find_member(&node->properties, name);

	*known = property != NULL;
	if (!judge_spend(judgement, 1) || !judge_name(judgement, node, member))
		return false;
	if (property && !judge_value(judgement, property->node, member))
		return false;
	for (size_t i = 0; i < node->pattern_properties.count; i++) {
		const struct schema_member *each = &node->pattern_properties.items[i];

		if (!judge_matches(judgement, each->pattern, name))
			continue;
		*known = true;
		if (!judge_value(judgement, each->node, member))
			return false;
	}
	if (*known || !node->additional_properties)
		return true;
	*known = true;
	return judge_additional(judgement, node->additional_properties, member,
				"additionalProperties");
}

static bool judge_count(struct judgement *judgement, const struct schema_node *node,
			const json_value *object)
{
	uint64_t count;

	if (!node->max_properties.set && !node->min_properties.set)
		return true;
	count = json_count(object);
	if (!judge_spend(judgement, count / 16))
		return false;
	if (node->max_properties.set && count > node->max_properties.value)
		return judge_refuse(judgement, object, "maxProperties",
				    "must have at most %" PRIu64 " members",
				    node->max_properties.value);
	if (node->min_properties.set && count < node->min_properties.value)
		return judge_refuse(judgement, object, "minProperties",
				    "must have at least %" PRIu64 " members",
				    node->min_properties.value);
	return true;
}

bool judge_object(struct judgement *judgement, const struct schema_node *node,
		  const json_value *object, struct seen *seen)
{
	const bool has_members = node->properties.count || node->pattern_properties.count ||
				 node->additional_properties || node->property_names;
	size_t index = 0;
	bool known;

	if (!judge_count(judgement, node, object) ||
	    !judge_names(judgement, object, node->required, "required", NULL))
		return false;
	for (const json_value *member = has_members ? json_first(object) : NULL; member;
	     member = json_next(member), index++) {
		if (!judge_member(judgement, node, member, &known))
			return false;
		if (known)
			seen_add(seen, index);
	}
	return judge_dependencies(judgement, &node->dependencies, object, seen) &&
	       judge_dependencies(judgement, &node->dependent_required, object, seen);
}

bool judge_rest_of_object(struct judgement *judgement, const struct schema_node *node,
			  const json_value *object, struct seen *seen)
{
	size_t index = 0;

	if (!node->unevaluated_properties)
		return true;
	json_for_each (member, object) {
		const size_t at = index++;

		if (!judge_spend(judgement, 1))
			return false;
		if (seen_has(seen, at))
			continue;
		if (!judge_additional(judgement, node->unevaluated_properties, member,
				      "unevaluatedProperties"))
			return false;
		seen_add(seen, at);
	}
	return true;
}
