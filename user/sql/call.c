// SPDX-License-Identifier: Apache-2.0
/* Functions, operators, types and collations that an expression uses. */
#include <string.h>

#include "sql/analysis.h"
#include "sql/builtins.h"
#include "sql/function_columns.h"
#include "sql/literal_name.h"

static const struct value_type no_type;

static bool is_own(const char *schema)
{
	return !schema || strcmp(schema, "pg_catalog") == 0;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* ---- functions ---- */

static bool is_regclass(const struct tree_value *type)
{
	const struct tree_value *names = tree_member(type, "names");
	const struct tree_value *last = names;

	tree_for_each(item, names) last = item;
	return names && names->count <= 2 && !tree_member(type, "arrayBounds") && node_name(last) &&
	       strcmp(node_name(last), "regclass") == 0;
}

/* The string that a literal is, also one that is cast to regclass; NULL for what is none. */
static const char *literal_text(const struct tree_value *value)
{
	const struct tree_value *cast = tree_member(value, "TypeCast");

	if (cast && is_regclass(tree_member(cast, "typeName")))
		value = tree_member(cast, "arg");
	return tree_string(tree_member(tree_member(value, "A_Const"), "sval"), "sval");
}

/* nextval('s') and its kin touch the sequence that their literal names. */
static void use_sequence(struct analysis *analysis, struct level *level, const char *function,
			 const struct tree_value *arguments)
{
	const char *text = arguments && arguments->count ? literal_text(arguments + 1) : NULL;
	const char *schema, *name;
	const struct table *table;

	tree_for_each(argument, arguments) if (argument != arguments + 1)(void)
		walk_expression(analysis, level, argument);
	if (!text || !literal_name(analysis->arena, text, &schema, &name)) {
		analysis_deny(analysis, "sql-function",
			      "%s is granted of a sequence that a literal names alone", function);
		return;
	}
	analysis->decision->literals_decide = true;
	table = scope_table(analysis, schema, name);
	if (table)
		(void)access_note(analysis, SQL_ACCESS_RELATION, SQL_USE_UPDATE, table->schema,
				  table->name);
}

/* The fields of what PostgreSQL's own function returns, where they are known. */
static struct value_type fields_of(const struct analysis *analysis, const char *schema,
				   const char *name)
{
	const struct sql_catalog *catalog = analysis->subject->catalog;
	const char *const *columns = function_columns(name);
	struct value_type type = {0};

	/* One column is no row. */
	if (!columns || !columns[0] || !columns[1] || !is_own(schema) ||
	    (!schema && catalog && sql_catalog_overloads(catalog, SQL_OVERLOAD_FUNCTION, name)))
		return no_type;
	type.fields = columns;
	while (columns[type.field_count])
		type.field_count++;
	return type;
}

static struct value_type call_type(const struct analysis *analysis, const char *schema,
				   const char *name)
{
	static const char *const returns[][2] = {{"pg_typeof", "regtype"},
						 {"get_current_ts_config", "regconfig"}};
	struct value_type type = fields_of(analysis, schema, name);

	for (size_t i = 0; is_own(schema) && i < ARRAY_SIZE(returns); i++)
		if (strcmp(returns[i][0], name) == 0 &&
		    !sql_catalog_opens_type(analysis->subject->policy->catalog, returns[i][1]))
			type.lookup = returns[i][1];
	return type;
}

/* PostgreSQL's own functions may take a type from one argument and give it to another (lag). One
 * that the manifest names is meant to look names up. */
static void walk_arguments(struct analysis *analysis, struct level *level, const char *schema,
			   const char *name, const struct tree_value *arguments)
{
	const bool granted = grants_function(analysis, schema, name) &&
			     !(is_own(schema) && sql_function_is_harmless(name, NULL));

	tree_for_each(argument, arguments)
	{
		analysis->alone = granted;
		(void)walk_expression(analysis, level, argument);
	}
}

struct value_type walk_call(struct analysis *analysis, struct level *level,
			    const struct tree_value *call)
{
	static const char *const sequence[] = {"nextval", "currval", "setval"};
	const struct tree_value *arguments = tree_member(call, "args");
	const char *schema, *name;

	if (!node_qualified(analysis, "sql-function", tree_member(call, "funcname"), &schema,
			    &name))
		return no_type;
	(void)access_note(analysis, SQL_ACCESS_FUNCTION, SQL_USE_CALL, schema, name);
	if (is_own(schema) && is_one_of(name, sequence, ARRAY_SIZE(sequence)))
		use_sequence(analysis, level, name, arguments);
	else
		walk_arguments(analysis, level, schema, name, arguments);
	walk_sort(analysis, level, tree_member(call, "agg_order"));
	(void)walk_expression(analysis, level, tree_member(call, "agg_filter"));
	walk_window(analysis, level, tree_member(call, "over"));
	return call_type(analysis, schema, name);
}

/* ---- operators ---- */

void use_operator_named(struct analysis *analysis, const char *schema, const char *sign)
{
	const struct sql_catalog *catalog = analysis->subject->catalog;

	if (is_own(schema) && sql_operator_is_harmless(sign) &&
	    (schema || !catalog || !sql_catalog_overloads(catalog, SQL_OVERLOAD_OPERATOR, sign)))
		return;
	(void)access_note(analysis, SQL_ACCESS_OPERATOR, SQL_USE_CALL, schema, sign);
}

void use_operator(struct analysis *analysis, const struct tree_value *names)
{
	const char *schema, *sign;

	if (node_qualified(analysis, "sql-operator", names, &schema, &sign))
		use_operator_named(analysis, schema, sign);
}

/* ---- types ---- */

void use_type(struct analysis *analysis, struct level *level, const struct tree_value *type)
{
	const char *schema, *name;

	if (!type || !node_check(analysis, "TypeName", type)) {
		analysis_unknown_node(analysis, "TypeName", NULL);
		return;
	}
	if (tree_member(type, "pct_type") || tree_member(type, "setof")) {
		analysis_deny(analysis, "sql-type", "%%TYPE and SETOF are not granted");
		return;
	}
	if (!node_qualified(analysis, "sql-type", tree_member(type, "names"), &schema, &name))
		return;
	walk_list(analysis, level, tree_member(type, "typmods"));
	if (!is_own(schema) || !sql_type_is_harmless(name))
		(void)access_note(analysis, SQL_ACCESS_TYPE, SQL_USE_CALL, schema, name);
}

/* 'customers'::regclass: the relation's number. Is it one that the statement may know of? */
static bool use_relation_name(struct analysis *analysis, const char *text)
{
	const struct table *table;
	const char *schema, *name;

	if (!literal_name(analysis->arena, text, &schema, &name))
		return false;
	table = scope_table(analysis, schema, name);
	if (table)
		(void)access_note(analysis, SQL_ACCESS_RELATION, SQL_USE_READ, table->schema,
				  table->name);
	return true;
}

static bool use_type_name(struct analysis *analysis, const char *text)
{
	const char *schema, *name;

	return literal_name(analysis->arena, text, &schema, &name) && is_own(schema) &&
	       sql_type_is_harmless(name);
}

/* What drivers compare pg_type.typinput and typreceive with, to tell kinds of types apart. */
static const char *const kind_inputs[] = {
	"array_in",	 "array_recv", "domain_in", "domain_recv", "enum_in",	"enum_recv",
	"multirange_in", "range_in",   "record_in", "record_recv", "range_recv"};

static bool use_function_name(struct analysis *analysis, const char *text)
{
	const char *schema, *name;

	if (analysis->subject->policy->catalog == CATALOG_NONE ||
	    !literal_name(analysis->arena, text, &schema, &name) || !is_own(schema))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kind_inputs); i++)
		if (strcmp(kind_inputs[i], name) == 0)
			return true;
	return false;
}

