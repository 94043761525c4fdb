// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/tree.h"

static int open_arena(void **state)
{
	*state = arena_new();
	return *state ? 0 : -1;
}

static int close_arena(void **state)
{
	arena_free(*state);
	return 0;
}

static const struct tree_value *read_text(struct arena *arena, const char *text,
					  enum tree_fault *fault)
{
	return tree_read(text, strlen(text), arena, fault);
}

static void values_stand_in_their_order(void **state)
{
	enum tree_fault fault;
	const struct tree_value *tree = read_text(
		*state,
		" {\"a\": [1, {\"x\": true}, \"s\", []], \"b\":{} ,\"c\":null,\"d\":-1.5e+3}\n",
		&fault);
	const struct tree_value *list;
	size_t count = 0;

	assert_int_equal(fault, TREE_FINE);
	assert_int_equal(tree->kind, TREE_OBJECT);
	assert_int_equal(tree->count, 4);
	assert_int_equal(tree->span, 10);
	list = tree_member(tree, "a");
	assert_int_equal(list->kind, TREE_ARRAY);
	assert_int_equal(list->count, 4);
	tree_for_each(item, list) count++;
	assert_int_equal(count, 4);
	assert_true(tree_flag(&list[2], "x"));
	assert_false(tree_flag(tree, "x"));
	assert_int_equal(tree_member(tree, "b")->count, 0);
	assert_int_equal(tree_member(tree, "c")->kind, TREE_NULL);
	assert_string_equal(tree_member(tree, "d")->text, "-1.5e+3");
	assert_null(tree_member(tree, "e"));
	assert_null(tree_member(NULL, "e"));
	assert_null(tree_string(tree, "a"));
	assert_int_equal(tree_number(tree, "d"), -1);
}

static void nothing_is_inside_of_nothing(void **state)
{
	(void)state;
	tree_for_each(item, (const struct tree_value *)NULL) fail();
}

static void escapes_are_decoded(void **state)
{
	enum tree_fault fault;
	const struct tree_value *tree = read_text(
		*state,
		"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\", "
		"\"\xc3\xa9\xf0\x9f\x98\x80\", \"\"]",
		&fault);

	assert_non_null(tree);
	assert_string_equal(tree[1].text, "\"\\/\b\f\n\r\t");
	assert_string_equal(tree[2].text, "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_string_equal(tree[3].text, "\xc3\xa9\xf0\x9f\x98\x80");
	assert_string_equal(tree[4].text, "");
}

static void what_is_no_json_is_no_tree(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"[",
		"]",
		"[1",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{1:1}",
		"[1}",
		"{\"a\":1]",
		"01",
		"1.",
		".5",
		"+1",
		"1e",
		"-",
		"nul",
		"TRUE",
		"'a'",
		"\"a",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\udc00\"",
		"\"\\ud800\\u0041\"",
		"\"\n\"",
		"\"\x80\"",
		"\"\xc0\x80\"",
		"\"\xed\xa0\x80\"",
		"1 1",
		"{\"a\":1,\"a\":2}",
		"[1]x",
		"\"\\",
	};
	enum tree_fault fault;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (read_text(*state, texts[i], &fault))
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(fault, TREE_MALFORMED);
	}
	assert_null(tree_read("\"a\0b\"", 5, *state, &fault));
	assert_null(tree_read("1\0", 2, *state, &fault));
}

static void depth_is_bounded(void **state)
{
	static char text[2 * TREE_DEPTH_MAX + 4];
	enum tree_fault fault;

	memset(text, '[', TREE_DEPTH_MAX);
	memset(text + TREE_DEPTH_MAX, ']', TREE_DEPTH_MAX);
	assert_non_null(tree_read(text, 2 * TREE_DEPTH_MAX, *state, &fault));
	memset(text, '[', TREE_DEPTH_MAX + 1);
	memset(text + TREE_DEPTH_MAX + 1, ']', TREE_DEPTH_MAX + 1);
	assert_null(tree_read(text, 2 * TREE_DEPTH_MAX + 2, *state, &fault));
	assert_int_equal(fault, TREE_TOO_DEEP);
}

static void many_values_fit(void **state)
{
	enum { COUNT = 100000 };
	static char text[2 * COUNT + 2];
	enum tree_fault fault;
	const struct tree_value *tree;

	text[0] = '[';
	for (size_t i = 0; i < COUNT; i++) {
		text[1 + 2 * i] = '1';
		text[2 + 2 * i] = i + 1 < COUNT ? ',' : ']';
	}
	tree = tree_read(text, 2 * COUNT + 1, *state, &fault);
	assert_non_null(tree);
	assert_int_equal(tree->count, COUNT);
	assert_int_equal(tree->span, COUNT + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_stand_in_their_order),
		cmocka_unit_test(nothing_is_inside_of_nothing),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(what_is_no_json_is_no_tree),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(many_values_fit),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
