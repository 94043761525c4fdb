// SPDX-License-Identifier: Apache-2.0
/*
 * The two implementations of one decision, for names: random policies with host names and wildcards
 * are asked which names may be asked for, what the addresses that come of it may be used for, and
 * which hellos may go there; policy_decide() by a question, the kernel by real questions to a
 * resolver outside the policy, real connections and what leaves them.
 */
#include "names_world.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "policy/decide.h"
#include "random_text.h"

#define POLICIES 400
#define REQUESTS 40
/* Different sets of rules that one address may be open by: more than LEARNT_GRANTS_MAX is told, and
 * no part of this test. */
static_assert(ASKED_NAMES <= LEARNT_GRANTS_MAX, "each asked name may have rules of its own");

static const char *const targets[] = {
	"a.example",	 "b.a.example",	 "c.b.a.example", "xa.example",
	"example",	 "*.example",	 "*.a.example",	  "*.b.a.example",
	"*.example.org", "*.xa.example", "203.0.113.1",	  "203.0.113.4",
	"10.0.0.0/8",	 "10.0.0.5",	 "2001:db8::/64", "203.0.113.0/31"};
#define TARGET_NAMES 10
static const char *const rule_ports[] = {"443", "8443", "80", "\"8000-8010\"", "\"*\"", "53"};
static const uint16_t asked_ports[] = {443, 8443, 80, 8000, 8010, 53, 65535};
static const char *const protocols[] = {"\"tcp\"", "\"tcp\"", "\"udp\"", "[\"tcp\",\"udp\"]"};
static const char *const sni_modes[] = {"", "", ",\"sni\":\"require\"", ",\"sni\":\"ignore\""};

/* Names alone where the rule speaks of server names, which addresses have none of. */
static void add_rule(struct text *text)
{
	const size_t way = pick(ARRAY_SIZE(protocols)), count = 1 + pick(3);
	const size_t sni = strstr(protocols[way], "tcp") ? pick(ARRAY_SIZE(sni_modes)) : 0;
	const size_t from = sni_modes[sni][0] ? TARGET_NAMES : ARRAY_SIZE(targets);

	add(text, "{\"to\":[");
	for (size_t i = 0; i < count; i++)
		add(text, "%s\"%s\"", i ? "," : "", targets[pick(from)]);
	add(text, "],\"ports\":[%s", rule_ports[pick(ARRAY_SIZE(rule_ports))]);
	if (pick(2))
		add(text, ",%s", rule_ports[pick(ARRAY_SIZE(rule_ports))]);
	add(text, "],\"proto\":%s%s}", protocols[way], sni_modes[sni]);
}

static void make_manifest(struct text *text)
{
	const size_t rules = 1 + pick(7);

	text->length = 0;
	add(text,
	    "{\"agentpol\":1,\"name\":\"random\",\"mode\":\"%s\",\"network\":{"
	    "\"resolvers\":[\"" RESOLVER "\"],\"egress\":[",
	    pick(12) == 0 ? "audit" : "enforce");
	for (size_t i = 0; i < rules; i++) {
		if (i)
			add(text, ",");
		add_rule(text);
	}
	add(text, "]}}");
}

/* Most names share addresses, some of them inward. */
static void make_answers(struct answers *answers)
{
	memset(answers, 0, sizeof(*answers));
	for (size_t name = 0; name < ASKED_NAMES; name++) {
		answers->by_alias[name] = pick(3) == 0;
		answers->count[name] = (uint8_t)pick(ANSWERS_EACH + 1);
		for (size_t i = 0; i < answers->count[name]; i++)
			answers->addresses[name][i] = (uint8_t)pick(ASKED_ADDRESSES);
	}
}

/* ---- what is expected ---- */

struct round {
	const struct policy *policy;
	const struct answers *answers;
	const char *manifest;
	unsigned learnt[ASKED_ADDRESSES]; /* the names whose answers had it, a bit each */
};

