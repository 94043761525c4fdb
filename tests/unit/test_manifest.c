// SPDX-License-Identifier: Apache-2.0
/* What manifest.h promises: a manifest becomes exactly what it says, or nothing at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "manifest/codes.h"
#include "manifest/manifest.h"

#define HEAD	      "\"agentpol\":1,\"name\":\"a\","
#define EGRESS(rules) "{" HEAD "\"network\":{\"egress\":[" rules "]}}"
#define TOOL(keys)    "{" HEAD "\"tools\":{\"t\":{" keys "}}}"
#define SQL(keys)                                                                   \
	TOOL("\"sql\":{\"engine\":\"postgresql\",\"server\":\"db:5432\",\"allow\":" \
	     "[{\"select\":[\"orders\"]}]," keys "}")

static struct policy *read_good(const char *text)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	struct policy *policy;

	diagnostics_init(&diagnostics, "test.json");
	policy = manifest_read_text(text, strlen(text), &diagnostics);
	if (!policy)
		fail_msg("%s: %s: %s", text, diagnostics.items[0].pointer,
			 diagnostics.items[0].message);
	assert_int_equal(diagnostics.count, 0);
	return policy;
}

/* The first error must have this code and pointer. */
static void assert_refused(const char *text, const char *code, const char *pointer)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	const struct diagnostic *first;

	diagnostics_init(&diagnostics, "test.json");
	if (manifest_read_text(text, strlen(text), &diagnostics))
		fail_msg("%s: was read", text);
	assert_true(diagnostics.count > 0);
	first = &diagnostics.items[0];
	if (strcmp(first->code, code) || strcmp(first->pointer, pointer))
		fail_msg("%s: %s %s: %s", text, first->code, first->pointer, first->message);
	assert_true(first->position.line > 0 && first->position.column > 0);
	assert_int_equal(diagnostics.errors, diagnostics.count);
}

static void the_least_manifest_grants_nothing(void **state)
{
	_cleanup_policy_ struct policy *policy = read_good("{\"agentpol\":1,\"name\":\"a\"}");

	(void)state;
	assert_string_equal(policy->name, "a");
	assert_int_equal(policy->mode, MODE_ENFORCE);
	assert_int_equal(policy->agent.network.egress_count, 0);
	assert_true(policy->agent.network.system_resolvers);
	assert_false(policy->agent.files.present);
	assert_int_equal(policy->tool_count, 0);
	assert_true(policy->budgets.calls == UINT64_MAX);
	assert_int_equal(policy->audit_allowed, AUDIT_CALL);
	assert_string_equal(policy->agent.pointer, "");
	/* printf '%s' '{"agentpol":1,"name":"a"}' | sha256sum */
	assert_string_equal(
		policy->digest,
		"sha256:ccb6acd14a973bcfca7ab7df3fdd2ac505a8161c00c8eb4699157aa3e35ff29c");
}

static void an_egress_rule_is_read_whole(void **state)
{
	_cleanup_policy_ struct policy *policy = read_good(EGRESS(
		"{\"to\":[\"API.Example.com.\",\"*.S3.example.COM\",\"10.20.0.0/16\",\"@any\","
		"\"@loopback\",\"::ffff:10.0.0.1\"],\"ports\":[443,\"8000-8100\"],\"proto\":["
		"\"tcp\","
		"\"udp\"],\"sni\":\"ignore\",\"connects\":\"20/min\",\"bytes\":\"5MiB/h\"}"));
	const struct egress_rule *rule = &policy->agent.network.egress[0];

	(void)state;
	assert_int_equal(rule->target_count, 6);
	assert_int_equal(rule->targets[0].kind, TARGET_NAME);
	assert_string_equal(rule->targets[0].name, "api.example.com");
	assert_int_equal(rule->targets[1].kind, TARGET_WILDCARD);
	assert_string_equal(rule->targets[1].name, "s3.example.com");
	assert_int_equal(rule->targets[2].kind, TARGET_PREFIX);
	assert_int_equal(rule->targets[2].prefix.bits, 112);
	assert_int_equal(rule->targets[3].kind, TARGET_ANY);
	assert_int_equal(rule->targets[4].kind, TARGET_LOOPBACK);
	assert_true(address_is_ipv4(&rule->targets[5].prefix.address));
	assert_true(port_set_has(rule->ports, 443));
	assert_true(port_set_has(rule->ports, 8050));
	assert_false(port_set_has(rule->ports, 8101));
	assert_int_equal(rule->protocols, PROTOCOL_TCP | PROTOCOL_UDP);
	assert_int_equal(rule->sni, SNI_IGNORE);
	assert_int_equal(rule->connects.amount, 20);
	assert_int_equal(rule->connects.seconds, 60);
	assert_int_equal(rule->bytes.amount, 5 << 20);
	assert_int_equal(rule->bytes.seconds, 3600);
}

