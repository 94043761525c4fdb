// SPDX-License-Identifier: Apache-2.0
/* A tool's "arguments": limits on the values that a call may pass. */
#include "manifest/reader.h"

#include <string.h>

#define ARGUMENT_LENGTH_MAX (1ULL << 30)

static void read_under(struct reader *reader, const json_value *value, void *target)
{
	reader_strings_or_error(reader, value, reader_path, "name directories, e.g. [\"/data\"]",
				&((struct argument_limit *)target)->under);
}

static void read_egress_flag(struct reader *reader, const json_value *value, void *target)
{
	(void)reader;
	((struct argument_limit *)target)->egress = json_as_boolean(value);
}

static void read_minimum(struct reader *reader, const json_value *value, void *target)
{
	struct argument_limit *limit = target;

	(void)reader;
	limit->has_minimum = true;
	limit->minimum = json_as_number(value);
}

static void read_maximum(struct reader *reader, const json_value *value, void *target)
{
	struct argument_limit *limit = target;

	(void)reader;
	limit->has_maximum = true;
	limit->maximum = json_as_number(value);
}

static const char *read_any_string(struct reader *reader, const json_value *value)
{
	return reader_copy(reader, json_as_string(value));
}

static void read_enum(struct reader *reader, const json_value *value, void *target)
{
	reader_strings_or_error(reader, value, read_any_string, "list the strings that may be",
				&((struct argument_limit *)target)->one_of);
}

static void read_pattern(struct reader *reader, const json_value *value, void *target)
{
	((struct argument_limit *)target)->pattern = read_regex(reader, value);
}

static void read_max_length(struct reader *reader, const json_value *value, void *target)
{
	struct argument_limit *limit = target;

	(void)reader_unsigned(reader, value, 1, ARGUMENT_LENGTH_MAX, &limit->max_length);
}

static const struct key_spec limit_keys[] = {
	{"under", KIND_LIST, read_under, NULL},
	{"egress", KIND_BOOLEAN, read_egress_flag, NULL},
	{"minimum", KIND_NUMBER, read_minimum, NULL},
	{"maximum", KIND_NUMBER, read_maximum, NULL},
	{"enum", KIND_LIST, read_enum, NULL},
	{"pattern", KIND_STRING, read_pattern, NULL},
	{"maxLength", KIND_NUMBER, read_max_length, NULL},
};

static void read_limit(struct reader *reader, const json_value *value, struct argument_limit *limit)
{
	if (!reader_json_pointer(reader, value, json_key_of(value)))
		return;
	limit->pointer = reader_copy(reader, json_key_of(value));
	if (!reader_object(reader, value, limit_keys, ARRAY_SIZE(limit_keys), limit))
		return;
	(void)reader_not_empty(reader, value, "write a limit, e.g. {\"under\": [\"/data\"]}");
	if (limit->has_minimum && limit->has_maximum && limit->minimum > limit->maximum)
		reader_error_at_key(reader, value, "minimum", CODE_CONTRADICTION,
				    "is more than \"maximum\": no value would do");
}

void read_arguments(struct reader *reader, const json_value *value, void *target)
{
	struct tool *tool = target;

	tool->arguments = reader_new_array(reader, struct argument_limit, json_count(value));
	if (!tool->arguments)
		return;
	json_for_each (member, value) {
		size_t before = reader_push_key(reader, json_key_of(member));

		read_limit(reader, member, &tool->arguments[tool->argument_count++]);
		reader_pop(reader, before);
	}
}
