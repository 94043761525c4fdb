// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <pg_query.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "sql/limits.h"

/* What the guard's parser has. */
#define PARSER_STACK (16UL << 20)
/* Of CPU, for a text within the limits; the bound that is promised, and ten times that where the
 * machine is slow: a text that costs square time passes neither. */
#define PROMISED_MS 100.0
#define ALLOWED_MS  1000.0

/* head, then `many` times piece, then middle, then `many` times back, then tail */
struct pattern {
	const char *head, *piece, *middle, *back, *tail;
};

static char *grow(const struct pattern *pattern, size_t many)
{
	char *text =
		malloc(strlen(pattern->head) + strlen(pattern->middle) + strlen(pattern->tail) +
		       many * (strlen(pattern->piece) + strlen(pattern->back)) + 1);
	char *to = text;

	assert_non_null(text);
	to = stpcpy(to, pattern->head);
	for (size_t i = 0; i < many; i++)
		to = stpcpy(to, pattern->piece);
	to = stpcpy(to, pattern->middle);
	for (size_t i = 0; i < many; i++)
		to = stpcpy(to, pattern->back);
	(void)strcpy(to, pattern->tail);
	return text;
}

static bool passes(const struct pattern *pattern, size_t many)
{
	_cleanup_free_ char *text = grow(pattern, many);

	return sql_limits_exceeded(text, strlen(text)) == NULL;
}

/* How often the piece may stand there. */
static size_t most(const struct pattern *pattern)
{
	size_t low = 0, high = 2U << 20;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (passes(pattern, middle))
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Parses in a child with the parser's stack: CPU milliseconds, or -1 where it died. */
static double parse_apart(const char *text)
{
	const struct rlimit stack = {PARSER_STACK, PARSER_STACK}, seconds = {10, 10};
	double spent = -1;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct timespec start, end;
		PgQueryParseResult result;

		if (setrlimit(RLIMIT_STACK, &stack) != 0 || setrlimit(RLIMIT_CPU, &seconds) != 0)
			_exit(2);
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
		result = pg_query_parse(text);
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		spent = (double)(end.tv_sec - start.tv_sec) * 1e3 +
			(double)(end.tv_nsec - start.tv_nsec) / 1e6;
		_exit(write(ends[1], &spent, sizeof(spent)) == (ssize_t)sizeof(spent) &&
				      (result.parse_tree || result.error)
			      ? 0
			      : 1);
	}
	(void)close(ends[1]);
	if (read(ends[0], &spent, sizeof(spent)) != (ssize_t)sizeof(spent))
		spent = -1;
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return spent;
}

