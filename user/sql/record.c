// SPDX-License-Identifier: Apache-2.0
#include "sql/record.h"

#include <string.h>

#include "sql/guard_link.h"
#include "sql/shape.h"

/* Of a text that is told; a byte of it takes up to six in JSON. */
#define TOLD_TEXT_MAX 3000U

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* A text, cut between characters; true where it was cut. */
static bool write_text(struct json_writer *writer, const char *key, const char *text, size_t length)
{
	char shown[TOLD_TEXT_MAX + 1];
	size_t kept = length;

	json_key(writer, key);
	if (!text) {
		json_null(writer);
		return false;
	}
	if (kept > TOLD_TEXT_MAX)
		for (kept = TOLD_TEXT_MAX; kept > 0 && is_continuation(text[kept]);)
			kept--;
	memcpy(shown, text, kept);
	shown[kept] = '\0';
	json_string(writer, shown);
	return kept < length;
}

/* The shape that a record has, or makes; NULL: there is none. The caller's (free). */
static char *shape_of(const struct session_record *record)
{
	size_t length = record->text_length;
	char *shape;

	if (record->shape)
		return strdup(record->shape);
	/* Past this it would be cut, and the scanner's time is the attacker's to choose. */
	if (!record->text || length == 0 || length > 4 * TOLD_TEXT_MAX)
		return NULL;
	shape = malloc(length + 1);
	if (shape && sql_shape_print(record->text, length, shape, length + 1))
		return shape;
	free(shape);
	return NULL;
}

static void write_hint(struct json_writer *writer, const struct judgement *judgement)
{
	const char *const *text = judgement->text;

	if (text[JUDGEMENT_HINT_OP][0] == '\0')
		return;
	json_key(writer, "hint");
	json_open_object(writer);
	json_key_string(writer, "op", text[JUDGEMENT_HINT_OP]);
	json_key_string(writer, "path", text[JUDGEMENT_HINT_PATH]);
	if (text[JUDGEMENT_HINT_VALUE][0]) {
		json_key(writer, "value");
		json_verbatim(writer, text[JUDGEMENT_HINT_VALUE]);
	}
	json_close_object(writer);
}

static void write_subject(const struct session_record *record, const struct record_subject *subject,
			  bool whole, struct json_writer *writer)
{
	const struct judgement *judgement = record->judgement;
	char *shape = whole ? shape_of(record) : NULL;
	const char *text = whole && subject->literals ? record->text : NULL;
	bool cut = !whole;

	json_key(writer, "subject");
	json_open_object(writer);
	json_key_string(writer, "database", subject->database);
	json_key_string(writer, "user", subject->user);
	if (subject->superuser)
		json_key_boolean(writer, "superuser", true);
	json_key_string(writer, "statement", sql_statement_name(judgement->statement));
	cut |= write_text(writer, "shape", shape, shape ? strlen(shape) : 0);
	cut |= write_text(writer, "text", text, record->text_length);
	if (whole && judgement->text[JUDGEMENT_ACCESSES][0]) {
		json_key(writer, "accesses");
		json_verbatim(writer, judgement->text[JUDGEMENT_ACCESSES]);
	}
	if (record->has_rows)
		json_key_unsigned(writer, "rows", record->rows);
	if (record->has_duration)
		json_key_unsigned(writer, "duration_us", record->duration_us);
	if (cut)
		json_key_boolean(writer, "cut", true);
	json_close_object(writer);
	free(shape);
}

static void write_all(const struct session_record *record, const struct record_subject *subject,
		      bool whole, struct json_writer *writer)
{
	const struct judgement *judgement = record->judgement;

	json_open_object(writer);
	json_key_string(writer, "verdict", verdict_name(judgement->kind));
	if (judgement->text[JUDGEMENT_REASON][0])
		json_key_string(writer, "reason", judgement->text[JUDGEMENT_REASON]);
	if (judgement->text[JUDGEMENT_RULE][0])
		json_key_string(writer, "rule", judgement->text[JUDGEMENT_RULE]);
	if (judgement->text[JUDGEMENT_MESSAGE][0])
		json_key_string(writer, "message", judgement->text[JUDGEMENT_MESSAGE]);
	write_hint(writer, judgement);
	if (record->count)
		json_key_unsigned(writer, "count", record->count);
	write_subject(record, subject, whole, writer);
	json_close_object(writer);
}

void record_write(const struct session_record *record, const struct record_subject *subject,
		  struct json_writer *writer)
{
	write_all(record, subject, true, writer);
	if (writer->length <= GUARD_TAIL_MAX)
		return;
	json_writer_reset(writer);
	write_all(record, subject, false, writer);
}
