// SPDX-License-Identifier: Apache-2.0
/*
 * The kinds of nodes that are understood, each with all members that it may have: a kind or a
 * member that is not here makes a statement undecided, so that nothing is skipped in silence. The
 * names are those of PostgreSQL 15's parsenodes.h as libpg_query 15 writes them.
 */
#include <ctype.h>
#include <string.h>

#include "sql/analysis.h"

struct node_kind {
	const char *name;
	const char *members; /* each with a space in front and behind; "location" is in all */
};

/* By name: it is searched. */
static const struct node_kind kinds[] = {
	{"A_ArrayExpr", " elements "},
	{"A_Const", " ival fval boolval sval bsval isnull "},
	{"A_Expr", " kind name lexpr rexpr "},
	{"A_Indices", " is_slice lidx uidx "},
	{"A_Indirection", " arg indirection "},
	{"A_Star", " "},
	{"Alias", " aliasname colnames "},
	{"BoolExpr", " boolop args "},
	{"BooleanTest", " arg booltesttype "},
	{"CTECycleClause", " cycle_col_list cycle_mark_column cycle_mark_value cycle_mark_default "
			   "cycle_path_column "},
	{"CTESearchClause", " search_col_list search_breadth_first search_seq_column "},
	{"CaseExpr", " arg args defresult "},
	{"CaseWhen", " expr result "},
	{"ClosePortalStmt", " portalname "},
	{"CoalesceExpr", " args "},
	{"CollateClause", " arg collname "},
	{"ColumnDef", " colname typeName is_local collClause "},
	{"ColumnRef", " fields "},
	{"CommonTableExpr", " ctename aliascolnames ctematerialized ctequery search_clause "
			    "cycle_clause "},
	{"CopyStmt", " relation query attlist is_from is_program filename options whereClause "},
	{"CurrentOfExpr", " cursor_name "},
	{"DeallocateStmt", " name "},
	{"DeclareCursorStmt", " portalname options query "},
	{"DefElem", " defname arg defaction "},
	{"DeleteStmt", " relation usingClause whereClause returningList withClause "},
	{"ExecuteStmt", " name params "},
	{"ExplainStmt", " query options "},
	{"FetchStmt", " direction howMany portalname ismove "},
	{"FuncCall", " funcname args agg_order agg_filter over agg_within_group agg_star "
		     "agg_distinct func_variadic funcformat "},
	{"GroupingFunc", " args "},
	{"GroupingSet", " kind content "},
	{"IndexElem", " name expr collation opclass ordering nulls_ordering "},
	{"InferClause", " indexElems whereClause conname "},
	{"InsertStmt", " relation cols selectStmt onConflictClause returningList withClause "
		       "override "},
	{"JoinExpr", " jointype isNatural larg rarg usingClause join_using_alias quals alias "},
	{"List", " items "},
	{"LockStmt", " relations mode nowait "},
	{"LockingClause", " lockedRels strength waitPolicy "},
	{"MinMaxExpr", " op args "},
	{"MultiAssignRef", " source colno ncolumns "},
	{"NamedArgExpr", " arg name argnumber "},
	{"NullTest", " arg nulltesttype "},
	{"OnConflictClause", " action infer targetList whereClause "},
	{"ParamRef", " number "},
	{"PrepareStmt", " name argtypes query "},
	{"RangeFunction", " lateral ordinality is_rowsfrom functions alias coldeflist "},
	{"RangeSubselect", " lateral subquery alias "},
	{"RangeTableSample", " relation method args repeatable "},
	{"RangeVar", " catalogname schemaname relname inh relpersistence alias "},
	{"ResTarget", " name indirection val "},
	{"RowExpr", " args row_format "},
	{"SQLValueFunction", " op typmod "},
	{"SelectStmt", " distinctClause intoClause targetList fromClause whereClause groupClause "
		       "groupDistinct havingClause windowClause valuesLists sortClause limitOffset "
		       "limitCount limitOption lockingClause withClause op all larg rarg "},
	{"SetToDefault", " "},
	{"SortBy", " node sortby_dir sortby_nulls useOp "},
	{"String", " sval "},
	{"SubLink", " subLinkType testexpr operName subselect "},
	{"TransactionStmt", " kind options savepoint_name gid chain "},
	{"TypeCast", " arg typeName "},
	{"TypeName", " names setof pct_type typmods typemod arrayBounds "},
	{"UpdateStmt", " relation targetList whereClause fromClause returningList withClause "},
	{"VariableSetStmt", " kind name args is_local "},
	{"VariableShowStmt", " name "},
	{"WindowDef", " name refname partitionClause orderClause frameOptions startOffset "
		      "endOffset "},
	{"WithClause", " ctes recursive "},
};

