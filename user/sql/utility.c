// SPDX-License-Identifier: Apache-2.0
/* Whole statements: which there are besides queries, and what each needs. */
#include <string.h>
#include <strings.h>

#include "sql/analysis.h"

static void query(struct analysis *analysis, const struct tree_value *wrapped)
{
	(void)walk_query(analysis, NULL, wrapped);
}

/* A statement within another: PREPARE, DECLARE, COPY, EXPLAIN. `kinds` ends with NULL. */
static bool walk_inner(struct analysis *analysis, const char *words, const char *const *kinds,
		       const struct tree_value *wrapped)
{
	const char *kind = wrapped && wrapped->count == 1 ? wrapped[1].key : NULL;
	struct node node;

	for (; kind && *kinds; kinds++)
		if (strcmp(*kinds, kind) == 0) {
			query(analysis, wrapped);
			return true;
		}
	node = (struct node){kind, NULL};
	analysis_deny(analysis, "sql-statement", "%s of %s is not granted", words,
		      kind ? node_statement_words(analysis->arena, node) : "that");
	return false;
}

static const char *const changing[] = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt",
				       NULL};
static const char *const reading[] = {"SelectStmt", NULL};

/* ---- EXPLAIN ---- */

/* As defGetBoolean has it; what is not surely off is on. */
static bool option_is_on(const struct tree_value *definition)
{
	static const char *const off[] = {"false", "off"};
	const struct tree_value *argument = tree_member(definition, "arg");
	const char *text = tree_string(tree_member(argument, "String"), "sval");
	const struct tree_value *number = tree_member(argument, "Integer");

	if (number)
		return tree_number(number, "ival") != 0;
	for (size_t i = 0; text && i < ARRAY_SIZE(off); i++)
		if (strcasecmp(off[i], text) == 0)
			return false;
	return true;
}

static bool explain_runs(struct analysis *analysis, const struct tree_value *options)
{
	static const char *const known[] = {"analyze", "verbose", "costs",   "settings", "buffers",
					    "wal",     "timing",  "summary", "format"};
	bool runs = false;

	tree_for_each(item, options)
	{
		const struct node node = node_read(analysis, item);
		const char *name = tree_string(node.body, "defname");
		bool found = false;

		for (size_t i = 0; name && i < ARRAY_SIZE(known); i++)
			found |= strcmp(known[i], name) == 0;
		if (!node_is(node, "DefElem") || !found) {
			analysis_unknown_node(analysis, "ExplainStmt", name);
			return true;
		}
		/* Named twice, the last one counts: on once is on here. */
		runs |= strcmp(name, "analyze") == 0 && option_is_on(node.body);
	}
	return runs;
}

static bool only_reads(const struct analysis *analysis)
{
	for (size_t i = 0; i < analysis->access_count; i++)
		if (analysis->accesses[i].use != SQL_USE_READ &&
		    analysis->accesses[i].use != SQL_USE_CALL)
			return false;
	return true;
}

static void walk_execute(struct analysis *analysis, const struct tree_value *body)
{
	struct level level = {0};

	walk_list(analysis, &level, tree_member(body, "params"));
}

static void walk_explain(struct analysis *analysis, const struct tree_value *body)
{
	const bool runs = explain_runs(analysis, tree_member(body, "options"));
	const struct tree_value *inner = tree_member(body, "query");
	const struct tree_value *execute = tree_member(inner, "ExecuteStmt");

	if (execute && !runs) {
		if (node_check(analysis, "ExecuteStmt", execute))
			walk_execute(analysis, execute);
		return;
	}
	if (walk_inner(analysis, runs ? "EXPLAIN ANALYZE" : "EXPLAIN", runs ? reading : changing,
		       inner) &&
	    runs && !only_reads(analysis))
		analysis_deny(analysis, "sql-statement",
			      "EXPLAIN ANALYZE of what changes anything is not granted");
}

/* ---- COPY ---- */

static void walk_copy_columns(struct analysis *analysis, const struct range *range,
			      enum sql_use use, const struct tree_value *list)
{
	const struct table *table = range->row.tables[0];
	struct sql_access *access =
		access_note(analysis, SQL_ACCESS_RELATION, use, table->schema, table->name);

	if (!list)
		access_add_column(analysis, access, NULL);
	tree_for_each(item, list)
	{
		if (!node_name(item))
			analysis_unknown_node(analysis, "CopyStmt", "attlist");
		else
			access_add_column(analysis, access, node_name(item));
	}
}

static void walk_copy(struct analysis *analysis, const struct tree_value *body)
{
	const bool in = tree_flag(body, "is_from");
	struct level level = {0};
	struct range *range;

	analysis->decision->statement = in ? SQL_STATEMENT_COPY_IN : SQL_STATEMENT_COPY_OUT;
	if (tree_member(body, "filename") || tree_flag(body, "is_program")) {
		analysis_deny(analysis, "sql-statement", "COPY %s is not granted",
			      tree_flag(body, "is_program") ? "with a program"
			      : in			    ? "from a file"
							    : "to a file");
		return;
	}
	tree_for_each(item, tree_member(body, "options")) if (!node_is(node_read(analysis, item),
								       "DefElem"))
		analysis_unknown_node(analysis, "CopyStmt", "options");
	if (tree_member(body, "query")) {
		(void)walk_inner(analysis, "COPY", changing, tree_member(body, "query"));
		return;
	}
	range = walk_range_table(analysis, &level, tree_member(body, "relation"));
	if (!range)
		return;
	level.entries[0].lateral = false;
	walk_copy_columns(analysis, range, in ? SQL_USE_INSERT : SQL_USE_READ,
			  tree_member(body, "attlist"));
	(void)walk_expression(analysis, &level, tree_member(body, "whereClause"));
}