static void port_53_is_granted_only_where_it_is_named(void **state)
{
	_cleanup_policy_ struct policy *policy =
		read_good(EGRESS("{\"to\":\"10.0.0.1\",\"ports\":\"*\"},"
				 "{\"to\":\"10.0.0.1\",\"ports\":[\"1-100\"]},"
				 "{\"to\":\"10.0.0.1\",\"ports\":[\"1-100\",53]},"
				 "{\"to\":\"10.0.0.1\",\"ports\":53}"));
	const struct egress_rule *rules = policy->agent.network.egress;

	(void)state;
	assert_false(port_set_has(rules[0].ports, 53));
	assert_true(port_set_has(rules[0].ports, 52));
	assert_true(port_set_has(rules[0].ports, 54));
	assert_true(port_set_has(rules[0].ports, 65535));
	assert_false(port_set_has(rules[0].ports, 0));
	assert_false(port_set_has(rules[1].ports, 53));
	assert_true(port_set_has(rules[2].ports, 53));
	assert_true(port_set_has(rules[3].ports, 53));
	assert_refused(EGRESS("{\"to\":\"10.0.0.1\",\"ports\":[\"53-53\"]}"), CODE_PORT,
		       "/network/egress/0/ports/0");
}

static void equal_port_sets_are_one(void **state)
{
	_cleanup_policy_ struct policy *policy =
		read_good(EGRESS("{\"to\":\"a.b\",\"ports\":[80,443]},"
				 "{\"to\":\"c.d\",\"ports\":[443,\"80-80\"]},"
				 "{\"to\":\"e.f\",\"ports\":[443]}"));
	const struct egress_rule *rules = policy->agent.network.egress;

	(void)state;
	assert_ptr_equal(rules[0].ports, rules[1].ports);
	assert_ptr_not_equal(rules[0].ports, rules[2].ports);
}

static void a_host_name_needs_ports_is_said_at_its_rule(void **state)
{
	static const char text[] = "{\"agentpol\": 1, \"name\": \"a\",\n \"network\": {\n"
				   "  \"egress\": [\n    {\"to\": \"api.openai.com\"}\n]}}";
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	char *line = NULL;
	size_t length;
	FILE *out = open_memstream(&line, &length);

	(void)state;
	diagnostics_init(&diagnostics, "support-bot.json");
	assert_null(manifest_read_text(text, strlen(text), &diagnostics));
	diagnostics_print_text(&diagnostics, out);
	(void)fclose(out);
	assert_string_equal(line,
			    "support-bot.json:4:5: error[M012]: /network/egress/0/ports: a host "
			    "name needs ports, e.g. \"ports\": [443]\n");
	free(line);
}

