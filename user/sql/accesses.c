// SPDX-License-Identifier: Apache-2.0
/* What a statement touches, as a list; and how it is written. */
#include <stdarg.h>
#include <string.h>

#include "sql/analysis.h"

static bool same(const char *one, const char *other)
{
	return one == other || (one && other && strcmp(one, other) == 0);
}

struct sql_access *access_note(struct analysis *analysis, enum sql_access_kind kind,
			       enum sql_use use, const char *schema, const char *name)
{
	struct sql_access *access, *more;

	if (!analysis_work(analysis, analysis->access_count))
		return NULL;
	for (size_t i = 0; i < analysis->access_count; i++) {
		access = &analysis->accesses[i];
		if (access->kind == kind && access->use == use && same(access->name, name) &&
		    same(access->schema, schema))
			return access;
	}
	if (analysis->access_count == ANALYSIS_LIST_MAX) {
		analysis_undecided(analysis, "sql-limit", "the statement touches too much");
		return NULL;
	}
	if (analysis->access_count == analysis->access_room) {
		const size_t room = analysis->access_room ? analysis->access_room * 2 : 16;

		more = arena_new_array(analysis->arena, struct sql_access, room);
		if (!more) {
			analysis_no_memory(analysis);
			return NULL;
		}
		if (analysis->access_count)
			memcpy(more, analysis->accesses, analysis->access_count * sizeof(*more));
		analysis->accesses = more;
		analysis->access_room = room;
	}
	access = &analysis->accesses[analysis->access_count++];
	*access = (struct sql_access){.kind = kind, .use = use, .schema = schema, .name = name};
	return access;
}

/* Room of such a list is the next power of two: its count alone tells. */
static void strings_add(struct analysis *analysis, struct strings *list, const char *text)
{
	const size_t count = list->count;
	const char **more;

	if (!analysis_work(analysis, count))
		return;
	for (size_t i = 0; i < count; i++)
		if (strcmp(list->items[i], text) == 0)
			return;
	if (count == ANALYSIS_LIST_MAX) {
		analysis_undecided(analysis, "sql-limit", "the statement names too much");
		return;
	}
	if ((count & (count - 1)) == 0) {
		more = arena_new_array(analysis->arena, const char *, count ? count * 2 : 1);
		if (!more) {
			analysis_no_memory(analysis);
			return;
		}
		if (count)
			memcpy(more, list->items, count * sizeof(*more));
		list->items = more;
	}
	list->items[list->count++] = text;
}

void access_add_column(struct analysis *analysis, struct sql_access *access, const char *column)
{
	if (!access)
		return;
	if (column)
		strings_add(analysis, &access->columns, column);
	else
		access->all_columns = true;
}

void access_read(struct analysis *analysis, const struct table *table, const char *column)
{
	access_add_column(analysis,
			  access_note(analysis, SQL_ACCESS_RELATION, SQL_USE_READ, table->schema,
				      table->name),
			  column);
}

void analysis_assume(struct analysis *analysis, const char *format, ...)
{
	va_list arguments;
	char text[512];
	char *copy;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	copy = arena_copy(analysis->arena, text, strlen(text));
	if (copy)
		strings_add(analysis, &analysis->decision->assumes, copy);
	else
		analysis_no_memory(analysis);
}

const char *sql_statement_name(enum sql_statement statement)
{
	static const char *const names[] = {
		[SQL_STATEMENT_NONE] = "none",
		[SQL_STATEMENT_QUERY] = "query",
		[SQL_STATEMENT_INSERT] = "insert",
		[SQL_STATEMENT_UPDATE] = "update",
		[SQL_STATEMENT_DELETE] = "delete",
		[SQL_STATEMENT_COPY_IN] = "copy-in",
		[SQL_STATEMENT_COPY_OUT] = "copy-out",
		[SQL_STATEMENT_EXPLAIN] = "explain",
		[SQL_STATEMENT_TRANSACTION] = "transaction",
		[SQL_STATEMENT_PREPARED] = "prepared",
		[SQL_STATEMENT_CURSOR] = "cursor",
		[SQL_STATEMENT_SETTING] = "setting",
		[SQL_STATEMENT_OTHER] = "other",
	};

	return names[statement];
}

const char *sql_access_kind_name(enum sql_access_kind kind)
{
	static const char *const names[] = {
		[SQL_ACCESS_RELATION] = "relation", [SQL_ACCESS_FUNCTION] = "function",
		[SQL_ACCESS_OPERATOR] = "operator", [SQL_ACCESS_TYPE] = "type",
		[SQL_ACCESS_SETTING] = "setting",
	};

	return names[kind];
}

const char *sql_use_name(enum sql_use use)
{
	switch (use) {
	case SQL_USE_READ:
		return "read";
	case SQL_USE_INSERT:
		return "insert";
	case SQL_USE_UPDATE:
		return "update";
	case SQL_USE_DELETE:
		return "delete";
	case SQL_USE_LOCK:
		return "lock";
	case SQL_USE_CALL:
		return "call";
	case SQL_USE_SET:
		return "set";
	}
	return "read";
}

static void write_access(const struct sql_access *access, struct json_writer *writer)
{
	json_open_object(writer);
	json_key_string(writer, "kind", sql_access_kind_name(access->kind));
	json_key_string(writer, "use", sql_use_name(access->use));
	if (access->schema)
		json_key_string(writer, "schema", access->schema);
	json_key_string(writer, "name", access->name);
	if (access->all_columns) {
		json_key_string(writer, "columns", "*");
	} else if (access->kind == SQL_ACCESS_RELATION) {
		json_key(writer, "columns");
		json_open_array(writer);
		for (size_t i = 0; i < access->columns.count; i++)
			json_string(writer, access->columns.items[i]);
		json_close_array(writer);
	}
	json_close_object(writer);
}

void sql_accesses_write(const struct sql_decision *decision, struct json_writer *writer)
{
	json_open_array(writer);
	for (size_t i = 0; i < decision->access_count; i++)
		write_access(&decision->accesses[i], writer);
	json_close_array(writer);
}
