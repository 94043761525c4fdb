// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/builtins.h"
#include "sql/builtins_table.h"

static void assert_sorted(const struct builtin_names *names)
{
	assert_true(names->count > 0);
	for (size_t i = 1; i < names->count; i++)
		if (strcmp(names->items[i - 1], names->items[i]) >= 0)
			fail_msg("%s stands before %s", names->items[i - 1], names->items[i]);
}

static void lists_are_sorted_and_tell_apart(void **state)
{
	(void)state;
	assert_sorted(&builtin_harmless_functions);
	assert_sorted(&builtin_harmless_operators);
	assert_sorted(&builtin_harmless_types);
	assert_sorted(&builtin_types_functions);
	assert_sorted(&builtin_schema_functions);
	assert_sorted(&builtin_types_types);
	assert_sorted(&builtin_schema_types);
	for (size_t i = 0; i < builtin_refusal_count; i++) {
		const struct builtin_names *refused = &builtin_refusals[i].functions;

		assert_sorted(refused);
		for (size_t j = 0; j < refused->count; j++)
			if (sql_function_is_harmless(refused->items[j], NULL))
				fail_msg("%s is harmless, and refused", refused->items[j]);
	}
	for (size_t i = 0; i < builtin_harmless_functions.count; i++) {
		const char *why = "";

		assert_true(sql_function_is_harmless(builtin_harmless_functions.items[i], &why));
		assert_null(why);
	}
}

static void what_analysts_write_is_harmless(void **state)
{
	static const char *const names[] = {
		"abs",
		"array_agg",
		"avg",
		"btrim",
		"count",
		"date_trunc",
		"dense_rank",
		"extract",
		"lower",
		"max",
		"now",
		"percentile_cont",
		"random",
		"round",
		"rank",
		"row_number",
		"row_to_json",
		"string_agg",
		"substring",
		"sum",
		"to_char",
		"to_tsvector",
		"unnest",
		"upper",
		"clock_timestamp",
		"jsonb_agg",
		"json_build_object",
		"generate_series",
		"lag",
		"regexp_replace",
		"to_json",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!sql_function_is_harmless(names[i], NULL))
			fail_msg("%s is not harmless", names[i]);
}

static void what_reaches_further_is_refused_with_its_reason(void **state)
{
	static const char *const names[][2] = {
		{"pg_sleep", "waits"},
		{"pg_read_file", "reads files"},
		{"query_to_xml", "runs SQL given as text"},
		{"ts_rewrite", "runs SQL given as text"},
		{"table_to_xml", "reads other relations"},
		{"current_setting", "reads settings"},
		{"set_config", "changes settings"},
		{"lo_create", "reads or writes large objects"},
		{"nextval", "reads or changes sequences"},
		{"pg_advisory_lock", "takes locks"},
		{"pg_get_viewdef", "tells of the catalog"},
		{"has_table_privilege", "tells who may do what"},
		{"repeat", "builds values as large as its arguments say"},
		{"lpad", "builds values as large as its arguments say"},
		{"textin", "is a part of PostgreSQL's own machinery"},
		{"pg_terminate_backend", "ends or signals other sessions"},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(sql_function_is_harmless(names[i][0], &why));
		assert_non_null(why);
		assert_string_equal(why, names[i][1]);
	}
	assert_false(sql_function_is_harmless("purge_orders", &why));
	assert_null(why);
	assert_false(sql_function_is_harmless("", &why));
}

static void types_that_look_names_up_are_not_harmless(void **state)
{
	(void)state;
	assert_true(sql_type_is_harmless("int4"));
	assert_true(sql_type_is_harmless("_text"));
	assert_true(sql_type_is_harmless("oid"));
	assert_true(sql_type_is_harmless("jsonb"));
	assert_false(sql_type_is_harmless("regclass"));
	assert_false(sql_type_is_harmless("_regclass"));
	assert_false(sql_type_is_harmless("xml"));
	assert_false(sql_type_is_harmless("cstring"));
	assert_false(sql_type_is_harmless("aclitem"));
	assert_false(sql_type_is_harmless("pg_class"));
	assert_false(sql_type_is_harmless("record"));
	assert_false(sql_type_is_harmless("posint"));
	assert_true(sql_operator_is_harmless("="));
	assert_true(sql_operator_is_harmless("->>"));
	assert_false(sql_operator_is_harmless("<<<>>>"));
}

static bool opens(enum sql_catalog_level level, const char *schema, const char *relation,
		  const char *column)
{
	const char *const *columns = sql_catalog_columns(level, schema, relation);

	for (; columns && *columns; columns++)
		if (strcmp(*columns, column) == 0)
			return true;
	return false;
}

static void a_level_opens_what_the_manifest_page_says(void **state)
{
	(void)state;
	assert_true(opens(CATALOG_TYPES, "pg_catalog", "pg_type", "typname"));
	assert_true(opens(CATALOG_TYPES, "pg_catalog", "pg_namespace", "nspname"));
	assert_false(opens(CATALOG_TYPES, "pg_catalog", "pg_namespace", "nspacl"));
	assert_null(sql_catalog_columns(CATALOG_TYPES, "pg_catalog", "pg_class"));
	assert_null(sql_catalog_columns(CATALOG_NONE, "pg_catalog", "pg_type"));
	assert_null(sql_catalog_columns(CATALOG_TYPES, "public", "pg_type"));
	assert_true(opens(CATALOG_SCHEMA, "pg_catalog", "pg_class", "relname"));
	assert_false(opens(CATALOG_SCHEMA, "pg_catalog", "pg_class", "relacl"));
	assert_true(opens(CATALOG_SCHEMA, "information_schema", "columns", "column_name"));
	assert_null(sql_catalog_columns(CATALOG_SCHEMA, "pg_catalog", "pg_authid"));
	assert_null(sql_catalog_columns(CATALOG_SCHEMA, "pg_catalog", "pg_shadow"));
	assert_null(sql_catalog_columns(CATALOG_SCHEMA, "pg_catalog", "pg_statistic"));
	assert_null(sql_catalog_columns(CATALOG_SCHEMA, "pg_catalog", "pg_stats"));
	assert_null(sql_catalog_columns(CATALOG_SCHEMA, "pg_catalog", "pg_stat_activity"));
	assert_false(opens(CATALOG_SCHEMA, "pg_catalog", "pg_roles", "rolpassword"));
	assert_true(sql_catalog_opens_function(CATALOG_SCHEMA, "pg_get_expr"));
	assert_false(sql_catalog_opens_function(CATALOG_TYPES, "pg_get_expr"));
	assert_false(sql_catalog_opens_function(CATALOG_NONE, "format_type"));
	assert_true(sql_catalog_opens_type(CATALOG_SCHEMA, "regclass"));
	assert_false(sql_catalog_opens_type(CATALOG_TYPES, "regclass"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_sorted_and_tell_apart),
		cmocka_unit_test(what_analysts_write_is_harmless),
		cmocka_unit_test(what_reaches_further_is_refused_with_its_reason),
		cmocka_unit_test(types_that_look_names_up_are_not_harmless),
		cmocka_unit_test(a_level_opens_what_the_manifest_page_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
