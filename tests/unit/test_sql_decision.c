// SPDX-License-Identifier: Apache-2.0
/* What decision.h promises: each text has its verdict, offline and with a catalog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "manifest/manifest.h"
#include "sql/decision.h"
#include "tests/unit/sql_cases.h"
#include "tests/unit/sql_hidden_cases.h"

#define SQL(keys)                                                                              \
	"{\"agentpol\":1,\"name\":\"t\",\"tools\":{\"q\":{\"sql\":{\"engine\":\"postgresql\"," \
	"\"server\":\"localhost:5432\"," keys "}}}}"

static const char shop[] =
	SQL("\"allow\":[{\"select\":[\"orders\",\"customers(id, "
	    "name)\",\"app.notes\",\"points\",\"absent\"]},"
	    "{\"insert\":[\"orders\",\"events(kind, body)\"]},"
	    "{\"update\":[\"orders(total, "
	    "note)\",\"counts\",\"absent_seq\"]},{\"delete\":[\"orders\"]}],"
	    "\"functions\":[\"nextval\",\"app.tax\"],\"statement_timeout\":\"30s\"");
static const char reader[] = SQL("\"allow\":[{\"select\":[\"orders\"]}]");

static const char closed[] = SQL("\"catalog\":\"none\",\"allow\":[{\"select\":[\"orders\"]}],"
				 "\"functions\":[\"pg_relation_size\"]");

static const char snapshot[] =
	"{\"version\":1,\"relations\":["
	"{\"schema\":\"public\",\"name\":\"orders\",\"kind\":\"r\",\"columns\":[\"id\","
	"\"customer_id\",\"total\",\"note\",\"placed\"]},"
	"{\"schema\":\"public\",\"name\":\"customers\",\"kind\":\"r\",\"columns\":[\"id\",\"name\","
	"\"ssn\"]},"
	"{\"schema\":\"app\",\"name\":\"notes\",\"kind\":\"v\",\"columns\":[\"a\"]},"
	"{\"schema\":\"app\",\"name\":\"orders\",\"kind\":\"r\",\"columns\":[\"hidden\"]},"
	"{\"schema\":\"public\",\"name\":\"points\",\"kind\":\"r\",\"columns\":[{\"name\":"
	"\"place\","
	"\"fields\":[\"x\",\"y\"]}]},"
	"{\"schema\":\"public\",\"name\":\"events\",\"kind\":\"r\",\"columns\":[\"id\",\"kind\","
	"\"body\"]},"
	"{\"schema\":\"public\",\"name\":\"counts\",\"kind\":\"r\",\"columns\":[\"id\",\"n\"]}],"
	"\"functions\":[{\"schema\":\"public\",\"name\":\"abs\"}],"
	"\"operators\":[{\"schema\":\"public\",\"name\":\"%\"}]}";

struct world {
	struct policy *policy;
	struct sql_catalog *catalog;
	struct arena *arena;
	struct sql_decision decision;
};

static void build(struct world *world, const char *manifest, const char *catalog)
{
	struct diagnostics diagnostics;
	struct error error;

	*world = (struct world){.arena = arena_new()};
	diagnostics_init(&diagnostics, "test");
	world->policy = manifest_read_text(manifest, strlen(manifest), &diagnostics);
	if (!world->policy)
		diagnostics_print_text(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	assert_non_null(world->policy);
	if (catalog) {
		world->catalog = sql_catalog_read(catalog, strlen(catalog), &error);
		if (!world->catalog)
			fail_msg("%s", error.text);
	}
}

static void tear(struct world *world)
{
	policy_free(world->policy);
	sql_catalog_free(world->catalog);
	arena_free(world->arena);
}

static const struct verdict *decide(struct world *world, const char *text)
{
	const struct sql_subject subject = {.policy = world->policy->tools[0].sql,
					    .pointer = "/tools/q/sql",
					    .catalog = world->catalog,
					    .audit = world->policy->mode == MODE_AUDIT};

	sql_decide(&subject, text, strlen(text), world->arena, &world->decision);
	return &world->decision.verdict;
}

static char letter_of(const struct verdict *verdict)
{
	static const struct {
		char letter;
		const char *reason;
	} letters[] = {{'R', "sql-relation"}, {'C', "sql-column"},  {'F', "sql-function"},
		       {'O', "sql-operator"}, {'T', "sql-type"},    {'S', "sql-statement"},
		       {'G', "sql-setting"},  {'K', "sql-stacked"}, {'Y', "sql-syntax"},
		       {'N', "sql-node"},     {'L', "sql-lock"},    {'X', "sql-limit"}};

	if (verdict->kind == VERDICT_ALLOW)
		return 'A';
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (verdict->reason && strcmp(verdict->reason, letters[i].reason) == 0)
			return letters[i].letter;
	return '?';
}

static void check_cases(const struct sql_case *cases, size_t count, const char *manifest,
			const char *catalog, size_t place)
{
	struct world world;
	size_t wrong = 0;

	build(&world, manifest, catalog);
	for (size_t i = 0; i < count; i++) {
		const struct sql_case *one = &cases[i];
		const struct verdict *verdict = decide(&world, one->text);
		const char got = letter_of(verdict);

		if (got == one->want[place])
			continue;
		wrong++;
		print_error("%s\n  wanted %c, got %c: %s\n", one->text, one->want[place], got,
			    verdict->message);
	}
	tear(&world);
	assert_int_equal(wrong, 0);
}

static void check_all(const char *catalog, size_t place)
{
	check_cases(sql_cases, ARRAY_SIZE(sql_cases), shop, catalog, place);
	check_cases(sql_hidden_cases, ARRAY_SIZE(sql_hidden_cases), shop, catalog, place);
	check_cases(sql_no_catalog_cases, ARRAY_SIZE(sql_no_catalog_cases), closed, catalog, place);
}

static void each_text_has_its_verdict_offline(void **state)
{
	(void)state;
	check_all(NULL, 0);
}

static void each_text_has_its_verdict_with_a_catalog(void **state)
{
	(void)state;
	check_all(snapshot, 1);
}

/* Whatever is denied says so in a sentence, and by which rule. */
static void a_denial_has_its_words(void **state)
{
	struct world world;

	(void)state;
	build(&world, shop, snapshot);
	for (size_t i = 0; i < sizeof(sql_cases) / sizeof(sql_cases[0]); i++) {
		const struct verdict *verdict = decide(&world, sql_cases[i].text);

		if (verdict->kind == VERDICT_ALLOW)
			continue;
		assert_true(verdict->message[0] != '\0');
		assert_int_equal(strncmp(verdict->rule, "/tools/q/sql/", 13), 0);
		assert_int_equal(verdict->kind, strcmp(verdict->reason, "sql-node") == 0
							? VERDICT_UNDECIDED
							: VERDICT_DENY);
	}
	tear(&world);
}

