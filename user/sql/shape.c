// SPDX-License-Identifier: Apache-2.0
/*
 * What the scanner may take for granted: scan.l of PostgreSQL 15 without the states that only
 * E'', U&, B'', X'', N'', dollar quotes and comments enter. Whatever could enter one is refused.
 */
#include "sql/shape.h"

#include <string.h>

#include "base/utf8.h"

/* Control characters stand nowhere in a text that has a shape, but within strings. */
#define MARK_STRING '\x01'
#define MARK_NUMBER '\x02'

struct shaper {
	const char *at, *end;
	char *to, *to_end;
};

enum byte_class {
	REFUSED, /* control characters, bytes beyond ASCII, "\\", "{", "}" */
	SPACE,
	LETTER, /* what an identifier starts with */
	DIGIT,
	QUOTE,
	DOUBLE_QUOTE,
	DOLLAR,
	DOT,
	OTHER, /* operators and punctuation: as they stand */
};

static const unsigned char classes[256] = {
	[' '] = SPACE,		['\t'] = SPACE,		['\n'] = SPACE, ['\r'] = SPACE,
	['A' ... 'Z'] = LETTER, ['a' ... 'z'] = LETTER, ['_'] = LETTER, ['0' ... '9'] = DIGIT,
	['\''] = QUOTE,		['"'] = DOUBLE_QUOTE,	['$'] = DOLLAR, ['.'] = DOT,
	['!'] = OTHER,		['#'] = OTHER,		['%'] = OTHER,	['&'] = OTHER,
	['('] = OTHER,		[')'] = OTHER,		['*'] = OTHER,	['+'] = OTHER,
	[','] = OTHER,		['-'] = OTHER,		['/'] = OTHER,	[':'] = OTHER,
	[';'] = OTHER,		['<'] = OTHER,		['='] = OTHER,	['>'] = OTHER,
	['?'] = OTHER,		['@'] = OTHER,		['['] = OTHER,	[']'] = OTHER,
	['^'] = OTHER,		['`'] = OTHER,		['|'] = OTHER,	['~'] = OTHER,
};

static enum byte_class class_at(const struct shaper *shaper, size_t offset)
{
	if ((size_t)(shaper->end - shaper->at) <= offset)
		return SPACE;
	return classes[(unsigned char)shaper->at[offset]];
}

/* The byte there, or a blank behind the end. */
static char byte_at(const struct shaper *shaper, size_t offset)
{
	return (size_t)(shaper->end - shaper->at) > offset ? shaper->at[offset] : ' ';
}

static bool put(struct shaper *shaper, const char *bytes, size_t length)
{
	if ((size_t)(shaper->to_end - shaper->to) < length)
		return false;
	memcpy(shaper->to, bytes, length);
	shaper->to += length;
	return true;
}

static bool copy_from(struct shaper *shaper, const char *start)
{
	return put(shaper, start, (size_t)(shaper->at - start));
}

static bool put_mark(struct shaper *shaper, char mark)
{
	return put(shaper, &mark, 1);
}

/* An identifier that runs into a quotation mark may be a prefix (E'', B'', X'', N'', U&'', U&"").
 */
static bool take_identifier(struct shaper *shaper)
{
	const char *start = shaper->at;
	enum byte_class next;

	do {
		shaper->at++;
		next = class_at(shaper, 0);
	} while (next == LETTER || next == DIGIT || next == DOLLAR);
	if (next == QUOTE || next == REFUSED)
		return false;
	if (byte_at(shaper, 0) == '&' && shaper->at - start == 1 && (*start | 0x20) == 'u')
		return false;
	return copy_from(shaper, start);
}

/* Digits, a fraction, an exponent. What follows may not be taken for a part of it, nor a number
 * that this or a later scanner reads otherwise (0x1F, 1_000, 1..2, 1.2.3). */
static bool take_number(struct shaper *shaper)
{
	while (class_at(shaper, 0) == DIGIT)
		shaper->at++;
	if (class_at(shaper, 0) == DOT) {
		shaper->at++;
		while (class_at(shaper, 0) == DIGIT)
			shaper->at++;
	}
	if ((byte_at(shaper, 0) | 0x20) == 'e') {
		size_t sign = byte_at(shaper, 1) == '+' || byte_at(shaper, 1) == '-';

		if (class_at(shaper, 1 + sign) != DIGIT)
			return false;
		shaper->at += 1 + sign;
		while (class_at(shaper, 0) == DIGIT)
			shaper->at++;
	}
	switch (class_at(shaper, 0)) {
	case LETTER:
	case DOLLAR:
	case DOT:
	case REFUSED:
		return false;
	default:
		return put_mark(shaper, MARK_NUMBER);
	}
}

