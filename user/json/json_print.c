// SPDX-License-Identifier: Apache-2.0
/* A value as text again. cJSON's own printer rounds numbers to what it takes for equal, so that a
 * limit of 9007199254740992 would come out as another. */
#include <math.h>
#include <string.h>

#include "base/json_write.h"
#include "json/json.h"

/* Whole numbers are exact in a double up to here (2^53). */
#define EXACT_MAX 9007199254740992.0

static bool is_same(double a, double b)
{
	return !(a < b) && !(a > b);
}

/* The shortest text that is read back as the same number. */
static void print_number(struct json_writer *writer, double number)
{
	char text[40];

	if (fabs(number) <= EXACT_MAX && is_same(floor(number), number)) {
		/* Adding 0 makes -0 a 0. */
		(void)snprintf(text, sizeof(text), "%.0f", number + 0.0);
		json_verbatim(writer, text);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, number);
		if (is_same(strtod(text, NULL), number))
			break;
	}
	json_verbatim(writer, text);
}

static void print_scalar(struct json_writer *writer, const json_value *value)
{
	if (json_is_string(value))
		json_string(writer, json_as_string(value));
	else if (json_is_number(value))
		print_number(writer, json_as_number(value));
	else if (json_is_boolean(value))
		json_boolean(writer, json_as_boolean(value));
	else
		json_null(writer);
}

/* Recursion: as deep as a text is nested, JSON_DEPTH_MAX at most. */
static void print_value(struct json_writer *writer, const json_value *value)
{
	if (json_is_object(value)) {
		json_open_object(writer);
		json_for_each (member, value) {
			json_key(writer, json_key_of(member));
			print_value(writer, member);
		}
		json_close_object(writer);
	} else if (json_is_array(value)) {
		json_open_array(writer);
		json_for_each (item, value)
			print_value(writer, item);
		json_close_array(writer);
	} else {
		print_scalar(writer, value);
	}
}

char *json_print(const json_value *value)
{
	struct json_writer writer = {0};

	print_value(&writer, value);
	if (json_writer_text(&writer))
		return writer.text;
	json_writer_free(&writer);
	return NULL;
}
