// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compile/image.h"
#include "policy/decide.h"

#include <stdio.h>
#include <time.h>

#define PREFIXES_MANY 1000000

/* ---- a policy by hand ---- */

struct fixture {
	struct arena *arena;
	struct policy policy;
	struct tool tool;
	struct egress_rule egress[16], tool_egress[4];
	struct listen_rule listens[8];
	struct egress_target targets[64];
	size_t target_count;
};

static void fixture_init(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->arena = arena_new();
	assert_non_null(fixture->arena);
	fixture->policy.agent.pointer = "";
	fixture->policy.agent.network.present = true;
	fixture->policy.agent.network.egress = fixture->egress;
	fixture->policy.agent.network.listens = fixture->listens;
	fixture->tool.name = "t";
	fixture->tool.scope.tool = "t";
	fixture->tool.scope.pointer = "/tools/t";
	fixture->tool.scope.network.egress = fixture->tool_egress;
	fixture->policy.tools = &fixture->tool;
	fixture->policy.tool_count = 1;
}

static struct egress_target target(const char *text)
{
	struct egress_target made = {.kind = TARGET_PREFIX};
	bool host_bits;

	if (strcmp(text, "@any") == 0)
		made.kind = TARGET_ANY;
	else if (strcmp(text, "@loopback") == 0)
		made.kind = TARGET_LOOPBACK;
	else
		assert_true(prefix_parse(text, &made.prefix, &host_bits));
	return made;
}

static const struct port_set *port_range(struct fixture *fixture, unsigned first, unsigned last)
{
	const struct port_range range = {(uint16_t)first, (uint16_t)last};
	const struct port_set *set = port_set_new(fixture->arena, &range, 1);

	assert_non_null(set);
	return set;
}

static struct egress_target *keep_target(struct fixture *fixture, const char *text)
{
	fixture->targets[fixture->target_count] = target(text);
	return &fixture->targets[fixture->target_count++];
}

static void add_egress(struct fixture *fixture, struct network *network, const char *to,
		       unsigned first, unsigned last, unsigned protocols)
{
	struct egress_rule *rule = &network->egress[network->egress_count];

	*rule = (struct egress_rule){.targets = keep_target(fixture, to),
				     .target_count = 1,
				     .ports = port_range(fixture, first, last),
				     .protocols = protocols,
				     .index = network->egress_count};
	network->egress_count++;
}

static void add_listen(struct fixture *fixture, const char *on, unsigned first, unsigned last)
{
	struct network *network = &fixture->policy.agent.network;

	fixture->listens[network->listen_count] =
		(struct listen_rule){.ports = port_range(fixture, first, last),
				     .on = target(on),
				     .index = network->listen_count};
	network->listen_count++;
}

static struct image *compile(const struct fixture *fixture, const struct tool *tool)
{
	struct error error;
	struct image *image = image_new(&fixture->policy, tool, NULL, &error);

	assert_non_null(image);
	return image;
}

static bool allows(const struct image *image, const char *text, enum protocol_bit protocol,
		   uint16_t port)
{
	struct ip_address address;

	assert_true(address_parse(text, &address));
	return image_allows(image, TABLE_EGRESS, &address, protocol, port);
}

/* ---- promises ---- */

static void no_rule_makes_an_empty_table(void **state)
{
	struct fixture fixture;
	struct image *image;

	(void)state;
	fixture_init(&fixture);
	image = compile(&fixture, NULL);
	assert_int_equal(image->address_count, 0);
	assert_false(allows(image, "10.0.0.1", PROTOCOL_TCP, 443));
	image_free(image);
	arena_free(fixture.arena);
}

static void a_longer_prefix_keeps_what_the_shorter_grants(void **state)
{
	struct fixture fixture;
	struct network *network = &fixture.policy.agent.network;
	struct image *image;

	(void)state;
	fixture_init(&fixture);
	add_egress(&fixture, network, "10.0.0.0/8", 443, 443, PROTOCOL_TCP);
	add_egress(&fixture, network, "10.1.0.0/16", 80, 80, PROTOCOL_TCP | PROTOCOL_ICMP);
	add_egress(&fixture, network, "10.1.0.0/16", 53, 53, PROTOCOL_UDP);
	image = compile(&fixture, NULL);
	/* The image stands by itself. */
	arena_free(fixture.arena);
	assert_int_equal(image->address_count, 2);
	assert_true(allows(image, "10.1.0.1", PROTOCOL_TCP, 443));
	assert_true(allows(image, "10.1.0.1", PROTOCOL_TCP, 80));
	assert_true(allows(image, "10.1.0.1", PROTOCOL_UDP, 53));
	assert_true(allows(image, "10.1.0.1", PROTOCOL_ICMP, 0));
	assert_false(allows(image, "10.2.0.1", PROTOCOL_TCP, 80));
	assert_false(allows(image, "10.2.0.1", PROTOCOL_ICMP, 0));
	image_free(image);
}