static void what_passes_parses_without_a_crash_and_soon(void **state)
{
	static const struct pattern patterns[] = {
		{"SELECT 1", "+1", "", "", ""},
		{"SELECT a", "::int", "", "", ""},
		{"SELECT 1", " UNION SELECT 1", "", "", ""},
		{"SELECT 1", " except all SELECT 1", "", "", ""},
		{"SELECT 1 FROM a", " JOIN a ON x", "", "", ""},
		{"SELECT 1 FROM a", " CROSS JOIN a", "", "", ""},
		{"SELECT x", " AND x", "", "", ""},
		{"SELECT ", "NOT ", "x", "", ""},
		{"SELECT ", "- ", "x", "", ""},
		{"SELECT x", " IS NULL", "", "", ""},
		{"SELECT x", " ISNULL", "", "", ""},
		{"SELECT x", " LIKE x", "", "", ""},
		{"SELECT x", " BETWEEN 1 AND 2", "", "", ""},
		{"SELECT a", "[1]", "", "", ""},
		{"SELECT (a)", ".b", "", "", ""},
		{"SELECT a IN (1", ",1", ")", "", ""},
		{"SELECT a", ",a", "", "", ""},
		{"VALUES (1)", ",(1)", "", "", ""},
		{"SELECT ", "(", "1", ")", ""},
		{"SELECT ", "(SELECT ", "1", ")", ""},
		{"SELECT 1 FROM ", "(SELECT 1 FROM ", "a", ")x", ""},
		{"SELECT ", "ARRAY[", "1", "]", ""},
		{"SELECT ", "f(", "1", ")", ""},
		{"SELECT ", "a[", "1", "]", ""},
		{"UPDATE t SET (a,b,c,d) = (", "WITH x AS (UPDATE t SET (a,b,c,d) = (", "SELECT 1",
		 ") RETURNING 1) SELECT 1,1,1,1", ")"},
		{"UPDATE t SET a = 1", ", (a,b) = (SELECT 1,1)", "", "", ""},
		{"UPDATE t SET (a", ",a", ") = (SELECT 1", ",1", ")"},
		{"UPDATE t SET (a", ",a", ") = (1", "+1", ")"},
		{"UPDATE t SET (a", ",a", ") = (SELECT '", "\n", "')"},
		{"UPDATE t SET (a[1]", ",a.b", ") /* */ =ROW(1", ",f(1,2)", ")"},
		{"UPDATE t SET ", "(a,b)=1 IN (SELECT 1 WHERE ", "1", ")", ""},
		{"INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET (a", ",a", ") = (SELECT 1",
		 ",1", ")"},
		{"SELECT 1 WHERE (a,b) = (1,2)", " OR (a,b) = (1,2)", "", "", ""},
		{"SELECT ", "CASE WHEN 1 THEN ", "1", " END", ""},
		{"SELECT CASE", " WHEN 1 THEN 1", " END", "", ""},
		{"SELECT a", " COLLATE c", "", "", ""},
		{"SELECT a", " AT TIME ZONE b", "", "", ""},
		{"SELECT 1", ";SELECT 1", "", "", ""},
		{"SELECT ''", ",''", "", "", ""},
		{"SELECT 1 FROM a", ",a", "", "", ""},
		{"WITH a AS (SELECT 1)", ",a AS (SELECT 1)", "SELECT 1", "", ""},
		{"SELECT ", "/*", "", "*/", "1"},
		{"SELECT ", "/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/**/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/",
		 "1", "", ""},
		{"SELECT '", "x", "'", "", ""},
		{"SELECT \"", "x", "\"", "", ""},
		{"SELECT $$", "$a", "$$", "", ""},
		{"SELECT E'", "\\n", "'", "", ""},
		{"SELECT 'a'", "\n'b'", "", "", ""},
		{"SELECT ", "9", "", "", ""},
		{"SELECT 1 ", "=", "1", "", ""},
		{"SELECT 1 ", "+", "1", "", ""},
		{"SELECT 1 ", "+@", "1", "", ""},
		{"SELECT 1", " +++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++ 1",
		 "", "", ""},
		{"SELECT 1 ", "/**/+-", "1", "", ""},
		{"SELECT 1 ", "/*****/ + ", "1", "", ""},
		{"/*", "/*/", "", "*/", "*/ SELECT 1"},
		{"/*", "/", "*/ SELECT 1", "", ""},
		{"/*", "*", "/ SELECT 1", "", ""},
		{"/* ", "* ", "*/ SELECT 1", "", ""},
		{"/* ", "/ ", "*/ SELECT 1", "", ""},
		{"SELECT 'a'", " ", "b", "", ""},
		{"SELECT 'a'", "\n-- x\n", "b", "", ""},
		{"SELECT 'a'", " 'b'", "b", "", ""},
		{"SELECT ", "$a", "b", "", ""},
		{"SELECT ", "a", "b", "", ""},
		{"SELECT ", "1e", "b", "", ""},
		{"SELECT ", "1.", "b", "", ""},
		{"SELECT ", "U&\"a\" ", "b", "", ""},
		{"SELECT ", "U&'a' ", "b", "", ""},
		{"SELECT 1 -", "-", "\n", "", ""},
		{"", "\n", "SELECT 1", "", ""},
	};
	double slowest = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		size_t many = most(&patterns[i]);
		_cleanup_free_ char *text = grow(&patterns[i], many);
		double spent = parse_apart(text);

		if (spent < 0)
			fail_msg("%s%s..., %zu times, kills the parser or takes 10 s",
				 patterns[i].head, patterns[i].piece, many);
		if (spent > ALLOWED_MS)
			fail_msg("%s%s..., %zu times, takes %.0f ms", patterns[i].head,
				 patterns[i].piece, many, spent);
		if (spent > PROMISED_MS)
			print_message("# %s%s..., %zu times, takes %.0f ms\n", patterns[i].head,
				      patterns[i].piece, many, spent);
		if (spent > slowest)
			slowest = spent;
	}
	print_message("# slowest: %.0f ms\n", slowest);
}