static const struct {
	const char *text, *rule, *message, *path, *value;
} edits[] = {
	{"SELECT * FROM secret", "/tools/q/sql/allow", "select on secret is not granted",
	 "/tools/q/sql/allow/-", "{\"select\":[\"secret\"]}"},
	{"SELECT * FROM app.\"A b\"", "/tools/q/sql/allow", "select on app.\"A b\" is not granted",
	 "/tools/q/sql/allow/-", "{\"select\":[\"app.\\\"A b\\\"\"]}"},
	{"SELECT ssn FROM customers", "/tools/q/sql/allow/0",
	 "select on column ssn of customers is not granted", "/tools/q/sql/allow/-",
	 "{\"select\":[\"customers(ssn)\"]}"},
	{"SELECT * FROM customers", "/tools/q/sql/allow/0",
	 "select on all of customers is not granted", "/tools/q/sql/allow/-",
	 "{\"select\":[\"customers\"]}"},
	{"UPDATE orders SET id = 1", "/tools/q/sql/allow/2",
	 "update on column id of orders is not granted", "/tools/q/sql/allow/-",
	 "{\"update\":[\"orders(id)\"]}"},
	{"SELECT name FROM customers FOR UPDATE", "/tools/q/sql/allow",
	 "update on customers, which a lock takes, is not granted", "/tools/q/sql/allow/-",
	 "{\"update\":[\"customers\"]}"},
	{"SELECT app.fee(1)", "/tools/q/sql/functions", "function app.fee is not granted",
	 "/tools/q/sql/functions/-", "\"app.fee\""},
	{"SELECT relname FROM pg_class", "/tools/q/sql/catalog",
	 "reading pg_catalog.pg_class is not granted", "/tools/q/sql/catalog", "\"schema\""},
	{"DROP TABLE orders", "/tools/q/sql/allow", "DROP TABLE is not granted", "", ""},
	{"CREATE TABLE t (a int)", "/tools/q/sql/allow", "CREATE TABLE is not granted", "", ""},
};

static void a_denial_has_the_edit_that_would_allow_it(void **state)
{
	struct world world;

	(void)state;
	build(&world, shop, NULL);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		const struct verdict *verdict = decide(&world, edits[i].text);

		assert_string_equal(verdict->message, edits[i].message);
		assert_string_equal(verdict->rule, edits[i].rule);
		assert_string_equal(verdict->hint_path, edits[i].path);
		assert_string_equal(verdict->hint_value, edits[i].value);
		assert_string_equal(verdict->hint_op, edits[i].path[0] ? "add" : "");
	}
	tear(&world);
	build(&world, reader, NULL);
	assert_string_equal(decide(&world, "SELECT pg_sleep(1)")->hint_value, "[\"pg_sleep\"]");
	assert_string_equal(world.decision.verdict.hint_path, "/tools/q/sql/functions");
	tear(&world);
}

