// SPDX-License-Identifier: Apache-2.0
/* Expressions: every kind of node that may stand where a value does. */
#include <string.h>

#include "sql/columns.h"

static const struct value_type no_type;

typedef struct value_type (*walk_node)(struct analysis *analysis, struct level *level,
				       const struct tree_value *body);

void walk_list(struct analysis *analysis, struct level *level, const struct tree_value *list)
{
	if (list && list->kind != TREE_ARRAY) {
		analysis_unknown_node(analysis, "a list", NULL);
		return;
	}
	tree_for_each(item, list)(void) walk_expression(analysis, level, item);
}

static void walk_member(struct analysis *analysis, struct level *level,
			const struct tree_value *body, const char *name)
{
	(void)walk_expression(analysis, level, tree_member(body, name));
}

/* Nodes of which all is said by what stands below them: each of these members is an expression, or
 * a list of some. */
static const struct {
	const char *kind;
	const char *members[4];
} plain[] = {
	{"A_ArrayExpr", {"elements"}},
	{"A_Const", {NULL}},
	{"BoolExpr", {"args"}},
	{"BooleanTest", {"arg"}},
	{"CaseWhen", {"expr", "result"}},
	{"CoalesceExpr", {"args"}},
	{"CurrentOfExpr", {NULL}},
	{"GroupingFunc", {"args"}},
	{"List", {"items"}},
	{"MinMaxExpr", {"args"}},
	{"NamedArgExpr", {"arg"}},
	{"NullTest", {"arg"}},
	{"ParamRef", {NULL}},
	{"RowExpr", {"args"}},
	{"SQLValueFunction", {NULL}},
	{"SetToDefault", {NULL}},
};

static bool walk_plain(struct analysis *analysis, struct level *level, struct node node)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (strcmp(plain[i].kind, node.kind) != 0)
			continue;
		for (size_t j = 0; plain[i].members[j]; j++) {
			const struct tree_value *member =
				tree_member(node.body, plain[i].members[j]);

			if (member && member->kind == TREE_ARRAY)
				walk_list(analysis, level, member);
			else
				(void)walk_expression(analysis, level, member);
		}
		return true;
	}
	return false;
}

/* The operators that a kind of A_Expr looks up by a name that does not stand in it. */
static const struct {
	const char *kind;
	const char *signs[4];
} hidden_operators[] = {
	{"AEXPR_BETWEEN", {">=", "<="}},
	{"AEXPR_NOT_BETWEEN", {"<", ">"}},
	{"AEXPR_BETWEEN_SYM", {">=", "<="}},
	{"AEXPR_NOT_BETWEEN_SYM", {"<", ">"}},
};
/* Those whose name is the operator's. */
static const char *const named_operators[] = {
	"AEXPR_OP",	"AEXPR_OP_ANY", "AEXPR_OP_ALL", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT",
	"AEXPR_NULLIF", "AEXPR_IN",	"AEXPR_LIKE",	"AEXPR_ILIKE",	  "AEXPR_SIMILAR"};

static void use_operators_of(struct analysis *analysis, const struct tree_value *body)
{
	const char *kind = tree_string(body, "kind");

	for (size_t i = 0; kind && i < ARRAY_SIZE(named_operators); i++)
		if (strcmp(named_operators[i], kind) == 0) {
			use_operator(analysis, tree_member(body, "name"));
			return;
		}
	for (size_t i = 0; kind && i < ARRAY_SIZE(hidden_operators); i++) {
		if (strcmp(hidden_operators[i].kind, kind) != 0)
			continue;
		for (size_t j = 0; hidden_operators[i].signs[j]; j++)
			use_operator_named(analysis, NULL, hidden_operators[i].signs[j]);
		return;
	}
	analysis_unknown_node(analysis, "A_Expr", kind);
}

/* A literal or a parameter takes the type of the values in the list beside it. */
static bool takes_any_type(const struct tree_value *value)
{
	return tree_member(tree_member(value, "A_Const"), "sval") || tree_member(value, "ParamRef");
}

/* IN (a, b): all of them become one type. */
static void walk_in(struct analysis *analysis, struct level *level, const struct tree_value *value,
		    const struct tree_value *items)
{
	bool typed = !takes_any_type(value);

	tree_for_each(item, items) typed &= !takes_any_type(item);
	analysis->alone = typed;
	(void)walk_expression(analysis, level, value);
	tree_for_each(item, items)
	{
		analysis->alone = typed;
		(void)walk_expression(analysis, level, item);
	}
}

/* What compares looks its operator up by the types of both sides, and these stay as they are. */
static bool compares(const struct tree_value *body)
{
	static const char *const signs[] = {"=", "<>", "<", ">", "<=", ">="};
	static const char *const kinds[] = {"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_OP_ALL",
					    "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"};
	const char *kind = tree_string(body, "kind"), *sign = NULL;
	bool known = false;

	tree_for_each(item, tree_member(body, "name")) sign = node_name(item);
	for (size_t i = 0; kind && i < ARRAY_SIZE(kinds); i++)
		known |= strcmp(kinds[i], kind) == 0;
	for (size_t i = 0; known && sign && i < ARRAY_SIZE(signs); i++)
		if (strcmp(signs[i], sign) == 0)
			return true;
	return false;
}

static struct value_type walk_operator(struct analysis *analysis, struct level *level,
				       const struct tree_value *body)
{
	const struct tree_value *left = tree_member(body, "lexpr");
	const struct tree_value *right = tree_member(body, "rexpr");
	const struct tree_value *list = tree_member(tree_member(right, "List"), "items");
	const char *kind = tree_string(body, "kind");

	use_operators_of(analysis, body);
	if (list && kind && strcmp(kind, "AEXPR_IN") == 0) {
		(void)node_read(analysis, right);
		walk_in(analysis, level, left, list);
		return no_type;
	}
	analysis->alone = compares(body);
	(void)walk_expression(analysis, level, left);
	analysis->alone = compares(body);
	(void)walk_expression(analysis, level, right);
	return no_type;
}

