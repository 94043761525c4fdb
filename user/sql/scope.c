// SPDX-License-Identifier: Apache-2.0
#include "sql/scope.h"

#include <string.h>

#include "sql/analysis.h"
#include "sql/builtins.h"

static bool equal(const char *one, const char *other)
{
	return one && other && strcmp(one, other) == 0;
}

/* ---- rows ---- */

/* Twice the room, in the arena: what was there stays behind until it ends. */
static void *grow(struct analysis *analysis, void *items, size_t used, size_t *room, size_t size)
{
	const size_t wanted = *room ? *room * 2 : 8;
	void *more;

	if (used < *room)
		return items;
	more = arena_alloc(analysis->arena, wanted, size);
	if (!more) {
		analysis_no_memory(analysis);
		return NULL;
	}
	if (used)
		memcpy(more, items, used * size);
	*room = wanted;
	return more;
}

bool row_add(struct analysis *analysis, struct row *row, const struct column *column)
{
	struct column *columns =
		grow(analysis, row->columns, row->count, &row->room, sizeof(*columns));

	if (!columns)
		return false;
	if (++analysis->columns > ANALYSIS_COLUMNS_MAX) {
		analysis_undecided(analysis, "sql-limit", "the statement has too many columns");
		return false;
	}
	row->columns = columns;
	row->columns[row->count++] = *column;
	return true;
}

static const struct table **table_list_add(struct analysis *analysis, const struct table **list,
					   size_t count, const struct table *table)
{
	const struct table **more;

	if (++analysis->columns > ANALYSIS_COLUMNS_MAX) {
		analysis_undecided(analysis, "sql-limit", "the statement has too many tables");
		return NULL;
	}
	/* Room grows at powers of two: the count alone tells. */
	if (count && (count & (count - 1)) != 0) {
		list[count] = table;
		return list;
	}
	more = arena_new_array(analysis->arena, const struct table *, count ? count * 2 : 1);
	if (!more) {
		analysis_no_memory(analysis);
		return NULL;
	}
	if (count)
		memcpy(more, list, count * sizeof(*list));
	more[count] = table;
	return more;
}

static void add_to_list(struct analysis *analysis, const struct table ***list, size_t *count,
			const struct table *table)
{
	const struct table **more;

	if (!analysis_work(analysis, *count))
		return;
	for (size_t i = 0; i < *count; i++)
		if ((*list)[i] == table)
			return;
	more = table_list_add(analysis, *list, *count, table);
	if (!more)
		return;
	*list = more;
	(*count)++;
}

void row_add_table(struct analysis *analysis, struct row *row, const struct table *table, bool open)
{
	add_to_list(analysis, &row->tables, &row->table_count, table);
	if (open)
		add_to_list(analysis, &row->open_tables, &row->open_count, table);
}

void row_add_lock(struct analysis *analysis, struct row *row, const struct table *table)
{
	add_to_list(analysis, &row->locks, &row->lock_count, table);
}

bool row_append(struct analysis *analysis, struct row *row, const struct row *more)
{
	for (size_t i = 0; i < more->count; i++)
		if (!row_add(analysis, row, &more->columns[i]))
			return false;
	for (size_t i = 0; i < more->table_count; i++)
		add_to_list(analysis, &row->tables, &row->table_count, more->tables[i]);
	for (size_t i = 0; i < more->open_count; i++)
		add_to_list(analysis, &row->open_tables, &row->open_count, more->open_tables[i]);
	for (size_t i = 0; i < more->lock_count; i++)
		row_add_lock(analysis, row, more->locks[i]);
	row->open |= more->open;
	return !analysis->failed;
}

void row_detach(struct row *row)
{
	for (size_t i = 0; i < row->count; i++)
		row->columns[i].table = NULL;
	row->tables = NULL;
	row->table_count = 0;
}

const struct column *row_find(struct analysis *analysis, const struct row *row, const char *name)
{
	(void)analysis_work(analysis, row->count);
	for (size_t i = 0; i < row->count; i++)
		if (row->columns[i].name && strcmp(row->columns[i].name, name) == 0)
			return &row->columns[i];
	return NULL;
}

void column_read(struct analysis *analysis, const struct column *column)
{
	if (column->table)
		access_read(analysis, column->table, column->origin);
}

void row_read_all(struct analysis *analysis, const struct row *row)
{
	for (size_t i = 0; i < row->table_count; i++)
		access_read(analysis, row->tables[i], NULL);
}

/* ---- tables ---- */

/* pg_catalog is looked in first, and all that is in it is called pg_something. */
static bool is_catalog_name(const char *name)
{
	return strncmp(name, "pg_", 3) == 0;
}

static bool policy_names(const struct sql_policy *policy, const char *schema, const char *name)
{
	for (size_t i = 0; i < policy->grant_count; i++)
		for (size_t j = 0; j < policy->grants[i].table_count; j++) {
			const struct sql_table *table = &policy->grants[i].tables[j];

			if (equal(table->schema, schema) && equal(table->name, name))
				return true;
		}
	return false;
}

/* The schema that a bare name is found in; NULL where that can't be told. */
static const char *find_schema(const struct analysis *analysis, const char *name)
{
	const struct sql_policy *policy = analysis->subject->policy;
	const struct strings *path = &policy->search_path;
	const struct sql_catalog *catalog = analysis->subject->catalog;

	if (is_catalog_name(name))
		return "pg_catalog";
	if (!catalog)
		return path->count == 1 ||
				       (path->count && policy_names(policy, path->items[0], name))
			       ? path->items[0]
			       : NULL;
	for (size_t i = 0; i < path->count; i++)
		if (sql_catalog_relation(catalog, path->items[i], name))
			return path->items[i];
	return path->count == 1 ? path->items[0] : NULL;
}

