// SPDX-License-Identifier: Apache-2.0
/*
 * A snapshot's text: {"version": 1, "relations": [{"schema": "public", "name": "orders",
 * "kind": "r", "columns": ["id", {"name": "address", "fields": ["street", "town"]}]}],
 * "functions": [{"schema": "public", "name": "lower"}], "operators": [...]}. Made by a server from
 * catalog_query.c, or by hand for `agentpol decide --schema`: what is not understood is refused.
 */
#include <string.h>

#include "base/array.h"
#include "sql/catalog.h"
#include "sql/json_read.h"

#define SNAPSHOT_VERSION 1
#define KINDS		 "rvmpfSicIt" /* pg_class.relkind */

/* A list that grows outside of the arena, and moves there when it is whole. */
struct list {
	void *items; /* owned */
	size_t room, count, size;
};

struct snapshot {
	struct json_cursor cursor;
	struct list relations; /* struct sql_relation */
	struct list overloads; /* struct sql_overload */
	unsigned version;
};

/* A zeroed place at the end; NULL after a fault. */
static void *list_add(struct json_cursor *cursor, struct list *list)
{
	void *items = array_reserve(list->items, &list->room, list->count, list->size);

	if (!items) {
		(void)json_cursor_fault(cursor, "out of memory");
		return NULL;
	}
	list->items = items;
	return memset((char *)items + list->size * list->count++, 0, list->size);
}

static const void *list_keep(struct json_cursor *cursor, const struct list *list)
{
	void *kept = arena_alloc(cursor->arena, list->count ? list->count : 1, list->size);

	if (!kept)
		(void)json_cursor_fault(cursor, "out of memory");
	else if (list->count)
		memcpy(kept, list->items, list->count * list->size);
	return kept;
}

/* A key that may stand once: sets *value's owner to not NULL. */
static bool is_key(struct json_cursor *cursor, const char *key, const char *wanted, bool taken)
{
	if (strcmp(key, wanted) != 0)
		return false;
	if (taken)
		(void)json_cursor_fault(cursor, "a key stands there twice");
	return true;
}

static void read_fields(struct json_cursor *cursor, struct sql_column *column)
{
	struct list list = {.size = sizeof(const char *)};
	bool first = true;

	(void)json_take(cursor, '[');
	while (json_more(cursor, ']', &first)) {
		const char **field = list_add(cursor, &list);

		if (field)
			*field = json_take_string(cursor);
	}
	column->fields = list_keep(cursor, &list);
	column->field_count = list.count;
	free(list.items);
}

/* {"name": ..., "fields": [...]} */
static void read_composite(struct json_cursor *cursor, struct sql_column *column)
{
	bool first = true;

	(void)json_take(cursor, '{');
	while (json_more(cursor, '}', &first)) {
		const char *key = json_take_key(cursor);

		if (!key)
			return;
		if (is_key(cursor, key, "name", column->name != NULL))
			column->name = json_take_string(cursor);
		else if (is_key(cursor, key, "fields", column->fields != NULL))
			read_fields(cursor, column);
		else
			(void)json_cursor_fault(cursor, "an unknown key of a column");
	}
	if (!column->name || !column->fields)
		(void)json_cursor_fault(cursor, "a column lacks \"name\" or \"fields\"");
}

static void read_columns(struct json_cursor *cursor, struct sql_relation *relation)
{
	struct list list = {.size = sizeof(struct sql_column)};
	bool first = true;

	(void)json_take(cursor, '[');
	while (json_more(cursor, ']', &first)) {
		struct sql_column *column = list_add(cursor, &list);

		if (!column)
			break;
		if (json_peek(cursor) == '{')
			read_composite(cursor, column);
		else
			column->name = json_take_string(cursor);
	}
	relation->columns = list_keep(cursor, &list);
	relation->column_count = list.count;
	free(list.items);
}

static void read_kind(struct json_cursor *cursor, struct sql_relation *relation)
{
	const char *kind = json_take_string(cursor);

	if (!kind)
		return;
	if (strlen(kind) == 1 && strchr(KINDS, kind[0]))
		relation->kind = kind[0];
	else
		(void)json_cursor_fault(cursor, "no kind of a relation");
}

static void read_relation(struct json_cursor *cursor, struct sql_relation *relation)
{
	bool first = true;

	(void)json_take(cursor, '{');
	while (json_more(cursor, '}', &first)) {
		const char *key = json_take_key(cursor);

		if (!key)
			return;
		if (is_key(cursor, key, "schema", relation->schema != NULL))
			relation->schema = json_take_string(cursor);
		else if (is_key(cursor, key, "name", relation->name != NULL))
			relation->name = json_take_string(cursor);
		else if (is_key(cursor, key, "kind", relation->kind != '\0'))
			read_kind(cursor, relation);
		else if (is_key(cursor, key, "columns", relation->columns != NULL))
			read_columns(cursor, relation);
		else
			(void)json_cursor_fault(cursor, "an unknown key of a relation");
	}
	if (!relation->schema || !relation->name || !relation->kind || !relation->columns)
		(void)json_cursor_fault(cursor, "a relation lacks \"schema\", \"name\", \"kind\" "
						"or \"columns\"");
}

