// SPDX-License-Identifier: Apache-2.0
/* SELECT, VALUES and set operations. */
#include <string.h>

#include "sql/columns.h"

/* ---- results ---- */

static void add_result(struct analysis *analysis, struct row *row, const char *name,
		       struct value_type type)
{
	const struct column column = {.name = name,
				      .row = type.row,
				      .fields = type.fields,
				      .field_count = type.field_count};

	(void)row_add(analysis, row, &column);
}

/* "*" in a list of results: what each range shows as bare columns. */
static void expand_all(struct analysis *analysis, struct level *level, struct row *result)
{
	for (size_t i = level->first; i < level->count; i++) {
		const struct entry *entry = &level->entries[i];

		if (!entry->columns || !scope_sees(level, entry))
			continue;
		row_read_all(analysis, &entry->range->row);
		(void)row_append(analysis, result, &entry->range->row);
	}
}

/* A ColumnRef that ends in a star; false where it does not. */
static bool expand_star(struct analysis *analysis, struct level *level,
			const struct tree_value *body, struct row *result)
{
	struct column_name name;
	const struct range *range;

	if (!column_name_read(analysis, body, &name))
		return true;
	if (!name.star)
		return false;
	if (!name.range) {
		expand_all(analysis, level, result);
		return true;
	}
	range = column_range(analysis, level, name.schema, name.range);
	if (!range)
		return true;
	row_read_all(analysis, &range->row);
	(void)row_append(analysis, result, &range->row);
	return true;
}

/* (value).*: its columns, as far as they are known. */
static bool expand_fields(struct analysis *analysis, struct level *level, struct node node,
			  struct row *result)
{
	const struct tree_value *last = NULL;
	struct value_type type;

	tree_for_each(item, tree_member(node.body, "indirection")) last = item;
	if (!last || !tree_member(last, "A_Star"))
		return false;
	type = walk_expression(analysis, level, node.body - 1);
	if (type.row) {
		row_read_all(analysis, type.row);
		(void)row_append(analysis, result, type.row);
		return true;
	}
	for (size_t i = 0; i < type.field_count; i++)
		add_result(analysis, result, type.fields[i], (struct value_type){0});
	result->open |= type.field_count == 0;
	return true;
}

struct row walk_targets(struct analysis *analysis, struct level *level,
			const struct tree_value *targets)
{
	struct row result = {0};

	tree_for_each(item, targets)
	{
		const struct node target = node_read(analysis, item);
		const struct tree_value *value = tree_member(target.body, "val");
		const char *name = tree_string(target.body, "name");
		struct node node;

		if (!node_is(target, "ResTarget") || tree_member(target.body, "indirection")) {
			analysis_unknown_node(analysis, "ResTarget", "indirection");
			break;
		}
		node = node_read(analysis, value);
		if (analysis->failed)
			break;
		if (node_is(node, "ColumnRef") && expand_star(analysis, level, node.body, &result))
			continue;
		if (node_is(node, "A_Indirection") && expand_fields(analysis, level, node, &result))
			continue;
		if (!name)
			name = figure_name(value);
		/* The results of a query within another one, and of UNION, take each other's type.
		 */
		analysis->alone = level->outer == NULL;
		add_result(analysis, &result, name, walk_expression(analysis, level, value));
	}
	row_detach(&result);
	result.lock_count = 0;
	result.locks = NULL;
	return result;
}

/* ---- GROUP BY, ORDER BY, DISTINCT ON: names of results stand for them ---- */

enum output_clause { CLAUSE_GROUP, CLAUSE_ORDER };

static void walk_output_name(struct analysis *analysis, struct level *level,
			     const struct row *result, enum output_clause clause, const char *name)
{
	struct value_type type;

	/* In GROUP BY a table's column comes before a result's, elsewhere it is the other way. */
	if (clause == CLAUSE_GROUP && column_local(analysis, level, name, &type) == COLUMN_FOUND)
		return;
	if (row_find(analysis, result, name))
		return;
	if (result->open || result->open_count)
		column_perhaps(analysis, level, name);
	else
		(void)column_bare(analysis, level, name);
}

static void walk_output_list(struct analysis *analysis, struct level *level,
			     const struct row *result, enum output_clause clause,
			     const struct tree_value *list);

/* (a, b) in GROUP BY is two of its items; ROW(a, b) is a value. */
static bool is_bare_row(struct node node)
{
	const char *format = tree_string(node.body, "row_format");

	return format && strcmp(format, "COERCE_IMPLICIT_CAST") == 0;
}

