// SPDX-License-Identifier: Apache-2.0
/* Scopes of several tools: what both may do, by the rules of each where it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"
#include "policy/decide.h"
#include "policy/joined.h"

static const char manifest[] =
	"{\"agentpol\": 1, \"name\": \"t\","
	" \"network\": {\"egress\": [{\"to\": \"10.0.0.1\", \"ports\": [443]}]},"
	" \"tools\": {"
	"  \"a/b\": {\"network\": {\"egress\": [{\"to\": \"10.0.0.2\", \"ports\": [443]},"
	"    {\"to\": \"10.0.0.3\", \"ports\": [443]}]},"
	"    \"process\": {\"exec\": [\"/usr/bin/git\"], \"limits\": {\"pids\": 20}}},"
	"  \"c\": {\"network\": {\"egress\": [{\"to\": \"10.0.0.4\", \"ports\": [443]}]},"
	"    \"process\": {\"limits\": {\"pids\": 10, \"cpu\": \"50%\"}},"
	"    \"files\": {\"read\": [\"/data\"]}},"
	"  \"called\": {\"scope\": \"call\","
	"    \"network\": {\"egress\": [{\"to\": \"10.0.0.5\", \"ports\": [443]}]}},"
	"  \"bare\": {},"
	"  \"db\": {\"sql\": {\"engine\": \"postgresql\", \"server\": \"10.0.0.6:5432\","
	"    \"allow\": [{\"select\": [\"t\"]}]}}}}";

static struct policy *read_policy(void)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	struct policy *policy;

	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(manifest, strlen(manifest), &diagnostics);
	if (!policy) {
		diagnostics_print_text(&diagnostics, stderr);
		fail_msg("the test's manifest is not usable");
	}
	return policy;
}

static const struct tool *join(struct policy *policy, const char *name)
{
	struct error error;

	if (policy_join_tools(policy, name, &error) < 0)
		fail_msg("%s", error.text);
	return policy_find_tool(policy, name);
}

/* The rule that grants the address in that scope, or "" where it is denied. */
static const char *rule_of(const struct policy *policy, const char *tool, const char *address)
{
	static struct verdict verdict;
	struct request request = {
		.kind = REQUEST_CONNECT,
		.tool = tool,
		.connect = {.port = 443, .protocol = PROTOCOL_TCP},
	};

	assert_true(address_parse(address, &request.connect.address));
	policy_decide(policy, &request, &verdict);
	return verdict.kind == VERDICT_ALLOW ? verdict.rule : "";
}

static void each_tools_rules_are_named_where_they_stand(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy();
	const struct tool *tool = join(policy, "c+a/b");
	char pointer[128];

	(void)state;
	assert_string_equal(rule_of(policy, "c+a/b", "10.0.0.1"), "/network/egress/0");
	assert_string_equal(rule_of(policy, "c+a/b", "10.0.0.3"), "/tools/a~1b/network/egress/1");
	assert_string_equal(rule_of(policy, "c+a/b", "10.0.0.4"), "/tools/c/network/egress/0");
	assert_string_equal(rule_of(policy, "c+a/b", "10.0.0.5"), "");
	policy_egress_pointer(tool, 0, pointer, sizeof(pointer));
	assert_string_equal(pointer, "/tools/c/network/egress/0");
	policy_egress_pointer(tool, 2, pointer, sizeof(pointer));
	assert_string_equal(pointer, "/tools/a~1b/network/egress/1");
}

static void the_parts_stay_as_they_were(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy();

	(void)state;
	(void)join(policy, "a/b+c");
	assert_string_equal(rule_of(policy, "a/b", "10.0.0.4"), "");
	assert_string_equal(rule_of(policy, "c", "10.0.0.2"), "");
	assert_string_equal(rule_of(policy, NULL, "10.0.0.2"), "");
	assert_string_equal(rule_of(policy, "c", "10.0.0.4"), "/tools/c/network/egress/0");
}

static void the_smallest_limit_of_the_parts_holds(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy();
	const struct limits limits = policy_limits(policy, join(policy, "a/b+c"));

	(void)state;
	assert_int_equal(limits.pids, 10);
	assert_int_equal(limits.cpu_percent, 50);
	assert_int_equal(limits.memory_bytes, 0);
}

static void a_tool_twice_or_without_grants_adds_nothing(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy();

	(void)state;
	assert_ptr_equal(join(policy, "c+c+bare"), policy_find_tool(policy, "c"));
	assert_int_equal(join(policy, "a/b+c+a/b")->part_count, 2);
}

static void what_is_open_in_a_call_alone_is_not_among_all(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy();
	struct error error;

	(void)state;
	/* All are more than one with a database. */
	assert_int_equal(policy_join_tools(policy, "*", &error), -1);
	assert_non_null(strstr(error.text, "db has a database"));
	assert_int_equal(policy_join_tools(policy, "c+db", &error), -1);
	assert_string_equal(join(policy, "db+bare")->name, "db");
	(void)join(policy, "c+called");
	assert_string_equal(rule_of(policy, "c+called", "10.0.0.5"),
			    "/tools/called/network/egress/0");
}

static void names_that_are_no_tools_are_errors(void **state)
{
	static const char *const names[] = {"", "+", "c+", "+c", "c+nobody", "c++a/b", "c+C", "**"};
	_cleanup_policy_ struct policy *policy = read_policy();
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (policy_join_tools(policy, names[i], &error) == 0)
			fail_msg("\"%s\" is taken", names[i]);
		assert_null(policy_find_tool(policy, names[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_tools_rules_are_named_where_they_stand),
		cmocka_unit_test(the_parts_stay_as_they_were),
		cmocka_unit_test(the_smallest_limit_of_the_parts_holds),
		cmocka_unit_test(a_tool_twice_or_without_grants_adds_nothing),
		cmocka_unit_test(what_is_open_in_a_call_alone_is_not_among_all),
		cmocka_unit_test(names_that_are_no_tools_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
