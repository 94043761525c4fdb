// SPDX-License-Identifier: Apache-2.0
/* sql_shape against PostgreSQL's own scanner: random texts made of pieces that matter to either,
 * and the statements of the corpora, where they are ($AGENTPOL_CORPUS or ../shared/corpus). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sql/shape.h"
#include "tests/sql/real_scan.h"

#define ROOM	    4096
#define RANDOM_MANY 100000

static const char *const pieces[] = {
	"SELECT", " ",	  "a",	      "e",    "E",	 "U",	 "u&",	"n",	    "x",    "b",
	"_1",	  "$",	  "$1",	      "$$",   "'",	 "''",	 "'a'", "'\\'",	    "\"",   "\"a\"",
	"\"\"",	  "0",	  "1",	      "12",   "1.",	 ".5",	 "1e5", "1e",	    "e-5",  "+",
	"-",	  "--",	  "/*",	      "*/",   "/",	 "*",	 "::",	":",	    "..",   ".",
	",",	  "(",	  ")",	      "[",    "]",	 ";",	 "\n",	"\r",	    "\t",   "\f",
	"\v",	  "\\",	  "|",	      "&",    "=",	 "<>",	 "!",	"@",	    "?",    "{",
	"\x01",	  "\x7f", "\xc3\xa9", "\xff", "UESCAPE", "0x1F", "1_0", "'a'\n'b'", "NULL", "`",
};

static struct {
	size_t texts, taken;
} tally;

/* xorshift64*: the same texts in each run. */
static uint64_t chance = 88172645463325252ULL;
static size_t pick(size_t below)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return (size_t)((chance * 2685821657736338717ULL) >> 33) % below;
}

static void compare(const char *text, size_t length)
{
	char *shape = malloc(length + 1), *real = malloc(length + 1);
	size_t shape_length, real_length;
	bool plain;

	assert_true(shape && real);
	tally.texts++;
	if (sql_shape(text, length, shape, length, &shape_length)) {
		if (real_shape(text, length, real, &real_length, &plain)) {
			tally.taken++;
			if (!plain || shape_length != real_length ||
			    memcmp(shape, real, shape_length) != 0)
				fail_msg("the scanners differ: %s", text);
		}
	}
	free(shape);
	free(real);
}

static void random_texts_have_their_literals_where_the_parser_sees_them(void **state)
{
	char text[ROOM];

	(void)state;
	tally.texts = tally.taken = 0;
	for (size_t i = 0; i < RANDOM_MANY; i++) {
		size_t length = 0, many = 1 + pick(8);

		for (size_t j = 0; j < many; j++)
			length += (size_t)snprintf(text + length, ROOM - length, "%s",
						   pieces[pick(ARRAY_SIZE(pieces))]);
		compare(text, length);
	}
	print_message("# %zu texts, %zu with a shape\n", tally.texts, tally.taken);
	assert_true(tally.taken > RANDOM_MANY / 10);
}

static int compare_file(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	_cleanup_free_ char *text = NULL;
	const char *dot = strrchr(path, '.');
	struct error error;
	size_t length;
	char *line, *end;

	(void)status;
	(void)where;
	if (kind != FTW_F || !dot || strcmp(dot, ".sql") != 0)
		return 0;
	if (file_read_all(path, 64 << 20, &text, &length, &error) != 0)
		fail_msg("%s", error.text);
	/* By semicolons and by lines: any cut is a text like another. */
	for (line = text; line; line = end ? end + 1 : NULL) {
		end = strchr(line, ';');
		if (end)
			*end = '\0';
		compare(line, strlen(line));
		for (char *part = line, *stop; part; part = stop ? stop + 1 : NULL) {
			stop = strchr(part, '\n');
			if (stop)
				*stop = '\0';
			compare(part, strlen(part));
		}
	}
	return 0;
}

static void corpus_texts_have_their_literals_where_the_parser_sees_them(void **state)
{
	const char *corpus = getenv("AGENTPOL_CORPUS") ?: "../shared/corpus";
	char path[4096];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sql", corpus);
	if (access(path, R_OK) != 0) {
		/* Not skip(): cmocka 1.1.5 writes "not ok" before its SKIP. */
		print_message("# SKIP texts of the corpus: there is none at %s\n", path);
		return;
	}
	tally.texts = tally.taken = 0;
	assert_int_equal(nftw(path, compare_file, 16, FTW_PHYS), 0);
	print_message("# %zu texts, %zu with a shape\n", tally.texts, tally.taken);
	assert_true(tally.taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_texts_have_their_literals_where_the_parser_sees_them),
		cmocka_unit_test(corpus_texts_have_their_literals_where_the_parser_sees_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
