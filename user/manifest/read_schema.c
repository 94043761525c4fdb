// SPDX-License-Identifier: Apache-2.0
/* A tool's schemas and patterns: what the validator can't judge is an error here, at its place. */
#include "manifest/reader.h"

#include <string.h>

#include "call/regex.h"
#include "call/schema.h"

/* An object schema: MCP passes arguments as an object. */
static bool check_object_schema(struct reader *reader, const json_value *value)
{
	const char *type = json_as_string(json_member(value, "type"));

	if (type && strcmp(type, "object") == 0)
		return true;
	reader_error_at_key(reader, value, "type", CODE_TYPE,
			    "arguments are an object; write \"type\": \"object\"");
	return false;
}

/* Is the key written in the `length` bytes at `token`, as RFC 6901 escapes it? */
static bool is_token(const char *key, const char *token, size_t length)
{
	size_t at = 0;

	for (; *key && at < length; key++, at++) {
		char byte = token[at];

		if (byte == '~' && at + 1 < length)
			byte = token[++at] == '0' ? '~' : '/';
		if (byte != *key)
			return false;
	}
	return !*key && at == length;
}

/* The child that the token names, entered into the reader's pointer; NULL where there is none. */
static const json_value *enter(struct reader *reader, const json_value *value, const char *token,
			       size_t length)
{
	size_t index = 0;

	json_for_each (each, value) {
		char digits[24];

		(void)snprintf(digits, sizeof(digits), "%zu", index);
		if (json_is_object(value) ? is_token(json_key_of(each), token, length)
					  : is_token(digits, token, length)) {
			if (json_is_object(value))
				(void)reader_push_key(reader, json_key_of(each));
			else
				(void)reader_push_index(reader, index);
			return each;
		}
		index++;
	}
	return NULL;
}

static void report(struct reader *reader, const json_value *schema,
		   const struct schema_fault *fault)
{
	const size_t before = reader->pointer_length;
	const char *at = fault->pointer;
	const json_value *value = schema;

	while (*at == '/') {
		const size_t length = strcspn(at + 1, "/");
		const json_value *child = enter(reader, value, at + 1, length);

		if (!child)
			break;
		value = child;
		at += 1 + length;
	}
	reader_error(reader, value, CODE_SCHEMA, "%s%s%s%s", fault->keyword[0] ? "\"" : "",
		     fault->keyword, fault->keyword[0] ? "\" " : "", fault->message);
	reader_pop(reader, before);
}

const char *read_schema(struct reader *reader, const json_value *value)
{
	_cleanup_free_ char *text = NULL;
	struct schema_fault fault;
	struct schema *schema;

	if (!check_object_schema(reader, value))
		return NULL;
	text = json_print(value);
	if (!text) {
		reader_out_of_memory(reader);
		return NULL;
	}
	schema = schema_compile(text, strlen(text), &fault);
	if (!schema) {
		report(reader, value, &fault);
		return NULL;
	}
	schema_free(schema);
	return reader_copy(reader, text);
}

const char *read_regex(struct reader *reader, const json_value *value)
{
	const char *text = json_as_string(value);
	char fault[128] = "";
	struct regex *regex;

	if (text[0] == '\0') {
		reader_error(reader, value, CODE_EMPTY,
			     "must not be empty; write a regular expression, e.g. \"^[a-z]+$\"");
		return NULL;
	}
	regex = regex_compile(text, fault, sizeof(fault));
	if (!regex) {
		reader_error(reader, value, CODE_SCHEMA, "is no regular expression: %s", fault);
		return NULL;
	}
	regex_free(regex);
	return reader_copy(reader, text);
}