static void an_allow_names_its_rule(void **state)
{
	struct world world;

	(void)state;
	build(&world, shop, NULL);
	assert_string_equal(decide(&world, "SELECT * FROM orders")->rule, "/tools/q/sql/allow/0");
	assert_string_equal(decide(&world, "INSERT INTO orders SELECT * FROM app.notes")->rule,
			    "/tools/q/sql/allow");
	assert_string_equal(decide(&world, "SELECT 1")->rule, "");
	tear(&world);
}

static void offline_it_says_what_it_assumes(void **state)
{
	struct world world;

	(void)state;
	build(&world, shop, NULL);
	(void)decide(&world, "SELECT id, o.placed FROM orders o");
	assert_int_equal(world.decision.assumes.count, 2);
	assert_string_equal(world.decision.assumes.items[0], "id is a column of orders");
	assert_string_equal(world.decision.assumes.items[1], "placed is a column of orders");
	(void)decide(&world, "SELECT id, name FROM customers");
	assert_int_equal(world.decision.assumes.count, 0);
	tear(&world);
	build(&world, shop, snapshot);
	(void)decide(&world, "SELECT id, o.placed FROM orders o");
	assert_int_equal(world.decision.assumes.count, 0);
	tear(&world);
}

static void literals_that_decide_are_told(void **state)
{
	static const struct {
		const char *text;
		bool decide;
	} cases[] = {
		{"SELECT * FROM orders WHERE id = 1 AND note = 'x'", false},
		{"INSERT INTO orders VALUES (1, 'x')", false},
		{"SELECT 'orders'::regclass", true},
		{"SELECT 'secret'::regclass", true},
		{"SELECT nextval('counts')", true},
		{"SET statement_timeout = 5", true},
		{"EXPLAIN SELECT 1", true},
		{"SELECT 'x", true},
	};
	struct world world;

	(void)state;
	build(&world, shop, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)decide(&world, cases[i].text);
		if (world.decision.literals_decide != cases[i].decide)
			fail_msg("%s", cases[i].text);
	}
	tear(&world);
}

