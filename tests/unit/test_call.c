// SPDX-License-Identifier: Apache-2.0
/* Tool calls: what an argument may be, which order holds, what budgets leave, what is remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "call/session.h"
#include "call/url.h"
#include "manifest/manifest.h"

#define SECOND 1000000000ULL

static struct policy *read_policy(const char *text)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	struct policy *policy;

	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(text, strlen(text), &diagnostics);
	if (!policy) {
		diagnostics_print_text(&diagnostics, stderr);
		fail_msg("not usable: %s", text);
	}
	return policy;
}

static struct json_document *read_json(const char *text)
{
	struct json_fault fault;
	struct json_document *document = json_document_parse(text, strlen(text), &fault);

	if (!document)
		fail_msg("%s: %s", text, fault.message);
	return document;
}

/* ---- digests ---- */

static void equal_values_have_equal_digests(void **state)
{
	static const struct {
		const char *left, *right;
		bool equal;
	} cases[] = {
		{"1", "1.0", true},
		{"1", "10e-1", true},
		{"0", "-0", true},
		{"1", "\"1\"", false},
		{"true", "1", false},
		{"true", "\"true\"", false},
		{"null", "false", false},
		{"\"\"", "null", false},
		{"[]", "{}", false},
		{"[[]]", "[]", false},
		{"[1,2]", "[2,1]", false},
		{"{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}", true},
		{"{\"a\":1}", "{\"a\":1,\"b\":null}", false},
		{"{\"a\":{\"b\":1}}", "{\"a\":{\"b\":2}}", false},
		{"\"a\"", "\"\\u0061\"", true},
		{"9007199254740991", "9007199254740991", true},
		/* Doubles can't tell these apart: then nothing is equal. */
		{"9007199254740993", "9007199254740993", false},
		{"[9007199254740993]", "[9007199254740993]", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_document_ struct json_document *left = read_json(cases[i].left);
		_cleanup_json_document_ struct json_document *right = read_json(cases[i].right);
		const struct digest a = digest_of(json_root(left)), b = digest_of(json_root(right));

		if ((digest_is_set(&a) && memcmp(&a, &b, sizeof(a)) == 0) != cases[i].equal)
			fail_msg("%s and %s", cases[i].left, cases[i].right);
	}
}

static void a_pointer_leads_to_one_value(void **state)
{
	static const char text[] = "{\"a\":{\"b/c\":[10,{\"~\":11}],\"\":12},\"0\":13}";
	static const struct {
		const char *pointer;
		double number; /* 0: leads nowhere */
	} cases[] = {
		{"/a/b~1c/0", 10}, {"/a/b~1c/1/~0", 11}, {"/a/", 12},
		{"/0", 13},	   {"/a/b~1c/2", 0},	 {"/a/b~1c/00", 0},
		{"/a/b~1c/-", 0},  {"/a/b~1c/0/x", 0},	 {"/b", 0},
		{"a", 0},	   {"/a/b", 0},		 {"/a/b~1c/99999999999", 0},
	};
	_cleanup_json_document_ struct json_document *document = read_json(text);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const json_value *value = digest_find(json_root(document), cases[i].pointer);

		if ((value ? json_as_number(value) : 0) != cases[i].number)
			fail_msg("%s", cases[i].pointer);
	}
	assert_ptr_equal(digest_find(json_root(document), ""), json_root(document));
}

/* ---- URLs ---- */

