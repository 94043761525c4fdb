// SPDX-License-Identifier: Apache-2.0
/* The words of both dialects, each with what it takes and where a node keeps it. */
#include <string.h>

#include "call/schema_internal.h"

#define SUGGEST_BYTES_MAX 24
#define SUGGEST_DISTANCE  3

/* What a keyword's value is. */
enum shape {
	SHAPE_NOTE,	   /* an annotation: limits nothing */
	SHAPE_IDENTITY,	   /* read before all others */
	SHAPE_REFUSED,	   /* known, and not supported: why */
	SHAPE_SCHEMA,	   /* struct schema_node * */
	SHAPE_SCHEMA_LIST, /* struct schema_nodes */
	SHAPE_MEMBERS,	   /* struct schema_members */
	SHAPE_PATTERNS,
	SHAPE_DEPENDENCIES, /* names or a schema */
	SHAPE_NAMES_MAP,
	SHAPE_DEFINITIONS,
	SHAPE_NUMBER, /* struct schema_number */
	SHAPE_DIVISOR,
	SHAPE_COUNT, /* struct schema_count */
	SHAPE_VALUE, /* const json_value * */
	SHAPE_LIST,
	SHAPE_NAMES,
	SHAPE_TYPE,
	SHAPE_UNIQUE,
	SHAPE_PATTERN,
	SHAPE_REFERENCE,
	SHAPE_DYNAMIC_REFERENCE,
	SHAPE_ITEMS, /* of draft-07: a schema, or a list of them */
};

struct keyword {
	const char *word;
	enum dialect dialects;
	enum shape shape;
	size_t offset;	 /* in struct schema_node */
	const char *why; /* SHAPE_REFUSED */
};

#define AT(field) offsetof(struct schema_node, field), NULL
#define NOWHERE	  0, NULL

