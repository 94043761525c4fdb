// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"
#include "policyd/account.h"

#define AUDIT_MODE "\"mode\": \"audit\", "
#define HEAD	   "{\"agentpol\": 1, \"name\": \"t\", "
#define ADDRESSES  "\"network\": {\"egress\": [{\"to\": \"203.0.113.1\", \"ports\": [443]}]}}"
#define NAMES                                                                           \
	"\"network\": {\"egress\": [{\"to\": \"api.example.com\", \"ports\": [443]}], " \
	"\"resolvers\": [\"203.0.113.53\"]}}"

/* What was counted, under which manifest, and what its record says. */
struct told {
	struct policy *policy;
	struct explanation explanation;
	struct audit_record record;
};

static struct told *tell(const char *manifest, const char *address, uint16_t port,
			 uint16_t protocol, const char *name, const struct agent *agent)
{
	struct told *told = calloc(1, sizeof(*told));
	struct traffic_key key = {.cgroup = 7, .policy_id = 1, .port = port, .protocol = protocol};
	const struct traffic traffic = {.bytes = 1234, .packets = 5};
	const struct counted counted = {.key = &key,
					.traffic = &traffic,
					.name = name,
					.first_ns = 1763889635000000000ULL,
					.last_ns = 1763889636000000000ULL};
	struct diagnostics diagnostics;
	struct ip_address parsed;

	assert_non_null(told);
	diagnostics_init(&diagnostics, "test");
	told->policy = manifest_read_text(manifest, strlen(manifest), &diagnostics);
	diagnostics_free(&diagnostics);
	assert_non_null(told->policy);
	assert_true(address_parse(address, &parsed));
	memcpy(key.address, parsed.bytes, sizeof(key.address));
	account_traffic(&counted, told->policy, agent, &told->explanation, &told->record);
	assert_string_equal(told->record.kind, "traffic");
	return told;
}

static void told_free(struct told *told)
{
	policy_free(told->policy);
	free(told);
}

static void a_record_has_all_that_was_counted(void **state)
{
	struct told *told =
		tell(HEAD ADDRESSES, "203.0.113.1", 443, IPPROTO_TCP, "www.example.com", NULL);

	(void)state;
	assert_string_equal(told->record.subject,
			    "{\"address\":\"203.0.113.1\",\"port\":443,\"proto\":\"tcp\","
			    "\"name\":\"www.example.com\",\"bytes\":1234,\"packets\":5,"
			    "\"first\":\"2025-11-23T09:20:35.000000000Z\","
			    "\"last\":\"2025-11-23T09:20:36.000000000Z\"}");
	assert_string_equal(told->record.verdict, "allow");
	assert_string_equal(told->record.rule, "/network/egress/0");
	assert_null(told->record.reason);
	assert_null(told->record.hint_op);
	told_free(told);
}

static void audit_mode_tells_the_edit_by_name(void **state)
{
	struct told *told = tell(HEAD AUDIT_MODE ADDRESSES, "203.0.113.2", 443, IPPROTO_TCP,
				 "www.example.com", NULL);

	(void)state;
	assert_string_equal(told->record.verdict, "would-deny");
	assert_string_equal(told->record.hint_value,
			    "{\"to\":\"www.example.com\",\"ports\":[443]}");
	told_free(told);
}

static void audit_mode_tells_the_edit_of_an_internal_address_by_address(void **state)
{
	struct told *told = tell(HEAD AUDIT_MODE ADDRESSES, "10.0.0.2", 443, IPPROTO_TCP,
				 "db.example.com", NULL);

	(void)state;
	assert_string_equal(told->record.hint_value, "{\"to\":\"10.0.0.2\",\"ports\":[443]}");
	told_free(told);
}

static void what_was_enforced_was_allowed_though_its_name_is_forgotten(void **state)
{
	struct told *told = tell(HEAD NAMES, "203.0.113.2", 443, IPPROTO_TCP, "", NULL);

	(void)state;
	assert_string_equal(told->record.verdict, "allow");
	assert_null(told->record.rule);
	assert_null(told->record.hint_op);
	told_free(told);
}

static void questions_are_granted_by_the_resolvers(void **state)
{
	struct agent agent = {.resolvers = {.known = true, .count = 1}};
	struct told *told;

	(void)state;
	assert_true(address_parse("198.51.100.53", &agent.resolvers.addresses[0]));
	told = tell(HEAD NAMES, "203.0.113.53", 53, IPPROTO_UDP, "", NULL);
	assert_string_equal(told->record.rule, "/network/resolvers");
	told_free(told);
	/* The target's own, which the decision core does not know. */
	told = tell(HEAD AUDIT_MODE NAMES, "198.51.100.53", 53, IPPROTO_UDP, "", &agent);
	assert_string_equal(told->record.verdict, "allow");
	assert_string_equal(told->record.rule, "/network/resolvers");
	told_free(told);
}

/* A rule for the resolver's address would let out whatever names can carry. */
static void no_edit_opens_a_resolver_where_no_name_is_granted(void **state)
{
	struct agent agent = {.resolvers = {.known = true, .count = 1}};
	struct told *told;

	(void)state;
	assert_true(address_parse("198.51.100.53", &agent.resolvers.addresses[0]));
	told = tell(HEAD AUDIT_MODE ADDRESSES, "198.51.100.53", 53, IPPROTO_UDP, "", &agent);
	assert_string_equal(told->record.verdict, "would-deny");
	assert_null(told->record.hint_op);
	told_free(told);
}

static void what_was_not_understood_has_no_edit(void **state)
{
	struct told *told = tell(HEAD AUDIT_MODE ADDRESSES, "::", 0, 132, "", NULL);

	(void)state;
	assert_string_equal(told->record.verdict, "would-deny");
	assert_string_equal(told->record.reason, "packet");
	assert_string_equal(told->record.hint_op, "");
	told_free(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_has_all_that_was_counted),
		cmocka_unit_test(audit_mode_tells_the_edit_by_name),
		cmocka_unit_test(audit_mode_tells_the_edit_of_an_internal_address_by_address),
		cmocka_unit_test(what_was_enforced_was_allowed_though_its_name_is_forgotten),
		cmocka_unit_test(questions_are_granted_by_the_resolvers),
		cmocka_unit_test(no_edit_opens_a_resolver_where_no_name_is_granted),
		cmocka_unit_test(what_was_not_understood_has_no_edit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