static void walk_output(struct analysis *analysis, struct level *level, const struct row *result,
			enum output_clause clause, const struct tree_value *value)
{
	const struct node node = node_read(analysis, value);

	if (node_is(node, "ColumnRef")) {
		struct column_name name;

		if (!column_name_read(analysis, node.body, &name))
			return;
		if (!name.range && !name.star) {
			walk_output_name(analysis, level, result, clause, name.column);
			return;
		}
	}
	if (node_is(node, "GroupingSet"))
		walk_output_list(analysis, level, result, clause,
				 tree_member(node.body, "content"));
	else if (node_is(node, "RowExpr") && clause == CLAUSE_GROUP && is_bare_row(node))
		walk_output_list(analysis, level, result, clause, tree_member(node.body, "args"));
	else
		(void)walk_expression(analysis, level, value);
}

static void walk_output_list(struct analysis *analysis, struct level *level,
			     const struct row *result, enum output_clause clause,
			     const struct tree_value *list)
{
	tree_for_each(item, list) walk_output(analysis, level, result, clause, item);
}

static void walk_order(struct analysis *analysis, struct level *level, const struct row *result,
		       const struct tree_value *sort)
{
	tree_for_each(item, sort)
	{
		const struct node node = node_read(analysis, item);

		if (!node_is(node, "SortBy")) {
			analysis_unknown_node(analysis, "SortBy", NULL);
			return;
		}
		if (tree_member(node.body, "useOp"))
			use_operator(analysis, tree_member(node.body, "useOp"));
		walk_output(analysis, level, result, CLAUSE_ORDER, tree_member(node.body, "node"));
	}
}

/* ---- FOR UPDATE and its kin ---- */

static void lock_row(struct analysis *analysis, const struct row *row)
{
	for (size_t i = 0; i < row->lock_count; i++)
		(void)access_note(analysis, SQL_ACCESS_RELATION, SQL_USE_LOCK,
				  row->locks[i]->schema, row->locks[i]->name);
}

static void lock_named(struct analysis *analysis, struct level *level,
		       const struct tree_value *named)
{
	tree_for_each(item, named)
	{
		const struct node node = node_read(analysis, item);
		const char *name = tree_string(node.body, "relname");
		bool found = false;

		if (!node_is(node, "RangeVar") || !name) {
			analysis_unknown_node(analysis, "LockingClause", "lockedRels");
			return;
		}
		for (size_t i = 0; i < level->count; i++) {
			const struct range *range = level->entries[i].range;

			if (!range->name || strcmp(range->name, name) != 0)
				continue;
			lock_row(analysis, &range->row);
			found = true;
		}
		if (!found)
			analysis_deny(analysis, "sql-lock", "there is no table %s here", name);
	}
}

static void walk_locks(struct analysis *analysis, struct level *level,
		       const struct tree_value *clauses)
{
	tree_for_each(item, clauses)
	{
		const struct node node = node_read(analysis, item);
		const struct tree_value *named = tree_member(node.body, "lockedRels");

		if (!node_is(node, "LockingClause")) {
			analysis_unknown_node(analysis, "LockingClause", NULL);
			return;
		}
		if (named)
			lock_named(analysis, level, named);
		for (size_t i = 0; !named && i < level->count; i++)
			lock_row(analysis, &level->entries[i].range->row);
	}
}

/* ---- SELECT ---- */

/* VALUES (...), (...) */
static struct row walk_values(struct analysis *analysis, struct level *level,
			      const struct tree_value *lists)
{
	struct row result = {0};
	size_t width = 0;

	tree_for_each(list, lists)
	{
		const struct node node = node_read(analysis, list);
		const struct tree_value *items = tree_member(node.body, "items");

		if (!node_is(node, "List")) {
			analysis_unknown_node(analysis, "SelectStmt", "valuesLists");
			return result;
		}
		walk_list(analysis, level, items);
		if (items && items->count > width)
			width = items->count;
	}
	for (size_t i = 0; i < width; i++) {
		const char *name = arena_printf(analysis->arena, "column%zu", i + 1);

		if (!name)
			analysis_no_memory(analysis);
		add_result(analysis, &result, name, (struct value_type){0});
	}
	return result;
}

static void walk_windows(struct analysis *analysis, struct level *level,
			 const struct tree_value *windows)
{
	tree_for_each(item, windows)
	{
		const struct node node = node_read(analysis, item);

		if (node_is(node, "WindowDef"))
			walk_window(analysis, level, node.body);
		else
			analysis_unknown_node(analysis, "SelectStmt", "windowClause");
	}
}

