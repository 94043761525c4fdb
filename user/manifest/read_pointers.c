// SPDX-License-Identifier: Apache-2.0
/*
 * Pointers into a tool's arguments ("sql"/"argument", "arguments", "requires"/"match"). One that
 * leads to no property of inputSchema is a slip, and its limit would never limit anything.
 */
#include "manifest/reader.h"

#include <string.h>

/* Longer steps are not looked up. */
#define STEP_BYTES_MAX 256

/* The names of inputSchema's properties, sorted. */
struct properties {
	const char **names; /* owned */
	size_t count;
};

static void properties_free(struct properties *properties)
{
	free(properties->names);
}
#define _cleanup_properties_ __attribute__((cleanup(properties_free)))

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool properties_init(struct properties *properties, const json_value *object)
{
	const size_t count = json_count(object);

	properties->names = calloc(count + 1, sizeof(*properties->names));
	if (!properties->names)
		return false;
	json_for_each (member, object)
		properties->names[properties->count++] = json_key_of(member);
	qsort(properties->names, count, sizeof(*properties->names), compare_names);
	return true;
}

static bool properties_have(const struct properties *properties, const char *name)
{
	return bsearch(&name, properties->names, properties->count, sizeof(*properties->names),
		       compare_names) != NULL;
}

/* Could this object schema take a member that "properties" does not list in a way that is plain
 * to see? Schemas that combine others are left to the validator. */
static bool lists_all_properties(const json_value *schema)
{
	static const char *const combiners[] = {"$ref",
						"allOf",
						"anyOf",
						"oneOf",
						"if",
						"$dynamicRef",
						"patternProperties",
						"dependentSchemas"};

	if (!json_is_object(json_member(schema, "properties")))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(combiners); i++)
		if (json_member(schema, combiners[i]))
			return false;
	return true;
}

/* The first step of an RFC 6901 pointer, unescaped; false where it is no pointer or does not fit.
 */
static bool first_step(const char *pointer, char *step, size_t room)
{
	size_t length = 0;

	if (pointer[0] != '/')
		return false;
	for (const char *at = pointer + 1; *at && *at != '/'; at++) {
		char byte = *at;

		if (length + 1 >= room)
			return false;
		if (byte == '~') {
			at++;
			if (*at != '0' && *at != '1')
				return false;
			byte = *at == '0' ? '~' : '/';
		}
		step[length++] = byte;
	}
	step[length] = '\0';
	return true;
}

/* Errors of the pointer itself were reported where it was read. */
static void check_pointer(struct reader *reader, const struct properties *properties,
			  const json_value *at, const char *pointer)
{
	char step[STEP_BYTES_MAX], shown[SHOWN_TEXT_MAX];

	if (!pointer || !first_step(pointer, step, sizeof(step)) ||
	    properties_have(properties, step))
		return;
	reader_error(reader, at, CODE_POINTER,
		     "the pointer leads nowhere: inputSchema has no property \"%s\"; add it "
		     "there, or mend the pointer",
		     reader_show(shown, step));
}

/* The keys of an object are pointers. */
static void check_keys(struct reader *reader, const struct properties *properties,
		       const json_value *object)
{
	json_for_each (member, object) {
		size_t before = reader_push_key(reader, json_key_of(member));

		check_pointer(reader, properties, member, json_key_of(member));
		reader_pop(reader, before);
	}
}

static void check_matches(struct reader *reader, const struct properties *properties,
			  const json_value *requires)
{
	size_t index = 0;

	json_for_each (item, requires) {
		size_t before = reader_push_index(reader, index++);

		(void)reader_push_key(reader, "match");
		if (json_is_object(json_member(item, "match")))
			check_keys(reader, properties, json_member(item, "match"));
		reader_pop(reader, before);
	}
}

void check_argument_pointers(struct reader *reader, const json_value *tool)
{
	const json_value *schema = json_member(tool, "inputSchema");
	const json_value *sql_argument = json_member(json_member(tool, "sql"), "argument");
	_cleanup_properties_ struct properties properties = {0};
	size_t before = reader->pointer_length;

	if (!lists_all_properties(schema))
		return;
	if (!properties_init(&properties, json_member(schema, "properties"))) {
		reader_out_of_memory(reader);
		return;
	}
	(void)reader_push_key(reader, "sql");
	(void)reader_push_key(reader, "argument");
	check_pointer(reader, &properties, sql_argument, json_as_string(sql_argument));
	reader_pop(reader, before);
	(void)reader_push_key(reader, "arguments");
	if (json_is_object(json_member(tool, "arguments")))
		check_keys(reader, &properties, json_member(tool, "arguments"));
	reader_pop(reader, before);
	(void)reader_push_key(reader, "requires");
	if (json_is_array(json_member(tool, "requires")))
		check_matches(reader, &properties, json_member(tool, "requires"));
	reader_pop(reader, before);
}
