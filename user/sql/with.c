// SPDX-License-Identifier: Apache-2.0
/* WITH: names for queries, which of them each query sees, and when each is read. */
#include "sql/analysis.h"

static void add_extra(struct analysis *analysis, struct row *row, const char *name)
{
	const struct column column = {.name = name};

	if (name)
		(void)row_add(analysis, row, &column);
}

void cte_add_columns(struct analysis *analysis, struct cte *cte)
{
	const struct tree_value *search = tree_member(cte->body, "search_clause");
	const struct tree_value *cycle = tree_member(cte->body, "cycle_clause");

	if (search && node_check(analysis, "CTESearchClause", search))
		add_extra(analysis, &cte->row, tree_string(search, "search_seq_column"));
	if (!cycle || !node_check(analysis, "CTECycleClause", cycle))
		return;
	use_operator_named(analysis, NULL, "=");
	(void)walk_expression(analysis, cte->around, tree_member(cycle, "cycle_mark_value"));
	(void)walk_expression(analysis, cte->around, tree_member(cycle, "cycle_mark_default"));
	add_extra(analysis, &cte->row, tree_string(cycle, "cycle_mark_column"));
	add_extra(analysis, &cte->row, tree_string(cycle, "cycle_path_column"));
}

void cte_read(struct analysis *analysis, struct cte *cte)
{
	const struct tree_value *query = tree_member(cte->body, "ctequery");
	const struct tree_value *select = tree_member(query, "SelectStmt");
	struct row row;

	if (cte->state != CTE_UNREAD)
		return;
	cte->state = CTE_READING;
	if (!analysis_enter(analysis)) {
		analysis_leave(analysis);
		return;
	}
	if (select && is_set_operation(select)) {
		(void)walk_select_of(analysis, cte->around, select, cte);
	} else {
		row = walk_query(analysis, cte->around, query);
		(void)row_append(analysis, &cte->row, &row);
		scope_rename(analysis, &cte->row, tree_member(cte->body, "aliascolnames"));
		cte_add_columns(analysis, cte);
	}
	/* A lock does not reach through a name of WITH. */
	cte->row.lock_count = 0;
	cte->row.locks = NULL;
	cte->row_known = true;
	cte->state = CTE_READ;
	analysis_leave(analysis);
}

/* Where the query of the CTE `index` looks around: those before it, or with RECURSIVE all. */
static struct level *level_around(struct analysis *analysis, const struct level *level,
				  size_t visible)
{
	struct level *around = arena_new_array(analysis->arena, struct level, 1);

	if (!around) {
		analysis_no_memory(analysis);
		return NULL;
	}
	around->outer = level->outer;
	around->ctes = level->ctes;
	around->cte_count = visible;
	return around;
}

void walk_with(struct analysis *analysis, struct level *level, const struct tree_value *with)
{
	const struct tree_value *list = tree_member(with, "ctes");
	const bool recursive = tree_flag(with, "recursive");
	size_t count = 0;

	if (!with || !node_check(analysis, "WithClause", with) || !list)
		return;
	level->ctes = arena_new_array(analysis->arena, struct cte, list->count);
	if (!level->ctes) {
		analysis_no_memory(analysis);
		return;
	}
	tree_for_each(item, list)
	{
		const struct node node = node_read(analysis, item);
		struct cte *cte = &level->ctes[count];

		cte->name = tree_string(node.body, "ctename");
		cte->body = node.body;
		cte->around = level_around(analysis, level, recursive ? list->count : count);
		if (!node_is(node, "CommonTableExpr") || !cte->name || !cte->around) {
			analysis_unknown_node(analysis, "WithClause", "ctes");
			return;
		}
		count++;
	}
	for (size_t i = 0; i < count && !analysis->failed; i++) {
		/* With RECURSIVE each is read where it is first named, or else here. */
		cte_read(analysis, &level->ctes[i]);
		level->cte_count = i + 1;
	}
}
