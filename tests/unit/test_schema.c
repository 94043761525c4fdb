// SPDX-License-Identifier: Apache-2.0
/* What schema.h and regex.h promise beside the standard's own suite (tests/e2e/json-schema.t):
 * nothing is ignored, all work is bounded, a pattern means what ECMA-262 says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "call/regex.h"
#include "call/schema.h"

#define DRAFT7 "\"$schema\":\"http://json-schema.org/draft-07/schema#\","

static enum schema_answer judge(const char *schema_text, const char *value_text,
				struct schema_fault *fault)
{
	struct schema *schema = schema_compile(schema_text, strlen(schema_text), fault);
	struct json_fault json;
	struct json_document *value = json_document_parse(value_text, strlen(value_text), &json);
	enum schema_answer answer;

	if (!schema)
		fail_msg("%s: %s at \"%s\": %s", schema_text, fault->keyword, fault->pointer,
			 fault->message);
	assert_non_null(value);
	answer = schema_judge(schema, json_root(value), fault);
	json_document_free(value);
	schema_free(schema);
	return answer;
}

static void what_is_not_supported_is_an_error(void **state)
{
	static const struct {
		const char *text, *keyword, *pointer, *word;
	} bad[] = {
		{"{\"maxlength\":3}", "maxlength", "/maxlength", "did you mean \"maxLength\"?"},
		{"{\"properties\":{\"a/b\":{\"typ\":\"string\"}}}", "typ", "/properties/a~1b/typ",
		 "did you mean \"type\"?"},
		{"{\"zzz\":3}", "zzz", "/zzz", "x-"},
		{"{\"dependencies\":{}}", "dependencies", "/dependencies", "draft-07"},
		{"{" DRAFT7 "\"prefixItems\":[true]}", "prefixItems", "/prefixItems", "2020-12"},
		{"{" DRAFT7 "\"unevaluatedProperties\":false}", "unevaluatedProperties",
		 "/unevaluatedProperties", "2020-12"},
		{"{\"items\":[true]}", "items", "/items", "prefixItems"},
		{"{\"$vocabulary\":{}}", "$vocabulary", "/$vocabulary", "not supported"},
		{"{\"$recursiveRef\":\"#\"}", "$recursiveRef", "/$recursiveRef", "$dynamicRef"},
		{"{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}", "$schema", "/$schema",
		 "draft-07"},
		{"{\"$ref\":\"http://x.example/a\"}", "$ref", "/$ref", "http://x.example/a"},
		{"{\"$ref\":\"file:///etc/passwd\"}", "$ref", "/$ref", "ever fetched"},
		{"{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}", "$ref", "/$ref",
		 "ever fetched"},
		{"{\"$ref\":\"#/$defs/a\"}", "$ref", "/$ref", "leads to no schema"},
		{"{\"enum\":[{}],\"$ref\":\"#/enum/0\"}", "$ref", "/$ref", "leads to no schema"},
		{"{\"$ref\":\"#\"}", "$ref", "", "without end"},
		{"{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"anyOf\":[true,{\"$ref\":"
		 "\"#/$defs/a\"}]}}}",
		 "$ref", "/$defs", "without end"},
		{"{\"type\":\"text\"}", "type", "/type", "one of object"},
		{"{\"type\":[]}", "type", "/type", "at least one"},
		{"{\"minimum\":\"3\"}", "minimum", "/minimum", "a number"},
		{"{\"maxLength\":-1}", "maxLength", "/maxLength", "whole"},
		{"{\"maxLength\":1.5}", "maxLength", "/maxLength", "whole"},
		{"{\"multipleOf\":0}", "multipleOf", "/multipleOf", "above 0"},
		{"{\"required\":[1]}", "required", "/required/0", "a name"},
		{"{\"allOf\":[]}", "allOf", "/allOf", "at least one"},
		{"{\"not\":3}", "", "/not", "must be a schema"},
		{"{\"pattern\":\"(\"}", "pattern", "/pattern", "regular expression"},
		{"{\"patternProperties\":{\"(?R)\":true}}", "patternProperties",
		 "/patternProperties/(?R)", "ECMA-262"},
		{"{\"$id\":\"a#b\"}", "$id", "/$id", "$anchor"},
		{"{\"a\":1,\"a\":2}", "", "", "twice"},
		{"[]", "", "", "must be a schema"},
		{"", "", "", "empty"},
	};
	struct schema_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct schema *schema = schema_compile(bad[i].text, strlen(bad[i].text), &fault);

		if (schema)
			fail_msg("%s: was taken", bad[i].text);
		assert_string_equal(fault.keyword, bad[i].keyword);
		if (strncmp(fault.pointer, bad[i].pointer, strlen(bad[i].pointer)) != 0 ||
		    !strstr(fault.message, bad[i].word))
			fail_msg("%s: \"%s\": %s", bad[i].text, fault.pointer, fault.message);
	}
}

static void notes_limit_nothing(void **state)
{
	struct schema_fault fault;

	(void)state;
	assert_int_equal(
		judge("{\"format\":\"email\",\"title\":\"t\",\"x-own\":{},\"$comment\":\"c\","
		      "\"default\":1,\"examples\":[],\"deprecated\":true,"
		      "\"contentEncoding\":\"base64\"}",
		      "\"no address\"", &fault),
		SCHEMA_ACCEPTS);
}

static void a_refusal_tells_where_and_why(void **state)
{
	static const struct {
		const char *schema, *value, *keyword, *pointer;
	} cases[] = {
		{"{\"type\":\"object\"}", "[]", "type", ""},
		{"{\"properties\":{\"a\":{\"items\":{\"maxLength\":1}}}}", "{\"a\":[\"x\",\"xy\"]}",
		 "maxLength", "/a/1"},
		{"{\"additionalProperties\":false}", "{\"~a/\":1}", "additionalProperties",
		 "/~0a~1"},
		{"{\"required\":[\"b\"]}", "{\"a\":1}", "required", ""},
		{"{\"enum\":[1,\"a\"]}", "2", "enum", ""},
		{"{\"const\":{\"a\":[1,2]}}", "{\"a\":[2,1]}", "const", ""},
		{"{\"propertyNames\":{\"pattern\":\"^a\"}}", "{\"ab\":1,\"b\":1}", "propertyNames",
		 "/b"},
		{"{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":3}]}", "2", "anyOf", ""},
		{"{\"not\":{}}", "2", "not", ""},
		{"{\"properties\":{\"a\":false}}", "{\"a\":1}", "", "/a"},
		{"{\"uniqueItems\":true}", "[1,{\"a\":1,\"b\":[]},{\"b\":[],\"a\":1.0}]",
		 "uniqueItems", ""},
		{"{\"multipleOf\":0.01}", "4.015", "multipleOf", ""},
		{"{\"maxLength\":1}", "\"\\u00e4\\u00f6\"", "maxLength", ""},
		{"{" DRAFT7 "\"items\":[true],\"additionalItems\":false}", "[1,2]", "", "/1"},
		{"{\"unevaluatedProperties\":false,\"allOf\":[{\"properties\":{\"a\":true}}]}",
		 "{\"a\":1,\"b\":1}", "unevaluatedProperties", "/b"},
	};
	struct schema_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (judge(cases[i].schema, cases[i].value, &fault) != SCHEMA_REFUSES)
			fail_msg("%s took %s", cases[i].schema, cases[i].value);
		assert_string_equal(fault.keyword, cases[i].keyword);
		assert_string_equal(fault.pointer, cases[i].pointer);
		assert_true(fault.message[0] != '\0');
	}
}

static void decimals_are_multiples_as_they_are_written(void **state)
{
	static const struct {
		const char *schema, *value;
	} good[] = {
		{"{\"multipleOf\":0.01}", "4.02"},     {"{\"multipleOf\":0.1}", "0.3"},
		{"{\"multipleOf\":0.0001}", "0.0075"}, {"{\"multipleOf\":1e-8}", "12391239123"},
		{"{\"multipleOf\":300}", "1200"},      {"{\"multipleOf\":1e20}", "3e20"},
		{"{\"multipleOf\":0.5}", "1e308"},     {"{\"multipleOf\":7}", "0"},
		{"{\"multipleOf\":7}", "-21"},
	};
	struct schema_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (judge(good[i].schema, good[i].value, &fault) != SCHEMA_ACCEPTS)
			fail_msg("%s refused %s", good[i].schema, good[i].value);
	assert_int_equal(judge("{\"multipleOf\":0.123456789}", "1e308", &fault), SCHEMA_REFUSES);
	assert_int_equal(judge("{\"multipleOf\":1e20}", "5", &fault), SCHEMA_REFUSES);
}

/* `count` times `part`, with commas between, in brackets. Owned by the caller. */
static char *list_of(size_t count, const char *part)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(out, "%s%s", i ? "," : "[", part);
	(void)fputs("]", out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void too_much_work_is_undecided(void **state)
{
	struct schema_fault fault;
	char *branches = list_of(3000, "{\"items\":{\"type\":\"string\"},\"maxItems\":1}");
	char *items = list_of(100000, "\"x\"");
	char *schema = NULL;

	(void)state;
	assert_true(asprintf(&schema, "{\"anyOf\":%s}", branches) > 0);
	assert_int_equal(judge(schema, items, &fault), SCHEMA_UNDECIDED);
	assert_true(fault.message[0] != '\0');
	/* What is undecided within is not turned into a yes. */
	assert_int_equal(judge("{\"not\":{\"pattern\":\"^(a+)+$\"}}",
			       "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
			       &fault),
			 SCHEMA_UNDECIDED);
	/* Plain work is done, however long the list. */
	assert_int_equal(
		judge("{\"items\":{\"type\":\"string\",\"enum\":[\"y\",\"x\"]}}", items, &fault),
		SCHEMA_ACCEPTS);
	free(schema);
	free(items);
	free(branches);
}

/* Each level asks the next one twice: 2^60 ways. */
static void schemas_that_double_are_undecided(void **state)
{
	struct schema_fault fault;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_non_null(out);
	(void)fputs("{\"$ref\":\"#/$defs/a0\",\"$defs\":{", out);
	for (int i = 0; i < 60; i++)
		(void)fprintf(out,
			      "\"a%d\":{\"allOf\":[{\"$ref\":\"#/$defs/a%d\"},"
			      "{\"$ref\":\"#/$defs/a%d\"}]},",
			      i, i + 1, i + 1);
	(void)fputs("\"a60\":true}}", out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(judge(text, "1", &fault), SCHEMA_UNDECIDED);
	free(text);
}

static void a_chain_of_references_does_not_fill_the_stack(void **state)
{
	struct schema_fault fault;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_non_null(out);
	(void)fputs("{\"$ref\":\"#/$defs/a0\",\"$defs\":{", out);
	for (int i = 0; i < 2000; i++)
		(void)fprintf(out, "\"a%d\":{\"$ref\":\"#/$defs/a%d\"},", i, i + 1);
	(void)fputs("\"a2000\":true}}", out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(judge(text, "1", &fault), SCHEMA_UNDECIDED);
	free(text);
}

static void draft_07_tells_of_what_it_ignores(void **state)
{
	static const char text[] = "{" DRAFT7 "\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":"
				   "\"#/definitions/s\",\"title\":\"t\",\"maxLength\":2}},"
				   "\"definitions\":{\"s\":{\"type\":\"string\"}}}";
	struct schema_fault fault;
	struct schema *schema = schema_compile(text, strlen(text), &fault);

	(void)state;
	assert_non_null(schema);
	assert_true(schema_find_ignored(schema, &fault));
	assert_string_equal(fault.pointer, "/properties/a/maxLength");
	schema_free(schema);
	assert_int_equal(judge(text, "{\"a\":\"long\"}", &fault), SCHEMA_ACCEPTS);
}

/* ---- patterns ---- */

static enum regex_answer match(const char *pattern, const char *text)
{
	char fault[128] = "";
	struct regex *regex = regex_compile(pattern, fault, sizeof(fault));
	enum regex_answer answer;

	if (!regex)
		fail_msg("%s: %s", pattern, fault);
	answer = regex_match(regex, text, strlen(text));
	regex_free(regex);
	return answer;
}

static void a_pattern_means_what_ecma_262_says(void **state)
{
	static const struct {
		const char *pattern, *text;
		enum regex_answer answer;
	} cases[] = {
		{"b", "abc", REGEX_MATCH},
		{"^abc$", "abc\n", REGEX_NO},
		{"^abc$", "x\nabc", REGEX_NO},
		{"^\\d+$", "12", REGEX_MATCH},
		{"^\\d$", "\xd9\xa3", REGEX_NO},
		{"^\\w$", "\xc3\xa9", REGEX_NO},
		{"^\\W$", "\xc3\xa9", REGEX_MATCH},
		{"^\\s$", "\xc2\xa0", REGEX_MATCH},
		{"^\\s$", "\xef\xbb\xbf", REGEX_MATCH},
		{"^\\S$", "\xe2\x80\xa8", REGEX_NO},
		{"^[\\s\\S]$", "\n", REGEX_MATCH},
		{"^[^\\s]$", "\xe2\x80\xa8", REGEX_NO},
		{"^[^\\S]$", "\xe2\x80\xa8", REGEX_MATCH},
		{"^.$", "\xf0\x9f\x98\x80", REGEX_MATCH},
		{"^.$", "\r", REGEX_NO},
		{"^.$", "\xe2\x80\xa9", REGEX_NO},
		{"^[^]$", "\n", REGEX_MATCH},
		{"[]", "a", REGEX_NO},
		{"^\\u00e4\\x41\\u{1F600}$",
		 "\xc3\xa4"
		 "A\xf0\x9f\x98\x80",
		 REGEX_MATCH},
		{"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", REGEX_MATCH},
		{"^\\cJ$", "\n", REGEX_MATCH},
		{"^[\\b]$", "\b", REGEX_MATCH},
		{"^\\p{Letter}+$", "a\xc3\xa4", REGEX_MATCH},
		{"^\\p{Script=Greek}$", "\xce\xb1", REGEX_MATCH},
		{"^\\P{Lu}$", "A", REGEX_NO},
		{"^[\\w.-]+@[\\w-]+\\.com$", "a.b-c@d-e.com", REGEX_MATCH},
		{"^[[:alpha:]]$", "a", REGEX_NO},
		{"^[[a]$", "[", REGEX_MATCH},
		{"^(a)\\1$", "aa", REGEX_MATCH},
		{"^(?<x>a|b)\\k<x>$", "ab", REGEX_NO},
		{"^(?:(a)|b)\\1$", "b", REGEX_MATCH},
		{"^a{,2}$", "a{,2}", REGEX_MATCH},
		{"^(?=a)(?!ab)(?<!b)a", "ac", REGEX_MATCH},
		{"^a#b c$", "a#b c", REGEX_MATCH},
		{"^\xc3\xa4{2}$", "\xc3\xa4\xc3\xa4", REGEX_MATCH},
		{"", "", REGEX_MATCH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (match(cases[i].pattern, cases[i].text) != cases[i].answer)
			fail_msg("%zu: %s", i, cases[i].pattern);
}

static void what_only_pcre2_has_is_refused(void **state)
{
	static const char *const bad[] = {
		"a\\Z",	     "\\Aa",	     "a\\z",	"\\Ka",	   "\\Qa\\E",  "\\Ga",
		"\\R",	     "\\X",	     "\\C",	"\\N",	   "\\h",      "\\H",
		"\\e",	     "\\a",	     "\\o{12}", "\\g1",	   "(?R)",     "(?1)",
		"(?&a)",     "(?P<a>b)",     "(?C)",	"(?C1)",   "(*UTF8)a", "(*ACCEPT)",
		"a(*FAIL)",  "(?i)a",	     "(?i:a)",	"(?>a)",   "(?|a)",    "(?#a)",
		"(?(1)a)",   "(a)(?(1)b|c)", "a++",	"a*+",	   "a?+",      "a{2}+",
		"*a",	     "^*",	     "a|*",	"(",	   ")",	       "[a",
		"[z-a]",     "a\\",	     "\\u12",	"\\ud800", "\\x1",     "\\01",
		"\\p{Nope}", "\\pL",	     "\\2",	"\\k<a>",  "(?'a'b)",  "(?<a",
		"(?<=a*)b",  "a{3,2}",	     "(?*a)",	"(?<*a)",
	};
	char fault[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct regex *regex = regex_compile(bad[i], fault, sizeof(fault));

		if (regex)
			fail_msg("%s: was taken", bad[i]);
		assert_true(fault[0] != '\0');
	}
}

static void no_pattern_is_slow(void **state)
{
	static const char *const slow[] = {
		"^(a+)+$",
		"^(a|aa)+$",
		"^(a|a)*$",
		"(a*)*b",
		"^(a?){30}a{30}$|^(.*)*!$",
		"([ab]*[ab]*)*c",
		"(x+x+)+y|(a+a+)+y",
		"[ab]*c|[ab]*d",
		"^(.*)\\1x|(a*)\\2x",
		"(?=(a+)+$)",
		"(?<!b)(a+)+$",
	};
	char *text = malloc(200001);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', 200000);
	memcpy(text + 199999, "!", 2);
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++)
		assert_int_not_equal(match(slow[i], text), REGEX_MATCH);
	assert_int_equal(match("^(a+)+$", text), REGEX_UNDECIDED);
	assert_int_equal(match("^[^<>]*$", text), REGEX_MATCH);
	assert_int_equal(match("!", text), REGEX_MATCH);
	free(text);
}

static void a_long_pattern_is_refused(void **state)
{
	char pattern[REGEX_PATTERN_MAX + 2];
	char fault[128];

	(void)state;
	memset(pattern, 'a', sizeof(pattern) - 1);
	pattern[sizeof(pattern) - 1] = '\0';
	assert_null(regex_compile(pattern, fault, sizeof(fault)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_supported_is_an_error),
		cmocka_unit_test(notes_limit_nothing),
		cmocka_unit_test(a_refusal_tells_where_and_why),
		cmocka_unit_test(decimals_are_multiples_as_they_are_written),
		cmocka_unit_test(too_much_work_is_undecided),
		cmocka_unit_test(schemas_that_double_are_undecided),
		cmocka_unit_test(a_chain_of_references_does_not_fill_the_stack),
		cmocka_unit_test(draft_07_tells_of_what_it_ignores),
		cmocka_unit_test(a_pattern_means_what_ecma_262_says),
		cmocka_unit_test(what_only_pcre2_has_is_refused),
		cmocka_unit_test(no_pattern_is_slow),
		cmocka_unit_test(a_long_pattern_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
