// SPDX-License-Identifier: Apache-2.0
/* What import.h promises: every form, the narrower schema, each finding, each refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "manifest/import.h"
#include "manifest/manifest.h"

#define MCP(tool)	    "[{\"name\":\"t\"," tool "}]"
#define SCHEMA(members)	    MCP("\"inputSchema\":{\"type\":\"object\"" members "}")
#define PROPERTY(name, how) SCHEMA(",\"properties\":{\"" name "\":" how "}")
#define STRING		    "{\"type\":\"string\"}"

static struct json_document *import(const char *text, enum import_form form,
				    struct diagnostics *found)
{
	diagnostics_init(found, "tools.json");
	return import_tools(text, strlen(text), form, "a", found);
}

/* The member of the one tool, as JSON; owned by the caller. */
static char *import_member(const char *text, const char *key)
{
	_cleanup_diagnostics_ struct diagnostics found;
	_cleanup_json_document_ struct json_document *manifest =
		import(text, IMPORT_DETECT, &found);
	const json_value *tool;

	if (!manifest)
		fail_msg("%s: %s", text, found.count ? found.items[0].message : "no manifest");
	tool = json_first(json_member(json_root(manifest), "tools"));
	return json_member(tool, key) ? json_print(json_member(tool, key)) : strdup("absent");
}

struct shape {
	const char *text, *key, *wanted;
};

static void check_shapes(const struct shape *shapes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *got = import_member(shapes[i].text, shapes[i].key);

		assert_non_null(got);
		if (strcmp(got, shapes[i].wanted) != 0)
			fail_msg("%s: %s is %s", shapes[i].text, shapes[i].key, got);
	}
}

static void every_form_of_a_list_is_read(void **state)
{
#define CLOSED "{\"type\":\"object\",\"additionalProperties\":false}"
	static const struct shape shapes[] = {
		{SCHEMA(), "inputSchema", CLOSED},
		{"{\"tools\":" SCHEMA() "}", "inputSchema", CLOSED},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":" SCHEMA() "}}",
		 "inputSchema", CLOSED},
		{"[{\"type\":\"function\",\"function\":{\"name\":\"t\",\"parameters\":"
		 "{\"type\":\"object\"}}}]",
		 "inputSchema", CLOSED},
		{"[{\"type\":\"function\",\"name\":\"t\",\"parameters\":{\"type\":\"object\"}}]",
		 "inputSchema", CLOSED},
		{"[{\"type\":\"function\",\"name\":\"t\",\"parameters\":null}]", "inputSchema",
		 CLOSED},
		{"[{\"type\":\"function\",\"name\":\"t\"}]", "inputSchema", CLOSED},
		{"[{\"name\":\"t\",\"input_schema\":{\"type\":\"object\"}}]", "inputSchema",
		 CLOSED},
		{MCP("\"inputSchema\":{},\"description\":\"d\""), "description", "\"d\""},
		{MCP("\"inputSchema\":{}"), "inputSchema", CLOSED},
	};

	(void)state;
	check_shapes(shapes, ARRAY_SIZE(shapes));
}

