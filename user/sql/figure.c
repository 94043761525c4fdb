// SPDX-License-Identifier: Apache-2.0
/* The name of a result's column that is given none: FigureColname of PostgreSQL's parse_target.c.
 * A name that were told wrong would be taken for a column where PostgreSQL calls a function. */
#include <string.h>

#include "sql/analysis.h"

static const char *last_name(const struct tree_value *list)
{
	const char *name = NULL;

	tree_for_each(item, list) if (node_name(item)) name = node_name(item);
	return name;
}

/* Kinds that have a name of their own. */
static const struct {
	const char *kind;
	const char *name;
} fixed[] = {{"GroupingFunc", "grouping"},
	     {"A_ArrayExpr", "array"},
	     {"RowExpr", "row"},
	     {"CoalesceExpr", "coalesce"}};

static const struct {
	const char *op;
	const char *name;
} value_functions[] = {
	{"SVFOP_CURRENT_DATE", "current_date"},
	{"SVFOP_CURRENT_TIME", "current_time"},
	{"SVFOP_CURRENT_TIME_N", "current_time"},
	{"SVFOP_CURRENT_TIMESTAMP", "current_timestamp"},
	{"SVFOP_CURRENT_TIMESTAMP_N", "current_timestamp"},
	{"SVFOP_LOCALTIME", "localtime"},
	{"SVFOP_LOCALTIME_N", "localtime"},
	{"SVFOP_LOCALTIMESTAMP", "localtimestamp"},
	{"SVFOP_LOCALTIMESTAMP_N", "localtimestamp"},
	{"SVFOP_CURRENT_ROLE", "current_role"},
	{"SVFOP_CURRENT_USER", "current_user"},
	{"SVFOP_USER", "user"},
	{"SVFOP_SESSION_USER", "session_user"},
	{"SVFOP_CURRENT_CATALOG", "current_catalog"},
	{"SVFOP_CURRENT_SCHEMA", "current_schema"},
};

/* How much a name is worth: a cast's type gives way to STRONG ones. */
enum strength { NONE, WEAK, STRONG };

struct figured {
	const char *name;
	enum strength strength;
};

static struct figured figure(const struct tree_value *value);

/* "*" and "t.*", whose first column has a name that is not told here */
static bool ends_in_star(const struct tree_value *value)
{
	const struct tree_value *body = value && value->count == 1 ? value + 1 : NULL;
	const struct tree_value *last = NULL;

	tree_for_each(item, tree_member(body, "fields")) last = item;
	tree_for_each(item, tree_member(body, "indirection")) last = item;
	return last && !node_name(last);
}

/* The name of the first column of a subquery. */
static struct figured figure_subquery(const struct tree_value *wrapped)
{
	const struct tree_value *select = tree_member(wrapped, "SelectStmt"), *targets, *target;
	const char *name;

	while (tree_member(select, "larg"))
		select = tree_member(select, "larg");
	if (tree_member(select, "valuesLists"))
		return (struct figured){"column1", STRONG};
	targets = tree_member(select, "targetList");
	if (!targets || targets->count == 0)
		return (struct figured){NULL, NONE};
	target = tree_member(targets + 1, "ResTarget");
	name = tree_string(target, "name");
	if (!name && ends_in_star(tree_member(target, "val")))
		return (struct figured){NULL, STRONG};
	if (!name)
		name = figure(tree_member(target, "val")).name;
	return (struct figured){name ? name : "?column?", STRONG};
}

static struct figured figure_sublink(const struct tree_value *body)
{
	const char *kind = tree_string(body, "subLinkType");

	if (kind && strcmp(kind, "EXISTS_SUBLINK") == 0)
		return (struct figured){"exists", STRONG};
	if (kind && strcmp(kind, "ARRAY_SUBLINK") == 0)
		return (struct figured){"array", STRONG};
	if (kind && strcmp(kind, "EXPR_SUBLINK") == 0)
		return figure_subquery(tree_member(body, "subselect"));
	return (struct figured){NULL, NONE};
}

static struct figured figure_cast(const struct tree_value *body)
{
	const struct figured inner = figure(tree_member(body, "arg"));
	const char *type = last_name(tree_member(tree_member(body, "typeName"), "names"));

	if (inner.strength == STRONG || !type)
		return inner;
	return (struct figured){type, WEAK};
}

static struct figured figure_case(const struct tree_value *body)
{
	const struct figured inner = figure(tree_member(body, "defresult"));

	return inner.strength == STRONG ? inner : (struct figured){"case", WEAK};
}

static struct figured figure_indirection(const struct tree_value *body)
{
	const char *name = last_name(tree_member(body, "indirection"));

	return name ? (struct figured){name, STRONG} : figure(tree_member(body, "arg"));
}

static struct figured figure_operator(const struct tree_value *body)
{
	const char *kind = tree_string(body, "kind");

	if (kind && strcmp(kind, "AEXPR_NULLIF") == 0)
		return (struct figured){"nullif", STRONG};
	return (struct figured){NULL, NONE};
}

static struct figured figure_minmax(const struct tree_value *body)
{
	const char *op = tree_string(body, "op");
	const bool least = op && strcmp(op, "IS_LEAST") == 0;

	return (struct figured){least ? "least" : "greatest", STRONG};
}

static struct figured figure_value_function(const struct tree_value *body)
{
	const char *op = tree_string(body, "op");

	for (size_t i = 0; op && i < ARRAY_SIZE(value_functions); i++)
		if (strcmp(value_functions[i].op, op) == 0)
			return (struct figured){value_functions[i].name, STRONG};
	return (struct figured){NULL, NONE};
}

static struct figured figure_column(const struct tree_value *body)
{
	const char *name = last_name(tree_member(body, "fields"));

	return (struct figured){name, name ? STRONG : NONE};
}

static struct figured figure_call(const struct tree_value *body)
{
	return (struct figured){last_name(tree_member(body, "funcname")), STRONG};
}

static struct figured figure_collate(const struct tree_value *body)
{
	return figure(tree_member(body, "arg"));
}

static const struct {
	const char *kind;
	struct figured (*figure)(const struct tree_value *body);
} figurers[] = {
	{"ColumnRef", figure_column},  {"A_Indirection", figure_indirection},
	{"FuncCall", figure_call},     {"A_Expr", figure_operator},
	{"TypeCast", figure_cast},     {"CollateClause", figure_collate},
	{"SubLink", figure_sublink},   {"CaseExpr", figure_case},
	{"MinMaxExpr", figure_minmax}, {"SQLValueFunction", figure_value_function},
};

static struct figured figure(const struct tree_value *value)
{
	const struct tree_value *body = value && value->count == 1 ? value + 1 : NULL;

	for (size_t i = 0; body && body->key && i < ARRAY_SIZE(figurers); i++)
		if (strcmp(figurers[i].kind, body->key) == 0)
			return figurers[i].figure(body);
	for (size_t i = 0; body && body->key && i < ARRAY_SIZE(fixed); i++)
		if (strcmp(fixed[i].kind, body->key) == 0)
			return (struct figured){fixed[i].name, STRONG};
	return (struct figured){NULL, NONE};
}

const char *figure_name(const struct tree_value *value)
{
	const struct figured figured = figure(value);

	return figured.name || figured.strength == STRONG ? figured.name : "?column?";
}