static void a_session_that_only_reads_stays_so(void **state)
{
	struct world world;

	(void)state;
	build(&world, reader, NULL);
	assert_int_equal(letter_of(decide(&world, "BEGIN READ WRITE")), 'G');
	assert_int_equal(letter_of(decide(&world, "SET TRANSACTION READ WRITE")), 'G');
	assert_int_equal(
		letter_of(decide(&world, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")),
		'G');
	assert_int_equal(letter_of(decide(&world, "BEGIN READ ONLY")), 'A');
	tear(&world);
}

static void in_audit_mode_nothing_is_denied(void **state)
{
	struct world world;

	(void)state;
	build(&world, reader, NULL);
	world.policy->mode = MODE_AUDIT;
	assert_int_equal(decide(&world, "DROP TABLE orders")->kind, VERDICT_WOULD_DENY);
	assert_int_equal(decide(&world, "SELECT xmlelement(name a)")->kind, VERDICT_WOULD_DENY);
	assert_int_equal(decide(&world, "SELECT * FROM orders")->kind, VERDICT_ALLOW);
	tear(&world);
}

static void the_search_path_tells_bare_names(void **state)
{
	static const char two[] = SQL("\"search_path\":[\"app\",\"public\"],"
				      "\"allow\":[{\"select\":[\"public.orders\",\"notes\"]}]");
	static const char late[] = SQL("\"search_path\":[\"app\",\"pg_catalog\"],"
				       "\"allow\":[{\"select\":[\"orders\"]}]");
	struct world world;

	(void)state;
	build(&world, two, snapshot);
	/* app.orders comes first, and is not granted. */
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM orders")), 'R');
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM public.orders")), 'A');
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM notes")), 'A');
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM app.notes")), 'A');
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM public.notes")), 'R');
	tear(&world);
	build(&world, two, NULL);
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM orders")), 'R');
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM notes")), 'A');
	assert_int_equal(letter_of(decide(&world, "SELECT * FROM public.notes")), 'R');
	tear(&world);
	build(&world, late, NULL);
	assert_int_equal(decide(&world, "SELECT 1")->kind, VERDICT_UNDECIDED);
	tear(&world);
}

static void what_has_no_bounds_is_not_judged(void **state)
{
	enum { TERMS = 1500 };
	static char text[4 * TERMS + 32];
	struct world world;
	char *to = text + sprintf(text, "SELECT 1");

	(void)state;
	build(&world, shop, NULL);
	for (size_t i = 0; i < TERMS; i++)
		to += sprintf(to, "+1");
	assert_int_equal(letter_of(decide(&world, text)), 'X');
	to = text + sprintf(text, "SELECT 1");
	for (size_t i = 0; i < 200; i++)
		to += sprintf(to, "+1");
	assert_int_equal(letter_of(decide(&world, text)), 'A');
	assert_int_equal(
		letter_of(decide(&world, "WITH a AS (SELECT 1,2,3,4,5,6,7,8,9,10), "
					 "b AS (SELECT * FROM a,a p,a q,a r,a s,a t,a u,a v), "
					 "c AS (SELECT * FROM b,b p,b q,b r,b s,b t,b u,b v), "
					 "d AS (SELECT * FROM c,c p,c q,c r,c s,c t,c u,c v), "
					 "e AS (SELECT * FROM d,d p,d q,d r,d s,d t,d u,d v) "
					 "SELECT * FROM e,e p,e q,e r,e s,e t,e u,e v")),
		'X');
	tear(&world);
}

/* With RECURSIVE a query is read where it is first named: the last of these inside of all others.
 */
static void queries_that_name_the_next_one_have_bounds(void **state)
{
	enum { SHORT = 100, LONG = 1200 };
	static char text[64 * LONG];
	static const size_t lengths[] = {SHORT, LONG};
	struct world world;

	(void)state;
	build(&world, shop, NULL);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char *to = text + sprintf(text, "WITH RECURSIVE ");

		for (size_t j = 0; j < lengths[i]; j++)
			to += sprintf(to, "a%zu AS (SELECT x FROM a%zu), ", j, j + 1);
		sprintf(to, "a%zu AS (SELECT 1 AS x) SELECT x FROM a0", lengths[i]);
		assert_int_equal(letter_of(decide(&world, text)), lengths[i] == SHORT ? 'A' : 'X');
	}
	tear(&world);
}

static void many_names_have_bounds(void **state)
{
	enum { COUNT = 3000 };
	static char text[64 * COUNT];
	struct world world;
	char *to = text + sprintf(text, "SELECT 1");

	(void)state;
	build(&world, shop, NULL);
	for (size_t i = 0; i < COUNT; i++)
		to += sprintf(to, ", c%zu", i);
	to += sprintf(to, " FROM orders");
	for (size_t i = 0; i < COUNT; i++)
		to += sprintf(to, ", orders o%zu", i);
	assert_int_equal(letter_of(decide(&world, text)), 'X');
	tear(&world);
}

static void accesses_are_told_without_a_policy(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	const struct sql_subject subject = {.pointer = ""};
	static const char text[] =
		"SELECT c.id, count(*) FROM app.customers c JOIN x USING (id) WHERE c.id > 1";
	struct sql_decision decision;
	struct arena *arena = arena_new();

	(void)state;
	sql_decide(&subject, text, strlen(text), arena, &decision);
	assert_int_equal(decision.verdict.kind, VERDICT_ALLOW);
	assert_int_equal(decision.statement, SQL_STATEMENT_QUERY);
	sql_accesses_write(&decision, &writer);
	assert_string_equal(
		json_writer_text(&writer),
		"[{\"kind\":\"relation\",\"use\":\"read\",\"schema\":\"app\",\"name\":"
		"\"customers\","
		"\"columns\":[\"id\"]},{\"kind\":\"relation\",\"use\":\"read\",\"schema\":"
		"\"public\","
		"\"name\":\"x\",\"columns\":[\"id\"]},{\"kind\":\"function\",\"use\":\"call\","
		"\"name\":\"count\"}]");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_has_its_verdict_offline),
		cmocka_unit_test(each_text_has_its_verdict_with_a_catalog),
		cmocka_unit_test(a_denial_has_its_words),
		cmocka_unit_test(a_denial_has_the_edit_that_would_allow_it),
		cmocka_unit_test(an_allow_names_its_rule),
		cmocka_unit_test(offline_it_says_what_it_assumes),
		cmocka_unit_test(literals_that_decide_are_told),
		cmocka_unit_test(a_session_that_only_reads_stays_so),
		cmocka_unit_test(in_audit_mode_nothing_is_denied),
		cmocka_unit_test(the_search_path_tells_bare_names),
		cmocka_unit_test(what_has_no_bounds_is_not_judged),
		cmocka_unit_test(queries_that_name_the_next_one_have_bounds),
		cmocka_unit_test(many_names_have_bounds),
		cmocka_unit_test(accesses_are_told_without_a_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
