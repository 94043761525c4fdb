// SPDX-License-Identifier: Apache-2.0
/* What lint.h promises: each rule fires where it should, at its place, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "manifest/lint.h"
#include "manifest/manifest.h"

#define HEAD	     "\"agentpol\":1,\"name\":\"a\","
#define EGRESS(rule) "{" HEAD "\"network\":{\"egress\":[" rule "]}}"
#define TOOL(keys)                                                                                 \
	"{" HEAD "\"process\":{\"exec\":[]},\"budgets\":{\"calls\":1},\"tools\":{\"t\":{" keys "}" \
	"}"                                                                                        \
	"}"
#define SQL(head, keys) \
	TOOL(head ",\"sql\":{\"engine\":\"postgresql\",\"server\":\"db:5432\"" keys "}")
/* A rule for that server's port, by its number. */
#define BESIDE_SERVER(server, to)                                                             \
	"{" HEAD "\"process\":{\"exec\":[]},\"budgets\":{\"calls\":1},\"network\":{"          \
	"\"egress\":[{\"to\":\"" to "\",\"ports\":[5432,80]}]},\"tools\":{\"t\":{\"effect\":" \
	"\"read\",\"sql\":{\"engine\":\"postgresql\",\"server\":\"" server "\"" SELECTS "}}}}"
#define SELECTS ",\"allow\":[{\"select\":[\"orders\"]}]"

static void lint_text(const char *text, struct diagnostics *diagnostics)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_policy_ struct policy *policy = NULL;

	diagnostics_init(diagnostics, "test.json");
	document = manifest_parse(text, strlen(text), diagnostics);
	assert_non_null(document);
	policy = manifest_read_document(document, text, strlen(text), diagnostics);
	if (!policy)
		fail_msg("%s: %s", text, diagnostics->items[0].message);
	manifest_lint(policy, document, diagnostics);
}

struct finding {
	const char *text;
	const char *code;
	const char *pointer;
};

