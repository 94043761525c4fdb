// SPDX-License-Identifier: Apache-2.0
/* What json.h promises: strict RFC 8259, exact positions, no key twice, bounded work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "manifest/codes.h"
#include "json/json.h"

struct bad_text {
	const char *text;
	const char *code;
	size_t line, column;
};

static const struct bad_text bad_texts[] = {
	{"", CODE_SYNTAX, 1, 1},
	{"  \n ", CODE_SYNTAX, 2, 2},
	{"{", CODE_SYNTAX, 1, 2},
	{"{\"a\"", CODE_SYNTAX, 1, 5},
	{"{\"a\":", CODE_SYNTAX, 1, 6},
	{"{\"a\":1", CODE_SYNTAX, 1, 7},
	{"{\"a\":1,", CODE_SYNTAX, 1, 8},
	{"{\"a\":1,}", CODE_SYNTAX, 1, 8},
	{"[1,]", CODE_SYNTAX, 1, 4},
	{"[,1]", CODE_SYNTAX, 1, 2},
	{"[1 2]", CODE_SYNTAX, 1, 4},
	{"[1}", CODE_SYNTAX, 1, 3},
	{"{\"a\":]}", CODE_SYNTAX, 1, 6},
	{"{a:1}", CODE_SYNTAX, 1, 2},
	{"{1:1}", CODE_SYNTAX, 1, 2},
	{"{\"a\" 1}", CODE_SYNTAX, 1, 6},
	{"['a']", CODE_SYNTAX, 1, 2},
	{"// x\n1", CODE_SYNTAX, 1, 1},
	{"[1, /* x */ 2]", CODE_SYNTAX, 1, 5},
	{"{ # x\n}", CODE_SYNTAX, 1, 3},
	{"tru", CODE_SYNTAX, 1, 1},
	{"True", CODE_SYNTAX, 1, 1},
	{"nul", CODE_SYNTAX, 1, 1},
	{"NaN", CODE_SYNTAX, 1, 1},
	{"Infinity", CODE_SYNTAX, 1, 1},
	{"1 1", CODE_SYNTAX, 1, 3},
	{"{}x", CODE_SYNTAX, 1, 3},
	{"{}}", CODE_SYNTAX, 1, 3},
	{"truefalse", CODE_SYNTAX, 1, 5},
	{"01", CODE_SYNTAX, 1, 1},
	{"-01", CODE_SYNTAX, 1, 1},
	{"+1", CODE_SYNTAX, 1, 1},
	{"-", CODE_SYNTAX, 1, 1},
	{".5", CODE_SYNTAX, 1, 1},
	{"5.", CODE_SYNTAX, 1, 1},
	{"1e", CODE_SYNTAX, 1, 1},
	{"1e+", CODE_SYNTAX, 1, 1},
	{"0x10", CODE_SYNTAX, 1, 2},
	{"1e999", CODE_LIMIT, 1, 1},
	{"[1,\n -1e999]", CODE_LIMIT, 2, 2},
	{"\"abc", CODE_SYNTAX, 1, 1},
	{"\"a\nb\"", CODE_SYNTAX, 1, 3},
	{"\"a\tb\"", CODE_SYNTAX, 1, 3},
	{"\"\\x\"", CODE_SYNTAX, 1, 2},
	{"\"\\", CODE_SYNTAX, 1, 2},
	{"\"\\u12\"", CODE_SYNTAX, 1, 2},
	{"\"\\u12g4\"", CODE_SYNTAX, 1, 2},
	{"\"\\u0000\"", CODE_ENCODING, 1, 2},
	{"\"\\ud800\"", CODE_ENCODING, 1, 2},
	{"\"\\ud800\\u0041\"", CODE_ENCODING, 1, 2},
	{"\"\\ud800\\ud800\"", CODE_ENCODING, 1, 2},
	{"\"\\udc00\"", CODE_ENCODING, 1, 2},
	{"\"\xff\"", CODE_ENCODING, 1, 2},
	{"\"\xc3\"", CODE_ENCODING, 1, 2},
	{"\"\xc0\xaf\"", CODE_ENCODING, 1, 2},
	{"\"\xed\xa0\x80\"", CODE_ENCODING, 1, 2},
	{"\"\xf4\x90\x80\x80\"", CODE_ENCODING, 1, 2},
	{"\xef\xbb\xbf{}", CODE_ENCODING, 1, 1},
	{"\xfe\xff", CODE_SYNTAX, 1, 1},
	{"{\"a\":1,\"a\":2}", CODE_KEY_TWICE, 1, 8},
	{"{\"a\":1,\n \"\\u0061\":2}", CODE_KEY_TWICE, 2, 2},
	{"{\"x\":{\"a\":1,\"b\":2,\"b\":3}}", CODE_KEY_TWICE, 1, 19},
	{"{\"\":1,\"\":2}", CODE_KEY_TWICE, 1, 7},
};