/* A string goes on behind white space with a line's end in it. */
static bool string_goes_on(const struct shaper *shaper)
{
	bool line = false;

	for (size_t i = 0;; i++) {
		char byte = byte_at(shaper, i);

		if ((size_t)(shaper->end - shaper->at) <= i)
			return false;
		if (byte == '\'')
			return line;
		if (byte == '\n' || byte == '\r')
			line = true;
		else if (byte != ' ' && byte != '\t' && byte != '\f' && byte != '\v')
			return false;
	}
}

/* Behind the opening quotation mark: to behind the closing one; '' is one mark. */
static bool skip_string(struct shaper *shaper)
{
	while (shaper->at < shaper->end) {
		const unsigned char byte = (unsigned char)*shaper->at;
		size_t length = 1;

		if (byte == '\'' && byte_at(shaper, 1) != '\'') {
			shaper->at++;
			return true;
		}
		if (byte == '\'')
			length = 2;
		else if (byte == '\0')
			return false;
		else if (byte >= 0x80)
			length = utf8_sequence_length((const unsigned char *)shaper->at,
						      (size_t)(shaper->end - shaper->at));
		if (length == 0)
			return false;
		shaper->at += length;
	}
	return false;
}

static bool take_string(struct shaper *shaper)
{
	shaper->at++;
	return skip_string(shaper) && !string_goes_on(shaper) && put_mark(shaper, MARK_STRING);
}

/* A quoted name stands as it is: ASCII, not empty. */
static bool take_quoted(struct shaper *shaper)
{
	const char *start = shaper->at++;

	while (shaper->at < shaper->end) {
		const unsigned char byte = (unsigned char)*shaper->at++;

		if (byte < 0x20 || byte >= 0x7f)
			return false;
		if (byte != '"')
			continue;
		if (byte_at(shaper, 0) != '"')
			return shaper->at - start > 2 && copy_from(shaper, start);
		shaper->at++;
	}
	return false;
}

/* $1; everything else that starts so may be a dollar quote. */
static bool take_parameter(struct shaper *shaper)
{
	const char *start = shaper->at++;

	if (class_at(shaper, 0) != DIGIT)
		return false;
	while (class_at(shaper, 0) == DIGIT)
		shaper->at++;
	switch (class_at(shaper, 0)) {
	case LETTER:
	case DOLLAR:
	case DOT:
	case REFUSED:
		return false;
	default:
		return copy_from(shaper, start);
	}
}

/* Operators and punctuation; a comment may open within what looks like an operator. */
static bool take_other(struct shaper *shaper)
{
	const char byte = *shaper->at, next = byte_at(shaper, 1);

	if ((byte == '-' && next == '-') || (byte == '/' && next == '*'))
		return false;
	shaper->at++;
	return put(shaper, &byte, 1);
}

static bool take_token(struct shaper *shaper)
{
	switch (class_at(shaper, 0)) {
	case SPACE:
	case OTHER:
		return take_other(shaper);
	case LETTER:
		return take_identifier(shaper);
	case DIGIT:
		return take_number(shaper);
	case QUOTE:
		return take_string(shaper);
	case DOUBLE_QUOTE:
		return take_quoted(shaper);
	case DOLLAR:
		return take_parameter(shaper);
	case DOT: /* ".." is one token, also in front of a digit */
		if (class_at(shaper, 1) == DOT)
			return false;
		return class_at(shaper, 1) == DIGIT ? take_number(shaper) : take_other(shaper);
	case REFUSED:
		break;
	}
	return false;
}

bool sql_shape(const char *text, size_t length, char *shape, size_t room, size_t *shape_length)
{
	struct shaper shaper = {text, text + length, shape, shape + room};

	while (shaper.at < shaper.end)
		if (!take_token(&shaper))
			return false;
	*shape_length = (size_t)(shaper.to - shape);
	return true;
}

bool sql_shape_print(const char *text, size_t length, char *printed, size_t room)
{
	size_t used;

	if (room == 0 || !sql_shape(text, length, printed, room - 1, &used))
		return false;
	for (size_t i = 0; i < used; i++)
		if (printed[i] == MARK_STRING || printed[i] == MARK_NUMBER)
			printed[i] = '?';
	printed[used] = '\0';
	return true;
}
