// SPDX-License-Identifier: Apache-2.0
/* Columns as expressions name them: a, t.a, s.t.a, t.*, (t).a; see transformColumnRef. */
#include "sql/columns.h"

#include <string.h>

static const struct value_type no_type;

static bool is_system_column(const char *name)
{
	static const char *const names[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static struct value_type type_of(const struct column *column)
{
	return (struct value_type){
		.row = column->row, .fields = column->fields, .field_count = column->field_count};
}

/* Offline: the column may be of any of these tables, and is read in all. */
static void read_open(struct analysis *analysis, const struct row *row, const char *name,
		      bool names_range)
{
	for (size_t i = 0; i < row->open_count; i++) {
		const struct table *table = row->open_tables[i];

		access_read(analysis, table, name);
		if (analysis->subject->catalog)
			continue;
		if (names_range)
			analysis_assume(analysis, "%s is no column of %s", name, table->name);
		else if (row->open_count == 1)
			analysis_assume(analysis, "%s is a column of %s", name, table->name);
		else
			analysis_assume(analysis, "%s may be a column of %s", name, table->name);
	}
}

/* `names_range`: there is a range of that name too, which is meant unless there is such a column.
 */
static enum column_found find_local(struct analysis *analysis, struct level *level,
				    const char *name, bool names_range, struct value_type *type)
{
	enum column_found found = COLUMN_NONE;
	struct row open = {0};

	for (size_t i = level->first; i < level->count && analysis_work(analysis, 1); i++) {
		const struct entry *entry = &level->entries[i];
		const struct row *row = &entry->range->row;
		const struct column *column;

		if (!entry->columns || !scope_sees(level, entry))
			continue;
		column = row_find(analysis, row, name);
		if (column) {
			column_read(analysis, column);
			*type = type_of(column);
			found = COLUMN_FOUND;
		}
		for (size_t j = 0; j < row->open_count; j++)
			row_add_table(analysis, &open, row->open_tables[j], true);
		if (row->open && found == COLUMN_NONE)
			found = COLUMN_MAYBE;
		/* A view has none, and a join shows none. */
		if (!is_system_column(name) || !entry->range->base)
			continue;
		for (size_t j = 0; j < row->table_count; j++) {
			access_read(analysis, row->tables[j], name);
			type->tableoid = found != COLUMN_FOUND && strcmp(name, "tableoid") == 0;
			found = COLUMN_FOUND;
		}
	}
	if (found == COLUMN_FOUND)
		return found;
	read_open(analysis, &open, name, names_range);
	return open.open_count ? COLUMN_MAYBE : found;
}

enum column_found column_local(struct analysis *analysis, struct level *level, const char *name,
			       struct value_type *type)
{
	return find_local(analysis, level, name, false, type);
}

static struct value_type whole_row(struct analysis *analysis, const struct range *range)
{
	row_read_all(analysis, &range->row);
	return range->function ? no_type : (struct value_type){.row = &range->row};
}

/* `maybe`: it may be something else that has been found already. */
static struct value_type find_bare(struct analysis *analysis, struct level *level, const char *name,
				   bool maybe)
{
	const struct range *range = scope_range(analysis, level, NULL, name);
	struct value_type type = {0};

	for (struct level *at = level; at; at = at->outer) {
		const enum column_found found =
			find_local(analysis, at, name, range != NULL, &type);

		if (found == COLUMN_FOUND)
			return maybe ? no_type : type;
		maybe |= found == COLUMN_MAYBE;
	}
	if (range)
		return whole_row(analysis, range);
	if (!maybe)
		analysis_deny(analysis, "sql-column", "there is no column %s here", name);
	return no_type;
}

struct value_type column_bare(struct analysis *analysis, struct level *level, const char *name)
{
	return find_bare(analysis, level, name, false);
}

void column_perhaps(struct analysis *analysis, struct level *level, const char *name)
{
	(void)find_bare(analysis, level, name, true);
}

/* PostgreSQL calls a function of that name on the row, where there is no such column. */
static void deny_attribute_notation(struct analysis *analysis, const char *row, const char *name)
{
	analysis_deny(analysis, "sql-function",
		      "%s.%s names no column, and would be a call of a function %s", row, name,
		      name);
}

static struct value_type column_of_row(struct analysis *analysis, const struct row *row,
				       const char *row_name, const char *name)
{
	const struct column *column = row_find(analysis, row, name);

	if (column) {
		column_read(analysis, column);
		return type_of(column);
	}
	if (row->open_count)
		read_open(analysis, row, name, false);
	else
		deny_attribute_notation(analysis, row_name, name);
	return no_type;
}

struct range *column_range(struct analysis *analysis, struct level *level, const char *schema,
			   const char *name)
{
	struct range *range = scope_range(analysis, level, schema, name);

	if (!range)
		analysis_deny(analysis, "sql-column", "there is no table %s%s%s here",
			      schema ? schema : "", schema ? "." : "", name);
	return range;
}

struct value_type walk_column(struct analysis *analysis, struct level *level,
			      const struct tree_value *body)
{
	struct column_name name;
	const struct range *range;

	if (!column_name_read(analysis, body, &name))
		return no_type;
	if (!name.range && !name.star)
		return column_bare(analysis, level, name.column);
	if (!name.range) {
		for (size_t i = level->first; i < level->count; i++)
			row_read_all(analysis, &level->entries[i].range->row);
		return no_type;
	}
	range = column_range(analysis, level, name.schema, name.range);
	if (!range)
		return no_type;
	if (name.star)
		return whole_row(analysis, range);
	if (is_system_column(name.column) && range->base &&
	    !row_find(analysis, &range->row, name.column)) {
		access_read(analysis, range->row.tables[0], name.column);
		return (struct value_type){.tableoid = strcmp(name.column, "tableoid") == 0};
	}
	return column_of_row(analysis, &range->row, name.range, name.column);
}

bool column_name_read(struct analysis *analysis, const struct tree_value *body,
		      struct column_name *name)
{
	const struct tree_value *fields = tree_member(body, "fields");
	const char *parts[4];
	size_t count = 0;

	*name = (struct column_name){0};
	tree_for_each(field, fields)
	{
		const char *part = node_name(field);

		if (name->star || count == ARRAY_SIZE(parts)) {
			analysis_deny(analysis, "sql-column",
				      "a column's name of that many parts is not granted");
			return false;
		}
		if (part)
			parts[count++] = part;
		else if (node_is(node_read(analysis, field), "A_Star"))
			name->star = true;
		else
			analysis_unknown_node(analysis, "ColumnRef", "fields");
	}
	if (analysis->failed || (count == 0 && !name->star)) {
		analysis_unknown_node(analysis, "ColumnRef", "fields");
		return false;
	}
	if (!name->star && count > 0)
		name->column = parts[--count];
	if (count > 2) {
		analysis_deny(analysis, "sql-relation",
			      "a table's name with a database is not granted");
		return false;
	}
	if (count > 0)
		name->range = parts[count - 1];
	if (count > 1)
		name->schema = parts[0];
	return true;
}

struct value_type column_field(struct analysis *analysis, struct value_type type, const char *name)
{
	if (type.row)
		return column_of_row(analysis, type.row, "(...)", name);
	for (size_t i = 0; i < type.field_count; i++)
		if (strcmp(type.fields[i], name) == 0)
			return no_type;
	deny_attribute_notation(analysis, "(...)", name);
	return no_type;
}
