// SPDX-License-Identifier: Apache-2.0
#include "json/json_scan.h"

#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"

/* cJSON 1.7 copies a number into 64 bytes before it converts it. */
#define NUMBER_BYTES_MAX 63
#define FIRST_ROOM	 256

enum expectation {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* just behind '[' */
	EXPECT_KEY,
	EXPECT_KEY_OR_END, /* just behind '{' */
	EXPECT_COMMA_OR_END,
	EXPECT_NOTHING, /* behind the whole value */
};

struct scan {
	const unsigned char *text;
	size_t length;
	size_t at;
	char stack[JSON_DEPTH_MAX]; /* '{' or '[' of each open container */
	size_t depth;
	uint32_t key; /* offset of the key that waits for its value */
	bool has_key;
	enum expectation expect;
	struct json_places *places;
	struct json_fault *fault;
};

int json_fault_set(struct json_fault *fault, const char *code, struct json_position position,
		   const char *format, ...)
{
	va_list arguments;

	fault->code = code;
	fault->position = position;
	va_start(arguments, format);
	(void)vsnprintf(fault->message, sizeof(fault->message), format, arguments);
	va_end(arguments);
	return -1;
}

void json_places_free(struct json_places *places)
{
	free(places->items);
	free(places->lines);
	*places = (struct json_places){0};
}

