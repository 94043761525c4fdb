// SPDX-License-Identifier: Apache-2.0
/* INSERT, UPDATE and DELETE: what they write, and what they read to do so. */
#include <string.h>

#include "sql/analysis.h"

/* The table that is written to, in view of `level`. */
static struct range *walk_changed(struct analysis *analysis, struct level *level,
				  const struct tree_value *body)
{
	const struct tree_value *relation = tree_member(body, "relation");
	const char *name = tree_string(relation, "relname");
	struct range *range;

	if (name && !tree_member(relation, "schemaname") && scope_cte(analysis, level, name)) {
		analysis_deny(analysis, "sql-relation", "%s of WITH can't be written to", name);
		return NULL;
	}
	range = walk_range_table(analysis, level, relation);
	if (range)
		level->entries[level->count - 1].lateral = false;
	return range;
}

/* The table of a range that was made from one, alias or not. */
static const struct table *changed_table(const struct range *range)
{
	return range->row.tables[0];
}

static struct sql_access *note_use(struct analysis *analysis, const struct range *range,
				   enum sql_use use)
{
	const struct table *table = changed_table(range);

	return access_note(analysis, SQL_ACCESS_RELATION, use, table->schema, table->name);
}

/* SET a = ..., b[1] = ..., c.d = ... */
static void walk_assignments(struct analysis *analysis, struct level *level,
			     const struct range *range, const struct tree_value *targets)
{
	tree_for_each(item, targets)
	{
		const struct node node = node_read(analysis, item);
		const char *name = tree_string(node.body, "name");

		if (!node_is(node, "ResTarget") || !name) {
			analysis_unknown_node(analysis, "UpdateStmt", "targetList");
			return;
		}
		access_add_column(analysis, note_use(analysis, range, SQL_USE_UPDATE), name);
		walk_target_indirection(analysis, level, tree_member(node.body, "indirection"));
		(void)walk_expression(analysis, level, tree_member(node.body, "val"));
	}
}

/* ---- INSERT ---- */

static void walk_insert_columns(struct analysis *analysis, struct level *level,
				const struct range *range, const struct tree_value *body)
{
	const struct tree_value *columns = tree_member(body, "cols");
	struct sql_access *access = note_use(analysis, range, SQL_USE_INSERT);

	/* DEFAULT VALUES names none. */
	if (!columns && access && tree_member(body, "selectStmt"))
		access->all_columns = true;
	tree_for_each(item, columns)
	{
		const struct node node = node_read(analysis, item);
		const char *name = tree_string(node.body, "name");

		if (!node_is(node, "ResTarget") || !name) {
			analysis_unknown_node(analysis, "InsertStmt", "cols");
			return;
		}
		access_add_column(analysis, note_use(analysis, range, SQL_USE_INSERT), name);
		walk_target_indirection(analysis, level, tree_member(node.body, "indirection"));
	}
}

/* ON CONFLICT (...): reads the columns by which it looks for a conflict. */
static void walk_arbiter(struct analysis *analysis, struct level *level, const struct range *range,
			 const struct tree_value *infer)
{
	if (!infer || !node_check(analysis, "InferClause", infer))
		return;
	if (tree_member(infer, "conname"))
		access_read(analysis, changed_table(range), NULL);
	tree_for_each(item, tree_member(infer, "indexElems"))
	{
		const struct node node = node_read(analysis, item);
		const char *name = tree_string(node.body, "name");

		if (!node_is(node, "IndexElem")) {
			analysis_unknown_node(analysis, "InferClause", "indexElems");
			return;
		}
		if (name)
			access_read(analysis, changed_table(range), name);
		if (tree_member(node.body, "collation"))
			use_collation(analysis, tree_member(node.body, "collation"));
		(void)walk_expression(analysis, level, tree_member(node.body, "expr"));
	}
	(void)walk_expression(analysis, level, tree_member(infer, "whereClause"));
}

/* "excluded": the row that was to be inserted, with the table's columns. Reading it counts as
 * reading the table's. */
static void add_excluded(struct analysis *analysis, struct level *level, const struct range *target)
{
	struct range *range = arena_new_array(analysis->arena, struct range, 1);

	if (!range) {
		analysis_no_memory(analysis);
		return;
	}
	range->name = "excluded";
	range->row = scope_table_row(analysis, changed_table(target));
	if (!level_add(analysis, level, range))
		return;
	level->entries[level->count - 1].lateral = false;
	level->entries[level->count - 1].columns = false;
}

static void walk_conflict(struct analysis *analysis, struct level *level, const struct range *range,
			  const struct tree_value *conflict)
{
	const char *action = tree_string(conflict, "action");
	struct level inner = *level;

	if (!conflict || !node_check(analysis, "OnConflictClause", conflict))
		return;
	walk_arbiter(analysis, level, range, tree_member(conflict, "infer"));
	if (!action || strcmp(action, "ONCONFLICT_UPDATE") != 0)
		return;
	inner.entries = NULL;
	inner.first = inner.count = inner.room = 0;
	for (size_t i = 0; i < level->count; i++)
		if (level_add(analysis, &inner, level->entries[i].range))
			inner.entries[i].lateral = false;
	add_excluded(analysis, &inner, range);
	walk_assignments(analysis, &inner, range, tree_member(conflict, "targetList"));
	(void)walk_expression(analysis, &inner, tree_member(conflict, "whereClause"));
}

struct row walk_insert(struct analysis *analysis, struct level *outer,
		       const struct tree_value *body)
{
	struct level level = {.outer = outer};
	struct range *range;

	walk_with(analysis, &level, tree_member(body, "withClause"));
	/* What is inserted does not see the table that it goes to. */
	if (tree_member(body, "selectStmt"))
		(void)walk_query(analysis, &level, tree_member(body, "selectStmt"));
	range = walk_changed(analysis, &level, body);
	if (!range)
		return (struct row){0};
	walk_insert_columns(analysis, &level, range, body);
	walk_conflict(analysis, &level, range, tree_member(body, "onConflictClause"));
	return walk_targets(analysis, &level, tree_member(body, "returningList"));
}

/* ---- UPDATE and DELETE ---- */

struct row walk_update(struct analysis *analysis, struct level *outer,
		       const struct tree_value *body)
{
	struct level level = {.outer = outer};
	struct range *range;

	walk_with(analysis, &level, tree_member(body, "withClause"));
	range = walk_changed(analysis, &level, body);
	if (!range)
		return (struct row){0};
	level.entries[0].lateral = true;
	walk_from(analysis, &level, tree_member(body, "fromClause"));
	level.entries[0].lateral = false;
	walk_assignments(analysis, &level, range, tree_member(body, "targetList"));
	(void)walk_expression(analysis, &level, tree_member(body, "whereClause"));
	return walk_targets(analysis, &level, tree_member(body, "returningList"));
}

struct row walk_delete(struct analysis *analysis, struct level *outer,
		       const struct tree_value *body)
{
	struct level level = {.outer = outer};
	struct sql_access *access;
	struct range *range;

	walk_with(analysis, &level, tree_member(body, "withClause"));
	range = walk_changed(analysis, &level, body);
	if (!range)
		return (struct row){0};
	access = note_use(analysis, range, SQL_USE_DELETE);
	if (access)
		access->all_columns = true;
	level.entries[0].lateral = true;
	walk_from(analysis, &level, tree_member(body, "usingClause"));
	level.entries[0].lateral = false;
	(void)walk_expression(analysis, &level, tree_member(body, "whereClause"));
	return walk_targets(analysis, &level, tree_member(body, "returningList"));
}
