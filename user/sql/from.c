// SPDX-License-Identifier: Apache-2.0
/* FROM: tables, subqueries, functions and joins, and what each brings into view. */
#include <string.h>

#include "sql/builtins.h"
#include "sql/columns.h"
#include "sql/function_columns.h"

static void walk_item(struct analysis *analysis, struct level *level,
		      const struct tree_value *wrapped);

static struct range *new_range(struct analysis *analysis, struct level *level)
{
	struct range *range = arena_new_array(analysis->arena, struct range, 1);

	if (!range) {
		analysis_no_memory(analysis);
		return NULL;
	}
	return level_add(analysis, level, range) ? range : NULL;
}

/* The alias's name, with its list of column names applied; `name` where there is no alias. */
static void apply_alias(struct analysis *analysis, struct range *range,
			const struct tree_value *alias, const char *name)
{
	range->name = name;
	if (!alias || !node_check(analysis, "Alias", alias))
		return;
	range->name = tree_string(alias, "aliasname");
	range->table = NULL;
	scope_rename(analysis, &range->row, tree_member(alias, "colnames"));
}

/* ---- tables and names of WITH ---- */

static bool read_cte(struct analysis *analysis, struct range *range, struct cte *cte)
{
	cte_read(analysis, cte);
	if (!cte->row_known) {
		analysis_undecided(analysis, "sql-node", "%s of WITH is read before it is known",
				   cte->name);
		return false;
	}
	return row_append(analysis, &range->row, &cte->row);
}

static const struct table *read_table(struct analysis *analysis, const struct tree_value *body)
{
	const char *name = tree_string(body, "relname");

	if (tree_member(body, "catalogname")) {
		analysis_deny(analysis, "sql-relation",
			      "a table's name with a database is not granted");
		return NULL;
	}
	if (!name) {
		analysis_unknown_node(analysis, "RangeVar", NULL);
		return NULL;
	}
	return scope_table(analysis, tree_string(body, "schemaname"), name);
}

struct range *walk_range_table(struct analysis *analysis, struct level *level,
			       const struct tree_value *body)
{
	struct range *range;
	const struct table *table;

	if (!body || !node_check(analysis, "RangeVar", body))
		return NULL;
	table = read_table(analysis, body);
	range = table ? new_range(analysis, level) : NULL;
	if (!range)
		return NULL;
	range->table = table;
	range->base = !table->known || table->known->kind != 'v';
	range->row = scope_table_row(analysis, table);
	apply_alias(analysis, range, tree_member(body, "alias"), table->name);
	/* Behind a fault rows are not whole. */
	return analysis->failed ? NULL : range;
}

static void walk_table(struct analysis *analysis, struct level *level,
		       const struct tree_value *body)
{
	const char *name = tree_string(body, "relname");
	struct cte *cte = NULL;
	struct range *range;

	if (name && !tree_member(body, "schemaname") && !tree_member(body, "catalogname"))
		cte = scope_cte(analysis, level, name);
	if (!cte) {
		const struct table *table = read_table(analysis, body);

		/* A use even where no column is named. */
		if (table && walk_range_table(analysis, level, body))
			(void)access_note(analysis, SQL_ACCESS_RELATION, SQL_USE_READ,
					  table->schema, table->name);
		return;
	}
	range = new_range(analysis, level);
	if (range && read_cte(analysis, range, cte))
		apply_alias(analysis, range, tree_member(body, "alias"), name);
}

static void walk_sample(struct analysis *analysis, struct level *level,
			const struct tree_value *body)
{
	const char *schema, *method;

	walk_item(analysis, level, tree_member(body, "relation"));
	if (!node_qualified(analysis, "sql-function", tree_member(body, "method"), &schema,
			    &method))
		return;
	if ((schema && strcmp(schema, "pg_catalog") != 0) ||
	    (strcmp(method, "system") != 0 && strcmp(method, "bernoulli") != 0))
		analysis_deny(analysis, "sql-function", "TABLESAMPLE %s is not granted", method);
	walk_list(analysis, level, tree_member(body, "args"));
	(void)walk_expression(analysis, level, tree_member(body, "repeatable"));
}

/* ---- subqueries and functions ---- */

static void walk_subquery(struct analysis *analysis, struct level *level,
			  const struct tree_value *body)
{
	const bool active = level->lateral_active;
	struct row row;
	struct range *range;

	level->lateral_active = tree_flag(body, "lateral");
	row = walk_query(analysis, level, tree_member(body, "subquery"));
	level->lateral_active = active;
	range = new_range(analysis, level);
	if (!range)
		return;
	range->row = row;
	apply_alias(analysis, range, tree_member(body, "alias"), NULL);
}

static void add_column(struct analysis *analysis, struct row *row, const char *name)
{
	const struct column column = {.name = name};

	(void)row_add(analysis, row, &column);
}

