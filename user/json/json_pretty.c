// SPDX-License-Identifier: Apache-2.0
#include "json/json_pretty.h"

#include <string.h>

#define LINE_WIDTH  100
#define LEVEL_WIDTH 2
/* A container on one line holds containers that hold none. */
#define INLINE_DEPTH 2

/* Compact JSON with a blank behind each comma and colon that separates. */
static void print_spaced(const char *text, FILE *out)
{
	bool quoted = false;

	for (; *text; text++) {
		(void)fputc(*text, out);
		if (quoted && *text == '\\')
			(void)fputc(*++text, out);
		else if (*text == '"')
			quoted = !quoted;
		else if (!quoted && (*text == ',' || *text == ':'))
			(void)fputc(' ', out);
	}
}

/* Columns that print_spaced takes; more than a line's where the nesting is too deep for one. */
static size_t spaced_width(const char *text)
{
	size_t width = 0, depth = 0;
	bool quoted = false;

	for (; *text; text++) {
		/* Bytes of a character behind its first take no column. */
		width += ((unsigned char)*text & 0xc0) != 0x80;
		if (quoted && *text == '\\') {
			text++;
			width++;
		} else if (*text == '"') {
			quoted = !quoted;
		} else if (!quoted) {
			width += *text == ',' || *text == ':';
			if ((*text == '{' || *text == '[') && ++depth > INLINE_DEPTH)
				return LINE_WIDTH + 1;
			depth -= *text == '}' || *text == ']';
		}
	}
	return width;
}

static void print_indent(size_t depth, FILE *out)
{
	(void)fprintf(out, "\n%*s", (int)(depth * LEVEL_WIDTH), "");
}

static int print_key(const json_value *member, FILE *out, size_t *width)
{
	_cleanup_free_ char *text = json_print_key(member);

	if (!text)
		return -1;
	*width += spaced_width(text) + strlen(": ");
	(void)fprintf(out, "%s: ", text);
	return 0;
}

/* The value itself where it fits behind `width` columns, or its opening bracket: *opened. */
static int print_value(const json_value *value, size_t width, FILE *out, bool *opened)
{
	_cleanup_free_ char *text = json_print(value);

	if (!text)
		return -1;
	*opened = json_count(value) > 0 && width + spaced_width(text) + 1 > LINE_WIDTH;
	if (*opened)
		(void)fputc(json_is_object(value) ? '{' : '[', out);
	else
		print_spaced(text, out);
	return 0;
}

int json_print_pretty(const json_value *value, FILE *out)
{
	const json_value *containers[JSON_DEPTH_MAX], *next[JSON_DEPTH_MAX];
	size_t depth = 0;
	bool opened, first = true;

	if (print_value(value, 0, out, &opened))
		return -1;
	if (opened) {
		containers[depth] = value;
		next[depth++] = json_first(value);
	}
	while (depth > 0) {
		const json_value *container = containers[depth - 1], *item = next[depth - 1];
		size_t width = depth * LEVEL_WIDTH;

		if (!item) {
			depth--;
			print_indent(depth, out);
			(void)fputc(json_is_object(container) ? '}' : ']', out);
			first = false;
			continue;
		}
		if (!first)
			(void)fputc(',', out);
		print_indent(depth, out);
		next[depth - 1] = json_next(item);
		if ((json_is_object(container) && print_key(item, out, &width)) ||
		    print_value(item, width, out, &opened))
			return -1;
		first = opened;
		if (opened && depth < JSON_DEPTH_MAX) {
			containers[depth] = item;
			next[depth++] = json_first(item);
		}
	}
	(void)fputc('\n', out);
	return 0;
}
