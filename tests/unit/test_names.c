// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "compile/image.h"
#include "manifest/manifest.h"

/* ---- from a manifest's rules to its names ---- */

/* The last one: an image's names are the policy's own. */
static struct policy *policy;

static int forget_policy(void **state)
{
	(void)state;
	policy_free(policy);
	policy = NULL;
	return 0;
}

static void read_rules(const char *egress)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	char text[8192];

	(void)snprintf(text, sizeof(text),
		       "{\"agentpol\":1,\"name\":\"t\",\"network\":{\"egress\":[%s]}}", egress);
	(void)forget_policy(NULL);
	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(text, strlen(text), &diagnostics);
	if (!policy)
		diagnostics_print_text(&diagnostics, stderr);
	assert_non_null(policy);
}

/* `search`: words with blanks between; NULL: none. */
static struct image *compile(const char *egress, const char *search)
{
	char words[512];
	const char *items[8];
	struct image_target target = {.search = {.items = items}};
	struct error error;
	struct image *image;

	(void)snprintf(words, sizeof(words), "%s", search ? search : "");
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		items[target.search.count++] = word;
	read_rules(egress);
	image = image_new(policy, NULL, &target, &error);
	assert_non_null(image);
	return image;
}

/* What stands behind "*." where it is a wildcard; NULL where it is not there. */
static const struct image_name *find(const struct image *image, const char *written)
{
	const bool wildcard = strncmp(written, "*.", 2) == 0;
	const char *name = wildcard ? written + 2 : written;

	for (size_t i = 0; i < image->names.name_count; i++)
		if (image->names.names[i].wildcard == wildcard &&
		    strcmp(image->names.names[i].name, name) == 0)
			return &image->names.names[i];
	return NULL;
}

static const struct image_grant *grant_of(const struct image *image, const char *written)
{
	const struct image_name *name = find(image, written);

	assert_non_null(name);
	assert_in_range(name->grant, 1, image->names.grant_count);
	return &image->names.grants[name->grant - 1];
}

static bool has_port(const struct image *image, uint32_t set, uint16_t port)
{
	if (set == PORT_SET_NONE || set == PORT_SET_ALL)
		return set == PORT_SET_ALL;
	assert_in_range(set, 1, image->port_set_count);
	return port_set_has(image->port_sets[set - 1], port);
}

static bool opens(const struct image *image, const char *name, uint16_t port)
{
	return has_port(image, grant_of(image, name)->ports.tcp_ports, port);
}

static bool needs_hello(const struct image *image, const char *name, uint16_t port)
{
	return has_port(image, grant_of(image, name)->sni_ports, port);
}

static bool may_only_be_asked(const struct image *image, const char *name)
{
	const struct image_name *found = find(image, name);

	return found && found->ask_only;
}

#define RULE(to, ports) "{\"to\":" to ",\"ports\":" ports "}"

/* ---- rules of a name ---- */

static void a_name_has_its_own_rules_and_those_of_its_wildcards(void **state)
{
	_cleanup_image_ struct image *image =
		compile(RULE("\"b.a.example\"", "[1]") "," RULE("\"*.a.example\"", "[2]") "," RULE(
				"\"*.example\"", "[3]") "," RULE("\"b.a.example\"", "[4]"),
			NULL);

	(void)state;
	for (uint16_t port = 1; port <= 4; port++)
		assert_true(opens(image, "b.a.example", port));
	assert_false(opens(image, "*.a.example", 1));
	assert_true(opens(image, "*.a.example", 2) && opens(image, "*.a.example", 3));
	assert_false(opens(image, "*.example", 2));
	assert_true(opens(image, "*.example", 3));
	assert_int_equal(image->names.name_count, 3);
}

static void a_wildcard_is_not_the_name_behind_it(void **state)
{
	_cleanup_image_ struct image *image =
		compile(RULE("\"*.a.example\"", "[2]") "," RULE("\"a.example\"", "[1]"), NULL);

	(void)state;
	assert_true(opens(image, "a.example", 1) && !opens(image, "a.example", 2));
	assert_true(opens(image, "*.a.example", 2) && !opens(image, "*.a.example", 1));
}

static void what_ends_in_the_same_letters_is_another_name(void **state)
{
	_cleanup_image_ struct image *image =
		compile(RULE("\"*.a.example\"", "[1]") "," RULE("\"x.ba.example\"", "[2]") "," RULE(
				"\"ba.example\"", "[3]"),
			NULL);

	(void)state;
	assert_false(opens(image, "x.ba.example", 1));
	assert_false(opens(image, "ba.example", 1));
}