static struct value_type walk_case(struct analysis *analysis, struct level *level,
				   const struct tree_value *body)
{
	if (tree_member(body, "arg"))
		use_operator_named(analysis, NULL, "=");
	walk_member(analysis, level, body, "arg");
	walk_list(analysis, level, tree_member(body, "args"));
	walk_member(analysis, level, body, "defresult");
	return no_type;
}

static struct value_type walk_cast(struct analysis *analysis, struct level *level,
				   const struct tree_value *body)
{
	const struct value_type type = walk_alone(analysis, level, tree_member(body, "arg"));

	return (struct value_type){.lookup =
					   use_cast(analysis, level, tree_member(body, "typeName"),
						    tree_member(body, "arg"), type)};
}

static struct value_type walk_collate(struct analysis *analysis, struct level *level,
				      const struct tree_value *body)
{
	use_collation(analysis, tree_member(body, "collname"));
	return walk_expression(analysis, level, tree_member(body, "arg"));
}

static struct value_type walk_sublink(struct analysis *analysis, struct level *level,
				      const struct tree_value *body)
{
	const struct tree_value *operator= tree_member(body, "operName");
	const char *kind = tree_string(body, "subLinkType");

	if (operator)
		use_operator(analysis, operator);
	else if (kind && strcmp(kind, "ANY_SUBLINK") == 0)
		use_operator_named(analysis, NULL, "=");
	walk_member(analysis, level, body, "testexpr");
	(void)walk_query(analysis, level, tree_member(body, "subselect"));
	return no_type;
}

static void walk_subscript(struct analysis *analysis, struct level *level,
			   const struct tree_value *body)
{
	walk_member(analysis, level, body, "lidx");
	walk_member(analysis, level, body, "uidx");
}

static struct value_type walk_indirection(struct analysis *analysis, struct level *level,
					  const struct tree_value *body)
{
	struct value_type type = walk_expression(analysis, level, tree_member(body, "arg"));

	tree_for_each(item, tree_member(body, "indirection"))
	{
		const char *field = node_name(item);
		struct node node;

		if (field) {
			type = column_field(analysis, type, field);
			continue;
		}
		node = node_read(analysis, item);
		if (node_is(node, "A_Indices")) {
			walk_subscript(analysis, level, node.body);
			type = no_type;
		} else if (!node_is(node, "A_Star")) {
			analysis_unknown_node(analysis, "A_Indirection", "indirection");
		}
	}
	return type;
}

void walk_target_indirection(struct analysis *analysis, struct level *level,
			     const struct tree_value *indirection)
{
	tree_for_each(item, indirection)
	{
		struct node node;

		if (node_name(item))
			continue;
		node = node_read(analysis, item);
		if (node_is(node, "A_Indices"))
			walk_subscript(analysis, level, node.body);
		else
			analysis_unknown_node(analysis, "ResTarget", "indirection");
	}
}

/* (a, b) = (SELECT ...): the source stands in the tree once for each column. */
static struct value_type walk_multiple(struct analysis *analysis, struct level *level,
				       const struct tree_value *body)
{
	if (tree_number(body, "colno") == 1)
		walk_member(analysis, level, body, "source");
	return no_type;
}

static const struct {
	const char *kind;
	walk_node walk;
} walkers[] = {
	{"ColumnRef", walk_column},	   {"A_Expr", walk_operator},
	{"FuncCall", walk_call},	   {"TypeCast", walk_cast},
	{"CaseExpr", walk_case},	   {"SubLink", walk_sublink},
	{"CollateClause", walk_collate},   {"A_Indirection", walk_indirection},
	{"MultiAssignRef", walk_multiple},
};

static struct value_type walk_one(struct analysis *analysis, struct level *level, struct node node)
{
	for (size_t i = 0; i < ARRAY_SIZE(walkers); i++)
		if (strcmp(walkers[i].kind, node.kind) == 0)
			return walkers[i].walk(analysis, level, node.body);
	if (!walk_plain(analysis, level, node))
		analysis_unknown_node(analysis, node.kind, NULL);
	return no_type;
}

struct value_type walk_expression(struct analysis *analysis, struct level *level,
				  const struct tree_value *value)
{
	const struct node node = node_read(analysis, value);
	const bool alone = analysis->alone;
	struct value_type type = {0};

	analysis->alone = false;
	if (!node.kind)
		return no_type;
	if (analysis_enter(analysis))
		type = walk_one(analysis, level, node);
	analysis_leave(analysis);
	if (type.lookup && !alone)
		analysis_deny(analysis, "sql-type",
			      "%s is granted in a comparison, a cast or a result alone: here it "
			      "would make other values names too",
			      type.lookup);
	type.lookup = NULL;
	return type;
}

struct value_type walk_alone(struct analysis *analysis, struct level *level,
			     const struct tree_value *value)
{
	analysis->alone = true;
	return walk_expression(analysis, level, value);
}

void walk_sort(struct analysis *analysis, struct level *level, const struct tree_value *sort)
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
		walk_member(analysis, level, node.body, "node");
	}
}

void walk_window(struct analysis *analysis, struct level *level, const struct tree_value *window)
{
	if (!window || !node_check(analysis, "WindowDef", window))
		return;
	walk_list(analysis, level, tree_member(window, "partitionClause"));
	walk_sort(analysis, level, tree_member(window, "orderClause"));
	walk_member(analysis, level, window, "startOffset");
	walk_member(analysis, level, window, "endOffset");
}
