// SPDX-License-Identifier: Apache-2.0
/* The kernel's matcher and normal form, held against those of policy/paths.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/glob.h"
#include "compile/globs.h"
#include "policy/paths.h"

#define ROUNDS 200000

static uint64_t seed = 88172645463325252ULL;

static size_t pick(size_t count)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % count);
}

static struct glob_text text_of(const char *from)
{
	struct glob_text text = {.length = (uint32_t)strlen(from)};

	assert_true(text.length <= GLOB_TEXT_BYTES);
	memcpy(text.bytes, from, text.length);
	return text;
}

static bool matches(const char *pattern, bool literal, const char *path)
{
	const struct glob_text text = text_of(path);
	struct glob glob;

	return glob_compile(pattern, literal, &glob) && glob_matches(&glob, &text);
}

static void patterns_match_as_decide_has_them(void **state)
{
	static const char *const pieces[] = {"a",    "b",  "/",	 "*",  "?",
					     "/**/", "**", "a*", "/a", "/**/*"};

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		char pattern[48] = "/", path[24] = "/";
		size_t length = 1 + pick(20);

		for (size_t i = pick(9); i > 0; i--) {
			const char *piece = pieces[pick(ARRAY_SIZE(pieces))];

			(void)strncat(pattern, piece, sizeof(pattern) - strlen(pattern) - 1);
		}
		for (size_t i = 1; i < length; i++)
			path[i] = "ab/a"[pick(4)];
		if (matches(pattern, false, path) != path_matches(pattern, path))
			fail_msg("%s and %s: paths.c says %d", pattern, path,
				 path_matches(pattern, path));
	}
}

/* Places of both words, up to the last byte that an address can have. */
static void long_patterns_match_to_the_last_byte(void **state)
{
	char pattern[GLOB_TEXT_BYTES + 2], path[GLOB_TEXT_BYTES + 1];
	struct glob glob;

	(void)state;
	for (size_t length = 1; length <= GLOB_TEXT_BYTES; length++) {
		memset(pattern, 'x', length);
		pattern[length] = path[length] = '\0';
		memcpy(path, pattern, length);
		assert_true(matches(pattern, false, path));
		path[length - 1] = 'y';
		assert_false(matches(pattern, false, path));
		pattern[length - 1] = '?';
		assert_true(matches(pattern, false, path));
		pattern[length - 1] = '*';
		assert_true(matches(pattern, false, path));
		path[length - 1] = '/';
		assert_false(matches(pattern, false, path));
	}
	memset(pattern, 'x', sizeof(pattern));
	pattern[GLOB_TEXT_BYTES + 1] = '\0';
	assert_false(glob_compile(pattern, false, &glob));
}

static void an_abstract_name_is_no_pattern(void **state)
{
	struct glob_text text = text_of("@name");
	struct glob glob;

	(void)state;
	assert_true(matches("@name", true, "@name"));
	assert_false(matches("@name", true, "@names"));
	assert_false(matches("@n*", true, "@name"));
	assert_false(matches("@n?me", true, "@name"));
	assert_true(matches("@n*", true, "@n*"));
	assert_false(matches("/**", false, "@name"));
	/* NULs are bytes of such a name. */
	assert_true(glob_compile("@name", true, &glob));
	text.length++;
	assert_int_equal(glob_matches(&glob, &text), 0);
	assert_true(glob_compile("@nam?", false, &glob));
	text = text_of("@nam");
	assert_int_equal(glob_matches(&glob, &text), 0);
}

static void nothing_matches_what_was_not_read(void **state)
{
	(void)state;
	assert_false(matches("/**", false, ""));
	assert_false(matches("/*", false, ""));
}

static void check_normal(const char *from)
{
	const struct glob_text path = text_of(from);
	/* What was there before is no part of it. */
	struct glob_text normal = {.length = 77, .bytes = "/left/behind"};
	struct path_walk walk = {9, 9, 9, 9, {9}};
	char absolute[160], wanted[160];

	(void)snprintf(absolute, sizeof(absolute), "/%s", from);
	assert_true(path_normalise(absolute, wanted, sizeof(wanted)));
	path_normal(&path, &normal, &walk);
	if (normal.length != strlen(wanted) || memcmp(normal.bytes, wanted, normal.length) != 0)
		fail_msg("%s: %.*s, not %s", from, (int)normal.length, normal.bytes, wanted);
	/* What unix_judge() takes for plain. */
	assert_int_equal(from[0] == '/' && path.length == normal.length, strcmp(from, wanted) == 0);
}

static void normal_forms_are_those_of_decide(void **state)
{
	static const char *const pieces[] = {"a", ".", "..", "/", "/", "b.c", "...", "//"};
	char longest[UNIX_PATH_BYTES + 1];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		char path[64] = "";

		for (size_t i = pick(14); i > 0; i--)
			(void)strcat(path, pieces[pick(ARRAY_SIZE(pieces))]);
		check_normal(path);
	}
	for (size_t i = 0; i < UNIX_PATH_BYTES; i++)
		longest[i] = i % 2 ? 'a' : '/';
	longest[UNIX_PATH_BYTES] = '\0';
	check_normal(longest);
	check_normal(longest + 1);
	memset(longest, 'a', UNIX_PATH_BYTES);
	check_normal(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_decide_has_them),
		cmocka_unit_test(long_patterns_match_to_the_last_byte),
		cmocka_unit_test(an_abstract_name_is_no_pattern),
		cmocka_unit_test(nothing_matches_what_was_not_read),
		cmocka_unit_test(normal_forms_are_those_of_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
