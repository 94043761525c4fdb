// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/catalog.h"

static const char whole[] =
	"{\"version\" : 1, \"relations\" : [{\"schema\": \"public\", \"name\": \"orders\", "
	"\"kind\": \"r\", \"columns\": [\"id\", {\"name\": \"address\", \"fields\": [\"street\", "
	"\"town\"]}, \"caf\\u00e9\"]}, {\"schema\": \"app\", \"name\": \"orders\", \"kind\": "
	"\"v\", \"columns\": []}, {\"schema\": \"app\", \"name\": \"a\", \"kind\": \"p\", "
	"\"columns\": [\"x\"]}],\n \"functions\": [{\"schema\": \"public\", \"name\": \"lower\"}, "
	"{\"schema\": \"app\", \"name\": \"abs\"}], \"operators\": [{\"schema\": \"public\", "
	"\"name\": \"+\"}]}\n";

static struct sql_catalog *read_text(const char *text, struct error *error)
{
	return sql_catalog_read(text, strlen(text), error);
}

static void relations_are_found_with_their_columns_in_order(void **state)
{
	struct error error;
	_cleanup_sql_catalog_ struct sql_catalog *catalog = read_text(whole, &error);
	const struct sql_relation *orders;

	(void)state;
	assert_non_null(catalog);
	assert_int_equal(catalog->relation_count, 3);
	orders = sql_catalog_relation(catalog, "public", "orders");
	assert_non_null(orders);
	assert_int_equal(orders->kind, 'r');
	assert_int_equal(orders->column_count, 3);
	assert_string_equal(orders->columns[0].name, "id");
	assert_null(orders->columns[0].fields);
	assert_int_equal(orders->columns[1].field_count, 2);
	assert_string_equal(orders->columns[1].fields[1], "town");
	assert_non_null(sql_relation_column(orders, "caf\xc3\xa9"));
	assert_null(sql_relation_column(orders, "purge"));
	assert_int_equal(sql_catalog_relation(catalog, "app", "orders")->kind, 'v');
	assert_non_null(sql_catalog_relation(catalog, "app", "a"));
	assert_null(sql_catalog_relation(catalog, "public", "a"));
	assert_null(sql_catalog_relation(catalog, "zoo", "orders"));
}

static void overloads_are_told_apart_by_kind(void **state)
{
	struct error error;
	_cleanup_sql_catalog_ struct sql_catalog *catalog = read_text(whole, &error);

	(void)state;
	assert_true(sql_catalog_overloads(catalog, SQL_OVERLOAD_FUNCTION, "lower"));
	assert_true(sql_catalog_overloads(catalog, SQL_OVERLOAD_FUNCTION, "abs"));
	assert_false(sql_catalog_overloads(catalog, SQL_OVERLOAD_OPERATOR, "lower"));
	assert_true(sql_catalog_overloads(catalog, SQL_OVERLOAD_OPERATOR, "+"));
	assert_false(sql_catalog_overloads(catalog, SQL_OVERLOAD_FUNCTION, "+"));
	assert_false(sql_catalog_overloads(catalog, SQL_OVERLOAD_FUNCTION, "upper"));
}

static void an_empty_catalog_is_one(void **state)
{
	struct error error;
	_cleanup_sql_catalog_ struct sql_catalog *catalog = read_text(
		"{\"version\":1,\"relations\":[],\"functions\":[],\"operators\":[]}", &error);

	(void)state;
	assert_non_null(catalog);
	assert_null(sql_catalog_relation(catalog, "public", "orders"));
	assert_false(sql_catalog_overloads(catalog, SQL_OVERLOAD_OPERATOR, "="));
}

/* Each prefix is no snapshot, and neither is the text with any one byte exchanged for a brace. */
static void what_is_cut_short_is_refused(void **state)
{
	struct error error;

	(void)state;
	for (size_t length = 0; length < strlen(whole) - 2; length++) {
		assert_null(sql_catalog_read(whole, length, &error));
		assert_int_equal(error.status, STATUS_UNUSABLE);
	}
}