static const struct keyword keywords[] = {
	{"$schema", DIALECT_BOTH, SHAPE_IDENTITY, NOWHERE},
	{"$id", DIALECT_BOTH, SHAPE_IDENTITY, NOWHERE},
	{"$anchor", DIALECT_2020, SHAPE_IDENTITY, NOWHERE},
	{"$dynamicAnchor", DIALECT_2020, SHAPE_IDENTITY, NOWHERE},
	{"$ref", DIALECT_BOTH, SHAPE_REFERENCE, NOWHERE},
	{"$dynamicRef", DIALECT_2020, SHAPE_DYNAMIC_REFERENCE, NOWHERE},
	{"$vocabulary", DIALECT_2020, SHAPE_REFUSED, 0, "belongs into metaschemas"},
	{"$recursiveRef", DIALECT_BOTH, SHAPE_REFUSED, 0, "is of 2019-09; write $dynamicRef"},
	{"$recursiveAnchor", DIALECT_BOTH, SHAPE_REFUSED, 0, "is of 2019-09; write $dynamicAnchor"},
	{"$defs", DIALECT_BOTH, SHAPE_DEFINITIONS, NOWHERE},
	{"definitions", DIALECT_BOTH, SHAPE_DEFINITIONS, NOWHERE},
	{"type", DIALECT_BOTH, SHAPE_TYPE, NOWHERE},
	{"const", DIALECT_BOTH, SHAPE_VALUE, AT(constant)},
	{"enum", DIALECT_BOTH, SHAPE_LIST, AT(enumeration)},
	{"multipleOf", DIALECT_BOTH, SHAPE_DIVISOR, AT(multiple_of)},
	{"maximum", DIALECT_BOTH, SHAPE_NUMBER, AT(maximum)},
	{"exclusiveMaximum", DIALECT_BOTH, SHAPE_NUMBER, AT(exclusive_maximum)},
	{"minimum", DIALECT_BOTH, SHAPE_NUMBER, AT(minimum)},
	{"exclusiveMinimum", DIALECT_BOTH, SHAPE_NUMBER, AT(exclusive_minimum)},
	{"maxLength", DIALECT_BOTH, SHAPE_COUNT, AT(max_length)},
	{"minLength", DIALECT_BOTH, SHAPE_COUNT, AT(min_length)},
	{"pattern", DIALECT_BOTH, SHAPE_PATTERN, NOWHERE},
	{"maxItems", DIALECT_BOTH, SHAPE_COUNT, AT(max_items)},
	{"minItems", DIALECT_BOTH, SHAPE_COUNT, AT(min_items)},
	{"uniqueItems", DIALECT_BOTH, SHAPE_UNIQUE, NOWHERE},
	{"contains", DIALECT_BOTH, SHAPE_SCHEMA, AT(contains)},
	{"minContains", DIALECT_2020, SHAPE_COUNT, AT(min_contains)},
	{"maxContains", DIALECT_2020, SHAPE_COUNT, AT(max_contains)},
	{"prefixItems", DIALECT_2020, SHAPE_SCHEMA_LIST, AT(prefix_items)},
	{"items", DIALECT_BOTH, SHAPE_ITEMS, AT(items)},
	{"additionalItems", DIALECT_DRAFT7, SHAPE_NOTE, NOWHERE}, /* with "items" */
	{"unevaluatedItems", DIALECT_2020, SHAPE_SCHEMA, AT(unevaluated_items)},
	{"maxProperties", DIALECT_BOTH, SHAPE_COUNT, AT(max_properties)},
	{"minProperties", DIALECT_BOTH, SHAPE_COUNT, AT(min_properties)},
	{"required", DIALECT_BOTH, SHAPE_NAMES, AT(required)},
	{"properties", DIALECT_BOTH, SHAPE_MEMBERS, AT(properties)},
	{"patternProperties", DIALECT_BOTH, SHAPE_PATTERNS, AT(pattern_properties)},
	{"additionalProperties", DIALECT_BOTH, SHAPE_SCHEMA, AT(additional_properties)},
	{"propertyNames", DIALECT_BOTH, SHAPE_SCHEMA, AT(property_names)},
	{"unevaluatedProperties", DIALECT_2020, SHAPE_SCHEMA, AT(unevaluated_properties)},
	{"dependencies", DIALECT_DRAFT7, SHAPE_DEPENDENCIES, AT(dependencies)},
	{"dependentSchemas", DIALECT_2020, SHAPE_MEMBERS, AT(dependencies)},
	{"dependentRequired", DIALECT_2020, SHAPE_NAMES_MAP, AT(dependent_required)},
	{"allOf", DIALECT_BOTH, SHAPE_SCHEMA_LIST, AT(all_of)},
	{"anyOf", DIALECT_BOTH, SHAPE_SCHEMA_LIST, AT(any_of)},
	{"oneOf", DIALECT_BOTH, SHAPE_SCHEMA_LIST, AT(one_of)},
	{"not", DIALECT_BOTH, SHAPE_SCHEMA, AT(not )},
	{"if", DIALECT_BOTH, SHAPE_SCHEMA, AT(if_schema)},
	{"then", DIALECT_BOTH, SHAPE_SCHEMA, AT(then_schema)},
	{"else", DIALECT_BOTH, SHAPE_SCHEMA, AT(else_schema)},
	{"format", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"contentMediaType", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"contentEncoding", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"contentSchema", DIALECT_2020, SHAPE_NOTE, NOWHERE},
	{"title", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"description", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"default", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"examples", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"deprecated", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"readOnly", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"writeOnly", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
	{"$comment", DIALECT_BOTH, SHAPE_NOTE, NOWHERE},
};

struct slot {
	struct schema_compiler *compiler;
	struct schema_node *node;
	const struct keyword *keyword;
	const json_value *value;
};

static void *field_of(const struct slot *slot)
{
	return (char *)slot->node + slot->keyword->offset;
}

static bool must_be(const struct slot *slot, const json_value *at, const char *what)
{
	return schema_fail(slot->compiler, at, slot->keyword->word, "must be %s", what);
}

static bool out_of_memory(const struct slot *slot)
{
	return schema_fail(slot->compiler, slot->value, slot->keyword->word, "out of memory");
}

static struct schema_node *child(const struct slot *slot, const json_value *value)
{
	return schema_compile_node(slot->compiler, value, slot->node->resource);
}

static bool read_schema(const struct slot *slot)
{
	struct schema_node **field = field_of(slot);

	*field = child(slot, slot->value);
	return *field != NULL;
}

static bool read_schemas(const struct slot *slot, struct schema_nodes *nodes)
{
	size_t count = json_count(slot->value);

	nodes->items =
		arena_alloc(slot->compiler->schema->arena, count + 1, sizeof(struct schema_node *));
	if (!nodes->items)
		return out_of_memory(slot);
	json_for_each (item, slot->value) {
		nodes->items[nodes->count] = child(slot, item);
		if (!nodes->items[nodes->count++])
			return false;
	}
	return true;
}

static bool read_schema_list(const struct slot *slot)
{
	if (!json_is_array(slot->value) || !json_first(slot->value))
		return must_be(slot, slot->value, "a list of at least one schema");
	return read_schemas(slot, field_of(slot));
}

static int compare_members(const void *left, const void *right)
{
	const struct schema_member *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* Each string once, or not: a list of names. */
static bool read_name_list(const struct slot *slot, const json_value *list)
{
	if (!json_is_array(list))
		return must_be(slot, list, "a list of names");
	json_for_each (item, list)
		if (!json_is_string(item))
			return must_be(slot, item, "a name, in a string");
	return true;
}

static bool read_member(const struct slot *slot, const json_value *value,
			struct schema_member *member)
{
	const enum shape shape = slot->keyword->shape;

	member->name = json_key_of(value);
	if (shape == SHAPE_NAMES_MAP || (shape == SHAPE_DEPENDENCIES && json_is_array(value))) {
		member->names = value;
		return read_name_list(slot, value);
	}
	if (shape == SHAPE_PATTERNS) {
		member->pattern = schema_compile_pattern(slot->compiler, value, slot->keyword->word,
							 member->name);
		if (!member->pattern)
			return false;
	}
	member->node = child(slot, value);
	return member->node != NULL;
}

static bool read_members_into(const struct slot *slot, struct schema_members *members)
{
	if (!json_is_object(slot->value))
		return must_be(slot, slot->value, "an object");
	members->items = arena_new_array(slot->compiler->schema->arena, struct schema_member,
					 json_count(slot->value) + 1);
	if (!members->items)
		return out_of_memory(slot);
	json_for_each (value, slot->value)
		if (!read_member(slot, value, &members->items[members->count++]))
			return false;
	if (slot->keyword->shape != SHAPE_PATTERNS)
		qsort(members->items, members->count, sizeof(*members->items), compare_members);
	return true;
}

static bool read_members(const struct slot *slot)
{
	return read_members_into(slot, field_of(slot));
}

static bool read_definitions(const struct slot *slot)
{
	struct schema_members members = {0};

	return read_members_into(slot, &members);
}

static bool read_number(const struct slot *slot)
{
	struct schema_number *field = field_of(slot);

	if (!json_is_number(slot->value))
		return must_be(slot, slot->value, "a number");
	*field = (struct schema_number){true, json_as_number(slot->value)};
	return true;
}

static bool read_divisor(const struct slot *slot)
{
	if (!json_is_number(slot->value) || !(json_as_number(slot->value) > 0))
		return must_be(slot, slot->value, "a number above 0");
	return read_number(slot);
}

static bool read_count(const struct slot *slot)
{
	struct schema_count *field = field_of(slot);

	field->set = true;
	if (!json_as_unsigned(slot->value, UINT64_MAX, &field->value))
		return must_be(slot, slot->value, "a whole number, 0 or more");
	return true;
}

static bool read_value(const struct slot *slot)
{
	const json_value **field = field_of(slot);

	*field = slot->value;
	return true;
}

static bool read_list(const struct slot *slot)
{
	if (!json_is_array(slot->value))
		return must_be(slot, slot->value, "a list of values");
	return read_value(slot);
}

static bool read_names(const struct slot *slot)
{
	return read_name_list(slot, slot->value) && read_value(slot);
}

static bool read_one_type(const struct slot *slot, const json_value *value)
{
	static const struct {
		const char *word;
		unsigned type;
	} words[] = {
		{"null", TYPE_NULL},	   {"boolean", TYPE_BOOLEAN}, {"object", TYPE_OBJECT},
		{"array", TYPE_ARRAY},	   {"number", TYPE_NUMBER},   {"string", TYPE_STRING},
		{"integer", TYPE_INTEGER},
	};
	const char *text = json_as_string(value);

	for (size_t i = 0; text && i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, text) == 0) {
			slot->node->types |= words[i].type;
			return true;
		}
	return must_be(slot, value,
		       "one of object, array, string, number, integer, boolean and null");
}

static bool read_type(const struct slot *slot)
{
	if (!json_is_array(slot->value))
		return read_one_type(slot, slot->value);
	if (!json_first(slot->value))
		return must_be(slot, slot->value, "a type, or a list of at least one");
	json_for_each (item, slot->value)
		if (!read_one_type(slot, item))
			return false;
	return true;
}

static bool read_unique(const struct slot *slot)
{
	if (!json_is_boolean(slot->value))
		return must_be(slot, slot->value, "true or false");
	slot->node->unique_items = json_as_boolean(slot->value);
	return true;
}

static bool read_pattern(const struct slot *slot)
{
	if (!json_is_string(slot->value))
		return must_be(slot, slot->value, "a regular expression, in a string");
	slot->node->pattern = schema_compile_pattern(
		slot->compiler, slot->value, slot->keyword->word, json_as_string(slot->value));
	return slot->node->pattern != NULL;
}

static bool read_reference(const struct slot *slot)
{
	struct schema *schema = slot->compiler->schema;
	struct schema_reference *reference = arena_alloc(schema->arena, 1, sizeof(*reference));

	if (!json_is_string(slot->value))
		return must_be(slot, slot->value, "a reference, in a string");
	if (!reference)
		return out_of_memory(slot);
	*reference = (struct schema_reference){
		.from = slot->node,
		.value = slot->value,
		.base = slot->node->resource->uri,
		.dynamic = slot->keyword->shape == SHAPE_DYNAMIC_REFERENCE,
		.next = schema->references,
	};
	schema->references = reference;
	return true;
}

static bool read_items(const struct slot *slot)
{
	const json_value *rest = json_member(slot->node->source, "additionalItems");
	struct slot behind = *slot;

	if (slot->compiler->schema->dialect != DIALECT_DRAFT7 && json_is_array(slot->value))
		return must_be(slot, slot->value,
			       "a schema; a list of them is \"prefixItems\" in 2020-12");
	if (!json_is_array(slot->value))
		return read_schema(slot);
	if (!read_schemas(slot, &slot->node->prefix_items))
		return false;
	behind.value = rest;
	return !rest || read_schema(&behind);
}

static bool read_nothing(const struct slot *slot)
{
	(void)slot;
	return true;
}

static bool read_refused(const struct slot *slot)
{
	return schema_fail(slot->compiler, slot->value, slot->keyword->word,
			   "is not supported: it %s", slot->keyword->why);
}

static bool (*const readers[])(const struct slot *) = {
	[SHAPE_NOTE] = read_nothing,
	[SHAPE_IDENTITY] = read_nothing,
	[SHAPE_REFUSED] = read_refused,
	[SHAPE_SCHEMA] = read_schema,
	[SHAPE_SCHEMA_LIST] = read_schema_list,
	[SHAPE_MEMBERS] = read_members,
	[SHAPE_PATTERNS] = read_members,
	[SHAPE_DEPENDENCIES] = read_members,
	[SHAPE_NAMES_MAP] = read_members,
	[SHAPE_DEFINITIONS] = read_definitions,
	[SHAPE_NUMBER] = read_number,
	[SHAPE_DIVISOR] = read_divisor,
	[SHAPE_COUNT] = read_count,
	[SHAPE_VALUE] = read_value,
	[SHAPE_LIST] = read_list,
	[SHAPE_NAMES] = read_names,
	[SHAPE_TYPE] = read_type,
	[SHAPE_UNIQUE] = read_unique,
	[SHAPE_PATTERN] = read_pattern,
	[SHAPE_REFERENCE] = read_reference,
	[SHAPE_DYNAMIC_REFERENCE] = read_reference,
	[SHAPE_ITEMS] = read_items,
};

/* Levenshtein's distance, for short words. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[SUGGEST_BYTES_MAX + 1];
	const size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[length];
}

static const char *nearest(enum dialect dialect, const char *word)
{
	const char *best = NULL;
	size_t best_distance = SUGGEST_DISTANCE + 1;

	if (strlen(word) > SUGGEST_BYTES_MAX)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		size_t distance = edit_distance(word, keywords[i].word);

		if (!(keywords[i].dialects & dialect) || distance >= best_distance ||
		    distance >= strlen(keywords[i].word))
			continue;
		best_distance = distance;
		best = keywords[i].word;
	}
	return best;
}

static bool refuse_unknown(struct schema_compiler *compiler, const json_value *member,
			   const struct keyword *of_other_dialect)
{
	const char *word = json_key_of(member);
	const char *near = nearest(compiler->schema->dialect, word);

	if (of_other_dialect)
		return schema_fail(
			compiler, member, word, "is no keyword of %s, but of %s",
			compiler->schema->dialect == DIALECT_2020 ? "2020-12" : "draft-07",
			compiler->schema->dialect == DIALECT_2020 ? "draft-07" : "2020-12");
	if (near)
		return schema_fail(compiler, member, word,
				   "is no keyword of JSON Schema; did you mean \"%s\"?", near);
	return schema_fail(compiler, member, word,
			   "is no keyword of JSON Schema; notes of your own begin with \"x-\"");
}

static const struct keyword *find_keyword(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (strcmp(keywords[i].word, word) == 0)
			return &keywords[i];
	return NULL;
}

static bool limits(enum shape shape)
{
	return shape != SHAPE_NOTE && shape != SHAPE_IDENTITY && shape != SHAPE_DEFINITIONS &&
	       shape != SHAPE_REFERENCE;
}

bool schema_read_keywords(struct schema_compiler *compiler, struct schema_node *node)
{
	json_for_each (member, node->source) {
		const struct keyword *keyword = find_keyword(json_key_of(member));
		const struct slot slot = {compiler, node, keyword, member};

		if (!keyword && strncmp(json_key_of(member), "x-", 2) == 0)
			continue;
		if (!keyword || !(keyword->dialects & compiler->schema->dialect))
			return refuse_unknown(compiler, member, keyword);
		if (limits(keyword->shape)) {
			node->has_limits = true;
			if (node->is_ref_alone && !compiler->schema->ignored)
				compiler->schema->ignored = member;
		}
		if (!readers[keyword->shape](&slot))
			return false;
	}
	return true;
}