static const struct finding findings[] = {
	{EGRESS("{\"to\":\"@any\",\"ports\":\"*\"}"), "B001", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"0.0.0.0/0\",\"ports\":[\"1-65535\"]}"), "B001", "/network/egress/0/to"},
	{EGRESS("{\"to\":[\"a.b\",\"::/0\"],\"ports\":[\"*\"]}"), "B001", "/network/egress/0/to/1"},
	{EGRESS("{\"to\":\"@any\",\"ports\":[443]}"), "B002", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"10.0.0.0/8\",\"ports\":[443]}"), "B003", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"2000::/3\",\"ports\":[443]}"), "B003", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"169.254.169.254\",\"ports\":[80]}"), "B004", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"169.254.0.0/16\",\"ports\":[80]}"), "B004", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"*.com\",\"ports\":[443]}"), "B005", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"*.co.uk\",\"ports\":[443]}"), "B005", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"*.s3.amazonaws.com\",\"ports\":[443]}"), "B005", "/network/egress/0/to"},
	{EGRESS("{\"to\":\"a.b\",\"ports\":[443],\"sni\":\"ignore\"}"), "B006",
	 "/network/egress/0/sni"},
	{EGRESS("{\"to\":\"8.8.8.8\",\"ports\":[53],\"proto\":\"udp\"}"), "B007",
	 "/network/egress/0/ports"},
	{"{" HEAD "\"network\":{\"families\":[\"netlink\",\"packet\"]}}", "B008",
	 "/network/families/1"},
	{"{" HEAD "\"process\":{\"capabilities\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]}}", "B009",
	 "/process/capabilities/1"},
	{"{" HEAD "\"process\":{\"syscalls\":{\"deny\":[\"@reboot\"]}}}", "B010",
	 "/process/syscalls/deny"},
	{"{" HEAD "\"process\":{\"syscalls\":{\"allow\":[\"ptrace\"]}}}", "B010",
	 "/process/syscalls/allow/0"},
	{"{" HEAD "\"process\":{\"syscalls\":{\"allow\":[\"@mount\"]}}}", "B010",
	 "/process/syscalls/allow/0"},
	{"{" HEAD "\"network\":{\"unix\":[\"/run/x\",\"/var/run/docker.sock\"]}}", "B011",
	 "/network/unix/1"},
	{"{" HEAD "\"network\":{\"unix\":[\"/run/**\"]}}", "B011", "/network/unix/0"},
	{"{" HEAD "\"files\":{\"write\":[\"/tmp\",\"/\"]}}", "B012", "/files/write/1"},
	{"{" HEAD "\"files\":{\"write\":[\"/etc/cron.d\"]}}", "B013", "/files/write/0"},
	{"{" HEAD "\"files\":{\"read\":[\"/\"]}}", "B014", "/files/read/0"},
	{TOOL("\"effect\":\"destructive\""), "B015", "/tools/t/confirm"},
	{TOOL(""), "B015", "/tools/t/confirm"},
	{SQL("\"effect\":\"read\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"q\":"
	     "{\"type\":\"string\"}}}",
	     SELECTS),
	 "B016", "/tools/t/sql/argument"},
	{SQL("\"effect\":\"read\"", ",\"allow\":[{\"delete\":[\"orders\"]}]"), "B017",
	 "/tools/t/effect"},
	{SQL("\"effect\":\"read\"", SELECTS ",\"tls\":\"disable\""), "B018", "/tools/t/sql/tls"},
	{"{" HEAD "\"process\":{\"exec\":[]},\"tools\":{\"t\":{\"effect\":\"read\"}}}", "B019",
	 "/budgets"},
	{"{" HEAD "\"mode\":\"audit\"}", "B020", "/mode"},
	{"{" HEAD "\"budgets\":{},\"tools\":{\"t\":{\"effect\":\"read\"}}}", "B021",
	 "/process/exec"},
	{BESIDE_SERVER("db.internal:5432", "10.0.0.9"), "B022", "/network/egress/0/ports"},
	{BESIDE_SERVER("localhost:5432", "10.0.0.9"), "B022", "/network/egress/0/ports"},
	{BESIDE_SERVER("10.0.0.5:5432", "10.0.0.0/24"), "B022", "/network/egress/0/ports"},
	{BESIDE_SERVER("10.0.0.5:5432", "other.example"), "B022", "/network/egress/0/ports"},
	{SQL("\"effect\":\"read\"", SELECTS ",\"functions\":[\"tax\",\"pg_read_file\"]"), "B023",
	 "/tools/t/sql/functions/1"},
	{SQL("\"effect\":\"read\"", SELECTS ",\"functions\":[\"public.dblink_exec\"]"), "B023",
	 "/tools/t/sql/functions/0"},
	{SQL("\"effect\":\"read\"", SELECTS ",\"functions\":[\"pg_catalog.set_config\"]"), "B023",
	 "/tools/t/sql/functions/0"},
	{SQL("\"effect\":\"read\"", SELECTS ",\"search_path\":[\"public\",\"pg_catalog\"]"), "B024",
	 "/tools/t/sql/search_path/1"},
	{TOOL("\"effect\":\"read\",\"inputSchema\":{\"$schema\":\"http://json-schema.org/draft-07/"
	      "schema#\",\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/definitions/s\","
	      "\"maxLength\":3}},\"definitions\":{\"s\":{\"type\":\"string\"}}}"),
	 "B025", "/tools/t/inputSchema/properties/a/maxLength"},
	{SQL("\"effect\":\"read\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"q\":"
	     "{\"type\":\"string\",\"format\":\"uuid\"}}}",
	     SELECTS),
	 "B016", "/tools/t/sql/argument"},
};