static void a_url_has_one_meaning_or_none(void **state)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: refused; "": an address */
		uint16_t port;
	} cases[] = {
		{"https://example.com", "example.com", 443},
		{"HTTPS://Example.COM./x?y#z", "example.com", 443},
		{"http://example.com:8080/@x", "example.com", 8080},
		{"example.com/x", "example.com", 443},
		{"example.com:81", "example.com", 81},
		{"https://1.2.3.4:444/", "", 444},
		{"https://[2001:db8::1]:444/", "", 444},
		{"https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443},
		{"redis://cache.example", "cache.example", 6379},
		{"gopher://example.com/", NULL, 0},
		{"gopher://example.com:70/", "example.com", 70},
		{"https://user@example.com/", NULL, 0},
		{"https://example.com@evil.example/", NULL, 0},
		{"https://evil.example\\@example.com/", NULL, 0},
		{"https://example.com\\.evil.example/", NULL, 0},
		{"https://ex\tample.com/", NULL, 0},
		{" https://example.com/", NULL, 0},
		{"https://example.com/a b", NULL, 0},
		{"https://ex%61mple.com/", NULL, 0},
		{"https://b\xc3\xbc"
		 "cher.example/",
		 NULL, 0},
		{"https:///example.com", NULL, 0},
		{"https:example.com", NULL, 0},
		{"//example.com/", NULL, 0},
		{"javascript:alert(1)", NULL, 0},
		{"https://2130706433/", NULL, 0},
		{"https://0x7f000001/", NULL, 0},
		{"https://0177.0.0.1/", NULL, 0},
		{"https://127.1/", NULL, 0},
		{"https://1.2.3.4.5/", NULL, 0},
		{"https://[::1/", NULL, 0},
		{"https://[1.2.3.4]/", NULL, 0},
		{"https://2001:db8::1/", NULL, 0},
		{"https://example.com:0/", NULL, 0},
		{"https://example.com:65536/", NULL, 0},
		{"https://example.com:/", NULL, 0},
		{"https://example.com:+1/", NULL, 0},
		{"https://.example.com/", NULL, 0},
		{"https://example..com/", NULL, 0},
		{"", NULL, 0},
		{"https://", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *fault = NULL;
		struct url url;
		const bool good = url_read(cases[i].text, &url, &fault);

		if (good != (cases[i].host != NULL))
			fail_msg("%s: %s", cases[i].text, good ? url.host : fault);
		if (good && (strcmp(url.host, cases[i].host) != 0 || url.ports[0] != cases[i].port))
			fail_msg("%s: %s %u", cases[i].text, url.host, url.ports[0]);
		if (!good)
			assert_non_null(fault);
	}
}

/* ---- arguments ---- */

static const char limits_manifest[] =
	"{\"agentpol\":1,\"name\":\"t\",\"network\":{\"egress\":[{\"to\":\"open.example\","
	"\"ports\":"
	"[443]}]},\"tools\":{"
	"\"plain\":{},"
	"\"limited\":{\"network\":{\"egress\":[{\"to\":\"*.own.example\",\"ports\":[8443]},"
	"{\"to\":\"192.0.2.0/24\",\"ports\":[80]}]},\"arguments\":{"
	"\"/path\":{\"under\":[\"/data\",\"/srv/x/\"]},\"/url\":{\"egress\":true},"
	"\"/amount\":{\"minimum\":1,\"maximum\":100},\"/who\":{\"enum\":[\"ann\",\"bob\"]},"
	"\"/text\":{\"maxLength\":3},\"/to/name\":{\"pattern\":\"^[a-z]+$\"}}},"
	"\"typed\":{\"inputSchema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":"
	"\"integer\"}},\"required\":[\"n\"],\"additionalProperties\":false}},"
	"\"query\":{\"sql\":{\"engine\":\"postgresql\",\"server\":\"db.example:5432\","
	"\"argument\":\"/sql\",\"allow\":[{\"select\":[\"orders\"]}]}}}}";

static const struct {
	const char *tool, *arguments;
	const char *reason; /* NULL: allowed */
	const char *rule;
} argument_cases[] = {
	{"plain", "{}", NULL, NULL},
	{"plain", NULL, NULL, NULL},
	{"plain", "[]", "schema", "/tools/plain/inputSchema"},
	{"plain", "\"x\"", "schema", "/tools/plain/inputSchema"},
	{"Plain", "{}", "tool", "/tools"},
	{"", "{}", "tool", "/tools"},
	{"limited", "{}", NULL, NULL},
	{"limited", "{\"path\":\"/data/x\"}", NULL, NULL},
	{"limited", "{\"path\":\"/data\"}", NULL, NULL},
	{"limited", "{\"path\":\"/srv/x//y\"}", NULL, NULL},
	{"limited", "{\"path\":[\"/data/x\",\"/srv/x/y\"]}", NULL, NULL},
	{"limited", "{\"path\":null}", NULL, NULL},
#define LIMITED "/tools/limited/arguments/"
	{"limited", "{\"path\":\"/database\"}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":\"/data/../etc\"}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":\"/data/x/..\"}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":\"data/x\"}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":\"\"}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":7}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":{\"x\":\"/data/x\"}}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":[\"/data/x\",\"/etc\"]}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"path\":[[\"/data/x\"]]}", "argument", LIMITED "~1path/under"},
	{"limited", "{\"amount\":1}", NULL, NULL},
	{"limited", "{\"amount\":100.0}", NULL, NULL},
	{"limited", "{\"amount\":100.5}", "argument", LIMITED "~1amount/maximum"},
	{"limited", "{\"amount\":0}", "argument", LIMITED "~1amount/minimum"},
	{"limited", "{\"amount\":\"5\"}", "argument", LIMITED "~1amount/minimum"},
	{"limited", "{\"amount\":true}", "argument", LIMITED "~1amount/minimum"},
	{"limited", "{\"who\":\"ann\"}", NULL, NULL},
	{"limited", "{\"who\":[\"ann\",\"bob\"]}", NULL, NULL},
	{"limited", "{\"who\":[]}", NULL, NULL},
	{"limited", "{\"who\":\"Ann\"}", "argument", LIMITED "~1who/enum"},
	{"limited", "{\"who\":[\"ann\",\"eve\"]}", "argument", LIMITED "~1who/enum"},
	{"limited", "{\"who\":0}", "argument", LIMITED "~1who/enum"},
	{"limited", "{\"text\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}", NULL, NULL},
	{"limited", "{\"text\":\"abcd\"}", "argument", LIMITED "~1text/maxLength"},
	{"limited", "{\"to\":{\"name\":\"abc\"}}", NULL, NULL},
	{"limited", "{\"to\":{\"name\":\"abc\\n\"}}", "argument", LIMITED "~1to~1name/pattern"},
	{"limited", "{\"to\":null}", NULL, NULL},
	{"limited", "{\"to\":[{\"name\":\"abc\"},{}]}", NULL, NULL},
	/* What a server may read as an object, and a list where one object is meant. */
	{"limited", "{\"to\":\"{\\\"name\\\":1}\"}", "argument", LIMITED "~1to~1name"},
	{"limited", "{\"to\":7}", "argument", LIMITED "~1to~1name"},
	{"limited", "{\"to\":[{\"name\":\"abc\"},{\"name\":\"ab1\"}]}", "argument",
	 LIMITED "~1to~1name/pattern"},
	{"limited", "{\"to\":[[{\"name\":\"ab1\"}]]}", "argument", LIMITED "~1to~1name/pattern"},
	{"limited", "{\"to\":{\"name\":\"ab1\"}}", "argument", LIMITED "~1to~1name/pattern"},
	{"limited", "{\"url\":\"https://open.example/x\"}", NULL, NULL},
	{"limited", "{\"url\":\"open.example\"}", NULL, NULL},
	{"limited", "{\"url\":\"https://a.own.example:8443/\"}", NULL, NULL},
	{"limited", "{\"url\":\"http://192.0.2.7/\"}", NULL, NULL},
	{"limited", "{\"url\":\"https://a.own.example/\"}", "egress", NULL},
	{"limited", "{\"url\":\"https://own.example:8443/\"}", "egress", NULL},
	{"limited", "{\"url\":\"http://open.example/\"}", "egress", NULL},
	{"limited", "{\"url\":\"https://other.example/\"}", "egress", NULL},
	{"limited", "{\"url\":\"http://169.254.169.254/\"}", "egress", NULL},
	{"limited", "{\"url\":\"http://[::ffff:192.0.2.7]/\"}", NULL, NULL},
	{"limited", "{\"url\":\"https://open.example@other.example/\"}", "argument",
	 LIMITED "~1url/egress"},
	{"limited", "{\"url\":7}", "argument", LIMITED "~1url/egress"},
	{"typed", "{\"n\":7}", NULL, NULL},
	{"typed", "{\"n\":7.5}", "schema", "/tools/typed/inputSchema"},
	{"typed", "{\"n\":7,\"m\":1}", "schema", "/tools/typed/inputSchema"},
	{"typed", "{}", "schema", "/tools/typed/inputSchema"},
	{"typed", NULL, "schema", "/tools/typed/inputSchema"},
	{"query", "{\"sql\":\"SELECT 1 FROM orders\"}", NULL, NULL},
	{"query", "{\"sql\":\"DROP TABLE orders\"}", "sql-statement", NULL},
	{"query", "{\"sql\":\"SELECT 1; DROP TABLE orders\"}", "sql-stacked", NULL},
	{"query", "{\"sql\":[\"SELECT 1\"]}", "argument", "/tools/query/sql/argument"},
	{"query", "{}", "argument", "/tools/query/sql/argument"},
};

static void arguments_are_held_against_limits(void **state)
{
	_cleanup_policy_ struct policy *policy = read_policy(limits_manifest);
	struct error error;
	struct call_grants *grants = call_grants_new(policy, &error);

	(void)state;
	assert_non_null(grants);
	for (size_t i = 0; i < ARRAY_SIZE(argument_cases); i++) {
		const char *text = argument_cases[i].arguments;
		_cleanup_json_document_ struct json_document *document =
			text ? read_json(text) : NULL;
		const struct call call = {argument_cases[i].tool,
					  document ? json_root(document) : NULL};
		struct arena *arena = arena_new();
		struct call_decision decision;
		const char *reason, *rule;

		call_decide(grants, &call, NULL, arena, &decision);
		reason = decision.verdict.reason;
		rule = argument_cases[i].rule;
		if (argument_cases[i].reason
			    ? decision.verdict.kind != VERDICT_DENY ||
				      strcmp(reason, argument_cases[i].reason) != 0 ||
				      (rule && strcmp(rule, decision.verdict.rule) != 0) ||
				      !decision.verdict.message[0]
			    : decision.verdict.kind != VERDICT_ALLOW)
			fail_msg("%s %s: %s %s %s: %s", call.tool, text ? text : "",
				 verdict_name(decision.verdict.kind), reason ? reason : "",
				 decision.verdict.rule, decision.verdict.message);
		arena_free(arena);
	}
	call_grants_free(grants);
}

/* ---- sessions ---- */

/* A session under test, and the clock that it is told. */
struct world {
	struct policy *policy;
	struct call_session *session;
	uint64_t now;
	struct call_decision decision;
};

static void world_new(struct world *world, const char *manifest)
{
	struct error error;

	*world = (struct world){.policy = read_policy(manifest), .now = 5 * SECOND};
	world->session = call_session_new(world->policy, &error);
	assert_non_null(world->session);
}

static void world_free(struct world *world)
{
	call_session_free(world->session);
	policy_free(world->policy);
}

/* "allow", or the reason of what it is instead. */
static const char *begin(struct world *world, const char *name, const char *arguments)
{
	_cleanup_json_document_ struct json_document *document = read_json(arguments);
	struct call_claim claim;

	call_claim_make(policy_find_tool(world->policy, name), json_root(document), &claim);
	call_session_begin(world->session, &claim, world->now, &world->decision);
	return world->decision.verdict.kind == VERDICT_ALLOW ? "allow"
							     : world->decision.verdict.reason;
}

static void end(struct world *world, const char *name, bool succeeded, const char *arguments,
		const char *result)
{
	_cleanup_json_document_ struct json_document *given = read_json(arguments);
	_cleanup_json_document_ struct json_document *got = read_json(result);
	const struct tool *tool = policy_find_tool(world->policy, name);
	struct call_evidence evidence;

	call_evidence_make(world->policy, tool, json_root(given), json_root(got), &evidence);
	call_session_end(world->session, tool, succeeded, &evidence);
}

/* A call that is allowed and succeeds. */
static void done(struct world *world, const char *name, const char *arguments, const char *result)
{
	assert_string_equal(begin(world, name, arguments), "allow");
	end(world, name, true, arguments, result);
}

#define START "{\"agentpol\":1,\"name\":\"t\","
static const char order_manifest[] =
	START "\"tools\":{\"login\":{},\"make\":{\"requires\":[\"login\"]},"
	      "\"pay\":{\"requires\":[{\"tool\":\"make\",\"match\":{\"/id\":\"/result/id\","
	      "\"/who\":\"/arguments/who\"}}]},"
	      "\"look\":{\"forbids_after\":[\"pay\"]}}}";

static void a_tool_that_is_required_has_succeeded(void **state)
{
	struct world world;

	(void)state;
	world_new(&world, order_manifest);
	assert_string_equal(begin(&world, "make", "{}"), "requires");
	assert_string_equal(world.decision.verdict.rule, "/tools/make/requires/0");
	assert_string_equal(begin(&world, "login", "{}"), "allow");
	assert_string_equal(begin(&world, "make", "{}"), "requires");
	end(&world, "login", false, "{}", "{}");
	assert_string_equal(begin(&world, "make", "{}"), "requires");
	assert_string_equal(begin(&world, "login", "{}"), "allow");
	end(&world, "login", true, "{}", "{}");
	assert_string_equal(begin(&world, "make", "{}"), "allow");
	call_session_reset(world.session);
	assert_string_equal(begin(&world, "make", "{}"), "requires");
	world_free(&world);
}

static void values_are_those_of_one_earlier_call(void **state)
{
	struct world world;

	(void)state;
	world_new(&world, order_manifest);
	done(&world, "login", "{}", "{}");
	done(&world, "make", "{\"who\":\"ann\"}", "{\"id\":1}");
	done(&world, "make", "{\"who\":\"bob\"}", "{\"id\":2}");
	assert_string_equal(begin(&world, "pay", "{\"who\":\"ann\",\"id\":1}"), "allow");
	assert_string_equal(begin(&world, "pay", "{\"id\":2.0,\"who\":\"bob\"}"), "allow");
	/* Each is somebody's, but not of one call. */
	assert_string_equal(begin(&world, "pay", "{\"who\":\"ann\",\"id\":2}"), "match");
	assert_string_equal(world.decision.verdict.rule, "/tools/pay/requires/0/match");
	assert_string_equal(begin(&world, "pay", "{\"who\":\"ann\",\"id\":\"1\"}"), "match");
	assert_string_equal(begin(&world, "pay", "{\"who\":\"ann\"}"), "match");
	assert_string_equal(begin(&world, "pay", "{}"), "match");
	/* A result without the value binds nothing, a null binds null alone. */
	done(&world, "make", "{\"who\":\"eve\"}", "{}");
	assert_string_equal(begin(&world, "pay", "{\"who\":\"eve\"}"), "match");
	assert_string_equal(begin(&world, "pay", "{\"who\":\"eve\",\"id\":null}"), "match");
	world_free(&world);
}

static void what_is_remembered_is_bounded_and_the_oldest_goes(void **state)
{
	struct world world;
	char result[32], call[64];

	(void)state;
	world_new(&world, order_manifest);
	done(&world, "login", "{}", "{}");
	for (int i = 0; i < 1030; i++) {
		(void)snprintf(result, sizeof(result), "{\"id\":%d}", i);
		done(&world, "make", "{\"who\":\"ann\"}", result);
	}
	for (int i = 0; i < 1030; i += 3) {
		(void)snprintf(call, sizeof(call), "{\"who\":\"ann\",\"id\":%d}", i);
		assert_string_equal(begin(&world, "pay", call), i < 6 ? "match" : "allow");
	}
	world_free(&world);
}

static void what_is_forbidden_after_stays_forbidden(void **state)
{
	struct world world;

	(void)state;
	world_new(&world, order_manifest);
	assert_string_equal(begin(&world, "look", "{}"), "allow");
	assert_string_equal(begin(&world, "pay", "{}"), "requires");
	/* A call that was denied has done nothing. */
	assert_string_equal(begin(&world, "look", "{}"), "allow");
	done(&world, "login", "{}", "{}");
	done(&world, "make", "{\"who\":1}", "{\"id\":1}");
	assert_string_equal(begin(&world, "pay", "{\"who\":1,\"id\":1}"), "allow");
	/* From the moment on that it goes out, and also where it fails. */
	assert_string_equal(begin(&world, "look", "{}"), "forbids_after");
	end(&world, "pay", false, "{}", "{}");
	assert_string_equal(begin(&world, "look", "{}"), "forbids_after");
	assert_string_equal(world.decision.verdict.rule, "/tools/look/forbids_after/0");
	world_free(&world);
}

static void budgets_end_and_rates_refill(void **state)
{
	struct world world;

	(void)state;
	world_new(&world, START "\"budgets\":{\"calls\":6},\"tools\":{\"few\":{\"budget\":{"
				"\"calls\":2}},\"slow\":{\"budget\":{\"rate\":\"2/s\"}},"
				"\"free\":{}}}");
	assert_string_equal(begin(&world, "few", "{}"), "allow");
	assert_string_equal(begin(&world, "few", "{}"), "allow");
	assert_string_equal(begin(&world, "few", "{}"), "budget");
	assert_string_equal(world.decision.verdict.rule, "/tools/few/budget/calls");
	assert_false(world.decision.retryable);
	assert_string_equal(begin(&world, "slow", "{}"), "allow");
	assert_string_equal(begin(&world, "slow", "{}"), "allow");
	assert_string_equal(begin(&world, "slow", "{}"), "budget");
	assert_string_equal(world.decision.verdict.rule, "/tools/slow/budget/rate");
	assert_true(world.decision.retryable);
	world.now += SECOND / 2;
	assert_string_equal(begin(&world, "slow", "{}"), "allow");
	assert_string_equal(begin(&world, "slow", "{}"), "budget");
	assert_false(world.decision.abandon);
	assert_string_equal(begin(&world, "free", "{}"), "allow");
	assert_string_equal(begin(&world, "free", "{}"), "budget");
	assert_string_equal(world.decision.verdict.rule, "/budgets/calls");
	assert_true(world.decision.abandon);
	assert_true(call_session_is_exhausted(world.session));
	world_free(&world);
}

static void the_last_denial_says_abandon(void **state)
{
	struct call_decision other = {.verdict = {.kind = VERDICT_DENY, .reason = "schema"},
				      .retryable = true};
	struct world world;

	(void)state;
	world_new(&world, START "\"budgets\":{\"denials\":3},\"tools\":{\"a\":{\"requires\":["
				"\"b\"]},\"b\":{}}}");
	assert_string_equal(begin(&world, "a", "{}"), "requires");
	assert_false(world.decision.abandon);
	call_session_note_denial(world.session, &other);
	assert_false(other.abandon);
	assert_string_equal(begin(&world, "b", "{}"), "allow");
	assert_string_equal(begin(&world, "a", "{}"), "requires");
	assert_true(world.decision.abandon);
	assert_false(world.decision.retryable);
	/* Nothing more is granted. */
	assert_string_equal(begin(&world, "b", "{}"), "budget");
	assert_string_equal(world.decision.verdict.rule, "/budgets/denials");
	assert_true(world.decision.abandon);
	world_free(&world);
}

static const char *confirm(struct world *world, const char *name, bool yes)
{
	struct call_claim claim = {.tool = policy_find_tool(world->policy, name)};

	call_session_confirm(world->session, &claim, yes, "no", world->now, &world->decision);
	return world->decision.verdict.kind == VERDICT_ALLOW ? "allow"
							     : world->decision.verdict.reason;
}

static void people_are_asked_as_often_as_granted(void **state)
{
	struct world world;

	(void)state;
	world_new(&world, START "\"budgets\":{\"confirmations\":3},\"tools\":{\"a\":{\"confirm\":"
				"\"ask\",\"budget\":{\"calls\":1}},\"b\":{\"confirm\":\"ask\"}}}");
	assert_string_equal(begin(&world, "a", "{}"), "confirm");
	assert_int_equal(world.decision.verdict.kind, VERDICT_ASK);
	assert_string_equal(begin(&world, "a", "{}"), "confirm");
	assert_string_equal(confirm(&world, "a", true), "allow");
	/* The other question was asked while there was one left. */
	assert_string_equal(confirm(&world, "a", true), "budget");
	assert_string_equal(begin(&world, "b", "{}"), "confirm");
	assert_string_equal(confirm(&world, "b", false), "confirm");
	assert_int_equal(world.decision.verdict.kind, VERDICT_DENY);
	assert_string_equal(begin(&world, "b", "{}"), "budget");
	assert_string_equal(world.decision.verdict.rule, "/budgets/confirmations");
	world_free(&world);
}

static void audit_mode_tells_and_takes_nothing(void **state)
{
	struct world world;

	(void)state;
	world_new(&world, START "\"mode\":\"audit\",\"budgets\":{\"denials\":1,\"calls\":1},"
				"\"tools\":{\"a\":{\"requires\":[\"b\"]},\"b\":{\"confirm\":"
				"\"ask\"},\"c\":{\"forbids_after\":[\"a\"]}}}");
	for (int i = 0; i < 3; i++) {
		assert_string_equal(begin(&world, "a", "{}"), i ? "budget" : "requires");
		assert_int_equal(world.decision.verdict.kind, VERDICT_WOULD_DENY);
		assert_false(world.decision.abandon);
	}
	assert_false(call_session_is_exhausted(world.session));
	world_free(&world);
}

static void a_session_outlives_its_holder(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	_cleanup_json_document_ struct json_document *document = NULL;
	struct world world, other;
	struct error error;

	(void)state;
	world_new(&world, order_manifest);
	world_new(&other, order_manifest);
	done(&world, "login", "{}", "{}");
	done(&world, "make", "{\"who\":\"ann\"}", "{\"id\":1}");
	assert_string_equal(begin(&world, "pay", "{\"who\":\"eve\",\"id\":1}"), "match");
	call_session_write(world.session, world.now, &writer);
	document = read_json(json_writer_text(&writer));
	assert_int_equal(call_session_read(other.session, json_root(document), 1, &error), 0);
	assert_int_equal(call_session_counts(other.session).calls, 2);
	assert_int_equal(call_session_counts(other.session).denials, 1);
	assert_string_equal(begin(&other, "pay", "{\"who\":\"eve\",\"id\":1}"), "match");
	assert_string_equal(begin(&other, "pay", "{\"who\":\"ann\",\"id\":1}"), "allow");
	/* No value of the agent's is in it. */
	assert_null(strstr(json_writer_text(&writer), "ann"));
	world_free(&world);
	world_free(&other);
}

static void a_rate_outlives_its_holder(void **state)
{
	static const char manifest[] =
		START "\"tools\":{\"slow\":{\"budget\":{\"rate\":\"1/min\"}}}}";
	_cleanup_json_writer_ struct json_writer writer = {0};
	_cleanup_json_document_ struct json_document *document = NULL;
	struct world world, other;
	struct error error;

	(void)state;
	world_new(&world, manifest);
	world_new(&other, manifest);
	assert_string_equal(begin(&world, "slow", "{}"), "allow");
	call_session_write(world.session, world.now + 20 * SECOND, &writer);
	document = read_json(json_writer_text(&writer));
	other.now = 1000 * SECOND;
	assert_int_equal(call_session_read(other.session, json_root(document), other.now, &error),
			 0);
	assert_string_equal(begin(&other, "slow", "{}"), "budget");
	other.now += 41 * SECOND;
	assert_string_equal(begin(&other, "slow", "{}"), "allow");
	world_free(&world);
	world_free(&other);
}

static void a_new_manifest_keeps_what_was_done(void **state)
{
	struct world world;
	struct policy *next =
		read_policy(START "\"tools\":{\"make\":{},\"pay\":{\"requires\":[{"
				  "\"tool\":\"make\",\"match\":{\"/id\":\"/result/number\"}"
				  "}]},\"after\":{\"requires\":[\"make\"]}}}");
	struct policy *before;
	struct error error;

	(void)state;
	world_new(&world, order_manifest);
	done(&world, "login", "{}", "{}");
	done(&world, "make", "{\"who\":\"ann\"}", "{\"id\":1}");
	before = world.policy;
	assert_int_equal(call_session_adopt(world.session, next, &error), 0);
	world.policy = next;
	policy_free(before);
	assert_string_equal(begin(&world, "after", "{}"), "allow");
	/* Another value is asked for than was kept. */
	assert_string_equal(begin(&world, "pay", "{\"id\":1}"), "match");
	done(&world, "make", "{}", "{\"number\":1}");
	assert_string_equal(begin(&world, "pay", "{\"id\":1}"), "allow");
	world_free(&world);
}

static void a_malformed_state_is_refused(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"calls\":-1,\"denials\":0,\"confirmations\":0,\"tools\":{}}",
		"{\"calls\":1,\"denials\":0,\"confirmations\":0,\"tools\":{\"make\":{}}}",
		"{\"calls\":1,\"denials\":0,\"confirmations\":0,\"tools\":{\"make\":{\"calls\":1,"
		"\"successes\":1,\"full_in_ns\":0,\"sources\":[\"/result/id\",\"/arguments/who\"],"
		"\"past\":[[\"00\",\"11\"]]}}}",
		"{\"calls\":1,\"denials\":0,\"confirmations\":0,\"tools\":{\"make\":{\"calls\":1,"
		"\"successes\":1,\"full_in_ns\":0,\"sources\":[\"/result/id\",\"/arguments/who\"],"
		"\"past\":[[\"00112233445566778899aabbccddeeff\"]]}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_json_document_ struct json_document *document = read_json(texts[i]);
		struct world world;
		struct error error;

		world_new(&world, order_manifest);
		if (call_session_read(world.session, json_root(document), 1, &error) == 0)
			fail_msg("%s", texts[i]);
		world_free(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_values_have_equal_digests),
		cmocka_unit_test(a_pointer_leads_to_one_value),
		cmocka_unit_test(a_url_has_one_meaning_or_none),
		cmocka_unit_test(arguments_are_held_against_limits),
		cmocka_unit_test(a_tool_that_is_required_has_succeeded),
		cmocka_unit_test(values_are_those_of_one_earlier_call),
		cmocka_unit_test(what_is_remembered_is_bounded_and_the_oldest_goes),
		cmocka_unit_test(what_is_forbidden_after_stays_forbidden),
		cmocka_unit_test(budgets_end_and_rates_refill),
		cmocka_unit_test(the_last_denial_says_abandon),
		cmocka_unit_test(people_are_asked_as_often_as_granted),
		cmocka_unit_test(audit_mode_tells_and_takes_nothing),
		cmocka_unit_test(a_session_outlives_its_holder),
		cmocka_unit_test(a_rate_outlives_its_holder),
		cmocka_unit_test(a_new_manifest_keeps_what_was_done),
		cmocka_unit_test(a_malformed_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