/* SELECT with a list of its own. */
static struct row walk_plain_select(struct analysis *analysis, struct level *level,
				    const struct tree_value *select)
{
	struct row result;

	if (tree_member(select, "valuesLists")) {
		result = walk_values(analysis, level, tree_member(select, "valuesLists"));
	} else {
		walk_from(analysis, level, tree_member(select, "fromClause"));
		result = walk_targets(analysis, level, tree_member(select, "targetList"));
	}
	(void)walk_expression(analysis, level, tree_member(select, "whereClause"));
	(void)walk_expression(analysis, level, tree_member(select, "havingClause"));
	walk_order(analysis, level, &result, tree_member(select, "sortClause"));
	walk_output_list(analysis, level, &result, CLAUSE_GROUP,
			 tree_member(select, "groupClause"));
	walk_output_list(analysis, level, &result, CLAUSE_ORDER,
			 tree_member(select, "distinctClause"));
	walk_windows(analysis, level, tree_member(select, "windowClause"));
	walk_locks(analysis, level, tree_member(select, "lockingClause"));
	for (size_t i = 0; i < level->count; i++)
		for (size_t j = 0; j < level->entries[i].range->row.lock_count; j++)
			row_add_lock(analysis, &result, level->entries[i].range->row.locks[j]);
	return result;
}

bool is_set_operation(const struct tree_value *select)
{
	const char *op = tree_string(select, "op");

	return op && strcmp(op, "SETOP_NONE") != 0;
}

/* The names of `cte` (may be NULL) are those of the left side, known before the right is read. */
static struct row walk_set_operation(struct analysis *analysis, struct level *level,
				     const struct tree_value *select, struct cte *cte)
{
	struct range *range = arena_new_array(analysis->arena, struct range, 1);
	struct row result = walk_select(analysis, level, tree_member(select, "larg"));

	if (!range) {
		analysis_no_memory(analysis);
		return result;
	}
	if (cte) {
		(void)row_append(analysis, &cte->row, &result);
		scope_rename(analysis, &cte->row, tree_member(cte->body, "aliascolnames"));
		cte_add_columns(analysis, cte);
		cte->row_known = true;
	}
	range->row = walk_select(analysis, level, tree_member(select, "rarg"));
	for (size_t i = 0; i < range->row.lock_count; i++)
		row_add_lock(analysis, &result, range->row.locks[i]);
	range->row = result;
	if (tree_member(select, "lockingClause"))
		analysis_deny(analysis, "sql-lock",
			      "FOR UPDATE is not granted on UNION, INTERSECT or EXCEPT");
	/* ORDER BY sees the results alone. */
	if (tree_member(select, "sortClause") && level_add(analysis, level, range)) {
		level->entries[0].lateral = false;
		walk_order(analysis, level, &result, tree_member(select, "sortClause"));
		level->count = 0;
	}
	return result;
}

struct row walk_select_of(struct analysis *analysis, struct level *outer,
			  const struct tree_value *select, struct cte *cte)
{
	struct level level = {.outer = outer};
	struct row result = {0};

	if (analysis->failed || !select || !node_check(analysis, "SelectStmt", select))
		return result;
	if (tree_member(select, "intoClause")) {
		analysis_deny(analysis, "sql-statement", "SELECT INTO is not granted");
		return result;
	}
	walk_with(analysis, &level, tree_member(select, "withClause"));
	if (!analysis_enter(analysis))
		result = (struct row){0};
	else if (is_set_operation(select))
		result = walk_set_operation(analysis, &level, select, cte);
	else
		result = walk_plain_select(analysis, &level, select);
	analysis_leave(analysis);
	(void)walk_expression(analysis, &level, tree_member(select, "limitOffset"));
	(void)walk_expression(analysis, &level, tree_member(select, "limitCount"));
	return result;
}

struct row walk_select(struct analysis *analysis, struct level *outer,
		       const struct tree_value *select)
{
	return walk_select_of(analysis, outer, select, NULL);
}

struct row walk_query(struct analysis *analysis, struct level *outer,
		      const struct tree_value *wrapped)
{
	const struct node node = node_read(analysis, wrapped);
	const struct row none = {0};

	if (node_is(node, "SelectStmt"))
		return walk_select(analysis, outer, node.body);
	if (node_is(node, "InsertStmt"))
		return walk_insert(analysis, outer, node.body);
	if (node_is(node, "UpdateStmt"))
		return walk_update(analysis, outer, node.body);
	if (node_is(node, "DeleteStmt"))
		return walk_delete(analysis, outer, node.body);
	analysis_unknown_node(analysis, node.kind ? node.kind : "a query", NULL);
	return none;
}