const struct table *scope_table(struct analysis *analysis, const char *schema, const char *name)
{
	const struct sql_catalog *catalog = analysis->subject->catalog;
	struct table *table = arena_new_array(analysis->arena, struct table, 1);

	if (!table) {
		analysis_no_memory(analysis);
		return NULL;
	}
	table->name = name;
	table->schema = schema ? schema : find_schema(analysis, name);
	if (catalog && table->schema)
		table->known = sql_catalog_relation(catalog, table->schema, name);
	return table;
}

bool scope_same_table(const struct analysis *analysis, const struct table *table,
		      const char *schema, const char *name)
{
	const struct strings *path = &analysis->subject->policy->search_path;

	if (strcmp(table->name, name) != 0)
		return false;
	if (!schema)
		schema = find_schema(analysis, name);
	if (schema && table->schema)
		return strcmp(schema, table->schema) == 0;
	if (analysis->subject->catalog)
		return false;
	/* Offline: a bare name is the same as itself, and as one in the first place to look. */
	if (!schema && !table->schema)
		return true;
	return path->count && equal(schema ? schema : table->schema, path->items[0]);
}

/* Columns that some grant names are taken to exist. */
static void add_granted_columns(struct analysis *analysis, struct row *row,
				const struct table *table)
{
	const struct sql_policy *policy = analysis->subject->policy;

	for (size_t i = 0; i < policy->grant_count; i++)
		for (size_t j = 0; j < policy->grants[i].table_count; j++) {
			const struct sql_table *granted = &policy->grants[i].tables[j];

			if (!granted->has_columns ||
			    !scope_same_table(analysis, table, granted->schema, granted->name))
				continue;
			for (size_t k = 0; k < granted->columns.count; k++) {
				const char *name = granted->columns.items[k];
				const struct column column = {
					.name = name, .table = table, .origin = name};

				if (!row_find(analysis, row, name) &&
				    !row_add(analysis, row, &column))
					return;
			}
		}
}

static void add_opened_columns(struct analysis *analysis, struct row *row,
			       const struct table *table)
{
	const char *const *names =
		sql_catalog_columns(analysis->subject->policy->catalog, table->schema, table->name);

	for (; names && *names; names++) {
		const struct column column = {.name = *names, .table = table, .origin = *names};

		if (!row_add(analysis, row, &column))
			return;
	}
}

struct row scope_table_row(struct analysis *analysis, const struct table *table)
{
	struct row row = {0};

	if (table->known) {
		for (size_t i = 0; i < table->known->column_count; i++) {
			const struct sql_column *known = &table->known->columns[i];
			const struct column column = {.name = known->name,
						      .table = table,
						      .origin = known->name,
						      .fields = known->fields,
						      .field_count = known->field_count};

			if (!row_add(analysis, &row, &column))
				break;
		}
	} else {
		if (table->schema)
			add_opened_columns(analysis, &row, table);
		if (row.count == 0)
			add_granted_columns(analysis, &row, table);
	}
	row_add_table(analysis, &row, table, table->known == NULL);
	row_add_lock(analysis, &row, table);
	return row;
}

void scope_rename(struct analysis *analysis, struct row *row, const struct tree_value *aliases)
{
	const bool open = row->open_count > 0 || row->open;
	size_t at = 0;

	if (!aliases || aliases->count == 0)
		return;
	/* Which columns the names go to is not known: each may be any. */
	if (open) {
		row_read_all(analysis, row);
		row->count = 0;
		row->columns = NULL;
		row->room = 0;
	}
	tree_for_each(item, aliases)
	{
		const struct column column = {.name = node_name(item)};

		if (!column.name) {
			analysis_unknown_node(analysis, "Alias", "colnames");
			return;
		}
		if (!open && at < row->count) {
			row->columns[at++].name = column.name;
			continue;
		}
		if (!open) {
			analysis_deny(analysis, "sql-column", "more names than columns: %s",
				      column.name);
			return;
		}
		if (!row_add(analysis, row, &column))
			return;
	}
}

/* ---- levels ---- */

struct entry *level_add(struct analysis *analysis, struct level *level, struct range *range)
{
	struct entry *entries =
		grow(analysis, level->entries, level->count, &level->room, sizeof(*entries));

	if (!entries)
		return NULL;
	level->entries = entries;
	entries[level->count] =
		(struct entry){.range = range, .names = true, .columns = true, .lateral = true};
	return &entries[level->count++];
}

bool scope_sees(const struct level *level, const struct entry *entry)
{
	return !entry->lateral || level->lateral_active;
}

struct cte *scope_cte(struct analysis *analysis, struct level *level, const char *name)
{
	for (; level && analysis_work(analysis, level->cte_count); level = level->outer)
		for (size_t i = level->cte_count; i > 0; i--)
			if (strcmp(level->ctes[i - 1].name, name) == 0)
				return &level->ctes[i - 1];
	return NULL;
}

static bool is_called(const struct analysis *analysis, const struct range *range,
		      const char *schema, const char *name)
{
	if (!equal(range->name, name))
		return false;
	return !schema || (range->table && scope_same_table(analysis, range->table, schema, name));
}

struct range *scope_range(struct analysis *analysis, struct level *level, const char *schema,
			  const char *name)
{
	for (; level && analysis_work(analysis, level->count); level = level->outer)
		for (size_t i = level->first; i < level->count; i++) {
			const struct entry *entry = &level->entries[i];

			if (entry->names && scope_sees(level, entry) &&
			    is_called(analysis, entry->range, schema, name))
				return entry->range;
		}
	return NULL;
}