static void icmp_has_no_ports(void **state)
{
	_cleanup_policy_ struct policy *policy =
		read_good(EGRESS("{\"to\":\"10.0.0.1\",\"proto\":\"icmp\"}"));

	(void)state;
	assert_null(policy->agent.network.egress[0].ports);
	assert_refused(EGRESS("{\"to\":\"10.0.0.1\",\"proto\":\"icmp\",\"ports\":[1]}"),
		       CODE_CONTRADICTION, "/network/egress/0/ports");
	assert_refused(EGRESS("{\"to\":\"10.0.0.1\",\"proto\":[\"icmp\",\"tcp\"]}"),
		       CODE_NEEDS_PORTS, "/network/egress/0/ports");
}

static void a_target_that_is_unclear_is_refused(void **state)
{
	static const struct {
		const char *target, *code;
	} bad[] = {
		{"", CODE_TARGET},
		{".", CODE_TARGET},
		{"a..b", CODE_TARGET},
		{".a", CODE_TARGET},
		{"-a.b", CODE_TARGET},
		{"a-.b", CODE_TARGET},
		{"a b", CODE_TARGET},
		{"b\\u00fccher.example", CODE_TARGET},
		{"*", CODE_TARGET},
		{"*.", CODE_TARGET},
		{"*a.b", CODE_TARGET},
		{"a.*.b", CODE_TARGET},
		{"*.*.b", CODE_TARGET},
		{"*.10.0.0.1", CODE_TARGET},
		{"@all", CODE_TARGET},
		{"localhost", CODE_TARGET},
		{"LOCALHOST.", CODE_TARGET},
		{"10.0.0", CODE_TARGET},
		{"10.0.0.256", CODE_TARGET},
		{"10.0.0.1.", CODE_TARGET},
		{"0x7f000001", CODE_TARGET},
		{"2130706433", CODE_TARGET},
		{"example.123", CODE_TARGET},
		{"0.0.0.0", CODE_TARGET},
		{"::", CODE_TARGET},
		{"10.0.0.0/33", CODE_TARGET},
		{"10.0.0.0/", CODE_TARGET},
		{"10.0.0.1/24", CODE_HOST_BITS},
		{"2001:db8::1/64", CODE_HOST_BITS},
		{"fe80::1%eth0", CODE_TARGET},
		{"[::1]", CODE_TARGET},
		{"https://a.b/", CODE_TARGET},
		{"a.b:443", CODE_TARGET},
		{"a.b/c", CODE_TARGET},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", CODE_TARGET},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[512];

		(void)snprintf(text, sizeof(text), EGRESS("{\"to\":\"%s\",\"ports\":[443]}"),
			       bad[i].target);
		assert_refused(text, bad[i].code, "/network/egress/0/to");
	}
}

static void a_prefix_with_host_bits_is_told_the_right_one(void **state)
{
	static const char text[] = EGRESS("{\"to\":\"10.1.2.3/16\",\"ports\":[1]}");
	_cleanup_diagnostics_ struct diagnostics diagnostics;

	(void)state;
	diagnostics_init(&diagnostics, "x");
	assert_null(manifest_read_text(text, strlen(text), &diagnostics));
	assert_non_null(strstr(diagnostics.items[0].message, "\"10.1.0.0/16\""));
}

static void an_unknown_key_is_refused_with_the_nearest_one(void **state)
{
	static const char text[] = "{\"agentpol\":1,\"name\":\"a\",\n\"netwrok\":{}}";
	_cleanup_diagnostics_ struct diagnostics diagnostics;

	(void)state;
	diagnostics_init(&diagnostics, "x");
	assert_null(manifest_read_text(text, strlen(text), &diagnostics));
	assert_string_equal(diagnostics.items[0].code, CODE_UNKNOWN_KEY);
	assert_string_equal(diagnostics.items[0].pointer, "/netwrok");
	assert_int_equal(diagnostics.items[0].position.line, 2);
	assert_int_equal(diagnostics.items[0].position.column, 1);
	assert_non_null(strstr(diagnostics.items[0].message, "did you mean \"network\""));
}