static void wildcards_that_are_left_do_not_reach_their_neighbours(void **state)
{
	/* In the order of names read backwards: what is below a-b.example comes between. */
	_cleanup_image_ struct image *image = compile(
		RULE("\"*.b.example\"", "[1]") "," RULE("\"x.a-b.example\"", "[2]") "," RULE(
			"\"y.b.example\"",
			"[3]") "," RULE("\"*.example\"", "[4]") "," RULE("\"z.c.example\"", "[5]"),
		NULL);

	(void)state;
	assert_true(opens(image, "y.b.example", 1) && opens(image, "y.b.example", 4));
	assert_false(opens(image, "x.a-b.example", 1));
	assert_true(opens(image, "x.a-b.example", 4));
	assert_false(opens(image, "z.c.example", 1));
	assert_true(opens(image, "z.c.example", 4));
}

static void names_with_the_same_rules_share_a_grant(void **state)
{
	_cleanup_image_ struct image *image = compile(
		RULE("[\"a.example\",\"b.example\"]", "[1]") "," RULE("\"c.example\"", "[1]"),
		NULL);

	(void)state;
	assert_int_equal(find(image, "a.example")->grant, find(image, "b.example")->grant);
	/* Another rule that opens the same is another grant, alike. */
	assert_int_not_equal(find(image, "a.example")->grant, find(image, "c.example")->grant);
	assert_int_equal(grant_of(image, "a.example")->like, grant_of(image, "c.example")->like);
}

static void what_opens_other_things_is_not_alike(void **state)
{
	_cleanup_image_ struct image *image = compile(
		RULE("\"a.example\"",
		     "[443]") ","
			      "{\"to\":\"b.example\",\"ports\":[443],\"sni\":\"ignore\"},"
			      "{\"to\":\"c.example\",\"ports\":[443],\"connects\":\"1/min\"},"
			      "{\"to\":\"d.example\",\"ports\":[443],\"connects\":\"1/min\"},"
			      "{\"to\":\"e.example\",\"ports\":[443],\"proto\":\"udp\"}",
		NULL);

	(void)state;
	for (size_t i = 0; i < image->names.grant_count; i++)
		assert_int_equal(image->names.grants[i].like, i + 1);
	assert_int_equal(image->names.grant_count, 5);
}

/* ---- server names ---- */

static void a_server_name_is_asked_for_where_tls_is_usual(void **state)
{
	_cleanup_image_ struct image *image =
		compile(RULE("\"a.example\"", "[80, 443, \"8000-9000\"]"), NULL);

	(void)state;
	assert_true(needs_hello(image, "a.example", 443) && needs_hello(image, "a.example", 8443));
	assert_false(needs_hello(image, "a.example", 80) || needs_hello(image, "a.example", 8000));
}

static void a_rule_can_ask_for_it_everywhere_or_nowhere(void **state)
{
	_cleanup_image_ struct image *image =
		compile("{\"to\":\"a.example\",\"ports\":[80, 443],\"sni\":\"require\"},"
			"{\"to\":\"b.example\",\"ports\":[80, 443],\"sni\":\"ignore\"},"
			"{\"to\":\"c.example\",\"ports\":\"*\",\"sni\":\"require\"}",
			NULL);

	(void)state;
	assert_true(needs_hello(image, "a.example", 80) && needs_hello(image, "a.example", 443));
	assert_false(needs_hello(image, "a.example", 81));
	assert_false(needs_hello(image, "b.example", 80) || needs_hello(image, "b.example", 443));
	assert_true(needs_hello(image, "c.example", 65535));
}

static void the_rule_that_grants_most_decides(void **state)
{
	_cleanup_image_ struct image *image = compile(
		RULE("\"a.example\"",
		     "[443, 8443]") ","
				    "{\"to\":\"*.example\",\"ports\":[443],\"sni\":\"ignore\"},"
				    "{\"to\":\"u.example\",\"ports\":[8443],\"proto\":\"udp\"},"
				    "{\"to\":\"u.example\",\"ports\":[8443],\"sni\":\"require\"}",
		NULL);

	(void)state;
	assert_false(needs_hello(image, "a.example", 443));
	assert_true(needs_hello(image, "a.example", 8443));
	/* A rule of UDP has nothing to say of TCP. */
	assert_true(needs_hello(image, "u.example", 8443));
}

/* ---- budgets ---- */

static void a_budget_goes_with_the_rule_and_covers_names_below(void **state)
{
	_cleanup_image_ struct image *image =
		compile("{\"to\":\"*.example\",\"ports\":[1],\"connects\":\"5/min\"}," RULE(
				"\"a.example\"",
				"[2]") ","
				       "{\"to\":\"b.example\",\"ports\":[1],\"bytes\":\"1MiB/h\"}",
			NULL);
	const struct image_grant *a = grant_of(image, "a.example"),
				 *b = grant_of(image, "b.example");

	(void)state;
	assert_int_equal(image->budget_count, 2);
	/* What a budget is charged for is in no port set. */
	assert_false(opens(image, "a.example", 1));
	assert_true(opens(image, "a.example", 2));
	assert_int_equal(a->ports.budgets, grant_of(image, "*.example")->ports.budgets);
	assert_int_equal(image->budget_lists[a->ports.budgets - 1].count, 1);
	assert_int_equal(image->budget_lists[b->ports.budgets - 1].count, 2);
}