static void every_unclear_text_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_texts); i++) {
		const struct bad_text *bad = &bad_texts[i];
		struct json_fault fault;

		assert_null(json_document_parse(bad->text, strlen(bad->text), &fault));
		if (strcmp(fault.code, bad->code) || fault.position.line != bad->line ||
		    fault.position.column != bad->column)
			fail_msg("%s: %s at %zu:%zu (%s)", bad->text, fault.code,
				 fault.position.line, fault.position.column, fault.message);
		assert_true(fault.message[0] != '\0');
	}
}

static void a_nul_byte_in_the_text_is_refused(void **state)
{
	struct json_fault fault;

	(void)state;
	assert_null(json_document_parse("{}\0", 3, &fault));
	assert_null(json_document_parse("\"a\0b\"", 5, &fault));
	assert_null(json_document_parse("\"\\\0\"", 4, &fault));
	assert_null(json_document_parse("1\0", 2, &fault));
	assert_null(json_document_parse("1e\0", 3, &fault));
}

static struct json_document *parse(const char *text)
{
	struct json_fault fault;
	struct json_document *document = json_document_parse(text, strlen(text), &fault);

	if (!document)
		fail_msg("%s: %s at %zu:%zu", text, fault.message, fault.position.line,
			 fault.position.column);
	return document;
}

static void plain_json_is_read(void **state)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"-0.5e-10",
		"1E+2",
		"\"\"",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
		"\"\xf0\x9f\x98\x80 \xc3\xa9\"",
		"true",
		"false",
		"null",
		"[]",
		"{}",
		" \t\r\n[ ] \n",
		"[[],{},\"\",0]",
		"{\"a\":{\"a\":{\"a\":[{\"a\":1}]}}}",
		"{\"\":0}",
		"{\"a\":1,\"A\":2}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_document_free(parse(texts[i]));
}

static void values_know_their_line_and_column(void **state)
{
	_cleanup_json_document_ struct json_document *document =
		parse("{\n  \"a\": [1, {\"b\": true}],\n\t\"c\":\n\"d\"\n}");
	const json_value *root = json_root(document);
	const json_value *list = json_member(root, "a");
	const json_value *b = json_member(json_next(json_first(list)), "b");
	const json_value *c = json_member(root, "c");

	(void)state;
	assert_int_equal(json_position_of(document, root).line, 1);
	assert_int_equal(json_position_of(document, list).line, 2);
	assert_int_equal(json_position_of(document, list).column, 8);
	assert_int_equal(json_key_position_of(document, list).column, 3);
	assert_int_equal(json_position_of(document, b).line, 2);
	assert_int_equal(json_position_of(document, b).column, 18);
	assert_int_equal(json_position_of(document, c).line, 4);
	assert_int_equal(json_position_of(document, c).column, 1);
	assert_int_equal(json_key_position_of(document, c).line, 3);
	assert_int_equal(json_key_position_of(document, c).column, 2);
	assert_int_equal(json_position_of(document, NULL).line, 0);
}

static void depth_is_bounded_at_64(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1) + 1];
	struct json_fault fault;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	text[2 * JSON_DEPTH_MAX] = '\0';
	json_document_free(parse(text));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_null(json_document_parse(text, 2 * (JSON_DEPTH_MAX + 1), &fault));
	assert_string_equal(fault.code, CODE_LIMIT);
	assert_int_equal(fault.position.column, JSON_DEPTH_MAX + 1);
}

static void size_is_bounded_at_8_mib(void **state)
{
	_cleanup_free_ char *text = malloc(JSON_BYTES_MAX + 1);
	struct json_document *document;
	struct json_fault fault;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', JSON_BYTES_MAX + 1);
	text[0] = '1';
	document = json_document_parse(text, JSON_BYTES_MAX, &fault);
	assert_non_null(document);
	json_document_free(document);
	assert_null(json_document_parse(text, JSON_BYTES_MAX + 1, &fault));
	assert_string_equal(fault.code, CODE_LIMIT);
}

