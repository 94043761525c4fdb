// SPDX-License-Identifier: Apache-2.0
/*
 * The two implementations of one decision: thousands of random policies and requests are asked of
 * policy_decide() and, by real socket calls and packets, of the loaded kernel programs.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/guard_sockets.h"
#include "kernel/server_tables.h"
#include "policy/decide.h"
#include "random_text.h"

#define POLICIES 3000
#define REQUESTS 40

/* Few of each, so that policies and requests meet; edges of prefixes on both sides. */
static const char *const addresses[] = {
	"10.0.0.1",
	"10.0.0.255",
	"10.0.1.0",
	"10.255.255.255",
	"11.0.0.0",
	"9.255.255.255",
	"192.168.1.1",
	"127.0.0.1",
	"127.255.255.254",
	"128.0.0.1",
	"0.0.0.0",
	"169.254.169.254",
	"169.254.1.1",
	"100.100.100.200",
	"100.100.100.201",
	"168.63.129.16",
	"203.0.113.9",
	"8.8.8.8",
	"255.255.255.255",
	"::",
	"::1",
	"::2",
	"2001:db8::1",
	"2001:db8:ffff::1",
	"2001:db9::1",
	"fd00:ec2::254",
	"fd00:ec2::255",
	"fe80::1",
	"fec0::1",
	"64:ff9b::a00:1",
	"ff02::1",
	"224.0.0.1",
};
static const char *const targets[] = {
	"10.0.0.0/8",
	"10.0.0.0/24",
	"10.0.0.1",
	"10.0.0.0/31",
	"0.0.0.0/0",
	"128.0.0.0/1",
	"0.0.0.0/1",
	"127.0.0.0/8",
	"127.0.0.1",
	"169.254.0.0/16",
	"169.254.169.254",
	"169.254.169.0/24",
	"169.0.0.0/8",
	"100.64.0.0/10",
	"100.100.100.200",
	"168.63.129.16",
	"203.0.113.0/24",
	"::/0",
	"::1",
	"2000::/3",
	"2001:db8::/32",
	"2001:db8::/48",
	"fe80::/10",
	"fd00::/8",
	"fd00:ec2::254",
	"@loopback",
	"@any",
	"::ffff:0:0/96",
	"::ffff:10.0.0.1",
	"8000::/1",
	"fc00::/7",
	"::/1",
};
static const char *const ports[] = {
	"443", "\"*\"", "\"1-1023\"", "\"8000-8010\"", "53", "65535", "\"1024-65535\"",
	"1",   "80",	"\"50-60\"",
};
static const uint16_t asked_ports[] = {1,    52,   53,	 54,   80,   443,  1023,
				       1024, 7999, 8000, 8010, 8011, 65535};
static const char *const protocols[] = {
	"\"tcp\"", "\"udp\"", "\"icmp\"", "[\"tcp\",\"udp\"]", "[\"tcp\",\"udp\",\"icmp\"]",
};

static void add_list(struct text *text, const char *const *from, size_t count, bool quoted)
{
	size_t items = 1 + pick(3);

	add(text, "[");
	for (size_t i = 0; i < items; i++)
		add(text, quoted ? "%s\"%s\"" : "%s%s", i ? "," : "", from[pick(count)]);
	add(text, "]");
}

static void add_egress(struct text *text)
{
	size_t rules = pick(9);

	add(text, "\"egress\":[");
	for (size_t i = 0; i < rules; i++) {
		const char *protocol = protocols[pick(ARRAY_SIZE(protocols))];

		add(text, "%s{\"to\":", i ? "," : "");
		add_list(text, targets, ARRAY_SIZE(targets), true);
		if (strcmp(protocol, "\"icmp\"") != 0) {
			add(text, ",\"ports\":");
			add_list(text, ports, ARRAY_SIZE(ports), false);
		}
		add(text, ",\"proto\":%s}", protocol);
	}
	add(text, "]");
}