static void any_reaches_both_families_and_no_reserved_address(void **state)
{
	struct fixture fixture;
	struct image *image;

	(void)state;
	fixture_init(&fixture);
	add_egress(&fixture, &fixture.policy.agent.network, "@any", 1, 65535, PROTOCOL_TCP);
	image = compile(&fixture, NULL);
	assert_true(allows(image, "8.8.8.8", PROTOCOL_TCP, 443));
	assert_true(allows(image, "2001:db8::1", PROTOCOL_TCP, 1));
	assert_false(allows(image, "169.254.169.254", PROTOCOL_TCP, 80));
	assert_false(allows(image, "100.100.100.200", PROTOCOL_TCP, 80));
	assert_false(allows(image, "fe80::1", PROTOCOL_TCP, 80));
	assert_false(allows(image, "fd00:ec2::254", PROTOCOL_TCP, 80));
	/* All ports take no set. */
	assert_int_equal(image->port_set_count, 0);
	image_free(image);
	arena_free(fixture.arena);
}

static void an_ipv6_prefix_opens_no_ipv4(void **state)
{
	struct fixture fixture;
	struct image *image;

	(void)state;
	fixture_init(&fixture);
	add_egress(&fixture, &fixture.policy.agent.network, "::/0", 1, 1000, PROTOCOL_TCP);
	add_egress(&fixture, &fixture.policy.agent.network, "10.0.0.0/8", 22, 22, PROTOCOL_TCP);
	image = compile(&fixture, NULL);
	assert_false(allows(image, "8.8.8.8", PROTOCOL_TCP, 443));
	assert_false(allows(image, "10.0.0.1", PROTOCOL_TCP, 443));
	assert_true(allows(image, "10.0.0.1", PROTOCOL_TCP, 22));
	image_free(image);
	arena_free(fixture.arena);
}

static void a_tools_grants_are_its_own(void **state)
{
	struct fixture fixture;
	struct image *image;

	(void)state;
	fixture_init(&fixture);
	add_egress(&fixture, &fixture.policy.agent.network, "10.0.0.0/8", 22, 22, PROTOCOL_TCP);
	add_egress(&fixture, &fixture.tool.scope.network, "10.0.0.1", 80, 80, PROTOCOL_TCP);
	image = compile(&fixture, &fixture.tool);
	assert_true(allows(image, "10.0.0.1", PROTOCOL_TCP, 22));
	assert_true(allows(image, "10.0.0.1", PROTOCOL_TCP, 80));
	image_free(image);
	image = compile(&fixture, NULL);
	assert_false(allows(image, "10.0.0.1", PROTOCOL_TCP, 80));
	image_free(image);
	arena_free(fixture.arena);
}

static void the_flags_say_modes(void **state)
{
	struct fixture fixture;
	struct image *image;

	(void)state;
	fixture_init(&fixture);
	fixture.policy.mode = MODE_AUDIT;
	fixture.policy.audit_allowed = AUDIT_CONNECT;
	fixture.policy.agent.network.families = FAMILY_RAW | FAMILY_PACKET;
	image = compile(&fixture, NULL);
	/* Who looks on is to see names, and what goes where. */
	assert_int_equal(image->flags, POLICY_AUDIT_MODE | POLICY_LOG_CONNECT | POLICY_RAW_SOCKETS |
					       POLICY_TRAFFIC | POLICY_NAMES | POLICY_DATAGRAMS |
					       POLICY_SENDTO);
	image_free(image);
	fixture.policy.mode = MODE_ENFORCE;
	fixture.policy.audit_allowed = AUDIT_DNS;
	fixture.policy.agent.network.families = 0;
	image = compile(&fixture, NULL);
	assert_int_equal(image->flags, POLICY_LOG_DNS);
	image_free(image);
	arena_free(fixture.arena);
}

static void bits_are_the_ports_of_the_set(void **state)
{
	static struct port_bits bits;
	struct fixture fixture;
	const struct port_set *set;
	uint32_t port;

	(void)state;
	fixture_init(&fixture);
	set = port_range(&fixture, 60, 70);
	image_port_bits(set, &bits);
	for (port = 0; port <= UINT16_MAX; port++)
		assert_int_equal(bits.words[port / 64] >> (port % 64) & 1,
				 port_set_has(set, (uint16_t)port));
	arena_free(fixture.arena);
}

