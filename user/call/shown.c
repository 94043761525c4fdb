// SPDX-License-Identifier: Apache-2.0
#include "call/shown.h"

#include <string.h>

/* Of a shape: levels, members of an object, bytes of a key. A name is short; what is longer may be
 * data in the place of one. */
#define SHAPE_DEPTH   3
#define SHAPE_MEMBERS 24
#define SHAPE_KEY_MAX 48

static void write_shape(struct json_writer *writer, const json_value *value, unsigned depth)
{
	char text[64];
	size_t count = 0;

	if (json_is_string(value)) {
		(void)snprintf(text, sizeof(text), "string of %zu bytes",
			       strlen(json_as_string(value)));
		json_string(writer, text);
	} else if (json_is_object(value) && depth < SHAPE_DEPTH) {
		json_open_object(writer);
		json_for_each (member, value) {
			if (strlen(json_key_of(member)) > SHAPE_KEY_MAX || count == SHAPE_MEMBERS)
				continue;
			count++;
			json_key(writer, json_key_of(member));
			write_shape(writer, member, depth + 1);
		}
		if (count < json_count(value))
			json_key_unsigned(writer, "cut", json_count(value) - count);
		json_close_object(writer);
	} else if (json_is_array(value)) {
		(void)snprintf(text, sizeof(text), "list of %zu", json_count(value));
		json_string(writer, text);
	} else {
		json_string(writer, json_type_name(value));
	}
}

void shown_write_shape(struct json_writer *writer, const json_value *arguments)
{
	if (!arguments) {
		json_open_object(writer);
		json_close_object(writer);
		return;
	}
	write_shape(writer, arguments, 0);
}

static bool is_secret(const char *key)
{
	static const char *const words[] = {
		"password", "passwd",	   "passphrase", "secret",     "token",
		"apikey",   "api_key",	   "api-key",	 "credential", "authorization",
		"cookie",   "private_key", "privatekey"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(key, words[i]))
			return true;
	return false;
}

static void write_masked(struct json_writer *writer, const json_value *value, unsigned depth)
{
	_cleanup_free_ char *text = NULL;

	if (json_is_object(value) && depth <= JSON_DEPTH_MAX) {
		json_open_object(writer);
		json_for_each (member, value) {
			json_key(writer, json_key_of(member));
			if (is_secret(json_key_of(member)))
				json_string(writer, "(masked)");
			else
				write_masked(writer, member, depth + 1);
		}
		json_close_object(writer);
	} else if (json_is_array(value) && depth <= JSON_DEPTH_MAX) {
		json_open_array(writer);
		json_for_each (item, value)
			write_masked(writer, item, depth + 1);
		json_close_array(writer);
	} else {
		text = json_print(value);
		if (text)
			json_verbatim(writer, text);
		else
			writer->failed = true;
	}
}

void shown_write_masked(struct json_writer *writer, const json_value *arguments)
{
	if (!arguments) {
		json_open_object(writer);
		json_close_object(writer);
		return;
	}
	write_masked(writer, arguments, 0);
}
