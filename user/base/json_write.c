// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

#define FIRST_ROOM 256

static void append(struct json_writer *writer, const char *bytes, size_t length)
{
	size_t need;

	if (writer->failed)
		return;
	if (__builtin_add_overflow(writer->length, length, &need) ||
	    __builtin_add_overflow(need, (size_t)1, &need)) {
		writer->failed = true;
		return;
	}
	if (need > writer->room) {
		size_t room = writer->room ? writer->room : FIRST_ROOM;
		char *text;

		while (room < need)
			if (__builtin_mul_overflow(room, (size_t)2, &room)) {
				room = need;
				break;
			}
		text = realloc(writer->text, room);
		if (!text) {
			writer->failed = true;
			return;
		}
		writer->text = text;
		writer->room = room;
	}
	memcpy(writer->text + writer->length, bytes, length);
	writer->length += length;
	writer->text[writer->length] = '\0';
}

static void append_text(struct json_writer *writer, const char *text)
{
	append(writer, text, strlen(text));
}

static void separate(struct json_writer *writer)
{
	if (writer->comma)
		append(writer, ",", 1);
	writer->comma = true;
}

void json_writer_free(struct json_writer *writer)
{
	free(writer->text);
	*writer = (struct json_writer){0};
}

const char *json_writer_text(const struct json_writer *writer)
{
	if (writer->failed)
		return NULL;
	return writer->text ? writer->text : "";
}

void json_writer_reset(struct json_writer *writer)
{
	writer->length = 0;
	writer->comma = false;
	writer->failed = false;
	if (writer->text)
		writer->text[0] = '\0';
}

void json_open_object(struct json_writer *writer)
{
	separate(writer);
	append(writer, "{", 1);
	writer->comma = false;
}

void json_close_object(struct json_writer *writer)
{
	append(writer, "}", 1);
	writer->comma = true;
}

void json_open_array(struct json_writer *writer)
{
	separate(writer);
	append(writer, "[", 1);
	writer->comma = false;
}

void json_close_array(struct json_writer *writer)
{
	append(writer, "]", 1);
	writer->comma = true;
}

static void append_quoted(struct json_writer *writer, const char *value)
{
	const unsigned char *at = (const unsigned char *)value;
	size_t left = strlen(value);
	char escaped[8];

	append(writer, "\"", 1);
	while (left > 0) {
		size_t length = utf8_sequence_length(at, left);

		if (length == 0) {
			append_text(writer, "\xef\xbf\xbd");
			length = 1;
		} else if (*at == '"' || *at == '\\') {
			escaped[0] = '\\';
			escaped[1] = (char)*at;
			append(writer, escaped, 2);
		} else if (*at < 0x20 || *at == 0x7f) {
			(void)snprintf(escaped, sizeof(escaped), "\\u%04x", *at);
			append_text(writer, escaped);
		} else {
			append(writer, (const char *)at, length);
		}
		at += length;
		left -= length;
	}
	append(writer, "\"", 1);
}

void json_key(struct json_writer *writer, const char *key)
{
	separate(writer);
	append_quoted(writer, key);
	append(writer, ":", 1);
	writer->comma = false;
}

void json_string(struct json_writer *writer, const char *value)
{
	if (!value) {
		json_null(writer);
		return;
	}
	separate(writer);
	append_quoted(writer, value);
}

void json_unsigned(struct json_writer *writer, uint64_t value)
{
	char digits[24];

	separate(writer);
	(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	append_text(writer, digits);
}

void json_boolean(struct json_writer *writer, bool value)
{
	separate(writer);
	append_text(writer, value ? "true" : "false");
}

void json_null(struct json_writer *writer)
{
	separate(writer);
	append_text(writer, "null");
}

void json_verbatim(struct json_writer *writer, const char *json)
{
	separate(writer);
	append_text(writer, json);
}

void json_newline(struct json_writer *writer)
{
	append(writer, "\n", 1);
	writer->comma = false;
}

void json_key_string(struct json_writer *writer, const char *key, const char *value)
{
	json_key(writer, key);
	json_string(writer, value);
}

void json_key_unsigned(struct json_writer *writer, const char *key, uint64_t value)
{
	json_key(writer, key);
	json_unsigned(writer, value);
}

void json_key_boolean(struct json_writer *writer, const char *key, bool value)
{
	json_key(writer, key);
	json_boolean(writer, value);
}