static void too_many_port_sets_are_refused(void **state)
{
	struct fixture fixture;
	struct network *network = &fixture.policy.agent.network;
	struct egress_rule *rules;
	struct error error;
	unsigned i;

	(void)state;
	fixture_init(&fixture);
	rules = arena_new_array(fixture.arena, struct egress_rule, PORT_SETS_MAX + 1);
	network->egress = rules;
	for (i = 0; i <= PORT_SETS_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		fixture.target_count = 0;
		add_egress(&fixture, network, text, 1000 + i, 1000 + i, PROTOCOL_TCP);
		rules[i].targets = arena_new_array(fixture.arena, struct egress_target, 1);
		*rules[i].targets = fixture.targets[0];
	}
	assert_null(image_new(&fixture.policy, NULL, NULL, &error));
	assert_int_equal(error.status, STATUS_UNUSABLE);
	assert_non_null(strstr(error.text, "1024"));
	arena_free(fixture.arena);
}

/* ---- the decision core and the image agree ---- */

static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static unsigned pick(size_t count)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % count);
}

static const char *const rule_pool[] = {
	"@any",
	"@loopback",
	"0.0.0.0/0",
	"::/0",
	"::/1",
	"::/80",
	"::/95",
	"8000::/1",
	"10.0.0.0/8",
	"10.1.0.0/16",
	"10.1.2.0/24",
	"10.1.2.3",
	"127.0.0.0/8",
	"127.0.0.1",
	"0.0.0.0",
	"0.0.0.0/8",
	"::",
	"::1",
	"::/127",
	"169.0.0.0/8",
	"169.254.0.0/16",
	"169.254.0.0/15",
	"169.254.169.0/24",
	"169.254.169.254",
	"fe80::/9",
	"fe80::/10",
	"fe80::/64",
	"fe80::1",
	"fc00::/7",
	"fd00:ec2::/32",
	"fd00:ec2::254",
	"100.64.0.0/10",
	"100.100.100.200",
	"168.63.129.16",
	"168.63.128.0/23",
	"2001:db8::/32",
	"2001:db8::1",
};
static const char *const address_pool[] = {
	"0.0.0.0",
	"::",
	"::1",
	"::2",
	"127.0.0.1",
	"127.9.9.9",
	"10.1.2.3",
	"10.1.2.4",
	"10.1.9.9",
	"10.9.9.9",
	"11.0.0.1",
	"8.8.8.8",
	"169.254.169.254",
	"169.254.169.1",
	"169.254.1.1",
	"169.255.1.1",
	"169.1.1.1",
	"fe80::1",
	"fe80:1::1",
	"fec0::1",
	"fd00::1",
	"fd00:ec2::254",
	"fd00:ec2::1",
	"100.100.100.200",
	"100.64.0.1",
	"168.63.129.16",
	"168.63.129.17",
	"2001:db8::1",
	"2001:db8::2",
	"9000::1",
	"0.0.0.1",
	"255.255.255.255",
};
static const unsigned port_pool[] = {1, 22, 53, 80, 443, 8080, 65535};

static void random_policy(struct fixture *fixture)
{
	const size_t rules = pick(9), tool_rules = pick(4), listens = pick(5);
	size_t i;

	fixture_init(fixture);
	for (i = 0; i < rules + tool_rules; i++) {
		struct network *network =
			i < rules ? &fixture->policy.agent.network : &fixture->tool.scope.network;
		const unsigned first = port_pool[pick(ARRAY_SIZE(port_pool))];

		add_egress(fixture, network, rule_pool[pick(ARRAY_SIZE(rule_pool))], first,
			   first + (pick(2) ? 0 : pick(65536 - first)), 1 + pick(7));
		/* Some rules have more than one target. */
		if (pick(3) == 0) {
			(void)keep_target(fixture, rule_pool[pick(ARRAY_SIZE(rule_pool))]);
			network->egress[network->egress_count - 1].target_count = 2;
		}
	}
	for (i = 0; i < listens; i++) {
		const unsigned first = port_pool[pick(ARRAY_SIZE(port_pool))];

		add_listen(fixture, rule_pool[pick(ARRAY_SIZE(rule_pool))], first,
			   first + pick(65536 - first));
	}
}