static void add_listen(struct text *text)
{
	static const char *const on[] = {"@any", "@loopback", "127.0.0.1", "0.0.0.0",
					 "::",	 "::1",	      "10.77.0.1"};
	size_t rules = pick(4);

	add(text, ",\"listen\":[");
	for (size_t i = 0; i < rules; i++) {
		add(text, "%s{\"ports\":", i ? "," : "");
		add_list(text, ports, ARRAY_SIZE(ports), false);
		add(text, ",\"on\":\"%s\"}", on[pick(ARRAY_SIZE(on))]);
	}
	add(text, "]");
}

static const char *const servers[] = {
	"10.0.0.1:443",	      "10.0.0.1:80",	   "127.0.0.1:443",	"localhost:80",
	"[::1]:8000",	      "[2001:db8::1]:443", "203.0.113.9:65535", "169.254.169.254:80",
	"[64:ff9b::a00:1]:1", "0.0.0.0:1023",
};

/* Tools with servers; *own is the one whose scope it is, NULL: the agent's. */
static void add_tools(struct text *text, const char **own)
{
	static const char *const tool_names[] = {"one", "two", "three"};
	size_t count = pick(2) ? 0 : 1 + pick(ARRAY_SIZE(tool_names));

	*own = count && pick(2) ? tool_names[pick(count)] : NULL;
	add(text, ",\"tools\":{");
	for (size_t i = 0; i < count; i++)
		add(text,
		    "%s\"%s\":{\"sql\":{\"engine\":\"postgresql\",\"server\":\"%s\",\"allow\":[{"
		    "\"select\":[\"t\"]}]}}",
		    i ? "," : "", tool_names[i], servers[pick(ARRAY_SIZE(servers))]);
	add(text, "}");
}

static void make_manifest(struct text *text, bool *raw, const char **own)
{
	bool audit = pick(10) == 0;

	*raw = pick(2) == 0;
	text->length = 0;
	add(text, "{\"agentpol\":1,\"name\":\"random\",\"mode\":\"%s\",\"network\":{",
	    audit ? "audit" : "enforce");
	add_egress(text);
	add_listen(text);
	if (*raw)
		add(text, ",\"families\":[\"raw\"]");
	add(text, "}");
	add_tools(text, own);
	add(text, "}");
}

/* ---- the guard: somebody who listens, so that what is turned there is let through ---- */

static struct {
	int four, six;
	uint32_t space;
	struct guard_ports ports;
} guard;

static int make_guard(void **state)
{
	int space;

	if (world_set_up(state) < 0)
		return -1;
	space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	guard.four = guard_socket_listen(space, AF_INET, &guard.ports.port4);
	guard.six = guard_socket_listen(space, AF_INET6, &guard.ports.port6);
	(void)close(space);
	return guard.four < 0 || guard.six < 0 ? -1 : guard_space_of(guard.four, &guard.space);
}

static void put_under(struct world *world, const struct policy *policy, const char *tool)
{
	const uint32_t id = POLICY_ID(world_put_under_tool(world, policy, tool));
	struct error error;

	if (guard_keep_port(world->enforcer, guard.space, guard.ports.port4, guard.four) < 0 ||
	    guard_keep_port(world->enforcer, guard.space, guard.ports.port6, guard.six) < 0 ||
	    guard_open(world->enforcer, id, guard.space, &guard.ports, &error) < 0)
		fail_msg("no guard");
}

/* What it has got by now is let go. */
static void empty_guard(void)
{
	int fd;

	while ((fd = accept(guard.four, NULL, NULL)) >= 0 ||
	       (fd = accept(guard.six, NULL, NULL)) >= 0)
		(void)close(fd);
}