struct json_position json_places_position(const struct json_places *places, size_t offset)
{
	size_t low = 0, high = places->line_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (places->lines[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return (struct json_position){low + 1, offset - places->lines[low] + 1};
}

static struct json_position position_at(const struct scan *scan, size_t offset)
{
	return json_places_position(scan->places, offset);
}

#define fail_at(scan, offset, code, ...) \
	json_fault_set((scan)->fault, code, position_at(scan, offset), __VA_ARGS__)

static int grow(void **items, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room * 2 : FIRST_ROOM;
	void *grown;

	if (count < *room)
		return 0;
	grown = reallocarray(*items, more, size);
	if (!grown)
		return -1;
	*items = grown;
	*room = more;
	return 0;
}

static int note_line(struct json_places *places, size_t offset)
{
	if (grow((void **)&places->lines, &places->line_room, places->line_count,
		 sizeof(*places->lines)))
		return -1;
	places->lines[places->line_count++] = (uint32_t)offset;
	return 0;
}

static int note_value(struct scan *scan)
{
	struct json_places *places = scan->places;
	uint32_t at = (uint32_t)scan->at;

	if (grow((void **)&places->items, &places->room, places->count, sizeof(*places->items)))
		return fail_at(scan, scan->at, CODE_SYSTEM, "out of memory");
	places->items[places->count++] =
		(struct json_place){.value = at, .key = scan->has_key ? scan->key : at};
	scan->has_key = false;
	return 0;
}

static int skip_space(struct scan *scan)
{
	for (; scan->at < scan->length; scan->at++) {
		unsigned char byte = scan->text[scan->at];

		if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n')
			return 0;
		if (byte == '\n' && note_line(scan->places, scan->at + 1))
			return fail_at(scan, scan->at, CODE_SYSTEM, "out of memory");
	}
	return 0;
}

static int hex_digit(unsigned char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	if (byte >= 'A' && byte <= 'F')
		return byte - 'A' + 10;
	return -1;
}

/* The four digits behind "\u" at `at`; -1 where there are none. */
static long unicode_escape(const struct scan *scan, size_t at)
{
	long unit = 0;

	if (scan->length - at < 6 || scan->text[at] != '\\' || scan->text[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		int digit = hex_digit(scan->text[i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

static int scan_unicode_escape(struct scan *scan)
{
	long unit = unicode_escape(scan, scan->at);

	if (unit < 0)
		return fail_at(scan, scan->at, CODE_SYNTAX, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return fail_at(scan, scan->at, CODE_ENCODING,
			       "\\u0000 is not allowed: no name or path can hold a NUL");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		long low = unicode_escape(scan, scan->at + 6);

		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(scan, scan->at, CODE_ENCODING,
				       "half of a surrogate pair; write both halves, or the "
				       "character itself");
		scan->at += 12;
		return 0;
	}
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail_at(scan, scan->at, CODE_ENCODING,
			       "second half of a surrogate pair without the first");
	scan->at += 6;
	return 0;
}

static int scan_escape(struct scan *scan)
{
	unsigned char escape = scan->at + 1 < scan->length ? scan->text[scan->at + 1] : 0;

	if (escape == 'u')
		return scan_unicode_escape(scan);
	if (escape == 0 || !strchr("\"\\/bfnrt", escape))
		return fail_at(scan, scan->at, CODE_SYNTAX,
			       "unknown escape; a backslash itself is written \\\\");
	scan->at += 2;
	return 0;
}

/* From the opening quotation mark to behind the closing one. */
static int scan_string(struct scan *scan)
{
	size_t start = scan->at++;

	while (scan->at < scan->length) {
		unsigned char byte = scan->text[scan->at];
		size_t bytes;

		if (byte == '"') {
			scan->at++;
			return 0;
		}
		if (byte == '\\') {
			if (scan_escape(scan))
				return -1;
			continue;
		}
		if (byte < 0x20)
			return fail_at(scan, scan->at, CODE_SYNTAX,
				       "raw control character in a string; write it as \\u%04x%s",
				       byte,
				       byte == '\n' ? ", or close the string on its line" : "");
		bytes = utf8_sequence_length(scan->text + scan->at, scan->length - scan->at);
		if (bytes == 0)
			return fail_at(scan, scan->at, CODE_ENCODING,
				       "not UTF-8 (byte 0x%02x); save the file as UTF-8", byte);
		scan->at += bytes;
	}
	return fail_at(scan, start, CODE_SYNTAX, "the string is not closed; add a \"");
}

static size_t scan_digits(struct scan *scan)
{
	size_t start = scan->at;

	while (scan->at < scan->length && scan->text[scan->at] >= '0' &&
	       scan->text[scan->at] <= '9')
		scan->at++;
	return scan->at - start;
}

static bool next_is(const struct scan *scan, const char *bytes)
{
	return scan->at < scan->length && scan->text[scan->at] != '\0' &&
	       strchr(bytes, scan->text[scan->at]);
}

static int scan_number(struct scan *scan)
{
	size_t start = scan->at;
	size_t digits;
	bool zero;

	if (next_is(scan, "-"))
		scan->at++;
	zero = next_is(scan, "0");
	digits = scan_digits(scan);
	if (digits == 0)
		return fail_at(scan, start, CODE_SYNTAX, "a number needs digits behind \"-\"");
	if (zero && digits > 1)
		return fail_at(scan, start, CODE_SYNTAX,
			       "a number has no zero in front; drop the zero");
	if (next_is(scan, ".")) {
		scan->at++;
		if (scan_digits(scan) == 0)
			return fail_at(scan, start, CODE_SYNTAX,
				       "a number needs digits behind the point");
	}
	if (next_is(scan, "eE")) {
		scan->at++;
		if (next_is(scan, "+-"))
			scan->at++;
		if (scan_digits(scan) == 0)
			return fail_at(scan, start, CODE_SYNTAX,
				       "a number needs digits in its exponent");
	}
	if (scan->at - start > NUMBER_BYTES_MAX)
		return fail_at(scan, start, CODE_LIMIT, "a number of more than %d bytes",
			       NUMBER_BYTES_MAX);
	return 0;
}

static int scan_word(struct scan *scan)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t bytes = strlen(words[i]);

		if (scan->length - scan->at >= bytes &&
		    memcmp(scan->text + scan->at, words[i], bytes) == 0) {
			scan->at += bytes;
			return 0;
		}
	}
	if (next_is(scan, "/#"))
		return fail_at(scan, scan->at, CODE_SYNTAX,
			       "JSON has no comments; use \"description\"");
	if (next_is(scan, "'"))
		return fail_at(scan, scan->at, CODE_SYNTAX, "strings stand in \"double quotes\"");
	return fail_at(scan, scan->at, CODE_SYNTAX, "a value is expected here");
}

static int open_container(struct scan *scan)
{
	if (scan->depth == JSON_DEPTH_MAX)
		return fail_at(scan, scan->at, CODE_LIMIT, "nested more than %d levels deep",
			       JSON_DEPTH_MAX);
	scan->stack[scan->depth++] = (char)scan->text[scan->at];
	scan->expect = scan->text[scan->at] == '{' ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
	scan->at++;
	return 0;
}

static void end_value(struct scan *scan)
{
	scan->expect = scan->depth ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

static int scan_value(struct scan *scan)
{
	unsigned char byte = scan->text[scan->at];
	int failed;

	if (byte == ']' && scan->depth && scan->stack[scan->depth - 1] == '[')
		return fail_at(scan, scan->at, CODE_SYNTAX,
			       "a comma behind the last item; remove it");
	if (note_value(scan))
		return -1;
	if (byte == '{' || byte == '[')
		return open_container(scan);
	if (byte == '"')
		failed = scan_string(scan);
	else if (byte == '-' || (byte >= '0' && byte <= '9'))
		failed = scan_number(scan);
	else
		failed = scan_word(scan);
	if (failed)
		return -1;
	end_value(scan);
	return 0;
}

static int scan_key(struct scan *scan)
{
	if (scan->text[scan->at] == '}')
		return fail_at(scan, scan->at, CODE_SYNTAX,
			       "a comma behind the last member; remove it");
	if (scan->text[scan->at] != '"')
		return fail_at(scan, scan->at, CODE_SYNTAX,
			       next_is(scan, "/#") ? "JSON has no comments; use \"description\""
						   : "a key in \"double quotes\" is expected here");
	scan->key = (uint32_t)scan->at;
	scan->has_key = true;
	if (scan_string(scan) || skip_space(scan))
		return -1;
	if (!next_is(scan, ":"))
		return fail_at(scan, scan->at, CODE_SYNTAX, "a \":\" is missing behind the key");
	scan->at++;
	scan->expect = EXPECT_VALUE;
	return 0;
}

static int scan_comma_or_end(struct scan *scan)
{
	char open = scan->stack[scan->depth - 1];
	unsigned char byte = scan->text[scan->at];

	if (byte == ',') {
		scan->at++;
		scan->expect = open == '{' ? EXPECT_KEY : EXPECT_VALUE;
		return 0;
	}
	if (byte == (open == '{' ? '}' : ']')) {
		scan->at++;
		scan->depth--;
		end_value(scan);
		return 0;
	}
	return fail_at(scan, scan->at, CODE_SYNTAX, "a \",\" or \"%c\" is expected here",
		       open == '{' ? '}' : ']');
}

static int scan_step(struct scan *scan)
{
	unsigned char byte = scan->text[scan->at];

	if ((scan->expect == EXPECT_KEY_OR_END && byte == '}') ||
	    (scan->expect == EXPECT_VALUE_OR_END && byte == ']'))
		return scan_comma_or_end(scan);
	switch (scan->expect) {
	case EXPECT_KEY:
	case EXPECT_KEY_OR_END:
		return scan_key(scan);
	case EXPECT_VALUE:
	case EXPECT_VALUE_OR_END:
		return scan_value(scan);
	case EXPECT_COMMA_OR_END:
		return scan_comma_or_end(scan);
	case EXPECT_NOTHING:
		break;
	}
	return fail_at(scan, scan->at, CODE_SYNTAX, "nothing may follow the value; remove it");
}

static int scan_start(struct scan *scan)
{
	if (note_line(scan->places, 0))
		return json_fault_set(scan->fault, CODE_SYSTEM, (struct json_position){1, 1},
				      "out of memory");
	if (scan->length > JSON_BYTES_MAX)
		return fail_at(scan, 0, CODE_LIMIT, "larger than the limit of %u MiB",
			       JSON_BYTES_MAX >> 20);
	if (scan->length >= 3 && memcmp(scan->text, "\xef\xbb\xbf", 3) == 0)
		return fail_at(scan, 0, CODE_ENCODING,
			       "a byte order mark; save the file as UTF-8 without one");
	return 0;
}

int json_scan(const char *text, size_t length, struct json_places *places, struct json_fault *fault)
{
	struct scan scan = {
		.text = (const unsigned char *)text,
		.length = length,
		.places = places,
		.fault = fault,
	};

	*places = (struct json_places){.length = length};
	if (scan_start(&scan))
		return -1;
	for (;;) {
		if (skip_space(&scan))
			return -1;
		if (scan.at == scan.length)
			break;
		if (scan_step(&scan))
			return -1;
	}
	if (scan.expect == EXPECT_NOTHING)
		return 0;
	if (scan.depth)
		return fail_at(&scan, scan.at, CODE_SYNTAX,
			       "the text ends too early; a \"%c\" is missing",
			       scan.stack[scan.depth - 1] == '{' ? '}' : ']');
	return fail_at(&scan, scan.at, CODE_SYNTAX, "the text is empty; a value is expected");
}
