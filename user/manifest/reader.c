// SPDX-License-Identifier: Apache-2.0
#include "manifest/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"

/* Words longer than this are no slip of the fingers. */
#define SUGGEST_BYTES_MAX 32
#define SUGGEST_DISTANCE  2
/* Tables that are larger than any of ours (a manifest's tools can be) are not searched: a hostile
 * file would make that take minutes. */
#define SUGGEST_WORDS_MAX 1000

size_t reader_push_key(struct reader *reader, const char *key)
{
	size_t before = reader->pointer_length;
	size_t at = before;

	/* Room for one escaped byte and the NUL, always. */
	if (at + 3 >= POINTER_TEXT_MAX)
		return before;
	reader->pointer[at++] = '/';
	for (; *key && at + 3 < POINTER_TEXT_MAX; key++) {
		if (*key != '~' && *key != '/') {
			reader->pointer[at++] = *key;
			continue;
		}
		reader->pointer[at++] = '~';
		reader->pointer[at++] = *key == '~' ? '0' : '1';
	}
	reader->pointer[at] = '\0';
	reader->pointer_length = at;
	return before;
}

size_t reader_push_index(struct reader *reader, size_t index)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%zu", index);
	return reader_push_key(reader, digits);
}

void reader_pop(struct reader *reader, size_t length)
{
	reader->pointer_length = length;
	reader->pointer[length] = '\0';
}

static void report(struct reader *reader, struct json_position position, const char *code,
		   const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

static void report(struct reader *reader, struct json_position position, const char *code,
		   const char *format, va_list arguments)
{
	_cleanup_free_ char *message = NULL;

	reader->errors++;
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	diagnostics_add(reader->diagnostics, SEVERITY_ERROR, code, position, reader->pointer, "%s",
			message ? message : "out of memory");
}

void reader_error(struct reader *reader, const json_value *value, const char *code,
		  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(reader, json_position_of(reader->document, value), code, format, arguments);
	va_end(arguments);
}

void reader_error_at_key(struct reader *reader, const json_value *object, const char *key,
			 const char *code, const char *format, ...)
{
	const json_value *member = json_member(object, key);
	size_t before = reader_push_key(reader, key);
	va_list arguments;

	va_start(arguments, format);
	report(reader, json_position_of(reader->document, member ? member : object), code, format,
	       arguments);
	va_end(arguments);
	reader_pop(reader, before);
}

void reader_out_of_memory(struct reader *reader)
{
	reader->errors++;
	if (reader->out_of_memory)
		return;
	reader->out_of_memory = true;
	diagnostics_add(reader->diagnostics, SEVERITY_ERROR, CODE_SYSTEM,
			(struct json_position){0, 0}, "", "out of memory");
}

const char *reader_show(char shown[SHOWN_TEXT_MAX], const char *text)
{
	size_t left = strlen(text), length = 0;

	/* Whole characters, with room for "..." and NUL. */
	while (left > 0) {
		size_t bytes = utf8_sequence_length((const unsigned char *)text + length, left);

		if (bytes == 0 || length + bytes + 4 > SHOWN_TEXT_MAX)
			break;
		length += bytes;
		left -= bytes;
	}
	memcpy(shown, text, length);
	memcpy(shown + length, left ? "..." : "", left ? 4 : 1);
	return shown;
}

/* Levenshtein's distance, for short words. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t row[SUGGEST_BYTES_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_length];
}

const char *reader_suggest(const struct reader *reader, const char *text, const void *words,
			   size_t count, size_t stride)
{
	const char *best = NULL;
	size_t best_distance = SUGGEST_DISTANCE + 1;
	size_t length = strnlen(text, SUGGEST_BYTES_MAX + 1);

	if (length > SUGGEST_BYTES_MAX || count > SUGGEST_WORDS_MAX ||
	    reader->diagnostics->count == reader->diagnostics->limit)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *word = *(const char *const *)((const char *)words + i * stride);
		size_t distance;

		if (!word || strlen(word) > SUGGEST_BYTES_MAX)
			continue;
		distance = edit_distance(text, word);
		if (distance < best_distance && distance < strlen(word)) {
			best_distance = distance;
			best = word;
		}
	}
	return best;
}

/* "object", "list or string", ... */
static const char *kinds_text(unsigned kinds, char text[64])
{
	static const char *const names[] = {"object", "list", "string", "number", "boolean"};
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(kinds & (1U << i)))
			continue;
		used += (size_t)snprintf(text + used, 64 - used, "%s%s", used ? " or " : "",
					 names[i]);
	}
	return text;
}

static unsigned kind_of(const json_value *value)
{
	if (json_is_object(value))
		return KIND_OBJECT;
	if (json_is_array(value))
		return KIND_LIST;
	if (json_is_string(value))
		return KIND_STRING;
	if (json_is_number(value))
		return KIND_NUMBER;
	return json_is_boolean(value) ? KIND_BOOLEAN : 0;
}

