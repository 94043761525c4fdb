// SPDX-License-Identifier: Apache-2.0
#include "sql/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct tree_reader {
	char *at;  /* in a copy of the text, in which strings are decoded in place */
	char *end; /* there is a NUL */
	struct tree_value *values;
	size_t used;
	enum tree_fault fault;
	uint32_t open[TREE_DEPTH_MAX]; /* the containers around */
	size_t depth;
};

/* A value stands at the start, behind "[", "{" or ",": no text has more than these and one. */
static size_t count_places(const char *text, size_t length)
{
	size_t count = 2;

	for (size_t i = 0; i < length; i++)
		count += (size_t)((text[i] == ',') | (text[i] == '[') | (text[i] == '{'));
	return count;
}

static void skip_spaces(struct tree_reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' ||
	       *reader->at == '\r')
		reader->at++;
}

static bool fail(struct tree_reader *reader, enum tree_fault fault)
{
	if (reader->fault == TREE_FINE)
		reader->fault = fault;
	return false;
}

/* Four digits of a \u escape. */
static bool take_hex(const char *at, unsigned *unit)
{
	*unit = 0;
	for (size_t i = 0; i < 4; i++) {
		const char c = at[i];

		if (c >= '0' && c <= '9')
			*unit = *unit * 16 + (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*unit = *unit * 16 + (unsigned)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	return true;
}

static char *put_utf8(char *to, unsigned point)
{
	if (point < 0x80) {
		*to++ = (char)point;
	} else if (point < 0x800) {
		*to++ = (char)(0xc0 | point >> 6);
		*to++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*to++ = (char)(0xe0 | point >> 12);
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	} else {
		*to++ = (char)(0xf0 | point >> 18);
		*to++ = (char)(0x80 | (point >> 12 & 0x3f));
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	}
	return to;
}

/* Behind "\u": one code point, of one escape or of a pair. */
static bool take_point(struct tree_reader *reader, char **to)
{
	unsigned point, low;

	if (!take_hex(reader->at, &point))
		return fail(reader, TREE_MALFORMED);
	reader->at += 4;
	if (point >= 0xd800 && point <= 0xdbff) {
		if (reader->at[0] != '\\' || reader->at[1] != 'u' ||
		    !take_hex(reader->at + 2, &low) || low < 0xdc00 || low > 0xdfff)
			return fail(reader, TREE_MALFORMED);
		reader->at += 6;
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
	} else if (point == 0 || (point >= 0xdc00 && point <= 0xdfff)) {
		return fail(reader, TREE_MALFORMED);
	}
	*to = put_utf8(*to, point);
	return true;
}

static bool take_escape(struct tree_reader *reader, char **to)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *name;
	const char c = *reader->at;

	if (c == '\0')
		return fail(reader, TREE_MALFORMED);
	reader->at++;
	if (c == 'u')
		return take_point(reader, to);
	name = strchr(names, c);
	if (!name)
		return fail(reader, TREE_MALFORMED);
	*(*to)++ = bytes[name - names];
	return true;
}

/* At the opening quotation mark; decoded in place, which never needs more room. */
static const char *take_string(struct tree_reader *reader)
{
	char *start = ++reader->at, *to = start;

	for (;;) {
		const unsigned char c = (unsigned char)*reader->at;
		size_t length;

		if (c == '"')
			break;
		if (c < 0x20) {
			(void)fail(reader, TREE_MALFORMED);
			return NULL;
		}
		if (c == '\\') {
			reader->at++;
			if (!take_escape(reader, &to))
				return NULL;
			continue;
		}
		length = utf8_sequence_length((const unsigned char *)reader->at,
					      (size_t)(reader->end - reader->at));
		if (length == 0) {
			(void)fail(reader, TREE_MALFORMED);
			return NULL;
		}
		if (to != reader->at)
			memmove(to, reader->at, length);
		to += length;
		reader->at += length;
	}
	reader->at++;
	*to = '\0';
	return start;
}

static char *skip_digits(char *at)
{
	while (*at >= '0' && *at <= '9')
		at++;
	return at;
}

/* The end of a number at `at`, or NULL. */
static char *number_end(char *at)
{
	char *digits;

	at += *at == '-';
	digits = at;
	at = skip_digits(at);
	if (at == digits || (*digits == '0' && at != digits + 1))
		return NULL;
	if (*at == '.') {
		digits = ++at;
		at = skip_digits(at);
		if (at == digits)
			return NULL;
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '+' || *at == '-';
		digits = at;
		at = skip_digits(at);
		if (at == digits)
			return NULL;
	}
	return at;
}

/* A number's text has no place for its NUL: it is copied. */
static bool take_number(struct tree_reader *reader, struct tree_value *value, struct arena *arena)
{
	char *end = number_end(reader->at);

	if (!end)
		return fail(reader, TREE_MALFORMED);
	value->kind = TREE_NUMBER;
	value->text = arena_copy(arena, reader->at, (size_t)(end - reader->at));
	if (!value->text)
		return fail(reader, TREE_NO_MEMORY);
	reader->at = end;
	return true;
}

static bool take_word(struct tree_reader *reader, struct tree_value *value)
{
	static const struct {
		const char *word;
		enum tree_kind kind;
	} words[] = {{"true", TREE_BOOLEAN}, {"false", TREE_BOOLEAN}, {"null", TREE_NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const size_t length = strlen(words[i].word);

		if (strncmp(reader->at, words[i].word, length) != 0)
			continue;
		reader->at += length;
		value->kind = words[i].kind;
		value->text = words[i].kind == TREE_BOOLEAN ? words[i].word : NULL;
		return true;
	}
	return fail(reader, TREE_MALFORMED);
}

/* At a value; a container is left open. */
static bool take_value(struct tree_reader *reader, const char *key, struct arena *arena)
{
	struct tree_value *value = &reader->values[reader->used];

	*value = (struct tree_value){.key = key, .span = 1};
	if (reader->depth)
		reader->values[reader->open[reader->depth - 1]].count++;
	reader->used++;
	switch (*reader->at) {
	case '{':
	case '[':
		value->kind = *reader->at == '{' ? TREE_OBJECT : TREE_ARRAY;
		if (reader->depth == TREE_DEPTH_MAX)
			return fail(reader, TREE_TOO_DEEP);
		reader->open[reader->depth++] = (uint32_t)(reader->used - 1);
		reader->at++;
		return true;
	case '"':
		value->kind = TREE_STRING;
		value->text = take_string(reader);
		return value->text != NULL;
	case 't':
	case 'f':
	case 'n':
		return take_word(reader, value);
	default:
		return take_number(reader, value, arena);
	}
}

/* A key twice in one object: which of the two another reader would take can't be known. */
static bool key_is_new(const struct tree_value *object, const char *key)
{
	return tree_member(object, key) == NULL;
}

/* In an object, at a key: the key, or NULL. */
static const char *take_key(struct tree_reader *reader)
{
	struct tree_value *object = &reader->values[reader->open[reader->depth - 1]];
	const char *key;

	if (*reader->at != '"') {
		(void)fail(reader, TREE_MALFORMED);
		return NULL;
	}
	key = take_string(reader);
	if (!key)
		return NULL;
	skip_spaces(reader);
	object->span = (uint32_t)(reader->used - reader->open[reader->depth - 1]);
	if (*reader->at != ':' || !key_is_new(object, key)) {
		(void)fail(reader, TREE_MALFORMED);
		return NULL;
	}
	reader->at++;
	skip_spaces(reader);
	return key;
}

/* Behind a value: closes what ends here. True while there is more to read. */
static bool close_containers(struct tree_reader *reader)
{
	for (; reader->depth; reader->depth--) {
		struct tree_value *container = &reader->values[reader->open[reader->depth - 1]];

		skip_spaces(reader);
		if (*reader->at == ',' && container->count) {
			reader->at++;
			skip_spaces(reader);
			return true;
		}
		if (*reader->at != (container->kind == TREE_OBJECT ? '}' : ']'))
			return container->count == 0 || fail(reader, TREE_MALFORMED);
		reader->at++;
		container->span = (uint32_t)(reader->used - reader->open[reader->depth - 1]);
	}
	skip_spaces(reader);
	if (reader->at != reader->end)
		(void)fail(reader, TREE_MALFORMED);
	return false;
}

static void read_all(struct tree_reader *reader, struct arena *arena)
{
	skip_spaces(reader);
	do {
		const char *key = NULL;

		if (reader->depth &&
		    reader->values[reader->open[reader->depth - 1]].kind == TREE_OBJECT) {
			key = take_key(reader);
			if (!key)
				return;
		}
		if (!take_value(reader, key, arena))
			return;
	} while (close_containers(reader));
}

const struct tree_value *tree_read(const char *text, size_t length, struct arena *arena,
				   enum tree_fault *fault)
{
	struct tree_reader reader = {.fault = TREE_FINE};
	const size_t places = count_places(text, length);

	*fault = TREE_NO_MEMORY;
	if (places > UINT32_MAX)
		return NULL;
	reader.at = arena_copy(arena, text, length);
	reader.values = arena_new_array(arena, struct tree_value, places);
	if (!reader.at || !reader.values)
		return NULL;
	reader.end = reader.at + length;
	read_all(&reader, arena);
	*fault = reader.fault;
	return reader.fault == TREE_FINE ? reader.values : NULL;
}

const struct tree_value *tree_member(const struct tree_value *value, const char *key)
{
	if (!value || value->kind != TREE_OBJECT)
		return NULL;
	tree_for_each(member, value) if (strcmp(member->key, key) == 0) return member;
	return NULL;
}

const char *tree_string(const struct tree_value *value, const char *key)
{
	const struct tree_value *member = tree_member(value, key);

	return member && member->kind == TREE_STRING ? member->text : NULL;
}

long tree_number(const struct tree_value *value, const char *key)
{
	const struct tree_value *member = tree_member(value, key);

	return member && member->kind == TREE_NUMBER ? strtol(member->text, NULL, 10) : 0;
}

bool tree_flag(const struct tree_value *value, const char *key)
{
	const struct tree_value *member = tree_member(value, key);

	return member && member->kind == TREE_BOOLEAN && member->text[0] == 't';
}