/* ---- the rest ---- */

static void walk_transaction(struct analysis *analysis, const struct tree_value *body)
{
	static const char *const granted[] = {"TRANS_STMT_BEGIN",      "TRANS_STMT_START",
					      "TRANS_STMT_COMMIT",     "TRANS_STMT_ROLLBACK",
					      "TRANS_STMT_SAVEPOINT",  "TRANS_STMT_RELEASE",
					      "TRANS_STMT_ROLLBACK_TO"};
	const char *kind = tree_string(body, "kind");

	walk_transaction_modes(analysis, tree_member(body, "options"));
	for (size_t i = 0; kind && i < ARRAY_SIZE(granted); i++)
		if (strcmp(granted[i], kind) == 0)
			return;
	analysis_deny(analysis, "sql-statement",
		      "a transaction that is prepared for two-phase commit is not granted");
}

static void walk_prepare(struct analysis *analysis, const struct tree_value *body)
{
	struct level level = {0};

	tree_for_each(item, tree_member(body, "argtypes"))
	{
		const struct node node = node_read(analysis, item);

		if (node_is(node, "TypeName"))
			use_type(analysis, &level, node.body);
		else
			analysis_unknown_node(analysis, "PrepareStmt", "argtypes");
	}
	(void)walk_inner(analysis, "PREPARE", changing, tree_member(body, "query"));
}

static void walk_declare(struct analysis *analysis, const struct tree_value *body)
{
	(void)walk_inner(analysis, "DECLARE", reading, tree_member(body, "query"));
}

static void walk_lock(struct analysis *analysis, const struct tree_value *body)
{
	struct level level = {0};

	tree_for_each(item, tree_member(body, "relations"))
	{
		const struct node node = node_read(analysis, item);
		const struct range *range;

		if (!node_is(node, "RangeVar")) {
			analysis_unknown_node(analysis, "LockStmt", "relations");
			return;
		}
		range = walk_range_table(analysis, &level, node.body);
		/* PostgreSQL asks for the table's right here, not for a column's. */
		if (range)
			access_add_column(analysis,
					  access_note(analysis, SQL_ACCESS_RELATION, SQL_USE_LOCK,
						      range->row.tables[0]->schema,
						      range->row.tables[0]->name),
					  NULL);
	}
}

static void nothing_needed(struct analysis *analysis, const struct tree_value *body)
{
	(void)analysis;
	(void)body;
}

static const struct {
	const char *kind;
	enum sql_statement statement;
	/* Of the statement's own node; NULL: a query, walked as such. */
	void (*walk)(struct analysis *analysis, const struct tree_value *body);
} statements[] = {
	{"SelectStmt", SQL_STATEMENT_QUERY, NULL},
	{"InsertStmt", SQL_STATEMENT_INSERT, NULL},
	{"UpdateStmt", SQL_STATEMENT_UPDATE, NULL},
	{"DeleteStmt", SQL_STATEMENT_DELETE, NULL},
	{"CopyStmt", SQL_STATEMENT_COPY_OUT, walk_copy},
	{"ExplainStmt", SQL_STATEMENT_EXPLAIN, walk_explain},
	{"TransactionStmt", SQL_STATEMENT_TRANSACTION, walk_transaction},
	{"LockStmt", SQL_STATEMENT_TRANSACTION, walk_lock},
	{"PrepareStmt", SQL_STATEMENT_PREPARED, walk_prepare},
	{"ExecuteStmt", SQL_STATEMENT_PREPARED, walk_execute},
	{"DeallocateStmt", SQL_STATEMENT_PREPARED, nothing_needed},
	{"DeclareCursorStmt", SQL_STATEMENT_CURSOR, walk_declare},
	{"FetchStmt", SQL_STATEMENT_CURSOR, nothing_needed},
	{"ClosePortalStmt", SQL_STATEMENT_CURSOR, nothing_needed},
	{"VariableSetStmt", SQL_STATEMENT_SETTING, walk_set},
	{"VariableShowStmt", SQL_STATEMENT_SETTING, walk_show},
};

void walk_statement(struct analysis *analysis, const struct tree_value *wrapped)
{
	struct node node = {0};

	if (!wrapped || wrapped->kind != TREE_OBJECT || wrapped->count != 1) {
		analysis_unknown_node(analysis, "a statement", NULL);
		return;
	}
	node.kind = wrapped[1].key;
	node.body = &wrapped[1];
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		if (strcmp(statements[i].kind, node.kind) != 0)
			continue;
		analysis->decision->statement = statements[i].statement;
		if (!statements[i].walk) {
			query(analysis, wrapped);
			return;
		}
		/* Names and values in it are not told apart from literals by its shape. */
		analysis->decision->literals_decide = true;
		if (node_check(analysis, node.kind, node.body))
			statements[i].walk(analysis, node.body);
		return;
	}
	analysis->decision->statement = SQL_STATEMENT_OTHER;
	analysis->decision->literals_decide = true;
	analysis_deny(analysis, "sql-statement", "%s is not granted",
		      node_statement_words(analysis->arena, node));
}