static void what_kills_the_parser_does_not_pass(void **state)
{
	static const struct {
		struct pattern pattern;
		size_t many;
	} hostile[] = {
		{{"SELECT 1", "+1", "", "", ""}, 200000},
		{{"SELECT a", "::int", "", "", ""}, 100000},
		{{"SELECT 1", " UNION SELECT 1", "", "", ""}, 30000},
		{{"SELECT 1 FROM a", " JOIN a ON x", "", "", ""}, 20001},
		{{"SELECT ", "/*", "", "*/", "1"}, 33},
		{{"SELECT ", "/*/", "", "*/", "1"}, 33},
		{{"SELECT 1 FROM t WHERE a IN (1", ",1", ")", "", ""}, 1000000},
		{{"SELECT 1 *", "/*", "", "*/", "1"}, 33},
		{{"SELECT E'\\'", "",
		  "' /*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/"
		  "*/*/*/*/*/*/* */*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/"
		  "*/*/*/*/*/*/*/*/*/*/*/*/*/*/ 1",
		  "", ""},
		 1},
		{{"SELECT U&'\\'", "/*", "", "*/", "1"}, 33},
		{{"SELECT ", "/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/**/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/",
		  "1", "", ""},
		 15000},
		{{"SELECT 1 ", "+", "1", "", ""}, 64},
		{{"SELECT 1 ", "=", "1", "", ""}, 64},
		{{"/*", "/", "*/ SELECT 1", "", ""}, 5U << 20},
		{{"SELECT $a$ $b$ $a$", "/*", "", "*/", "1"}, 33},
		{{"SELECT E'a'\n'\\'", "", "'", "/*", "1"}, 33},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		if (passes(&hostile[i].pattern, hostile[i].many))
			fail_msg("%s%s...", hostile[i].pattern.head, hostile[i].pattern.piece);
}

static void strings_and_comments_count_as_what_they_are(void **state)
{
	static const struct pattern plain[] = {
		{"SELECT '", "/*", "'", "", ""},
		{"SELECT '", "+- ''", "'", "", ""},
		{"SELECT \"", "1+1 /* \"\" ", "\"", "", ""},
		{"SELECT $x$", "+ /* '", "$x$", "", ""},
		{"SELECT E'", "\\'+", "'", "", ""},
		{"SELECT e'a' -- x'\n'", "\\'+", "'", "", ""},
		{"-- ", "+ /* '", "\nSELECT 1", "", ""},
		{"/* ", "+ ' ", "*/ SELECT 1", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!passes(&plain[i], SQL_OPERATORS_MAX + 1))
			fail_msg("%s%s...", plain[i].head, plain[i].piece);
}

static void what_the_tree_copies_counts_as_often(void **state)
{
	static const struct {
		struct pattern pattern;
		size_t passes, fails;
	} cases[] = {
		{{"SELECT ", "(", "1", ")", ""}, SQL_GROUPS_MAX, SQL_GROUPS_MAX + 1},
		{{"UPDATE t SET (a,b,c,d) = (", "WITH x AS (UPDATE t SET (a,b,c,d) = (", "SELECT 1",
		  ") RETURNING 1) SELECT 1,1,1,1", ")"},
		 3,
		 8},
		{{"UPDATE t SET (a", ",a", ") = (SELECT 1", ",1", ")"}, 100, 300},
		/* Behind the next comma things count once again. */
		{{"UPDATE t SET (a,b) = (SELECT 1,1), c = f(1", ",1", ")", "", ""}, 39900, 40000},
		{{"UPDATE t SET (a,b) = f(1", ",1", ")", "", ""}, 19900, 20000},
		{{"UPDATE t SET (a,b,c,d) = ROW('", "x", "', 1)", "", ""}, 520000, 530000},
		{{"UPDATE t SET c = '", "x", "'", "", ""}, SQL_TEXT_MAX - 19, SQL_TEXT_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(passes(&cases[i].pattern, cases[i].passes));
		assert_false(passes(&cases[i].pattern, cases[i].fails));
	}
}

static void bytes_are_checked_before_anything_else(void **state)
{
	_cleanup_free_ char *text = malloc(SQL_TEXT_MAX + 1);

	(void)state;
	assert_non_null(text);
	(void)memset(text, ' ', SQL_TEXT_MAX + 1);
	assert_null(sql_limits_exceeded(text, SQL_TEXT_MAX));
	assert_non_null(sql_limits_exceeded(text, SQL_TEXT_MAX + 1));
	assert_null(sql_limits_exceeded("", 0));
	assert_null(sql_limits_exceeded("SELECT '\xc3\xa9'", 11));
	assert_string_equal(sql_limits_exceeded("SELECT \0", 8), "there is a NUL byte in it");
	assert_string_equal(sql_limits_exceeded("SELECT '\xc3'", 10), "it is not UTF-8");
	assert_string_equal(sql_limits_exceeded("\xc0\xaf", 2), "it is not UTF-8");
	assert_string_equal(sql_limits_exceeded("\xed\xa0\x80", 3), "it is not UTF-8");
	assert_string_equal(sql_limits_exceeded("\xf4\x90\x80\x80", 4), "it is not UTF-8");
	assert_string_equal(sql_limits_exceeded("\xc3", 1), "it is not UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_passes_parses_without_a_crash_and_soon),
		cmocka_unit_test(what_kills_the_parser_does_not_pass),
		cmocka_unit_test(strings_and_comments_count_as_what_they_are),
		cmocka_unit_test(what_the_tree_copies_counts_as_often),
		cmocka_unit_test(bytes_are_checked_before_anything_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