bool reader_expect(struct reader *reader, const json_value *value, unsigned kinds)
{
	char text[64];

	if (kind_of(value) & kinds)
		return true;
	reader_error(reader, value, CODE_TYPE, "must be %s %s, not %s",
		     kinds & KIND_OBJECT ? "an" : "a", kinds_text(kinds, text),
		     json_type_name(value));
	return false;
}

bool reader_not_empty(struct reader *reader, const json_value *list, const char *hint)
{
	if (json_first(list))
		return true;
	reader_error(reader, list, CODE_EMPTY, "must not be empty; %s", hint);
	return false;
}

static void report_unknown_key(struct reader *reader, const json_value *member,
			       const struct key_spec *specs, size_t count)
{
	const char *near =
		reader_suggest(reader, json_key_of(member), specs, count, sizeof(*specs));
	char shown[SHOWN_TEXT_MAX];

	reader->errors++;
	reader_show(shown, json_key_of(member));
	diagnostics_add(reader->diagnostics, SEVERITY_ERROR, CODE_UNKNOWN_KEY,
			json_key_position_of(reader->document, member), reader->pointer,
			near ? "unknown key \"%s\"; did you mean \"%s\"?"
			     : "unknown key \"%s\"; remove it%s",
			shown, near ? near : "");
}

static const struct key_spec *find_spec(const struct key_spec *specs, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(specs[i].key, key) == 0)
			return &specs[i];
	return NULL;
}

bool reader_object(struct reader *reader, const json_value *value, const struct key_spec *specs,
		   size_t count, void *target)
{
	if (!reader_expect(reader, value, KIND_OBJECT))
		return false;
	json_for_each (member, value) {
		const struct key_spec *spec = find_spec(specs, count, json_key_of(member));
		size_t before = reader_push_key(reader, json_key_of(member));

		if (!spec)
			report_unknown_key(reader, member, specs, count);
		else if (reader_expect(reader, member, spec->kinds) && spec->read)
			spec->read(reader, member, target);
		reader_pop(reader, before);
	}
	for (size_t i = 0; i < count; i++)
		if (specs[i].required && !json_member(value, specs[i].key))
			reader_error_at_key(reader, value, specs[i].key, CODE_MISSING_KEY,
					    "is missing; %s", specs[i].required);
	return true;
}

void reader_strings(struct reader *reader, const json_value *list, item_function *item,
		    struct strings *strings)
{
	const char **items = reader_new_array(reader, const char *, json_count(list));
	size_t index = 0;

	if (!items)
		return;
	strings->items = items;
	strings->count = 0;
	json_for_each (value, list) {
		size_t before = reader_push_index(reader, index++);
		const char *text = NULL;

		if (reader_expect(reader, value, KIND_STRING))
			text = item(reader, value);
		if (text)
			items[strings->count++] = text;
		reader_pop(reader, before);
	}
}

void reader_strings_or_error(struct reader *reader, const json_value *list, item_function *item,
			     const char *hint, struct strings *strings)
{
	if (reader_not_empty(reader, list, hint))
		reader_strings(reader, list, item, strings);
}

void *reader_alloc(struct reader *reader, size_t count, size_t size)
{
	void *memory = arena_alloc(reader->arena, count ? count : 1, size);

	if (!memory)
		reader_out_of_memory(reader);
	return memory;
}

const char *reader_copy(struct reader *reader, const char *text)
{
	const char *copy = arena_copy(reader->arena, text, strlen(text));

	if (!copy)
		reader_out_of_memory(reader);
	return copy;
}

static void list_words(const struct word *words, size_t count, char text[256])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && used < 256; i++) {
		const char *between = i + 1 == count ? " or " : ", ";

		used += (size_t)snprintf(text + used, 256 - used, "%s\"%s\"", i ? between : "",
					 words[i].word);
	}
}

bool reader_word(struct reader *reader, const json_value *value, const struct word *words,
		 size_t count, int *found)
{
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX], all[256];

	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].word, text) == 0) {
			*found = words[i].value;
			return true;
		}
	}
	list_words(words, count, all);
	reader_error(reader, value, CODE_WORD, "\"%s\" is unknown here; write %s",
		     reader_show(shown, text), all);
	return false;
}

bool reader_unsigned(struct reader *reader, const json_value *value, uint64_t least, uint64_t most,
		     uint64_t *number)
{
	if (json_as_unsigned(value, most, number) && *number >= least)
		return true;
	reader_error(reader, value, CODE_RANGE,
		     "must be a whole number from %" PRIu64 " to %" PRIu64, least, most);
	return false;
}