static void ask_both(const struct fixture *fixture, const struct image *image, const char *tool)
{
	const char *text = address_pool[pick(ARRAY_SIZE(address_pool))];
	const enum protocol_bit protocol = 1U << pick(3);
	const uint16_t port =
		(uint16_t)(pick(2) ? port_pool[pick(ARRAY_SIZE(port_pool))] : 1 + pick(65535));
	struct request request = {.tool = tool};
	const bool listen = pick(3) == 0;
	struct ip_address address;
	struct verdict verdict;
	bool allowed;

	assert_true(address_parse(text, &address));
	if (listen) {
		request.kind = REQUEST_LISTEN;
		request.listen.address = address;
		request.listen.port = pick(20) ? port : 0;
		allowed = image_allows(image, TABLE_LISTEN, &address, PROTOCOL_TCP,
				       request.listen.port);
		assert_int_equal(allowed, image_allows(image, TABLE_LISTEN, &address, PROTOCOL_UDP,
						       request.listen.port));
	} else {
		request.kind = REQUEST_CONNECT;
		request.connect.address = address;
		request.connect.port = port;
		request.connect.protocol = protocol;
		allowed = image_allows(image, TABLE_EGRESS, &address, protocol, port);
	}
	policy_decide(&fixture->policy, &request, &verdict);
	if ((verdict.kind == VERDICT_ALLOW) != allowed)
		fail_msg("%s %s port %u protocol %u: decide says %s (%s), the image %d",
			 listen ? "listen" : "connect", text, port, protocol,
			 verdict_name(verdict.kind), verdict.message, allowed);
}

static void the_image_and_the_decision_core_agree(void **state)
{
	unsigned round, i;

	(void)state;
	for (round = 0; round < 4000; round++) {
		struct fixture fixture;
		struct image *own, *joined;

		random_policy(&fixture);
		own = compile(&fixture, NULL);
		joined = compile(&fixture, &fixture.tool);
		for (i = 0; i < 30; i++) {
			ask_both(&fixture, own, NULL);
			ask_both(&fixture, joined, "t");
		}
		image_free(own);
		image_free(joined);
		arena_free(fixture.arena);
	}
}

/* ---- size ---- */

static void a_million_prefixes_are_compiled_in_seconds(void **state)
{
	struct fixture fixture;
	struct network *network = &fixture.policy.agent.network;
	struct egress_target *targets;
	struct timespec before, after;
	struct image *image;
	uint32_t i;

	(void)state;
	fixture_init(&fixture);
	targets = arena_new_array(fixture.arena, struct egress_target, PREFIXES_MANY);
	assert_non_null(targets);
	for (i = 0; i < PREFIXES_MANY; i++) {
		/* Odd numbers are their own inverse somewhere: each address comes once. */
		const uint32_t mixed = (i + 1) * 2654435761U;

		targets[i] = target("10.0.0.0");
		targets[i].prefix.address.bytes[12] = (uint8_t)(mixed >> 24);
		targets[i].prefix.address.bytes[13] = (uint8_t)(mixed >> 16);
		targets[i].prefix.address.bytes[14] = (uint8_t)(mixed >> 8);
		targets[i].prefix.address.bytes[15] = (uint8_t)mixed;
	}
	for (i = 0; i < 10; i++) {
		add_egress(&fixture, network, "0.0.0.0/0", 100 + i, 100 + i, PROTOCOL_TCP);
		network->egress[i].targets = targets + i * (PREFIXES_MANY / 10);
		network->egress[i].target_count = PREFIXES_MANY / 10;
	}
	add_egress(&fixture, network, "0.0.0.0/0", 443, 443, PROTOCOL_TCP);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	image = compile(&fixture, NULL);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	print_message("# %zu prefixes, %zu port sets: %.2f s\n", image->address_count,
		      image->port_set_count,
		      (double)(after.tv_sec - before.tv_sec) +
			      (double)(after.tv_nsec - before.tv_nsec) / 1e9);
	assert_in_range(image->address_count, PREFIXES_MANY, PREFIXES_MANY + 16);
	/* Ten alone (in reserved ranges), ten joined with what all have, and that. */
	assert_in_range(image->port_set_count, 11, 21);
	/* Far from what quadratic work would take, also under a sanitizer. */
	assert_true(after.tv_sec - before.tv_sec < 20);
	image_free(image);
	arena_free(fixture.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rule_makes_an_empty_table),
		cmocka_unit_test(a_longer_prefix_keeps_what_the_shorter_grants),
		cmocka_unit_test(any_reaches_both_families_and_no_reserved_address),
		cmocka_unit_test(an_ipv6_prefix_opens_no_ipv4),
		cmocka_unit_test(a_tools_grants_are_its_own),
		cmocka_unit_test(the_flags_say_modes),
		cmocka_unit_test(bits_are_the_ports_of_the_set),
		cmocka_unit_test(too_many_port_sets_are_refused),
		cmocka_unit_test(the_image_and_the_decision_core_agree),
		cmocka_unit_test(a_million_prefixes_are_compiled_in_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
