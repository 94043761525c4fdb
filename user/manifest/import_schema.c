// SPDX-License-Identifier: Apache-2.0
#include "manifest/import_schema.h"

#include <string.h>

/* What may be done to a schema, by where it stands; each includes those before it. */
enum hold {
	HOLD_KEEP,    /* refuses by what it accepts ("not", "if"): no word about it */
	HOLD_TELL,    /* narrower could mean that more passes ("oneOf") */
	HOLD_TIGHTEN, /* narrower is narrower, but its neighbours list members too ("allOf") */
	HOLD_CLOSE,   /* alone at its place in the value */
};

enum shape { SHAPE_SCHEMA, SHAPE_MAP, SHAPE_LIST };

/* Keywords that hold schemas; all others are copied. "items" is either of two shapes. */
static const struct holder {
	const char *keyword;
	enum shape shape;
	enum hold hold;
} holders[] = {
	{"properties", SHAPE_MAP, HOLD_CLOSE},
	{"patternProperties", SHAPE_MAP, HOLD_CLOSE},
	{"additionalProperties", SHAPE_SCHEMA, HOLD_CLOSE},
	{"unevaluatedProperties", SHAPE_SCHEMA, HOLD_CLOSE},
	{"items", SHAPE_SCHEMA, HOLD_CLOSE},
	{"prefixItems", SHAPE_LIST, HOLD_CLOSE},
	{"additionalItems", SHAPE_SCHEMA, HOLD_CLOSE},
	{"unevaluatedItems", SHAPE_SCHEMA, HOLD_CLOSE},
	{"allOf", SHAPE_LIST, HOLD_TIGHTEN},
	{"anyOf", SHAPE_LIST, HOLD_TIGHTEN},
	{"then", SHAPE_SCHEMA, HOLD_TIGHTEN},
	{"else", SHAPE_SCHEMA, HOLD_TIGHTEN},
	{"dependentSchemas", SHAPE_MAP, HOLD_TIGHTEN},
	{"$defs", SHAPE_MAP, HOLD_TIGHTEN},
	{"definitions", SHAPE_MAP, HOLD_TIGHTEN},
	{"oneOf", SHAPE_LIST, HOLD_TELL},
	{"if", SHAPE_SCHEMA, HOLD_KEEP},
	{"not", SHAPE_SCHEMA, HOLD_KEEP},
	{"contains", SHAPE_SCHEMA, HOLD_KEEP},
	{"propertyNames", SHAPE_SCHEMA, HOLD_KEEP},
};

/* Beside these, "additionalProperties" would refuse what the others list. */
static const char *const combiners[] = {
	"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas",
};

/* A schema, or a map or list of schemas, that is being written. */
struct level {
	const json_value *value, *next;
	enum shape shape;
	enum hold hold;
	const char *name;	 /* of the property that it describes */
	const char *description; /* its own, or that of what it is a part of */
	bool named;		 /* its pointer into the arguments is known */
	bool closed;		 /* by whoever combines or names it */
	size_t index;
	size_t pointer_length, argument_length; /* to go back to */
};

struct walk {
	struct reader *reader;
	struct json_writer *writer;
	struct reader argument; /* its pointer alone: into the arguments of a call */
	bool draft7;
	bool inverted; /* a definition may be used where narrower means that more passes */
	struct level levels[JSON_DEPTH_MAX + 1];
	size_t depth;
};

static bool has_any(const json_value *schema, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (json_member(schema, keys[i]))
			return true;
	return false;
}

/* Does "type" name this one? */
static bool is_of_type(const json_value *schema, const char *wanted)
{
	const json_value *type = json_member(schema, "type");

	if (json_is_string(type))
		return strcmp(json_as_string(type), wanted) == 0;
	json_for_each (item, type)
		if (json_is_string(item) && strcmp(json_as_string(item), wanted) == 0)
			return true;
	return false;
}

static bool is_limited_string(const json_value *schema)
{
	static const char *const keys[] = {"enum", "const", "pattern", "maxLength"};

	return has_any(schema, keys, ARRAY_SIZE(keys));
}

static bool is_limited_number(const json_value *schema)
{
	static const char *const keys[] = {"enum", "const", "maximum", "exclusiveMaximum"};

	return has_any(schema, keys, ARRAY_SIZE(keys));
}

/* Does it say nothing of the values it takes? */
static bool is_any_value(const json_value *schema)
{
	static const char *const keys[] = {"type",	  "enum",  "const",	 "$ref",
					   "$dynamicRef", "allOf", "anyOf",	 "oneOf",
					   "if",	  "not",   "properties", "items"};

	return !has_any(schema, keys, ARRAY_SIZE(keys));
}