/* Types whose input looks a name up: what a literal names can be told. */
static const struct {
	const char *name;
	bool (*use)(struct analysis *analysis, const char *text);
} lookups[] = {
	{"regclass", use_relation_name},
	{"regtype", use_type_name},
	{"regproc", use_function_name},
};

/* A literal that was looked at, or a table's own number. */
static bool lookup_is_known(struct analysis *analysis, const char *name,
			    const struct tree_value *argument, struct value_type argument_type)
{
	const char *text =
		tree_string(tree_member(tree_member(argument, "A_Const"), "sval"), "sval");

	for (size_t i = 0; text && i < ARRAY_SIZE(lookups); i++)
		if (strcmp(lookups[i].name, name) == 0) {
			analysis->decision->literals_decide = true;
			if (lookups[i].use(analysis, text))
				return true;
		}
	return argument_type.tableoid && strcmp(name, "regclass") == 0;
}

const char *use_cast(struct analysis *analysis, struct level *level, const struct tree_value *type,
		     const struct tree_value *argument, struct value_type argument_type)
{
	const struct tree_value *names = tree_member(type, "names");
	const char *schema = NULL, *name = NULL;
	bool opened, known;

	if (names && names->count <= 2 && !tree_member(type, "arrayBounds") &&
	    node_check(analysis, "TypeName", type) &&
	    node_qualified(analysis, "sql-type", names, &schema, &name) && is_own(schema)) {
		known = lookup_is_known(analysis, name, argument, argument_type);
		opened = sql_catalog_opens_type(analysis->subject->policy->catalog, name);
		if (known || opened)
			return opened ? NULL : name;
	}
	use_type(analysis, level, type);
	return NULL;
}

/* A collation runs nothing. Those of other schemas are left out since they name what is there. */
void use_collation(struct analysis *analysis, const struct tree_value *names)
{
	const char *schema, *name;

	if (node_qualified(analysis, "sql-type", names, &schema, &name) && !is_own(schema))
		analysis_deny(analysis, "sql-type", "collation %s.%s is not granted", schema, name);
}
