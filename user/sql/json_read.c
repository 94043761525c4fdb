// SPDX-License-Identifier: Apache-2.0
#include "sql/json_read.h"

#include <string.h>

#include "base/utf8.h"

struct json_cursor json_cursor_of(const char *text, size_t length, struct arena *arena)
{
	return (struct json_cursor){
		.start = text, .at = text, .end = text + length, .arena = arena};
}

bool json_cursor_fault(struct json_cursor *cursor, const char *fault)
{
	if (!cursor->fault) {
		cursor->fault = fault;
		cursor->fault_at = cursor->at;
	}
	return false;
}

char json_peek(struct json_cursor *cursor)
{
	if (cursor->fault)
		return '\0';
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t' ||
					    *cursor->at == '\n' || *cursor->at == '\r'))
		cursor->at++;
	return cursor->at < cursor->end ? *cursor->at : '\0';
}

bool json_take(struct json_cursor *cursor, char byte)
{
	if (json_peek(cursor) != byte || cursor->at == cursor->end)
		return json_cursor_fault(cursor, "something else is expected here");
	cursor->at++;
	return true;
}

/* Four hexadecimal digits; -1 where there are none. */
static int take_hex(struct json_cursor *cursor)
{
	int value = 0;

	if (cursor->end - cursor->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char digit = *cursor->at++;

		value *= 16;
		if (digit >= '0' && digit <= '9')
			value += digit - '0';
		else if (digit >= 'a' && digit <= 'f')
			value += digit - 'a' + 10;
		else if (digit >= 'A' && digit <= 'F')
			value += digit - 'A' + 10;
		else
			return -1;
	}
	return value;
}

static size_t put_utf8(char *to, unsigned code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Behind "\u": one character, of two escapes where it is beyond the first plane. 0: a fault. */
static unsigned take_code(struct json_cursor *cursor)
{
	int high = take_hex(cursor), low;

	if (high < 0xd800 || high > 0xdfff)
		return high > 0 ? (unsigned)high : 0;
	if (high > 0xdbff || cursor->end - cursor->at < 6 || cursor->at[0] != '\\' ||
	    cursor->at[1] != 'u')
		return 0;
	cursor->at += 2;
	low = take_hex(cursor);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	return 0x10000U + ((unsigned)(high - 0xd800) << 10) + (unsigned)(low - 0xdc00);
}

/* Behind a backslash: what it stands for, written to `to`; 0: a fault. */
static size_t take_escape(struct json_cursor *cursor, char *to)
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *found;
	unsigned code;

	if (cursor->at == cursor->end)
		return 0;
	if (*cursor->at == 'u') {
		cursor->at++;
		code = take_code(cursor);
		return code ? put_utf8(to, code) : 0;
	}
	found = *cursor->at ? strchr(escapes, *cursor->at) : NULL;
	if (!found)
		return 0;
	cursor->at++;
	*to = meanings[found - escapes];
	return 1;
}

/* How many bytes until the closing quotation mark; what is unescaped is never longer. */
static size_t raw_length(const struct json_cursor *cursor)
{
	const char *at = cursor->at;

	while (at < cursor->end && *at != '"')
		at += *at == '\\' && cursor->end - at > 1 ? 2 : 1;
	return (size_t)((at < cursor->end ? at : cursor->end) - cursor->at);
}

/* One character of a string, as it stands or escaped; 0: a fault. */
static size_t take_character(struct json_cursor *cursor, char *to)
{
	size_t length;

	if (*cursor->at == '\\') {
		cursor->at++;
		return take_escape(cursor, to);
	}
	if ((unsigned char)*cursor->at < 0x20)
		return 0;
	length = utf8_sequence_length((const unsigned char *)cursor->at,
				      (size_t)(cursor->end - cursor->at));
	memcpy(to, cursor->at, length);
	cursor->at += length;
	return length;
}

const char *json_take_string(struct json_cursor *cursor)
{
	size_t used = 0, got;
	char *text;

	if (!json_take(cursor, '"'))
		return NULL;
	text = arena_new_array(cursor->arena, char, raw_length(cursor) + 1);
	if (!text) {
		(void)json_cursor_fault(cursor, "out of memory");
		return NULL;
	}
	while (cursor->at < cursor->end && *cursor->at != '"') {
		got = take_character(cursor, text + used);
		if (got == 0) {
			(void)json_cursor_fault(cursor, "no valid string");
			return NULL;
		}
		used += got;
	}
	return json_take(cursor, '"') ? text : NULL;
}

bool json_take_number(struct json_cursor *cursor, unsigned *number)
{
	const char *first;

	(void)json_peek(cursor);
	if (cursor->fault)
		return false;
	first = cursor->at;
	*number = 0;
	while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' &&
	       cursor->at - first < 9)
		*number = *number * 10 + (unsigned)(*cursor->at++ - '0');
	if (cursor->at == first || (*first == '0' && cursor->at - first > 1))
		return json_cursor_fault(cursor, "a number is expected");
	return true;
}

bool json_at_end(struct json_cursor *cursor)
{
	(void)json_peek(cursor);
	if (!cursor->fault && cursor->at != cursor->end)
		return json_cursor_fault(cursor, "something follows the end");
	return !cursor->fault;
}

bool json_more(struct json_cursor *cursor, char closing, bool *first)
{
	if (json_peek(cursor) == closing && !cursor->fault) {
		cursor->at++;
		return false;
	}
	if (!*first && !json_take(cursor, ','))
		return false;
	*first = false;
	return !cursor->fault;
}

const char *json_take_key(struct json_cursor *cursor)
{
	const char *key = json_take_string(cursor);

	return key && json_take(cursor, ':') ? key : NULL;
}