/* An array that says nothing of its items. */
static bool is_any_list(const json_value *schema)
{
	static const char *const keys[] = {"items", "prefixItems", "enum",  "const",
					   "$ref",  "allOf",	   "anyOf", "oneOf"};

	return is_of_type(schema, "array") && !has_any(schema, keys, ARRAY_SIZE(keys));
}

static void find_at(struct walk *walk, const struct level *level, enum import_rule_index rule)
{
	if (level->hold > HOLD_KEEP)
		import_find(walk->reader, rule, level->value,
			    level->named && walk->argument.pointer_length ? walk->argument.pointer
									  : NULL,
			    NULL);
}

/* ---- what is added behind a schema's own members ---- */

static void limit_string(struct walk *walk, const struct level *level)
{
	enum import_rule_index kind;

	if (!is_of_type(level->value, "string") || is_limited_string(level->value))
		return;
	kind = import_kind_of_string(level->name, level->description);
	find_at(walk, level, kind);
	if (level->hold >= HOLD_TIGHTEN)
		json_key_unsigned(walk->writer, "maxLength", import_rules[kind].max_length);
}

static void limit_number(struct walk *walk, const struct level *level)
{
	if ((is_of_type(level->value, "number") || is_of_type(level->value, "integer")) &&
	    !is_limited_number(level->value) && import_is_amount(level->name))
		find_at(walk, level, IMPORT_AMOUNT);
}

/* Takes any further member of any form. */
static bool is_open(const json_value *further)
{
	if (json_is_boolean(further))
		return json_as_boolean(further);
	return json_is_object(further) && json_count(further) == 0;
}

/* Is there, where it names no type itself, an object among what it combines? */
static bool may_combine_objects(const json_value *schema)
{
	_cleanup_free_ char *text = json_member(schema, "type") ? NULL : json_print(schema);

	return text && (strstr(text, "\"object\"") || strstr(text, "\"properties\":") ||
			strstr(text, "\"$ref\":"));
}

/* Does finish_schema close it for its branches as well? */
static bool closes_branches(const struct walk *walk, const struct level *level)
{
	return level->closed || (level->hold == HOLD_CLOSE && !walk->draft7 &&
				 !json_member(level->value, "additionalProperties") &&
				 !json_member(level->value, "unevaluatedProperties"));
}

static void close_object(struct walk *walk, const struct level *level)
{
	const json_value *schema = level->value;
	const json_value *further = json_member(schema, "additionalProperties");
	const json_value *properties = json_member(schema, "properties");
	const bool combined = has_any(schema, combiners, ARRAY_SIZE(combiners));
	const bool is_object = is_of_type(schema, "object") || properties || walk->depth == 1;

	if (!further)
		further = json_member(schema, "unevaluatedProperties");
	if (further) {
		if (is_open(further))
			find_at(walk, level, IMPORT_OPEN_OBJECT);
		return;
	}
	if (!is_object && !(combined && may_combine_objects(schema)))
		return;
	if (level->hold < HOLD_CLOSE || (combined && walk->draft7)) {
		if (is_object && !level->closed)
			find_at(walk, level, IMPORT_OPEN_OBJECT);
		return;
	}
	/* The top of the arguments may well be empty: a tool without parameters. */
	if (is_object && !combined && !json_count(properties) && walk->depth > 1 &&
	    !json_member(schema, "patternProperties"))
		find_at(walk, level, IMPORT_CLOSED_OBJECT);
	json_key_boolean(walk->writer, combined ? "unevaluatedProperties" : "additionalProperties",
			 false);
}

static void finish_schema(struct walk *walk, const struct level *level)
{
	if (walk->depth == 1 && !json_member(level->value, "type"))
		json_key_string(walk->writer, "type", "object");
	limit_string(walk, level);
	limit_number(walk, level);
	if (is_any_value(level->value) && walk->depth > 1)
		find_at(walk, level, IMPORT_ANY_VALUE);
	if (is_any_list(level->value))
		find_at(walk, level, IMPORT_ANY_VALUE);
	close_object(walk, level);
}

/* ---- the walk ---- */

static const struct holder *find_holder(const char *keyword)
{
	for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
		if (strcmp(holders[i].keyword, keyword) == 0)
			return &holders[i];
	return NULL;
}

static void write_copy(struct walk *walk, const json_value *value)
{
	_cleanup_free_ char *text = json_print(value);

	if (text)
		json_verbatim(walk->writer, text);
	else
		walk->writer->failed = true;
}