static void what_is_not_understood_is_refused(void **state)
{
	static const char *const texts[] = {
		"[]",
		"null",
		"{\"version\":2,\"relations\":[],\"functions\":[],\"operators\":[]}",
		"{\"version\":01,\"relations\":[],\"functions\":[],\"operators\":[]}",
		"{\"relations\":[],\"functions\":[],\"operators\":[]}",
		"{\"version\":1,\"relations\":[],\"functions\":[]}",
		"{\"version\":1,\"relations\":[],\"functions\":[],\"operators\":[],\"x\":1}",
		"{\"version\":1,\"relations\":[],\"relations\":[],\"functions\":[],\"operators\":["
		"]}",
		"{\"version\":1,\"relations\":[],\"functions\":[],\"operators\":[]} x",
		"{\"version\":1,\"relations\":[],\"functions\":[],\"operators\":[],}",
		"{\"version\":1,\"relations\":[],\"functions\":[{\"schema\":\"a\"}],\"operators\":["
		"]}",
		"{\"version\":1,\"relations\":[],\"functions\":[{\"schema\":\"a\",\"name\":\"b\\"
		"u0000\"}],\"operators\":[]}",
		"{\"version\":1,\"relations\":[],\"functions\":[{\"schema\":\"a\",\"name\":\"\\ud8"
		"00\"}],\"operators\":[]}",
		"{\"version\":1,\"relations\":[],\"functions\":[{\"schema\":\"a\",\"name\":\"\xff\""
		"}],\"operators\":[]}",
		"{\"version\":1,\"relations\":[],\"functions\":[{\"schema\":\"a\",\"name\":\"\n\""
		"}],\"operators\":[]}",
		"{\"version\":1,\"relations\":[{\"schema\":\"a\",\"name\":\"b\",\"kind\":\"z\","
		"\"columns\":[]}],\"functions\":[],\"operators\":[]}",
		"{\"version\":1,\"relations\":[{\"schema\":\"a\",\"name\":\"b\",\"kind\":\"\","
		"\"columns\":[]}],\"functions\":[],\"operators\":[]}",
		"{\"version\":1,\"relations\":[{\"schema\":\"a\",\"name\":\"b\",\"kind\":\"r\","
		"\"columns\":[{\"name\":\"c\"}]}],\"functions\":[],\"operators\":[]}",
		"{\"version\":1,\"relations\":[{\"schema\":\"a\",\"name\":\"b\",\"kind\":\"r\","
		"\"columns\":[]},{\"schema\":\"a\",\"name\":\"b\",\"kind\":\"v\",\"columns\":[]}],"
		"\"functions\":[],\"operators\":[]}",
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		error.text[0] = '\0';
		if (read_text(texts[i], &error))
			fail_msg("taken: %s", texts[i]);
		assert_non_null(strstr(error.text, "byte "));
	}
}

static void names_stand_in_the_query_as_literals(void **state)
{
	struct sql_table tables[] = {{.name = "o'rders"}, {.schema = "a\\b", .name = "x\"y"}};
	struct sql_grant grants[] = {{SQL_SELECT, tables, ARRAY_SIZE(tables)}};
	const char *path[] = {"public"}, *functions[] = {"app.total"};
	struct sql_policy policy = {
		.grants = grants,
		.grant_count = 1,
		.search_path = {path, 1},
		.functions = {functions, 1},
		.catalog = CATALOG_NONE,
	};
	struct arena *arena = arena_new();
	const char *query = sql_catalog_query(&policy, arena);

	(void)state;
	assert_non_null(query);
	assert_non_null(strstr(query, "ARRAY[E'o''rders', E'x\"y']"));
	assert_non_null(strstr(query, "ARRAY[E'pg_catalog', E'public', E'a\\\\b']"));
	assert_non_null(strstr(query, "ARRAY[E'total', "));
	assert_null(strstr(query, "E'pg_type'"));
	policy.catalog = CATALOG_TYPES;
	query = sql_catalog_query(&policy, arena);
	assert_non_null(strstr(query, "E'pg_type'"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relations_are_found_with_their_columns_in_order),
		cmocka_unit_test(overloads_are_told_apart_by_kind),
		cmocka_unit_test(an_empty_catalog_is_one),
		cmocka_unit_test(what_is_cut_short_is_refused),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(names_stand_in_the_query_as_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