static bool is_denied(const struct round *round, const struct request *request)
{
	struct verdict verdict;

	policy_decide(round->policy, request, &verdict);
	return verdict.kind == VERDICT_DENY;
}

/* Denied by the address alone and under each of the names that it was learnt by? */
static bool is_connect_denied(const struct round *round, size_t address, uint16_t port,
			      enum protocol_bit protocol)
{
	struct request request = {
		.kind = REQUEST_CONNECT,
		.connect = {.address = asked_address(address), .port = port, .protocol = protocol}};
	bool denied = is_denied(round, &request);

	for (size_t name = 0; name < ASKED_NAMES && denied; name++) {
		request.connect.name = asked_names[name];
		if (round->learnt[address] >> name & 1)
			denied = is_denied(round, &request);
	}
	return denied;
}

static bool target_has(const struct egress_target *target, const char *name)
{
	const size_t length = strlen(name), suffix = target->name ? strlen(target->name) : 0;

	if (target->kind == TARGET_NAME)
		return strcmp(target->name, name) == 0;
	return target->kind == TARGET_WILDCARD && length > suffix + 1 &&
	       name[length - suffix - 1] == '.' &&
	       strcmp(name + length - suffix, target->name) == 0;
}

static bool rule_has(const struct egress_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->target_count; i++)
		if (target_has(&rule->targets[i], name))
			return true;
	return false;
}

/* The rules of a name, a bit each. */
static unsigned rules_of(const struct policy *policy, const char *name)
{
	const struct network *network = &policy->agent.network;
	unsigned rules = 0;

	for (size_t i = 0; i < network->egress_count; i++)
		if (rule_has(&network->egress[i], name))
			rules |= 1U << i;
	return rules;
}

enum needs { NEEDS_MORE, NEEDS_HELLO, NEEDS_NOTHING };

/* What a TCP connection to that port needs by a set of rules. */
static enum needs needs_of(const struct policy *policy, unsigned rules, uint16_t port)
{
	enum needs needs = NEEDS_MORE;

	for (size_t i = 0; i < policy->agent.network.egress_count; i++) {
		const struct egress_rule *rule = &policy->agent.network.egress[i];

		if (!(rules >> i & 1) || !(rule->protocols & PROTOCOL_TCP) ||
		    !port_set_has(rule->ports, port))
			continue;
		if (rule->sni == SNI_IGNORE ||
		    (rule->sni == SNI_UNSET && port != 443 && port != 8443))
			return NEEDS_NOTHING;
		needs = NEEDS_HELLO;
	}
	return needs;
}

/*
 * May bytes that begin with a hello for `server` leave? By the address or a name that needs no
 * hello, yes; else the server's own rules have to open the port, and the address by an answer for a
 * name that they grant.
 */
static bool is_hello_denied(const struct round *round, size_t address, uint16_t port,
			    const char *server)
{
	const struct policy *policy = round->policy;
	const struct request by_address = {.kind = REQUEST_CONNECT,
					   .connect = {.address = asked_address(address),
						       .port = port,
						       .protocol = PROTOCOL_TCP}};
	const unsigned wanted = rules_of(policy, server);
	bool is_there = false;

	if (policy->mode == MODE_AUDIT || !is_denied(round, &by_address))
		return false;
	for (size_t name = 0; name < ASKED_NAMES; name++) {
		const unsigned rules = rules_of(policy, asked_names[name]);

		if (!(round->learnt[address] >> name & 1))
			continue;
		if (needs_of(policy, rules, port) == NEEDS_NOTHING)
			return false;
		is_there = is_there || rules == wanted;
	}
	return !is_there || needs_of(policy, wanted, port) == NEEDS_MORE;
}

/* ---- asking ---- */

static void expect(const struct round *round, bool denied, int result, const char *what,
		   const char *subject, unsigned port)
{
	if (denied != (result == EPERM))
		fail_msg("%s %s port %u: expected %s, the kernel %s; %s", what, subject, port,
			 denied ? "deny" : "allow", strerror(result), round->manifest);
}