static void a_key_given_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("{" HEAD "\"mode\":\"audit\",\"mode\":\"enforce\"}", CODE_KEY_TWICE, "");
}

static void all_errors_are_told_in_one_run(void **state)
{
	static const char text[] = "{\"agentpol\":2,\"name\":\"A\",\"mode\":\"x\",\"budgets\":[],"
				   "\"network\":{\"egress\":[{\"ports\":[0]}]}}";
	_cleanup_diagnostics_ struct diagnostics diagnostics;

	(void)state;
	diagnostics_init(&diagnostics, "x");
	assert_null(manifest_read_text(text, strlen(text), &diagnostics));
	assert_int_equal(diagnostics.errors, 6);
}

static void no_more_than_64_errors_are_kept_but_all_count(void **state)
{
	char text[8192];
	size_t used = (size_t)snprintf(text, sizeof(text), "{" HEAD "\"network\":{\"egress\":[{}");
	_cleanup_diagnostics_ struct diagnostics diagnostics;

	(void)state;
	for (size_t i = 1; i < 100; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",{}");
	(void)snprintf(text + used, sizeof(text) - used, "]}}");
	diagnostics_init(&diagnostics, "x");
	assert_null(manifest_read_text(text, strlen(text), &diagnostics));
	assert_int_equal(diagnostics.count, DIAGNOSTICS_MAX);
	assert_int_equal(diagnostics.errors, 200);
	assert_int_equal(diagnostics.dropped, 200 - DIAGNOSTICS_MAX);
}

static void listen_resolvers_unix_and_families_are_read(void **state)
{
	_cleanup_policy_ struct policy *policy = read_good(
		"{" HEAD "\"network\":{\"resolvers\":[\"10.0.0.53\",\"system\",\"fd00::1\"],"
		"\"listen\":[{\"ports\":[8080,53],\"on\":\"@loopback\"},{\"ports\":\"*\"},"
		"{\"ports\":1,\"on\":\"10.0.0.1\"}],\"unix\":[\"/run/x//y.sock\",\"@abstract\"],"
		"\"families\":[\"packet\",\"raw\"]}}");
	const struct network *network = &policy->agent.network;

	(void)state;
	assert_true(network->system_resolvers);
	assert_int_equal(network->resolver_count, 2);
	assert_int_equal(network->listen_count, 3);
	assert_int_equal(network->listens[0].on.kind, TARGET_LOOPBACK);
	assert_true(port_set_has(network->listens[0].ports, 53));
	assert_int_equal(network->listens[1].on.kind, TARGET_ANY);
	assert_true(port_set_has(network->listens[1].ports, 53));
	assert_int_equal(network->listens[2].on.kind, TARGET_PREFIX);
	assert_int_equal(network->listens[2].on.prefix.bits, 128);
	assert_string_equal(network->unix_paths.items[0], "/run/x/y.sock");
	assert_string_equal(network->unix_paths.items[1], "@abstract");
	assert_int_equal(network->families, FAMILY_PACKET | FAMILY_RAW);
}

static void process_and_files_are_read(void **state)
{
	_cleanup_policy_ struct policy *policy = read_good(
		"{" HEAD
		"\"process\":{\"exec\":[\"/usr/bin/*\"],\"syscalls\":{\"deny\":[\"@mount\","
		"\"ptrace\"],\"allow\":[\"umount2\"]},\"capabilities\":[\"CAP_NET_BIND_SERVICE\"],"
		"\"limits\":{\"pids\":256,\"memory\":\"2GiB\",\"cpu\":\"150%\"},\"on_violation\":"
		"\"kill\"},\"files\":{\"read\":[\"/usr/\",\"/a/./b\"],\"write\":[],\"deny\":[\"/"
		"x\"]}}");
	const struct process *process = &policy->agent.process;

	(void)state;
	assert_true(process->exec_present && process->syscalls_present);
	assert_int_equal(process->syscalls_deny.count, 2);
	assert_int_equal(process->syscalls_allow.count, 1);
	assert_true(process->capabilities == 1U << 10);
	assert_int_equal(process->limits.pids, 256);
	assert_true(process->limits.memory_bytes == 2ULL << 30);
	assert_int_equal(process->limits.cpu_percent, 150);
	assert_true(process->kill_on_violation);
	assert_string_equal(policy->agent.files.read.items[0], "/usr");
	assert_string_equal(policy->agent.files.read.items[1], "/a/b");
	assert_int_equal(policy->agent.files.write.count, 0);
}