/* ---- search domains ---- */

static void a_search_domain_behind_a_name_may_only_be_asked(void **state)
{
	_cleanup_image_ struct image *image =
		compile(RULE("[\"a.example\",\"*.b.example\"]", "[443]"), "corp.test svc.test");

	(void)state;
	assert_true(may_only_be_asked(image, "a.example.corp.test"));
	assert_true(may_only_be_asked(image, "a.example.svc.test"));
	assert_true(may_only_be_asked(image, "*.b.example.svc.test"));
	assert_false(may_only_be_asked(image, "a.example"));
	assert_int_equal(image->names.name_count, 6);
}

static void a_short_name_may_be_asked_behind_each_domain(void **state)
{
	_cleanup_image_ struct image *image = compile(
		RULE("[\"tool.svc.test\",\"db.team.svc.test\"]", "[443]"), "corp.test svc.test");

	(void)state;
	assert_true(may_only_be_asked(image, "tool.corp.test"));
	assert_true(may_only_be_asked(image, "tool"));
	assert_true(may_only_be_asked(image, "db.team.corp.test"));
	assert_true(may_only_be_asked(image, "db.team"));
	assert_false(may_only_be_asked(image, "tool.svc.test"));
	assert_true(opens(image, "tool.svc.test", 443));
}

static void a_wildcard_below_a_search_domain_opens_no_other_domain(void **state)
{
	_cleanup_image_ struct image *image = compile(
		RULE("[\"*.svc.test\",\"*.team.svc.test\"]", "[443]"), "corp.test svc.test");

	(void)state;
	assert_null(find(image, "*.corp.test"));
	assert_null(find(image, "*.team.corp.test"));
	assert_null(find(image, "*.team"));
}

static void a_search_domain_itself_has_no_short_name(void **state)
{
	_cleanup_image_ struct image *image =
		compile(RULE("[\"svc.test\",\"xsvc.test\"]", "[443]"), "corp.test svc.test");

	(void)state;
	assert_null(find(image, "corp.test"));
	assert_null(find(image, "x"));
	assert_null(find(image, "xsvc"));
	assert_null(find(image, ""));
}

static void what_is_granted_is_more_than_what_may_be_asked(void **state)
{
	_cleanup_image_ struct image *image =
		compile(RULE("[\"tool.svc.test\",\"tool.corp.test\"]", "[443]") "," RULE(
				"\"*.b.test\"", "[80]") "," RULE("\"c.test\"", "[80]"),
			"corp.test svc.test b.test");

	(void)state;
	assert_false(may_only_be_asked(image, "tool.corp.test"));
	assert_true(opens(image, "tool.corp.test", 443));
	/* A wildcard that grants it covers it already. */
	assert_null(find(image, "c.test.b.test"));
}

static void what_is_too_long_with_a_search_domain_is_left_out(void **state)
{
	char rule[512], name[NAME_GRANTED_BYTES_MAX + 1];
	_cleanup_image_ struct image *image = NULL;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 60; i < sizeof(name) - 1; i += 60)
		name[i] = '.';
	(void)snprintf(rule, sizeof(rule), "{\"to\":\"%s\",\"ports\":[443]}", name);
	image = compile(rule, "corp.test");
	assert_non_null(find(image, name));
	assert_int_equal(image->names.name_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_its_own_rules_and_those_of_its_wildcards),
		cmocka_unit_test(a_wildcard_is_not_the_name_behind_it),
		cmocka_unit_test(what_ends_in_the_same_letters_is_another_name),
		cmocka_unit_test(wildcards_that_are_left_do_not_reach_their_neighbours),
		cmocka_unit_test(names_with_the_same_rules_share_a_grant),
		cmocka_unit_test(what_opens_other_things_is_not_alike),
		cmocka_unit_test(a_server_name_is_asked_for_where_tls_is_usual),
		cmocka_unit_test(a_rule_can_ask_for_it_everywhere_or_nowhere),
		cmocka_unit_test(the_rule_that_grants_most_decides),
		cmocka_unit_test(a_budget_goes_with_the_rule_and_covers_names_below),
		cmocka_unit_test(a_search_domain_behind_a_name_may_only_be_asked),
		cmocka_unit_test(a_short_name_may_be_asked_behind_each_domain),
		cmocka_unit_test(a_wildcard_below_a_search_domain_opens_no_other_domain),
		cmocka_unit_test(a_search_domain_itself_has_no_short_name),
		cmocka_unit_test(what_is_granted_is_more_than_what_may_be_asked),
		cmocka_unit_test(what_is_too_long_with_a_search_domain_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, forget_policy);
}