static void each_rule_finds_its_case_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(findings); i++) {
		_cleanup_diagnostics_ struct diagnostics found;

		lint_text(findings[i].text, &found);
		if (found.count != 1 || strcmp(found.items[0].code, findings[i].code) ||
		    strcmp(found.items[0].pointer, findings[i].pointer))
			fail_msg("%s: %zu findings, first %s %s", findings[i].text, found.count,
				 found.count ? found.items[0].code : "-",
				 found.count ? found.items[0].pointer : "-");
		assert_true(found.items[0].position.line == 1);
		assert_non_null(strstr(found.items[0].message, "; "));
	}
}

static void every_rule_has_a_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < lint_rule_count; i++) {
		bool seen = false;

		for (size_t j = 0; j < ARRAY_SIZE(findings); j++)
			seen |= strcmp(findings[j].code, lint_rules[i].code) == 0;
		if (!seen)
			fail_msg("%s has no case", lint_rules[i].code);
	}
}

static void codes_and_names_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < lint_rule_count; i++)
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(lint_rules[i].code, lint_rules[j].code);
			assert_string_not_equal(lint_rules[i].name, lint_rules[j].name);
		}
}

static void what_is_narrow_has_no_finding(void **state)
{
	static const char *const good[] = {
		"{\"agentpol\":1,\"name\":\"a\"}",
		EGRESS("{\"to\":[\"api.example.com\",\"*.example.com\",\"10.20.0.0/16\","
		       "\"2001:db8::/32\",\"@loopback\"],\"ports\":[443,\"1-1024\"]}"),
		EGRESS("{\"to\":\"10.0.0.1\",\"ports\":\"*\"}"),
		"{" HEAD "\"files\":{\"read\":[\"/\"],\"deny\":[\"/root\"],\"write\":[\"/tmp\","
		"\"/dev/null\",\"/home/a\"]}}",
		"{" HEAD "\"process\":{\"syscalls\":{\"deny\":[\"@escape\",\"@swap\"],\"allow\":"
		"[\"uname\"]}}}",
		TOOL("\"effect\":\"destructive\",\"confirm\":\"ask\""),
		BESIDE_SERVER("10.0.0.5:5432", "10.0.0.6"),
		BESIDE_SERVER("localhost:5432", "@loopback"),
		BESIDE_SERVER("db.internal:5433", "10.0.0.0/24"),
		SQL("\"effect\":\"read\",\"inputSchema\":{\"type\":\"object\",\"properties\":"
		    "{\"q\":{\"type\":\"string\"}}}",
		    SELECTS ",\"argument\":\"/q\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_diagnostics_ struct diagnostics found;

		lint_text(good[i], &found);
		if (found.count)
			fail_msg("%s: %s %s", good[i], found.items[0].code, found.items[0].message);
	}
}

/* Though "*" leaves out more ports than one then. */
static void every_port_is_every_port_beside_a_server(void **state)
{
	_cleanup_diagnostics_ struct diagnostics found;

	(void)state;
	lint_text("{" HEAD "\"process\":{\"exec\":[]},\"budgets\":{},\"network\":{\"egress\":[{"
		  "\"to\":\"@any\",\"ports\":\"*\"}]},\"tools\":{\"t\":{\"effect\":\"read\","
		  "\"sql\":{\"engine\":\"postgresql\",\"server\":\"db:5432\"" SELECTS "}}}}",
		  &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.items[0].code, "B001");
}

static void a_finding_in_a_tool_points_into_the_tool(void **state)
{
	_cleanup_diagnostics_ struct diagnostics found;

	(void)state;
	lint_text(TOOL("\"effect\":\"read\",\"network\":{\"egress\":[{\"to\":\"*.com\",\"ports\":"
		       "[443]}]}"),
		  &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.items[0].pointer, "/tools/t/network/egress/0/to");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_finds_its_case_alone),
		cmocka_unit_test(every_rule_has_a_case),
		cmocka_unit_test(codes_and_names_are_unique),
		cmocka_unit_test(what_is_narrow_has_no_finding),
		cmocka_unit_test(every_port_is_every_port_beside_a_server),
		cmocka_unit_test(a_finding_in_a_tool_points_into_the_tool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