static void a_schema_gets_narrower_and_stays_itself(void **state)
{
	static const struct shape shapes[] = {
		{PROPERTY("a", STRING), "inputSchema",
		 "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":"
		 "1000}},\"additionalProperties\":false}"},
		{PROPERTY("a", "{\"type\":[\"string\",\"null\"],\"x-y\":[1]}"), "inputSchema",
		 "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],"
		 "\"x-y\":[1],\"maxLength\":1000}},\"additionalProperties\":false}"},
		{PROPERTY("a", "{\"type\":\"string\",\"enum\":[\"b\"]}"), "inputSchema",
		 "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"enum\":["
		 "\"b\"]}},\"additionalProperties\":false}"},
		{SCHEMA(",\"additionalProperties\":true"), "inputSchema",
		 "{\"type\":\"object\",\"additionalProperties\":true}"},
		/* A property that is called like a keyword is a property. */
		{PROPERTY("properties", "{\"type\":\"integer\"}"), "inputSchema",
		 "{\"type\":\"object\",\"properties\":{\"properties\":{\"type\":\"integer\"}},"
		 "\"additionalProperties\":false}"},
		{PROPERTY("a", "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":"
			       "{\"b\":{\"type\":\"integer\"}}}}"),
		 "inputSchema",
		 "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{"
		 "\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\"}},"
		 "\"additionalProperties\":false}}},\"additionalProperties\":false}"},
		/* Branches list members together. */
		{SCHEMA(",\"allOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}}}]"),
		 "inputSchema",
		 "{\"type\":\"object\",\"allOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}}}],"
		 "\"unevaluatedProperties\":false}"},
		/* What is narrower under "not" lets more pass. */
		{PROPERTY("a", "{\"type\":\"integer\",\"not\":" STRING "}"), "inputSchema",
		 "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"not\":"
		 "{\"type\":\"string\"}}},\"additionalProperties\":false}"},
		{PROPERTY("a", "{\"oneOf\":[" STRING ",{\"type\":\"null\"}]}"), "inputSchema",
		 "{\"type\":\"object\",\"properties\":{\"a\":{\"oneOf\":[{\"type\":\"string\"},"
		 "{\"type\":\"null\"}]}},\"additionalProperties\":false}"},
	};

	(void)state;
	check_shapes(shapes, ARRAY_SIZE(shapes));
}

static void an_effect_comes_of_the_hints_alone(void **state)
{
#define HINTS(hints) MCP("\"inputSchema\":{},\"annotations\":{" hints "}")
	static const struct shape shapes[] = {
		{SCHEMA(), "effect", "absent"},
		{SCHEMA(), "confirm", "\"ask\""},
		{HINTS("\"readOnlyHint\":true"), "effect", "\"read\""},
		{HINTS("\"readOnlyHint\":true"), "confirm", "absent"},
		{HINTS("\"readOnlyHint\":false"), "effect", "absent"},
		{HINTS("\"destructiveHint\":true"), "effect", "\"destructive\""},
		{HINTS("\"destructiveHint\":false"), "effect", "\"write\""},
		{HINTS("\"destructiveHint\":false"), "confirm", "\"ask\""},
		{HINTS("\"openWorldHint\":true"), "effect", "\"external\""},
		{HINTS("\"readOnlyHint\":true,\"destructiveHint\":true"), "effect",
		 "\"destructive\""},
		{HINTS("\"readOnlyHint\":true,\"destructiveHint\":true"), "annotations",
		 "{\"destructiveHint\":true}"},
		{HINTS("\"readOnlyHint\":\"yes\",\"other\":1"), "confirm", "\"ask\""},
	};

	(void)state;
	check_shapes(shapes, ARRAY_SIZE(shapes));
}

