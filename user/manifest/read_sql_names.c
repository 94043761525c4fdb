// SPDX-License-Identifier: Apache-2.0
/* Names as SQL has them: tables with columns, schemas, functions; folded as PostgreSQL folds. */
#include "manifest/reader.h"

#include <string.h>

/* A name of SQL that is being taken apart. */
struct sql_text {
	const char *at;
	const char *fault; /* NULL: none so far */
};

static bool is_identifier_start(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_identifier_byte(char byte)
{
	return is_identifier_start(byte) || (byte >= '0' && byte <= '9') || byte == '$';
}

static void skip_spaces(struct sql_text *text)
{
	text->at += strspn(text->at, " ");
}

/* Behind the opening quotation mark, to behind the closing one; "" is one mark. */
static size_t take_quoted(struct sql_text *text, char name[SQL_IDENTIFIER_MAX + 1])
{
	size_t length = 0;

	for (;; text->at++) {
		if (*text->at == '\0') {
			text->fault = "a quotation mark is not closed";
			return 0;
		}
		if (*text->at == '"' && *++text->at != '"')
			return length;
		if (length == SQL_IDENTIFIER_MAX) {
			text->fault = "a name is longer than 63 bytes";
			return 0;
		}
		name[length++] = *text->at;
	}
}

static size_t take_bare(struct sql_text *text, char name[SQL_IDENTIFIER_MAX + 1])
{
	size_t length = 0;

	for (; is_identifier_byte(*text->at); text->at++) {
		char byte = *text->at;

		if (length == SQL_IDENTIFIER_MAX) {
			text->fault = "a name is longer than 63 bytes";
			return 0;
		}
		name[length++] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
	}
	return length;
}

/* One identifier, folded as PostgreSQL folds it; NULL with text->fault set where there is none. */
static const char *take_identifier(struct reader *reader, struct sql_text *text)
{
	char name[SQL_IDENTIFIER_MAX + 1];
	size_t length;
	char *copy;

	if (*text->at == '"') {
		text->at++;
		length = take_quoted(text, name);
	} else if (is_identifier_start(*text->at)) {
		length = take_bare(text, name);
	} else {
		text->fault = (unsigned char)*text->at >= 0x80
				      ? "names beyond ASCII stand in \"double quotes\""
				      : "a name is expected";
		return NULL;
	}
	if (!text->fault && length == 0)
		text->fault = "a name is empty";
	if (text->fault)
		return NULL;
	copy = arena_copy(reader->arena, name, length);
	if (!copy) {
		reader_out_of_memory(reader);
		text->fault = "out of memory";
	}
	return copy;
}

/* name or schema.name */
static bool take_qualified(struct reader *reader, struct sql_text *text, const char **schema,
			   const char **name)
{
	*schema = NULL;
	*name = take_identifier(reader, text);
	if (!*name || *text->at != '.')
		return *name != NULL;
	text->at++;
	*schema = *name;
	*name = take_identifier(reader, text);
	return *name != NULL;
}

static size_t count_commas(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

/* "(a, b)" */
static void take_columns(struct reader *reader, struct sql_text *text, struct strings *columns)
{
	const char **items = reader_new_array(reader, const char *, count_commas(text->at) + 1);

	if (!items) {
		text->fault = "out of memory";
		return;
	}
	columns->items = items;
	do {
		const char *column;

		text->at++;
		skip_spaces(text);
		column = take_identifier(reader, text);
		if (!column)
			return;
		items[columns->count++] = column;
		skip_spaces(text);
	} while (*text->at == ',');
	if (*text->at != ')')
		text->fault = "a \")\" is missing";
	else
		text->at++;
}

static bool parse_table(struct reader *reader, struct sql_text *text, struct sql_table *table)
{
	skip_spaces(text);
	if (!take_qualified(reader, text, &table->schema, &table->name))
		return false;
	skip_spaces(text);
	if (*text->at == '(') {
		table->has_columns = true;
		take_columns(reader, text, &table->columns);
		skip_spaces(text);
	}
	if (!text->fault && *text->at != '\0')
		text->fault = *text->at == '*' ? "\"*\" is no table; name each one"
					       : "something follows the name";
	return text->fault == NULL;
}

bool read_sql_table(struct reader *reader, const json_value *value, enum sql_verb verb,
		    struct sql_table *table)
{
	struct sql_text text = {json_as_string(value), NULL};
	char shown[SHOWN_TEXT_MAX];

	*table = (struct sql_table){0};
	if (!reader_expect(reader, value, KIND_STRING))
		return false;
	if (!parse_table(reader, &text, table)) {
		reader_error(reader, value, CODE_SQL,
			     "\"%s\": %s; write \"name\", \"schema.name\" or \"name(column, "
			     "column)\"",
			     reader_show(shown, json_as_string(value)), text.fault);
		return false;
	}
	if (verb == SQL_DELETE && table->has_columns) {
		reader_error(reader, value, CODE_CONTRADICTION,
			     "rows are deleted whole; remove the columns");
		return false;
	}
	return true;
}

const char *read_sql_schema(struct reader *reader, const json_value *value)
{
	struct sql_text text = {json_as_string(value), NULL};
	const char *name = take_identifier(reader, &text);
	char shown[SHOWN_TEXT_MAX];

	/* "$user" is no schema's name to PostgreSQL, but the session's user. */
	if (name && *text.at == '\0' && strcmp(name, "$user") != 0)
		return name;
	reader_error(reader, value, CODE_SQL, "\"%s\" is no schema's name; write e.g. \"public\"",
		     reader_show(shown, json_as_string(value)));
	return NULL;
}

const char *read_sql_function(struct reader *reader, const json_value *value)
{
	struct sql_text text = {json_as_string(value), NULL};
	const char *schema, *name, *joined;
	char shown[SHOWN_TEXT_MAX];

	/* A dot within a name could not be told from the one between schema and name. */
	if (take_qualified(reader, &text, &schema, &name) && *text.at == '\0' &&
	    !strchr(name, '.') && (!schema || !strchr(schema, '.'))) {
		joined = schema ? arena_printf(reader->arena, "%s.%s", schema, name) : name;
		if (!joined)
			reader_out_of_memory(reader);
		return joined;
	}
	reader_error(reader, value, CODE_SQL,
		     "\"%s\" is no function's name; write \"name\" or \"schema.name\", without "
		     "brackets",
		     reader_show(shown, json_as_string(value)));
	return NULL;
}