static void ask_name(struct round *round, size_t name)
{
	struct request request = {.kind = REQUEST_DNS,
				  .dns = {.name = asked_names[name], .has_resolver = true}};
	const bool six = pick(2);
	const int result = ask_resolver(name, six);

	assert_true(address_parse(RESOLVER, &request.dns.resolver));
	expect(round, is_denied(round, &request), result, "question for", asked_names[name], 53);
	if (result == EPERM)
		return;
	for (size_t i = 0; i < round->answers->count[name]; i++) {
		const size_t address = round->answers->addresses[name][i];
		const struct ip_address there = asked_address(address);

		if (address_is_ipv4(&there) != six && !address_is_internal(&there))
			round->learnt[address] |= 1U << name;
	}
}

static void ask_connect(const struct round *round, size_t address, uint16_t port)
{
	static const char *const ways[] = {"connect to", "connect to", "datagram to",
					   "datagram by a connected socket to"};
	const struct ip_address to = asked_address(address);
	const size_t way = pick(ARRAY_SIZE(ways));
	const enum protocol_bit protocol = way < 2 ? PROTOCOL_TCP : PROTOCOL_UDP;
	int result;

	if (way == 3)
		result = attempt_connected_send(&to, port);
	else
		result = way < 2 ? attempt_connect(&to, port, SOCK_STREAM)
				 : attempt_sendto(&to, port);
	expect(round, is_connect_denied(round, address, port, protocol), result, ways[way],
	       asked_addresses[address], port);
}

/* Who sorts the addresses of a name looks at each through a datagram socket. */
static void look(const struct round *round, size_t address)
{
	static const uint16_t meaningless[] = {0, 9, 65535};
	const struct ip_address to = asked_address(address);
	const uint16_t port = meaningless[pick(ARRAY_SIZE(meaningless))];

	if (round->learnt[address])
		expect(round, false, attempt_connect(&to, port, SOCK_DGRAM), "look at",
		       asked_addresses[address], port);
}

static void ask_hello(const struct round *round, size_t address, uint16_t port)
{
	static const char *const foreign[] = {"foreign.test", "d.example", "d.b.a.example"};
	const size_t which = pick(ASKED_NAMES + ARRAY_SIZE(foreign));
	const char *server =
		which < ASKED_NAMES ? asked_names[which] : foreign[which - ASKED_NAMES];

	if (!is_served(address, port) || is_connect_denied(round, address, port, PROTOCOL_TCP))
		return;
	expect(round, is_hello_denied(round, address, port, server), greet(address, port, server),
	       server, asked_addresses[address], port);
}

static void kernel_and_decide_agree_on_names(void **state)
{
	static struct text manifest;
	struct names_world *world = *state;

	for (size_t i = 0; i < world_turns(POLICIES); i++) {
		struct round round = {.answers = world->answers, .manifest = manifest.bytes};
		struct policy *policy;

		make_manifest(&manifest);
		policy = world_read(manifest.bytes);
		round.policy = policy;
		make_answers(world->answers);
		(void)world_put_under(world->world, policy);
		for (size_t n = 0; n < REQUESTS; n++) {
			const size_t address = pick(ASKED_ADDRESSES);
			const uint16_t port = asked_ports[pick(ARRAY_SIZE(asked_ports))];

			/* Most at the beginning: then there is something to connect to. */
			if (n < ASKED_NAMES || pick(8) == 0)
				ask_name(&round, pick(ASKED_NAMES));
			else if (pick(8) == 0)
				look(&round, address);
			else if (pick(2))
				ask_connect(&round, address, port);
			else
				ask_hello(&round, address, port);
		}
		policy_free(policy);
	}
	print_message("# %u policies, %d requests each: kernel and decide agree on names\n",
		      world_turns(POLICIES), REQUESTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(kernel_and_decide_agree_on_names)};

	seed_from_environment();
	if (!world_is_possible())
		return 0;
	return cmocka_run_group_tests(tests, names_world_set_up, names_world_tear_down);
}
