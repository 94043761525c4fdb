// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "sql/shape.h"

#define ROOM 1024

static void literals_become_marks(void **state)
{
	static const char *const texts[][2] = {
		{"", ""},
		{"SELECT 1", "SELECT ?"},
		{"SELECT abalance FROM t WHERE aid = 4711;",
		 "SELECT abalance FROM t WHERE aid = ?;"},
		{"SELECT 'a', 'it''s', '\\', 'caf\xc3\xa9'", "SELECT ?, ?, ?, ?"},
		{"SELECT 1e5, 1.e3, .5, 1.5E-7, 10.", "SELECT ?, ?, ?, ?, ?"},
		{"SELECT $1, $23 + 1", "SELECT $1, $23 + ?"},
		{"SELECT a$1, t1.c2 FROM t1", "SELECT a$1, t1.c2 FROM t1"},
		{"SELECT \"a 1 '\", \"x\"\"y\"", "SELECT \"a 1 '\", \"x\"\"y\""},
		{"SELECT -1, a-1, 2-1", "SELECT -?, a-?, ?-?"},
		{"SELECT '1'::int, x::numeric(10,2)", "SELECT ?::int, x::numeric(?,?)"},
		{"SELECT 'a' 'b'", "SELECT ? ?"},
		{"SELECT '--', '/*' -\t1", "SELECT ?, ? -\t?"},
		{"LIMIT 5 OFFSET 10", "LIMIT ? OFFSET ?"},
		{"SELECT a.5", "SELECT a?"},
		{"SELECT u & 'x'", "SELECT u & ?"},
		{"SELECT 'a\nb'", "SELECT ?"},
	};
	char printed[ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_true(sql_shape_print(texts[i][0], strlen(texts[i][0]), printed, ROOM));
		assert_string_equal(printed, texts[i][1]);
	}
}

static void what_is_not_plain_has_no_shape(void **state)
{
	static const char *const texts[] = {
		"SELECT E'a'",
		"SELECT e'a'",
		"SELECT U&'a'",
		"SELECT u&\"a\"",
		"SELECT B'1'",
		"SELECT X'1F'",
		"SELECT n'a'",
		"SELECT $$a$$",
		"SELECT $a$a$a$",
		"SELECT 1 -- x",
		"SELECT 1 /* x */",
		"SELECT 1+/**/1",
		"SELECT 1 +--\n1",
		"SELECT 0x1F",
		"SELECT 1_000",
		"SELECT 1..2",
		"SELECT 1.2.3",
		"SELECT 1a",
		"SELECT 1e",
		"SELECT 1e+",
		"SELECT $1a",
		"SELECT $",
		"SELECT 'a",
		"SELECT \"a",
		"SELECT \"\"",
		"SELECT 'a'\n'b'",
		"SELECT 'a' \r 'b'",
		"SELECT \\",
		"SELECT caf\xc3\xa9",
		"SELECT '\xff'",
		"SELECT '\xc3'",
		"SELECT '\xc0\x80'",
		"SELECT \x01",
		"SELECT \v1",
		"SELECT \"\x02\"",
		"SELECT \x7f",
		"SELECT date'2020-01-01'",
		"SELECT \"\xc3\xa9\"",
		"SELECT {",
	};
	char printed[ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (sql_shape_print(texts[i], strlen(texts[i]), printed, ROOM))
			fail_msg("%s has the shape %s", texts[i], printed);
	assert_false(sql_shape_print("SELECT '\0'", 10, printed, ROOM));
	assert_false(sql_shape_print("SELECT \0", 8, printed, ROOM));
}

static void a_number_is_not_a_string(void **state)
{
	char one[ROOM], two[ROOM];
	size_t length;

	(void)state;
	assert_true(sql_shape("SELECT 1", 8, one, ROOM, &length));
	assert_int_equal(length, 8);
	assert_true(sql_shape("SELECT '1'", 10, two, ROOM, &length));
	assert_int_equal(length, 8);
	assert_memory_not_equal(one, two, 8);
	assert_true(sql_shape("SELECT 123456789", 16, two, ROOM, &length));
	assert_int_equal(length, 8);
	assert_memory_equal(one, two, 8);
}

static void a_shape_keeps_to_its_room(void **state)
{
	char shape[ROOM];
	size_t length;

	(void)state;
	assert_true(sql_shape("SELECT abc", 10, shape, 10, &length));
	assert_false(sql_shape("SELECT abc", 10, shape, 9, &length));
	assert_false(sql_shape("SELECT 1", 8, shape, 7, &length));
	assert_true(sql_shape_print("a", 1, shape, 2));
	assert_false(sql_shape_print("a", 1, shape, 1));
	assert_false(sql_shape_print("", 0, shape, 0));
}

/* No more than a bound that only a scanner gone wrong would pass, whatever the machine. */
static void a_shape_is_cheap(void **state)
{
	static const char text[] = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711 + 1;";
	struct timespec start, end;
	char shape[ROOM];
	size_t length;
	double each;

	(void)state;
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 100000; i++)
		assert_true(sql_shape(text, sizeof(text) - 1, shape, ROOM, &length));
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	each = ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
	       100000;
	print_message("# %.0f ns a shape\n", each);
	assert_true(each < 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_become_marks),
		cmocka_unit_test(what_is_not_plain_has_no_shape),
		cmocka_unit_test(a_number_is_not_a_string),
		cmocka_unit_test(a_shape_keeps_to_its_room),
		cmocka_unit_test(a_shape_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