/* AS t(a integer, b text) */
static void add_definitions(struct analysis *analysis, struct level *level, struct row *row,
			    const struct tree_value *list)
{
	tree_for_each(item, list)
	{
		const struct node node = node_read(analysis, item);
		const struct tree_value *collation = tree_member(node.body, "collClause");
		const char *name = tree_string(node.body, "colname");

		if (!node_is(node, "ColumnDef") || !name) {
			analysis_unknown_node(analysis, "RangeFunction", "coldeflist");
			return;
		}
		use_type(analysis, level, tree_member(node.body, "typeName"));
		if (collation && node_check(analysis, "CollateClause", collation))
			use_collation(analysis, tree_member(collation, "collname"));
		add_column(analysis, row, name);
	}
}

/* The columns of a function of PostgreSQL's own; unknown ones leave the row open. */
static void add_function_columns(struct analysis *analysis, struct row *row,
				 const struct tree_value *function, const char *alias)
{
	const struct tree_value *call = tree_member(function, "FuncCall");
	const char *schema = NULL, *name = NULL, *const * columns;

	if (call && !node_qualified(analysis, "sql-function", tree_member(call, "funcname"),
				    &schema, &name))
		return;
	if (!call) {
		row->open = true;
		return;
	}
	columns = function_columns(name);
	/* Another function of that name may have other columns. */
	if (!columns || (schema && strcmp(schema, "pg_catalog") != 0) ||
	    !sql_function_is_harmless(name, NULL) ||
	    (!schema && analysis->subject->catalog &&
	     sql_catalog_overloads(analysis->subject->catalog, SQL_OVERLOAD_FUNCTION, name))) {
		row->open = true;
		return;
	}
	if (!*columns)
		add_column(analysis, row, alias ? alias : name);
	for (; *columns; columns++)
		add_column(analysis, row, *columns);
}

static void walk_one_function(struct analysis *analysis, struct level *level, struct row *row,
			      const struct tree_value *pair, const struct tree_value *definitions,
			      const char *alias)
{
	const struct node node = node_read(analysis, pair);
	const struct tree_value *items = tree_member(node.body, "items"), *function, *own;

	if (!node_is(node, "List") || !items || items->count != 2) {
		analysis_unknown_node(analysis, "RangeFunction", "functions");
		return;
	}
	function = items + 1;
	own = tree_member(function + function->span, "List");
	(void)walk_expression(analysis, level, function);
	if (own)
		definitions = tree_member(own, "items");
	if (definitions)
		add_definitions(analysis, level, row, definitions);
	else
		add_function_columns(analysis, row, function, alias);
}

/* What a function in FROM is called without an alias: by its own name. */
static const char *function_name(const struct tree_value *functions)
{
	const struct tree_value *items =
		functions && functions->count
			? tree_member(tree_member(functions + 1, "List"), "items")
			: NULL;

	return items && items->count ? figure_name(items + 1) : NULL;
}

static void walk_function(struct analysis *analysis, struct level *level,
			  const struct tree_value *body)
{
	const struct tree_value *functions = tree_member(body, "functions");
	const struct tree_value *alias = tree_member(body, "alias");
	const bool active = level->lateral_active;
	const bool single = functions && functions->count == 1;
	struct row row = {0};
	struct range *range;

	level->lateral_active = true;
	tree_for_each(pair, functions)
		walk_one_function(analysis, level, &row, pair, tree_member(body, "coldeflist"),
				  single ? tree_string(alias, "aliasname") : NULL);
	level->lateral_active = active;
	if (tree_flag(body, "ordinality") && !row.open)
		add_column(analysis, &row, "ordinality");
	range = new_range(analysis, level);
	if (!range)
		return;
	range->row = row;
	range->function = true;
	apply_alias(analysis, range, alias, function_name(functions));
}

/* ---- joins ---- */

/* The side's columns: of all that it brought into view, one range shows them. */
static struct range *side_range(const struct level *level, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (level->entries[i].columns)
			return level->entries[i].range;
	return NULL;
}

/* A side's column of USING is read. */
static void read_side(struct analysis *analysis, const struct row *row, const char *name)
{
	const struct column *column = row_find(analysis, row, name);

	if (column) {
		column_read(analysis, column);
		return;
	}
	for (size_t i = 0; i < row->open_count; i++) {
		access_read(analysis, row->open_tables[i], name);
		if (!analysis->subject->catalog)
			analysis_assume(analysis, "%s is a column of %s", name,
					row->open_tables[i]->name);
	}
	if (!row->open_count && !row->open)
		analysis_deny(analysis, "sql-column", "there is no column %s to join by", name);
}