static void a_long_number_is_refused_not_cut(void **state)
{
	char text[65];
	struct json_fault fault;

	(void)state;
	memset(text, '1', sizeof(text));
	json_document_free(json_document_parse(text, 63, &fault));
	assert_null(json_document_parse(text, 64, &fault));
	assert_string_equal(fault.code, CODE_LIMIT);
}

/* 300,000 keys: pair by pair this would take minutes. */
static void a_key_given_twice_among_many_is_refused(void **state)
{
	const size_t count = 300000, room = count * 16 + 64;
	_cleanup_free_ char *text = malloc(room);
	struct json_document *document;
	struct json_fault fault;
	size_t used = 1;

	(void)state;
	assert_non_null(text);
	text[0] = '{';
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, room - used, "\"k%zu\":0,\n", i);
	memcpy(text + used - 2, "}", 2);
	document = json_document_parse(text, used - 1, &fault);
	assert_non_null(document);
	json_document_free(document);
	used -= 2;
	used += (size_t)snprintf(text + used, room - used, ",\n\"k7\":0,\"k9\":0}");
	assert_null(json_document_parse(text, used, &fault));
	assert_string_equal(fault.code, CODE_KEY_TWICE);
	assert_int_equal(fault.position.line, count + 1);
	assert_int_equal(fault.position.column, 1);
	assert_non_null(strstr(fault.message, "\"k7\""));
}

static void whole_numbers_are_told_from_others(void **state)
{
	_cleanup_json_document_ struct json_document *document = parse(
		"[0, 443, 443.0, 4.43e2, 1.5, -1, 65536, \"443\", 9007199254740993, 1e300, -0]");
	const bool expected[] = {1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1};
	size_t i = 0;

	(void)state;
	json_for_each (value, json_root(document)) {
		uint64_t number;

		assert_int_equal(json_as_unsigned(value, 65535, &number), expected[i]);
		i++;
	}
	assert_int_equal(i, ARRAY_SIZE(expected));
}

static void accessors_bear_what_is_not_there(void **state)
{
	_cleanup_json_document_ struct json_document *document = parse("[1]");
	uint64_t number;

	(void)state;
	assert_null(json_member(NULL, "a"));
	assert_null(json_member(json_root(document), "a"));
	assert_null(json_first(NULL));
	assert_null(json_first(json_first(json_root(document))));
	assert_null(json_as_string(NULL));
	assert_false(json_as_unsigned(NULL, 1, &number));
	assert_false(json_is_object(NULL));
	assert_int_equal(json_count(NULL), 0);
	assert_string_equal(json_type_name(NULL), "nothing");
	json_document_free(NULL);
}

static void a_value_is_printed_as_compact_text(void **state)
{
	_cleanup_json_document_ struct json_document *document =
		parse("{\"type\" : \"object\", \"n\": [1, 2.5, true, null]}");
	_cleanup_free_ char *text = json_print(json_root(document));

	(void)state;
	assert_string_equal(text, "{\"type\":\"object\",\"n\":[1,2.5,true,null]}");
}

static void numbers_are_printed_as_they_are(void **state)
{
	static const char text[] = "[9007199254740992,9007199254740991,-1,0,0.1,1e+300,123456.789,"
				   "0.30000000000000004]";
	struct json_fault fault;
	struct json_document *document = json_document_parse(text, sizeof(text) - 1, &fault);
	char *printed = json_print(json_root(document));

	(void)state;
	assert_string_equal(printed, text);
	free(printed);
	json_document_free(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_printed_as_they_are),
		cmocka_unit_test(every_unclear_text_is_refused_at_its_place),
		cmocka_unit_test(a_nul_byte_in_the_text_is_refused),
		cmocka_unit_test(plain_json_is_read),
		cmocka_unit_test(values_know_their_line_and_column),
		cmocka_unit_test(depth_is_bounded_at_64),
		cmocka_unit_test(size_is_bounded_at_8_mib),
		cmocka_unit_test(a_long_number_is_refused_not_cut),
		cmocka_unit_test(a_key_given_twice_among_many_is_refused),
		cmocka_unit_test(whole_numbers_are_told_from_others),
		cmocka_unit_test(accessors_bear_what_is_not_there),
		cmocka_unit_test(a_value_is_printed_as_compact_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