/* One question to both; the kernel's errno in *kernel_error for the message. */
static bool agree(const struct policy *policy, const struct request *request, int kernel_error,
		  bool packet, const char **said)
{
	struct verdict verdict;

	policy_decide(policy, request, &verdict);
	*said = verdict_name(verdict.kind);
	/* A packet that nobody has connected for is not turned to the guard. */
	if (packet && verdict.kind == VERDICT_ALLOW && strstr(verdict.rule, "/sql/server"))
		return policy->mode == MODE_AUDIT || kernel_error == EPERM;
	return (verdict.kind == VERDICT_DENY) == (kernel_error == EPERM);
}

static void ask_connect(const struct policy *policy, const struct text *manifest, const char *own,
			const char *written, uint16_t port, bool raw)
{
	struct request request = {.kind = REQUEST_CONNECT, .tool = own};
	static const char *const names[] = {"tcp connect", "udp connect", "udp sendto",
					    "raw tcp",	   "raw udp",	  "raw icmp"};
	size_t way = pick(raw ? ARRAY_SIZE(names) : 3);
	struct ip_address *address = &request.connect.address;
	const char *said;
	int result;

	assert_true(address_parse(written, address));
	/* Raw packets take the address as it is: nothing makes 0.0.0.0 loopback for them. */
	if (way >= 3 && (!address_is_ipv4(address) || strcmp(written, "0.0.0.0") == 0))
		way = 2;
	request.connect.port = port;
	request.connect.protocol = way == 0 || way == 3 ? PROTOCOL_TCP
				   : way == 5		? PROTOCOL_ICMP
							: PROTOCOL_UDP;
	switch (way) {
	case 0:
		result = attempt_connect(address, port, SOCK_STREAM);
		break;
	case 1:
		result = attempt_connect(address, port, SOCK_DGRAM);
		break;
	case 2:
		result = attempt_sendto(address, port);
		break;
	default:
		result = attempt_raw_packet(address, port,
					    way == 3   ? IPPROTO_TCP
					    : way == 4 ? IPPROTO_UDP
						       : IPPROTO_ICMP);
	}
	/* A datagram is judged as a packet: what no packet could be made of was not asked about. */
	if (way == 2 && result && result != EPERM)
		return;
	if (!agree(policy, &request, result, way >= 3, &said))
		fail_msg("%s %s port %u: decide says %s, the kernel %s; tool %s of %s", names[way],
			 written, port, said, strerror(result), own ? own : "-", manifest->bytes);
}

static void ask_listen(const struct policy *policy, const struct text *manifest,
		       const char *written, uint16_t port)
{
	struct request request = {.kind = REQUEST_LISTEN};
	const char *said;
	int result;

	assert_true(address_parse(written, &request.listen.address));
	request.listen.port = port;
	result = attempt_bind(&request.listen.address, port, pick(2) ? SOCK_STREAM : SOCK_DGRAM);
	if (!agree(policy, &request, result, false, &said))
		fail_msg("bind %s port %u: decide says %s, the kernel %s; %s", written, port, said,
			 strerror(result), manifest->bytes);
}

static void kernel_and_decide_agree(void **state)
{
	static struct text manifest;
	struct world *world = *state;

	for (size_t i = 0; i < world_turns(POLICIES); i++) {
		struct policy *policy;
		const char *own;
		bool raw;

		make_manifest(&manifest, &raw, &own);
		policy = world_read(manifest.bytes);
		put_under(world, policy, own);
		empty_guard();
		for (size_t n = 0; n < REQUESTS; n++) {
			const char *address = addresses[pick(ARRAY_SIZE(addresses))];
			uint16_t port = asked_ports[pick(ARRAY_SIZE(asked_ports))];

			if (pick(4) == 0)
				ask_listen(policy, &manifest, address, port);
			else
				ask_connect(policy, &manifest, own, address, port, raw);
		}
		policy_free(policy);
	}
	print_message("# %u policies, %d requests each: kernel and decide agree\n",
		      world_turns(POLICIES), REQUESTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(kernel_and_decide_agree)};

	seed_from_environment();
	if (!world_is_possible())
		return 0;
	return cmocka_run_group_tests(tests, make_guard, world_tear_down);
}