static void a_tool_is_read_whole(void **state)
{
	_cleanup_policy_ struct policy *policy = read_good(
		"{" HEAD "\"tools\":{\"login\":{\"effect\":\"read\"},\"a/b\":{\"inputSchema\":{"
		"\"type\":\"object\",\"properties\":{\"sql\":{},\"amount\":{}}},\"effect\":"
		"\"external\","
		"\"scope\":\"call\",\"confirm\":\"ask\",\"ask_timeout\":\"2min\",\"budget\":{"
		"\"calls\":"
		"5,"
		"\"rate\":\"5/s\"},\"requires\":[{\"tool\":\"login\",\"match\":{\"/amount\":"
		"\"/result/amount\"}}],\"arguments\":{\"/"
		"amount\":{\"maximum\":100}},\"sql\":{\"engine\":"
		"\"postgresql\",\"server\":\"[::1]:5432\",\"argument\":\"/"
		"sql\",\"allow\":[{\"select\":["
		"\"Orders\",\"shop.customers(id, \\\"Name\\\")\"]}],\"functions\":[\"Lower\"]},"
		"\"network\":{\"egress\":[{\"to\":\"x.y\",\"ports\":[443]}]}}}}");
	const struct tool *tool = policy_find_tool(policy, "a/b");
	const struct sql_table *tables;

	(void)state;
	assert_non_null(tool);
	assert_string_equal(tool->scope.pointer, "/tools/a~1b");
	assert_int_equal(tool->effect, EFFECT_EXTERNAL);
	assert_true(tool->call_scope && tool->ask);
	assert_int_equal(tool->ask_timeout_seconds, 120);
	assert_int_equal(tool->budget_calls, 5);
	assert_int_equal(tool->budget_rate.seconds, 1);
	assert_string_equal(tool->requires[0].tool, "login");
	assert_string_equal(tool->requires[0].matches[0].argument_pointer, "/amount");
	assert_string_equal(tool->requires[0].matches[0].source_pointer, "/result/amount");
	assert_true(tool->arguments[0].has_maximum && tool->arguments[0].maximum > 99);
	assert_string_equal(tool->sql->server_host, "::1");
	assert_int_equal(tool->sql->server_port, 5432);
	assert_string_equal(tool->sql->search_path.items[0], "public");
	assert_string_equal(tool->sql->functions.items[0], "lower");
	assert_int_equal(tool->sql->read_only, -1);
	tables = tool->sql->grants[0].tables;
	assert_string_equal(tables[0].name, "orders");
	assert_null(tables[0].schema);
	assert_string_equal(tables[1].schema, "shop");
	assert_string_equal(tables[1].columns.items[1], "Name");
	assert_int_equal(tool->scope.network.egress_count, 1);
	assert_false(tool->scope.network.system_resolvers);
}

static void effects_must_not_contradict_the_hints(void **state)
{
	(void)state;
	assert_refused(TOOL("\"effect\":\"write\",\"annotations\":{\"readOnlyHint\":true}"),
		       CODE_CONTRADICTION, "/tools/t/annotations");
	assert_refused(TOOL("\"effect\":\"read\",\"annotations\":{\"destructiveHint\":true}"),
		       CODE_CONTRADICTION, "/tools/t/annotations");
	assert_refused(TOOL("\"effect\":\"read\",\"annotations\":{\"readOnlyHint\":false}"),
		       CODE_CONTRADICTION, "/tools/t/annotations");
	policy_free(read_good(TOOL("\"effect\":\"read\",\"annotations\":{\"readOnlyHint\":true}")));
}