/* Opens `value` as a level below `above`; what can't hold a schema is copied. */
static void enter(struct walk *walk, const json_value *value, struct level level)
{
	const char *description = json_as_string(json_member(value, "description"));

	if (level.shape == SHAPE_LIST ? !json_is_array(value) : !json_is_object(value)) {
		level.value = value;
		if (level.shape == SHAPE_SCHEMA && is_open(value))
			find_at(walk, &level, IMPORT_ANY_VALUE);
		write_copy(walk, value);
		reader_pop(walk->reader, level.pointer_length);
		reader_pop(&walk->argument, level.argument_length);
		return;
	}
	level.value = value;
	level.next = json_first(value);
	level.index = 0;
	if (level.shape == SHAPE_SCHEMA && description)
		level.description = description;
	if (json_is_array(value))
		json_open_array(walk->writer);
	else
		json_open_object(walk->writer);
	walk->levels[walk->depth++] = level;
}

static void leave(struct walk *walk)
{
	const struct level *level = &walk->levels[walk->depth - 1];

	if (level->shape == SHAPE_SCHEMA)
		finish_schema(walk, level);
	if (json_is_array(level->value))
		json_close_array(walk->writer);
	else
		json_close_object(walk->writer);
	reader_pop(walk->reader, level->pointer_length);
	reader_pop(&walk->argument, level->argument_length);
	walk->depth--;
}

static enum hold lesser(enum hold a, enum hold b)
{
	return a < b ? a : b;
}

/* A member of a schema. */
static void take_keyword(struct walk *walk, const struct level *above, const json_value *member)
{
	const char *keyword = json_key_of(member);
	const struct holder *holder = find_holder(keyword);
	const bool defines = strcmp(keyword, "$defs") == 0 || strcmp(keyword, "definitions") == 0;
	struct level below = *above;

	/* {} and true say the same, and close_object has the word about it. */
	if (!holder ||
	    (holder->shape == SHAPE_SCHEMA && is_open(member) && strstr(keyword, "Properties"))) {
		write_copy(walk, member);
		return;
	}
	below.shape = holder->shape;
	below.hold = lesser(above->hold, holder->hold);
	if (strcmp(keyword, "items") == 0 && json_is_array(member))
		below.shape = SHAPE_LIST;
	if (defines && walk->inverted)
		below.hold = lesser(below.hold, HOLD_TELL);
	/* A property's pointer is made of the names alone; branches stand at their parent's. */
	below.named = above->named && !defines &&
		      (strcmp(keyword, "properties") == 0 || holder->hold != HOLD_CLOSE);
	/* A definition is closed where it is referred to, which draft-07 can't. */
	below.closed = defines ? !walk->draft7
			       : holder->hold != HOLD_CLOSE && closes_branches(walk, above);
	below.argument_length = walk->argument.pointer_length;
	below.pointer_length = reader_push_key(walk->reader, keyword);
	enter(walk, member, below);
}

/* A schema of a map or a list. */
static void take_schema(struct walk *walk, struct level *above, const json_value *item)
{
	struct level below = *above;

	below.shape = SHAPE_SCHEMA;
	below.argument_length = walk->argument.pointer_length;
	if (above->shape == SHAPE_LIST) {
		below.pointer_length = reader_push_index(walk->reader, above->index++);
	} else {
		below.name = json_key_of(item);
		below.description = NULL;
		below.pointer_length = reader_push_key(walk->reader, below.name);
		(void)reader_push_key(&walk->argument, below.name);
	}
	enter(walk, item, below);
}

static void take_next(struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];
	const json_value *item = level->next;

	level->next = json_next(item);
	if (!json_is_array(level->value))
		json_key(walk->writer, json_key_of(item));
	if (level->shape == SHAPE_SCHEMA)
		take_keyword(walk, level, item);
	else
		take_schema(walk, level, item);
}

/* Does it have one of the keywords by which what is narrower may let more pass? */
static bool inverts(const json_value *schema)
{
	static const char *const marks[] = {"\"not\":", "\"if\":", "\"oneOf\":", "\"contains\":"};
	_cleanup_free_ char *text = json_print(schema);

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (!text || strstr(text, marks[i]))
			return true;
	return false;
}

void import_schema(struct reader *reader, const json_value *schema, struct json_writer *writer)
{
	_cleanup_free_ struct walk *walk = calloc(1, sizeof(*walk));
	const char *dialect = json_as_string(json_member(schema, "$schema"));

	if (!walk) {
		reader_out_of_memory(reader);
		return;
	}
	walk->reader = reader;
	walk->writer = writer;
	walk->draft7 = dialect && !strstr(dialect, "2020-12");
	walk->inverted = inverts(schema);
	enter(walk, schema,
	      (struct level){.hold = HOLD_CLOSE,
			     .name = "",
			     .named = true,
			     .pointer_length = reader->pointer_length});
	while (walk->depth > 0) {
		if (walk->levels[walk->depth - 1].next)
			take_next(walk);
		else
			leave(walk);
	}
}
