// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/paths.h"

static void dots_and_slashes_are_taken_out(void **state)
{
	static const char *const cases[][2] = {
		{"/", "/"},
		{"//usr///bin/", "/usr/bin"},
		{"/a/./b/../c", "/a/c"},
		{"/../../etc", "/etc"},
		{"/a/..", "/"},
		{"/...", "/..."},
		{"/a/b/../../..", "/"},
	};
	char normal[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(path_normalise(cases[i][0], normal, sizeof(normal)));
		assert_string_equal(normal, cases[i][1]);
	}
}

static void what_is_relative_or_too_long_has_no_normal_form(void **state)
{
	char normal[6];

	(void)state;
	assert_false(path_normalise("etc", normal, sizeof(normal)));
	assert_false(path_normalise("", normal, sizeof(normal)));
	assert_true(path_normalise("/abcd", normal, sizeof(normal)));
	assert_false(path_normalise("/abcde", normal, sizeof(normal)));
}

static void below_means_whole_components(void **state)
{
	(void)state;
	assert_true(path_is_below("/data", "/data"));
	assert_true(path_is_below("/data", "/data/x"));
	assert_false(path_is_below("/data", "/database"));
	assert_true(path_is_below("/", "/anything"));
	assert_false(path_is_below("/data/x", "/data"));
}

static void patterns_match_whole_paths(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {
		{"/usr/bin/curl", "/usr/bin/curl", true},
		{"/usr/bin/cur", "/usr/bin/curl", false},
		{"/usr/bin/*", "/usr/bin/curl", true},
		{"/usr/bin/*", "/usr/bin/x/y", false},
		{"/usr/*/curl", "/usr/bin/curl", true},
		{"/usr/*/curl", "/usr/local/bin/curl", false},
		{"/usr/**", "/usr/local/bin/curl", true},
		{"/usr/**", "/usr", false},
		{"/**/curl", "/curl", true},
		{"/usr/**/curl", "/usr/curl", true},
		{"/usr/**/curl", "/usr/local/bin/curl", true},
		{"/usr/**/curl", "/usr/bin/xcurl", false},
		{"/usr/**curl", "/usr/bin/xcurl", true},
		{"/a?c", "/abc", true},
		{"/a?c", "/a/c", false},
		{"/*.py", "/x.py.py", true},
		{"/a*b*c/d*", "/aXbYbZc/dd", true},
		{"/a*b*c/d*", "/aXbYbZ/dd", false},
		{"/**/b/*c", "/a/b/b/xc", true},
		{"/**/b/**/c*", "/b/x/b/y/cc", true},
		{"/**/b/**/c*", "/b/x/b/y/dc", false},
		{"**", "/anything/at/all", true},
		{"/*", "/", true},
		{"", "", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (path_matches(cases[i].pattern, cases[i].path) != cases[i].match)
			fail_msg("%s and %s", cases[i].pattern, cases[i].path);
}

/* The same question by another way: which pattern positions are alive behind each character. */
static bool matches_by_states(const char *pattern, const char *path)
{
	bool alive[40] = {true}, next[40];
	const size_t length = strlen(pattern);
	size_t at, i;

	for (at = 0;; at++) {
		/* Both begin with a slash, so that there is a character before any star. */
		for (i = 0; i < length; i++) {
			if (alive[i] && pattern[i] == '*')
				alive[i + (pattern[i + 1] == '*' ? 2 : 1)] = true;
			if (alive[i] && strncmp(pattern + i, "**/", 3) == 0 &&
			    pattern[i - 1] == '/' && path[at - 1] == '/')
				alive[i + 3] = true;
		}
		if (!path[at])
			return alive[length];
		memset(next, 0, sizeof(next));
		for (i = 0; i < length; i++) {
			const bool two = pattern[i] == '*' && pattern[i + 1] == '*';

			if (!alive[i])
				continue;
			if (two || (pattern[i] == '*' && path[at] != '/'))
				next[i] = true;
			else if (pattern[i] == path[at] || (pattern[i] == '?' && path[at] != '/'))
				next[i + 1] = true;
		}
		memcpy(alive, next, sizeof(alive));
	}
}

static void random_patterns_agree_with_an_automaton(void **state)
{
	/* No third star in a row: both readings of it are fine, but they differ. */
	static const char *const pieces[] = {"a", "b", "/", "*", "?", "/**/", "**", "a*", "/a"};
	uint64_t random = 88172645463325252ULL;
	unsigned round, i;

	(void)state;
	for (round = 0; round < 200000; round++) {
		char pattern[32] = "/", path[16] = "/";

		for (i = 0; i < 5; i++) {
			const char *piece;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			piece = pieces[random % ARRAY_SIZE(pieces)];
			if (piece[0] == '*' && pattern[strlen(pattern) - 1] == '*')
				piece = "b";
			(void)strncat(pattern, piece, sizeof(pattern) - strlen(pattern) - 1);
		}
		for (i = 1; i < 3 + random / 7 % 10; i++)
			path[i] = "ab/a"[(random >> (2 * i + 9)) % 4];
		if (path_matches(pattern, path) != matches_by_states(pattern, path))
			fail_msg("%s and %s", pattern, path);
	}
}

static void the_enforcers_own_paths_are_known(void **state)
{
	(void)state;
	assert_true(path_is_enforcers("/sys/fs/bpf/agentpol/maps"));
	assert_true(path_is_enforcers("/run/agentpol"));
	assert_false(path_is_enforcers("/run/agentpolx"));
	assert_false(path_is_enforcers("/run"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_and_slashes_are_taken_out),
		cmocka_unit_test(what_is_relative_or_too_long_has_no_normal_form),
		cmocka_unit_test(below_means_whole_components),
		cmocka_unit_test(patterns_match_whole_paths),
		cmocka_unit_test(random_patterns_agree_with_an_automaton),
		cmocka_unit_test(the_enforcers_own_paths_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