static const struct node_kind *find_kind(const char *name)
{
	size_t low = 0, high = ARRAY_SIZE(kinds);

	while (low < high) {
		const size_t middle = (low + high) / 2;
		const int order = strcmp(name, kinds[middle].name);

		if (order == 0)
			return &kinds[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* A whole word of the list. */
static bool has_member(const char *members, const char *name)
{
	const size_t length = strlen(name);

	if (strcmp(name, "location") == 0)
		return true;
	for (const char *at = members; (at = strstr(at, name)); at += length)
		if (at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

bool node_check(struct analysis *analysis, const char *kind, const struct tree_value *body)
{
	const struct node_kind *known = find_kind(kind);

	if (!known || body->kind != TREE_OBJECT) {
		analysis_unknown_node(analysis, kind, NULL);
		return false;
	}
	tree_for_each(member, body) if (!has_member(known->members, member->key))
	{
		analysis_unknown_node(analysis, kind, member->key);
		return false;
	}
	return true;
}

struct node node_read(struct analysis *analysis, const struct tree_value *value)
{
	const struct node none = {0};
	struct node node;

	if (!value || (value->kind == TREE_OBJECT && value->count == 0))
		return none;
	if (value->kind != TREE_OBJECT || value->count != 1) {
		analysis_unknown_node(analysis, "a node", NULL);
		return none;
	}
	node.kind = value[1].key;
	node.body = &value[1];
	return node_check(analysis, node.kind, node.body) ? node : none;
}

bool node_is(struct node node, const char *kind)
{
	return node.kind && strcmp(node.kind, kind) == 0;
}

const char *node_name(const struct tree_value *value)
{
	const struct tree_value *string = tree_member(value, "String");

	return string && value->count == 1 && string->count == 1 ? tree_string(string, "sval")
								 : NULL;
}

bool node_qualified(struct analysis *analysis, const char *reason, const struct tree_value *list,
		    const char **schema, const char **name)
{
	*schema = *name = NULL;
	if (list && list->kind == TREE_ARRAY && (list->count == 1 || list->count == 2)) {
		const struct tree_value *first = list + 1;

		*name = node_name(first);
		if (list->count == 2) {
			*schema = *name;
			*name = node_name(first + first->span);
		}
	}
	if (*name && (*schema || list->count == 1))
		return true;
	analysis_deny(analysis, reason, "a name of more than two parts is not granted");
	return false;
}

/* ---- what statements are called ---- */

static const struct {
	const char *kind;
	const char *words;
} statements[] = {
	{"AlterRoleSetStmt", "ALTER ROLE"},
	{"AlterRoleStmt", "ALTER ROLE"},
	{"AlterSystemStmt", "ALTER SYSTEM"},
	{"AlterTableStmt", "ALTER TABLE"},
	{"CallStmt", "CALL"},
	{"CheckPointStmt", "CHECKPOINT"},
	{"ClusterStmt", "CLUSTER"},
	{"CommentStmt", "COMMENT"},
	{"CompositeTypeStmt", "CREATE TYPE"},
	{"ConstraintsSetStmt", "SET CONSTRAINTS"},
	{"CopyStmt", "COPY"},
	{"CreateEnumStmt", "CREATE TYPE"},
	{"CreateExtensionStmt", "CREATE EXTENSION"},
	{"CreateFunctionStmt", "CREATE FUNCTION"},
	{"CreateRoleStmt", "CREATE ROLE"},
	{"CreateSchemaStmt", "CREATE SCHEMA"},
	{"CreateSeqStmt", "CREATE SEQUENCE"},
	{"CreateStmt", "CREATE TABLE"},
	{"CreateTableAsStmt", "CREATE TABLE AS"},
	{"CreateTrigStmt", "CREATE TRIGGER"},
	{"CreatedbStmt", "CREATE DATABASE"},
	{"DeclareCursorStmt", "DECLARE"},
	{"DeleteStmt", "DELETE"},
	{"DiscardStmt", "DISCARD"},
	{"DoStmt", "DO"},
	{"DropdbStmt", "DROP DATABASE"},
	{"ExecuteStmt", "EXECUTE"},
	{"ExplainStmt", "EXPLAIN"},
	{"GrantRoleStmt", "GRANT"},
	{"GrantStmt", "GRANT"},
	{"IndexStmt", "CREATE INDEX"},
	{"InsertStmt", "INSERT"},
	{"ListenStmt", "LISTEN"},
	{"LoadStmt", "LOAD"},
	{"LockStmt", "LOCK"},
	{"MergeStmt", "MERGE"},
	{"NotifyStmt", "NOTIFY"},
	{"PrepareStmt", "PREPARE"},
	{"ReassignOwnedStmt", "REASSIGN OWNED"},
	{"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW"},
	{"ReindexStmt", "REINDEX"},
	{"RenameStmt", "ALTER"},
	{"RuleStmt", "CREATE RULE"},
	{"SecLabelStmt", "SECURITY LABEL"},
	{"SelectStmt", "SELECT"},
	{"TransactionStmt", "a statement on transactions"},
	{"TruncateStmt", "TRUNCATE"},
	{"UnlistenStmt", "UNLISTEN"},
	{"UpdateStmt", "UPDATE"},
	{"VacuumStmt", "VACUUM"},
	{"VariableSetStmt", "SET"},
	{"VariableShowStmt", "SHOW"},
	{"ViewStmt", "CREATE VIEW"},
};

/* "OBJECT_FOREIGN_TABLE" to "DROP FOREIGN TABLE" */
static const char *drop_words(struct arena *arena, const struct tree_value *body)
{
	const char *type = tree_string(body, "removeType");
	char *words;

	if (!type || strncmp(type, "OBJECT_", 7) != 0)
		return "DROP";
	words = arena_printf(arena, "DROP %s", type + 7);
	for (char *at = words; at && *at; at++)
		if (*at == '_')
			*at = ' ';
	return words;
}

/* "AlterFooBarStmt" to "ALTER FOO BAR" */
static const char *split_words(struct arena *arena, const char *kind)
{
	const size_t length = strlen(kind);
	char *words = arena_alloc(arena, 2 * length + 1, 1), *to = words;

	for (const char *at = kind; to && *at && strcmp(at, "Stmt") != 0; at++) {
		if (at != kind && isupper((unsigned char)*at))
			*to++ = ' ';
		*to++ = (char)toupper((unsigned char)*at);
	}
	return words;
}

const char *node_statement_words(struct arena *arena, struct node node)
{
	const char *words = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (strcmp(statements[i].kind, node.kind) == 0)
			return statements[i].words;
	if (strcmp(node.kind, "DropStmt") == 0)
		words = drop_words(arena, node.body);
	else
		words = split_words(arena, node.kind);
	return words ? words : "the statement";
}