static void names_of_tools_must_exist(void **state)
{
	(void)state;
	assert_refused(TOOL("\"requires\":[\"u\"]"), CODE_UNKNOWN_TOOL, "/tools/t/requires/0");
	assert_refused(TOOL("\"requires\":[{\"tool\":\"u\"}]"), CODE_UNKNOWN_TOOL,
		       "/tools/t/requires/0/tool");
	assert_refused(TOOL("\"forbids_after\":[\"u\"]"), CODE_UNKNOWN_TOOL,
		       "/tools/t/forbids_after/0");
}

static void a_cycle_of_tools_is_refused_and_printed(void **state)
{
	static const char text[] = "{" HEAD "\"tools\":{\"a\":{\"requires\":[\"c\"]},\"b\":{"
				   "\"requires\":[\"a\"]},\"c\":{\"forbids_after\":[\"d\"],"
				   "\"requires\":[\"b\"]},\"d\":{}}}";
	_cleanup_diagnostics_ struct diagnostics diagnostics;

	(void)state;
	diagnostics_init(&diagnostics, "x");
	assert_null(manifest_read_text(text, strlen(text), &diagnostics));
	assert_int_equal(diagnostics.count, 1);
	assert_string_equal(diagnostics.items[0].code, CODE_CYCLE);
	assert_non_null(strstr(diagnostics.items[0].message, "\"a\""));
	assert_non_null(strstr(diagnostics.items[0].message, "\"b\""));
	assert_non_null(strstr(diagnostics.items[0].message, "\"c\""));
	assert_null(strstr(diagnostics.items[0].message, "\"d\""));
	assert_refused(TOOL("\"requires\":[\"t\"]"), CODE_CYCLE, "/tools/t");
	assert_refused("{" HEAD "\"tools\":{\"a\":{\"forbids_after\":[\"b\"],\"requires\":[\"b\"]},"
		       "\"b\":{}}}",
		       CODE_CYCLE, "/tools/a");
}

static void sql_names_are_taken_apart_strictly(void **state)
{
	static const char *const bad[] = {
		"",	      " ",
		"*",	      "a.",
		".a",	      "a.b.c",
		"a b",	      "1a",
		"a()",	      "a(",
		"a(b",	      "a(b,)",
		"a(b c)",     "a(*)",
		"a;",	      "a--",
		"\\\"a",      "\\\"\\\"",
		"b\\u00e4r",  "a(b)c",
		"a(b) where", "$a",
		"a-b",	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[512];

		(void)snprintf(text, sizeof(text),
			       TOOL("\"sql\":{\"engine\":\"postgresql\",\"server\":\"db:1\","
				    "\"allow\":[{\"select\":[\"%s\"]}]}"),
			       bad[i]);
		assert_refused(text, CODE_SQL, "/tools/t/sql/allow/0/select/0");
	}
}