static void read_relations(struct snapshot *snapshot)
{
	bool first = true;

	(void)json_take(&snapshot->cursor, '[');
	while (json_more(&snapshot->cursor, ']', &first)) {
		struct sql_relation *relation = list_add(&snapshot->cursor, &snapshot->relations);

		if (relation)
			read_relation(&snapshot->cursor, relation);
	}
}

static void read_overload(struct json_cursor *cursor, struct sql_overload *overload)
{
	bool first = true;

	(void)json_take(cursor, '{');
	while (json_more(cursor, '}', &first)) {
		const char *key = json_take_key(cursor);

		if (!key)
			return;
		if (is_key(cursor, key, "schema", overload->schema != NULL))
			overload->schema = json_take_string(cursor);
		else if (is_key(cursor, key, "name", overload->name != NULL))
			overload->name = json_take_string(cursor);
		else
			(void)json_cursor_fault(cursor, "an unknown key");
	}
	if (!overload->schema || !overload->name)
		(void)json_cursor_fault(cursor, "\"schema\" or \"name\" is missing");
}

static void read_overloads(struct snapshot *snapshot, enum sql_overload_kind kind)
{
	bool first = true;

	(void)json_take(&snapshot->cursor, '[');
	while (json_more(&snapshot->cursor, ']', &first)) {
		struct sql_overload *overload = list_add(&snapshot->cursor, &snapshot->overloads);

		if (!overload)
			return;
		overload->kind = kind;
		read_overload(&snapshot->cursor, overload);
	}
}

static void read_snapshot(struct snapshot *snapshot)
{
	struct json_cursor *cursor = &snapshot->cursor;
	bool first = true, relations = false, functions = false, operators = false;

	(void)json_take(cursor, '{');
	while (json_more(cursor, '}', &first)) {
		const char *key = json_take_key(cursor);

		if (!key)
			return;
		if (is_key(cursor, key, "version", snapshot->version != 0)) {
			(void)json_take_number(cursor, &snapshot->version);
		} else if (is_key(cursor, key, "relations", relations)) {
			relations = true;
			read_relations(snapshot);
		} else if (is_key(cursor, key, "functions", functions)) {
			functions = true;
			read_overloads(snapshot, SQL_OVERLOAD_FUNCTION);
		} else if (is_key(cursor, key, "operators", operators)) {
			operators = true;
			read_overloads(snapshot, SQL_OVERLOAD_OPERATOR);
		} else {
			(void)json_cursor_fault(cursor, "an unknown key");
		}
	}
	if (!cursor->fault && snapshot->version != SNAPSHOT_VERSION)
		(void)json_cursor_fault(cursor, "\"version\" is not 1");
	/* A snapshot that leaves out what it should tell would let a call pass for PostgreSQL's. */
	if (!relations || !functions || !operators)
		(void)json_cursor_fault(cursor, "\"relations\", \"functions\" or \"operators\" is "
						"missing");
	(void)json_at_end(cursor);
}

static int compare_relations(const void *left, const void *right)
{
	const struct sql_relation *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->schema, b->schema);
}

static int compare_overloads(const void *left, const void *right)
{
	const struct sql_overload *a = left, *b = right;
	int order = (int)a->kind - (int)b->kind;

	if (order == 0)
		order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->schema, b->schema);
}

/* Sorted, and into the arena; a relation stands there once. */
static void settle(struct snapshot *snapshot, struct sql_catalog *catalog)
{
	struct json_cursor *cursor = &snapshot->cursor;
	const struct sql_relation *relations = snapshot->relations.items;

	if (cursor->fault)
		return;
	if (snapshot->relations.count)
		qsort(snapshot->relations.items, snapshot->relations.count,
		      sizeof(struct sql_relation), compare_relations);
	if (snapshot->overloads.count)
		qsort(snapshot->overloads.items, snapshot->overloads.count,
		      sizeof(struct sql_overload), compare_overloads);
	for (size_t i = 1; i < snapshot->relations.count; i++)
		if (compare_relations(&relations[i - 1], &relations[i]) == 0)
			(void)json_cursor_fault(cursor, "a relation stands there twice");
	catalog->relations = list_keep(cursor, &snapshot->relations);
	catalog->relation_count = snapshot->relations.count;
	catalog->overloads = list_keep(cursor, &snapshot->overloads);
	catalog->overload_count = snapshot->overloads.count;
}

struct sql_catalog *sql_catalog_read(const char *text, size_t length, struct error *error)
{
	struct arena *arena = arena_new();
	struct sql_catalog *catalog = arena ? arena_new_array(arena, struct sql_catalog, 1) : NULL;
	struct snapshot snapshot = {
		.cursor = json_cursor_of(text, length, arena),
		.relations.size = sizeof(struct sql_relation),
		.overloads.size = sizeof(struct sql_overload),
	};

	if (!catalog) {
		arena_free(arena);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	catalog->arena = arena;
	read_snapshot(&snapshot);
	settle(&snapshot, catalog);
	free(snapshot.relations.items);
	free(snapshot.overloads.items);
	if (!snapshot.cursor.fault)
		return catalog;
	(void)error_set(error, STATUS_UNUSABLE, "no snapshot of a catalog: byte %zu: %s",
			(size_t)(snapshot.cursor.fault_at - text), snapshot.cursor.fault);
	sql_catalog_free(catalog);
	return NULL;
}