static void merge_column(struct analysis *analysis, struct row *merged, const struct row *left,
			 const struct row *right, const char *name)
{
	read_side(analysis, left, name);
	read_side(analysis, right, name);
	add_column(analysis, merged, name);
}

/* The columns by which the sides are joined. */
static struct row merge_sides(struct analysis *analysis, const struct tree_value *body,
			      const struct row *left, const struct row *right)
{
	const struct tree_value *list = tree_member(body, "usingClause");
	const bool natural = tree_flag(body, "isNatural");
	struct row merged = {0};

	if (natural || list)
		use_operator_named(analysis, NULL, "=");
	tree_for_each(item, list)
	{
		if (node_name(item))
			merge_column(analysis, &merged, left, right, node_name(item));
		else
			analysis_unknown_node(analysis, "JoinExpr", "usingClause");
	}
	if (!natural)
		return merged;
	/* What is common to both is not known: it may be anything. */
	if (left->open_count || right->open_count || left->open || right->open) {
		row_read_all(analysis, left);
		row_read_all(analysis, right);
		return merged;
	}
	for (size_t i = 0; i < left->count; i++) {
		const char *name = left->columns[i].name;

		if (name && row_find(analysis, right, name))
			merge_column(analysis, &merged, left, right, name);
	}
	return merged;
}

static void append_unmerged(struct analysis *analysis, struct row *row, const struct row *side,
			    const struct row *merged)
{
	struct row rest = *side;

	rest.count = 0;
	(void)row_append(analysis, row, &rest);
	for (size_t i = 0; i < side->count; i++)
		if (!side->columns[i].name || !row_find(analysis, merged, side->columns[i].name))
			(void)row_add(analysis, row, &side->columns[i]);
}

/* ON sees the two sides of its join, and nothing that stands before them in FROM. */
static void walk_on(struct analysis *analysis, struct level *level, size_t first,
		    const struct tree_value *condition)
{
	const size_t before = level->first;

	level->first = first;
	for (size_t i = first; i < level->count; i++)
		level->entries[i].lateral = false;
	(void)walk_expression(analysis, level, condition);
	level->first = before;
	for (size_t i = first; i < level->count; i++)
		level->entries[i].lateral = true;
}

static void add_using_alias(struct analysis *analysis, struct level *level,
			    const struct tree_value *alias, const struct row *merged)
{
	struct range *range;

	if (!alias)
		return;
	range = new_range(analysis, level);
	if (!range)
		return;
	(void)row_append(analysis, &range->row, merged);
	apply_alias(analysis, range, alias, NULL);
	level->entries[level->count - 1].columns = false;
}

static void walk_join(struct analysis *analysis, struct level *level, const struct tree_value *body)
{
	const size_t first = level->count;
	const struct tree_value *alias = tree_member(body, "alias");
	const struct range *left, *right;
	struct row row = {0}, merged;
	struct range *range;
	size_t middle;

	walk_item(analysis, level, tree_member(body, "larg"));
	middle = level->count;
	walk_item(analysis, level, tree_member(body, "rarg"));
	left = side_range(level, first, middle);
	right = side_range(level, middle, level->count);
	if (!left || !right)
		return;
	merged = merge_sides(analysis, body, &left->row, &right->row);
	(void)row_append(analysis, &row, &merged);
	append_unmerged(analysis, &row, &left->row, &merged);
	append_unmerged(analysis, &row, &right->row, &merged);
	add_using_alias(analysis, level, tree_member(body, "join_using_alias"), &merged);
	walk_on(analysis, level, first, tree_member(body, "quals"));
	for (size_t i = first; i < level->count; i++) {
		level->entries[i].columns = false;
		level->entries[i].names &= alias == NULL;
	}
	range = new_range(analysis, level);
	if (!range)
		return;
	range->row = row;
	apply_alias(analysis, range, alias, NULL);
}

static const struct {
	const char *kind;
	void (*walk)(struct analysis *analysis, struct level *level, const struct tree_value *body);
} items[] = {
	{"RangeVar", walk_table},	   {"JoinExpr", walk_join},
	{"RangeSubselect", walk_subquery}, {"RangeFunction", walk_function},
	{"RangeTableSample", walk_sample},
};

static void walk_item(struct analysis *analysis, struct level *level,
		      const struct tree_value *wrapped)
{
	const struct node node = node_read(analysis, wrapped);

	if (!node.kind || analysis->failed)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (strcmp(items[i].kind, node.kind) == 0) {
			items[i].walk(analysis, level, node.body);
			return;
		}
	analysis_unknown_node(analysis, node.kind, NULL);
}

void walk_from(struct analysis *analysis, struct level *level, const struct tree_value *list)
{
	const size_t first = level->count;

	tree_for_each(item, list) walk_item(analysis, level, item);
	for (size_t i = first; i < level->count; i++)
		level->entries[i].lateral = false;
}