static void other_bad_values_are_refused(void **state)
{
	static const struct {
		const char *text, *code, *pointer;
	} bad[] = {
		{"[]", CODE_TYPE, ""},
		{"{}", CODE_MISSING_KEY, "/agentpol"},
		{"{\"agentpol\":1}", CODE_MISSING_KEY, "/name"},
		{"{\"agentpol\":2,\"name\":\"a\"}", CODE_UNSUPPORTED, "/agentpol"},
		{"{\"agentpol\":1,\"name\":\"A\"}", CODE_NAME, "/name"},
		{"{\"agentpol\":1,\"name\":\"-a\"}", CODE_NAME, "/name"},
		{"{" HEAD "\"mode\":\"Enforce\"}", CODE_WORD, "/mode"},
		{"{" HEAD "\"mode\":null}", CODE_TYPE, "/mode"},
		{"{" HEAD "\"files\":{\"read\":[\"/a/../b\"]}}", CODE_PATH, "/files/read/0"},
		{"{" HEAD "\"files\":{\"read\":[\"a\"]}}", CODE_PATH, "/files/read/0"},
		{"{" HEAD "\"files\":{\"read\":[\"/a/*\"]}}", CODE_PATH, "/files/read/0"},
		{"{" HEAD "\"process\":{\"exec\":[\"curl\"]}}", CODE_PATH, "/process/exec/0"},
		{"{" HEAD "\"process\":{\"syscalls\":{}}}", CODE_EMPTY, "/process/syscalls"},
		{"{" HEAD "\"process\":{\"syscalls\":{\"deny\":[\"@nope\"]}}}", CODE_UNKNOWN_NAME,
		 "/process/syscalls/deny/0"},
		{"{" HEAD "\"process\":{\"capabilities\":[\"CAP_NOPE\"]}}", CODE_UNKNOWN_NAME,
		 "/process/capabilities/0"},
		{"{" HEAD "\"process\":{\"limits\":{\"cpu\":\"0%\"}}}", CODE_QUANTITY,
		 "/process/limits/cpu"},
		{"{" HEAD "\"network\":{\"families\":[\"inet\"]}}", CODE_UNKNOWN_NAME,
		 "/network/families/0"},
		{"{" HEAD "\"network\":{\"resolvers\":[]}}", CODE_EMPTY, "/network/resolvers"},
		{"{" HEAD "\"tools\":{\"a b\":{}}}", CODE_NAME, "/tools/a b"},
		{"{" HEAD "\"tools\":{\"\":{}}}", CODE_NAME, "/tools/"},
		{TOOL("\"inputSchema\":{}"), CODE_TYPE, "/tools/t/inputSchema/type"},
		{TOOL("\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a/b\":{\"allOf\":["
		      "true,{\"maxlength\":3}]}}}"),
		 CODE_SCHEMA, "/tools/t/inputSchema/properties/a~1b/allOf/1/maxlength"},
		{TOOL("\"outputSchema\":{\"type\":\"object\",\"$ref\":\"http://x.example/\"}"),
		 CODE_SCHEMA, "/tools/t/outputSchema/$ref"},
		{TOOL("\"arguments\":{\"/a\":{\"pattern\":\"(?R)\"}}"), CODE_SCHEMA,
		 "/tools/t/arguments/~1a/pattern"},
		{TOOL("\"ask_timeout\":\"5s\""), CODE_CONTRADICTION, "/tools/t/ask_timeout"},
		{TOOL("\"confirm\":\"ask\",\"ask_timeout\":\"2day\""), CODE_QUANTITY,
		 "/tools/t/ask_timeout"},
		{TOOL("\"arguments\":{\"a\":{\"minimum\":1}}"), CODE_POINTER,
		 "/tools/t/arguments/a"},
		{TOOL("\"arguments\":{\"/a\":{}}"), CODE_EMPTY, "/tools/t/arguments/~1a"},
		{TOOL("\"arguments\":{\"/a\":{\"minimum\":2,\"maximum\":1}}"), CODE_CONTRADICTION,
		 "/tools/t/arguments/~1a/minimum"},
		{TOOL("\"inputSchema\":{\"type\":\"object\",\"properties\":{\"b\":{}}},"
		      "\"arguments\":{\"/a\":{\"minimum\":2}}"),
		 CODE_POINTER, "/tools/t/arguments/~1a"},
		{SQL("\"databases\":[]"), CODE_EMPTY, "/tools/t/sql/databases"},
		{SQL("\"tls\":\"off\""), CODE_WORD, "/tools/t/sql/tls"},
		{SQL("\"argument\":\"sql\""), CODE_POINTER, "/tools/t/sql/argument"},
		{SQL("\"search_path\":[\"\\\"$user\\\"\"]"), CODE_SQL,
		 "/tools/t/sql/search_path/0"},
		{EGRESS("{\"to\":\"a.b\",\"ports\":[]}"), CODE_EMPTY, "/network/egress/0/ports"},
		{EGRESS("{\"to\":\"a.b\",\"ports\":[\"443\"]}"), CODE_PORT,
		 "/network/egress/0/ports/0"},
		{EGRESS("{\"to\":\"a.b\",\"ports\":[\"9-8\"]}"), CODE_PORT,
		 "/network/egress/0/ports/0"},
		{EGRESS("{\"to\":\"a.b\",\"ports\":[65536]}"), CODE_PORT,
		 "/network/egress/0/ports/0"},
		{EGRESS("{\"to\":\"10.0.0.1\",\"ports\":[1],\"sni\":\"ignore\"}"),
		 CODE_CONTRADICTION, "/network/egress/0/sni"},
		{EGRESS("{\"to\":\"a.b\",\"ports\":[1],\"connects\":\"0/s\"}"), CODE_QUANTITY,
		 "/network/egress/0/connects"},
		{EGRESS("{\"to\":\"a.b\",\"ports\":[1],\"bytes\":\"5MB/s\"}"), CODE_QUANTITY,
		 "/network/egress/0/bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refused(bad[i].text, bad[i].code, bad[i].pointer);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Quadratic work would take minutes here; the bound leaves room for sanitizers. */
static void a_hundred_thousand_targets_read_fast(void **state)
{
	const size_t count = 100000;
	_cleanup_free_ char *text = malloc(count * 80 + 256);
	struct timespec start;
	size_t used, room = count * 80 + 256;

	(void)state;
	assert_non_null(text);
	used = (size_t)snprintf(text, room, "{" HEAD "\"network\":{\"egress\":[{\"to\":[");
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, room - used, "%s\"10.%zu.%zu.0/24\"",
					 i ? "," : "", i / 256 % 256, i % 256);
	(void)snprintf(text + used, room - used, "],\"ports\":[443]}]}}");
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	policy_free(read_good(text));
	used = (size_t)snprintf(text, room, "{" HEAD "\"network\":{\"egress\":[");
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, room - used,
					 "%s{\"to\":\"n%zu.example.com\",\"ports\":[%zu]}",
					 i ? "," : "", i, i % 1000 + 1);
	(void)snprintf(text + used, room - used, "]}}");
	policy_free(read_good(text));
	assert_true(seconds_since(&start) < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_manifest_grants_nothing),
		cmocka_unit_test(an_egress_rule_is_read_whole),
		cmocka_unit_test(port_53_is_granted_only_where_it_is_named),
		cmocka_unit_test(equal_port_sets_are_one),
		cmocka_unit_test(a_host_name_needs_ports_is_said_at_its_rule),
		cmocka_unit_test(icmp_has_no_ports),
		cmocka_unit_test(a_target_that_is_unclear_is_refused),
		cmocka_unit_test(a_prefix_with_host_bits_is_told_the_right_one),
		cmocka_unit_test(an_unknown_key_is_refused_with_the_nearest_one),
		cmocka_unit_test(a_key_given_twice_is_refused),
		cmocka_unit_test(all_errors_are_told_in_one_run),
		cmocka_unit_test(no_more_than_64_errors_are_kept_but_all_count),
		cmocka_unit_test(listen_resolvers_unix_and_families_are_read),
		cmocka_unit_test(process_and_files_are_read),
		cmocka_unit_test(a_tool_is_read_whole),
		cmocka_unit_test(effects_must_not_contradict_the_hints),
		cmocka_unit_test(names_of_tools_must_exist),
		cmocka_unit_test(a_cycle_of_tools_is_refused_and_printed),
		cmocka_unit_test(sql_names_are_taken_apart_strictly),
		cmocka_unit_test(other_bad_values_are_refused),
		cmocka_unit_test(a_hundred_thousand_targets_read_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