static void each_open_end_is_found(void **state)
{
	static const struct {
		const char *text, *code, *pointer, *says;
	} cases[] = {
		{PROPERTY("a", STRING), "I001", "/0/inputSchema/properties/a", "{\"/a\": "},
		{PROPERTY("file_path", STRING), "I002", "/0/inputSchema/properties/file_path",
		 "{\"/file_path\": {\"under\""},
		{PROPERTY("fileURL", STRING), "I003", "/0/inputSchema/properties/fileURL",
		 "egress"},
		{PROPERTY("a", "{\"type\":\"string\",\"description\":\"The SQL to run\"}"), "I004",
		 "/0/inputSchema/properties/a", "\"argument\": \"/a\""},
		{PROPERTY("command", STRING), "I005", "/0/inputSchema/properties/command", "enum"},
		{PROPERTY("recipient_email", STRING), "I006",
		 "/0/inputSchema/properties/recipient_email", "domain"},
		{PROPERTY("to", "{\"type\":\"array\",\"items\":" STRING "}"), "I006",
		 "/0/inputSchema/properties/to/items", "by \"enum\""},
		{PROPERTY("amount", "{\"type\":\"number\"}"), "I007",
		 "/0/inputSchema/properties/amount", "maximum"},
		{PROPERTY("api_key", STRING), "I008", "/0/inputSchema/properties/api_key",
		 "environment"},
		{PROPERTY("a", "{\"type\":\"array\"}"), "I009", "/0/inputSchema/properties/a",
		 "items"},
		{PROPERTY("a", "true"), "I009", "/0/inputSchema/properties/a", "type"},
		{PROPERTY("a", "{}"), "I009", "/0/inputSchema/properties/a", "type"},
		{SCHEMA(",\"additionalProperties\":{}"), "I010", "/0/inputSchema", "list them"},
		{PROPERTY("a", "{\"type\":\"object\"}"), "I011", "/0/inputSchema/properties/a",
		 "\"/a\""},
		{"[{\"type\":\"web_search\"},{\"type\":\"function\",\"name\":\"t\"}]", "I012", "/0",
		 "web_search"},
		{HINTS("\"readOnlyHint\":true,\"destructiveHint\":true"), "I014", "/0/annotations",
		 "destructive"},
		{"{\"tools\":" SCHEMA() ",\"nextCursor\":\"x\"}", "I015", "", "cursor"},
		{PROPERTY("a", "{\"anyOf\":[" STRING ",{\"type\":\"null\"}]}"), "I001",
		 "/0/inputSchema/properties/a/anyOf/0", "{\"/a\": "},
		{PROPERTY("o", "{\"type\":\"object\",\"properties\":{\"url\":" STRING "}}"), "I003",
		 "/0/inputSchema/properties/o/properties/url", "{\"/o/url\": "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_diagnostics_ struct diagnostics found;
		_cleanup_json_document_ struct json_document *manifest =
			import(cases[i].text, IMPORT_DETECT, &found);

		assert_non_null(manifest);
		if (found.count != 1)
			fail_msg("%s: %zu findings", cases[i].text, found.count);
		assert_string_equal(found.items[0].code, cases[i].code);
		assert_string_equal(found.items[0].pointer, cases[i].pointer);
		if (!strstr(found.items[0].message, cases[i].says))
			fail_msg("%s: %s", cases[i].text, found.items[0].message);
	}
}

static void a_tool_whose_schema_cannot_be_enforced_is_left_out(void **state)
{
	_cleanup_diagnostics_ struct diagnostics found;
	_cleanup_json_document_ struct json_document *manifest = import(
		"[{\"name\":\"a\",\"inputSchema\":{}},{\"name\":\"b\",\"inputSchema\":"
		"{\"type\":\"object\",\"properties\":{\"p\":{\"$ref\":\"https://x.example/y\"}}}}]",
		IMPORT_DETECT, &found);
	const json_value *tools;

	(void)state;
	assert_non_null(manifest);
	tools = json_member(json_root(manifest), "tools");
	assert_non_null(json_member(tools, "a"));
	assert_null(json_member(tools, "b"));
	assert_int_equal(found.errors, 1);
	assert_string_equal(found.items[0].code, "I013");
	assert_string_equal(found.items[0].pointer, "/1/inputSchema");
	assert_non_null(strstr(found.items[0].message, "/properties/p"));
}

static void what_is_limited_is_not_found(void **state)
{
	static const char *const texts[] = {
		PROPERTY("to", "{\"type\":\"string\",\"enum\":[\"a\"]}"),
		PROPERTY("to", "{\"type\":\"string\",\"pattern\":\"^a$\"}"),
		PROPERTY("to", "{\"type\":\"string\",\"maxLength\":3}"),
		PROPERTY("to", "{\"const\":\"a\"}"),
		PROPERTY("amount", "{\"type\":\"number\",\"maximum\":3}"),
		PROPERTY("count", "{\"type\":\"integer\"}"),
		SCHEMA(",\"allOf\":[{\"type\":\"object\",\"properties\":{}}]"),
		SCHEMA(""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_diagnostics_ struct diagnostics found;
		_cleanup_json_document_ struct json_document *manifest =
			import(texts[i], IMPORT_DETECT, &found);

		assert_non_null(manifest);
		if (found.count)
			fail_msg("%s: %s", texts[i], found.items[0].message);
	}
}

static void what_is_no_list_is_refused_at_its_place(void **state)
{
	static const struct {
		const char *text;
		enum import_form form;
		const char *code, *pointer;
	} cases[] = {
		{"{", IMPORT_DETECT, "M001", ""},
		{"[]", IMPORT_DETECT, "M008", ""},
		{"{}", IMPORT_DETECT, "M006", "/tools"},
		{"{\"tools\":{}}", IMPORT_DETECT, "M007", "/tools"},
		{"{\"id\":1,\"error\":{}}", IMPORT_DETECT, "M007", "/error"},
		{"[{\"name\":\"t\"}]", IMPORT_DETECT, "M024", "/0"},
		{"[{\"name\":\"t\",\"inputSchema\":{},\"input_schema\":{}}]", IMPORT_DETECT, "M024",
		 "/0"},
		{"[{\"name\":\"t\",\"inputSchema\":{}},{\"name\":\"u\",\"input_schema\":{}}]",
		 IMPORT_DETECT, "M024", "/1"},
		{"[{\"type\":\"web_search\"}]", IMPORT_DETECT, "M008", ""},
		{"[{\"name\":\"t\",\"input_schema\":{}}]", IMPORT_MCP, "M006", "/0/inputSchema"},
		{"[1]", IMPORT_MCP, "M007", "/0"},
		{"[{\"inputSchema\":{}}]", IMPORT_DETECT, "M006", "/0/name"},
		{"[{\"name\":1,\"inputSchema\":{}}]", IMPORT_DETECT, "M007", "/0/name"},
		{"[{\"name\":\"a b\",\"inputSchema\":{}}]", IMPORT_DETECT, "M016", "/0/name"},
		{"[{\"name\":\"\",\"inputSchema\":{}}]", IMPORT_DETECT, "M016", "/0/name"},
		{"[{\"name\":\"t\",\"inputSchema\":{}},{\"name\":\"t\",\"inputSchema\":{}}]",
		 IMPORT_DETECT, "M003", "/1/name"},
		{MCP("\"name\":\"u\",\"inputSchema\":{}"), IMPORT_DETECT, "M003", ""},
		{MCP("\"inputSchema\":[]"), IMPORT_DETECT, "M007", "/0/inputSchema"},
		{MCP("\"inputSchema\":{\"type\":\"string\"}"), IMPORT_DETECT, "M007",
		 "/0/inputSchema"},
		{MCP("\"inputSchema\":{},\"description\":1"), IMPORT_DETECT, "M007",
		 "/0/description"},
		{"[{\"type\":\"function\",\"function\":1}]", IMPORT_DETECT, "M007", "/0/function"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_diagnostics_ struct diagnostics found;

		assert_null(import(cases[i].text, cases[i].form, &found));
		if (found.count == 0 || strcmp(found.items[0].code, cases[i].code) != 0 ||
		    strcmp(found.items[0].pointer, cases[i].pointer) != 0)
			fail_msg("%s: %s at \"%s\"", cases[i].text,
				 found.count ? found.items[0].code : "nothing",
				 found.count ? found.items[0].pointer : "");
	}
}

static void a_file_s_name_becomes_an_agent_s(void **state)
{
	static const char *const cases[][2] = {
		{"/a/My Tools.v2.json", "my-tools"},
		{"tools", "tools"},
		{"--x--.json", "x"},
		{"/a/.json", ""},
		{"-", ""},
		{"\xc3\xa9t\xc3\xa9.json", "t"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[64];

		import_name_of_file(cases[i][0], name, sizeof(name));
		assert_string_equal(name, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_list_is_read),
		cmocka_unit_test(a_schema_gets_narrower_and_stays_itself),
		cmocka_unit_test(an_effect_comes_of_the_hints_alone),
		cmocka_unit_test(each_open_end_is_found),
		cmocka_unit_test(a_tool_whose_schema_cannot_be_enforced_is_left_out),
		cmocka_unit_test(what_is_limited_is_not_found),
		cmocka_unit_test(what_is_no_list_is_refused_at_its_place),
		cmocka_unit_test(a_file_s_name_becomes_an_agent_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
