// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/manifest.h"
#include "policyd/judge.h"

#define BODY                                                                                      \
	"\"network\": {"                                                                          \
	" \"egress\": [{\"to\": \"10.0.0.1\", \"ports\": [443], \"proto\": [\"tcp\", \"udp\"]}]," \
	" \"listen\": [{\"ports\": [8080], \"on\": \"@any\"}]},"                                  \
	" \"tools\": {\"fetch\": {\"network\": {\"egress\": [{\"to\": \"10.0.0.9\", \"ports\": "  \
	"[80]}]}}}}"
static const char enforcing[] = "{\"agentpol\": 1, \"name\": \"t\", " BODY;
static const char auditing[] = "{\"agentpol\": 1, \"name\": \"t\", \"mode\": \"audit\", " BODY;
static const char raw_granted[] =
	"{\"agentpol\": 1, \"name\": \"t\", \"network\": {\"families\": [\"raw\"]}}";

static struct ip_address address(const char *text)
{
	struct ip_address result;

	assert_true(address_parse(text, &result));
	return result;
}

static struct open_socket connected(uint32_t protocol, const char *remote, uint16_t port)
{
	return (struct open_socket){.protocol = protocol,
				    .state = SOCKET_CONNECTED,
				    .local = address("10.0.0.5"),
				    .local_port = 40000,
				    .remote = address(remote),
				    .remote_port = port,
				    .space = 1,
				    .listed = true};
}

static struct open_socket lonely(uint32_t protocol, enum open_state state, uint16_t port)
{
	return (struct open_socket){.protocol = protocol,
				    .state = state,
				    .local = address("0.0.0.0"),
				    .local_port = port,
				    .remote = address("0.0.0.0"),
				    .space = 1,
				    .listed = true};
}

static struct judgement judge(const char *manifest, const char *tool,
			      const struct open_socket *socket, bool has_listener)
{
	struct diagnostics diagnostics;
	_cleanup_policy_ struct policy *policy = NULL;
	struct judgement judgement;

	diagnostics_init(&diagnostics, "test");
	policy = manifest_read_text(manifest, strlen(manifest), &diagnostics);
	diagnostics_free(&diagnostics);
	assert_non_null(policy);
	judge_socket(policy, tool, socket, has_listener, &judgement);
	return judgement;
}

static enum verdict_kind verdict_on(const struct open_socket *socket)
{
	return judge(enforcing, NULL, socket, false).verdict.kind;
}

static void a_connection_is_judged_by_its_peer(void **state)
{
	struct open_socket granted = connected(IPPROTO_TCP, "10.0.0.1", 443);
	struct open_socket other_port = connected(IPPROTO_TCP, "10.0.0.1", 80);
	struct open_socket datagrams = connected(IPPROTO_UDP, "10.0.0.1", 443);
	struct open_socket elsewhere = connected(IPPROTO_UDP, "10.0.0.2", 443);

	(void)state;
	assert_int_equal(verdict_on(&granted), VERDICT_ALLOW);
	assert_int_equal(verdict_on(&other_port), VERDICT_DENY);
	assert_int_equal(verdict_on(&datagrams), VERDICT_ALLOW);
	assert_int_equal(verdict_on(&elsewhere), VERDICT_DENY);
	assert_string_equal(judge(enforcing, NULL, &elsewhere, false).kind, "connect");
	granted.foreign = elsewhere.foreign = true;
	assert_int_equal(verdict_on(&granted), VERDICT_ALLOW);
	assert_int_equal(verdict_on(&elsewhere), VERDICT_DENY);
}

static void a_tools_grant_counts_for_that_tool(void **state)
{
	struct open_socket socket = connected(IPPROTO_TCP, "10.0.0.9", 80);

	(void)state;
	assert_int_equal(judge(enforcing, NULL, &socket, false).verdict.kind, VERDICT_DENY);
	assert_int_equal(judge(enforcing, "fetch", &socket, false).verdict.kind, VERDICT_ALLOW);
}

static void a_listener_is_judged_by_its_port(void **state)
{
	struct open_socket granted = lonely(IPPROTO_TCP, SOCKET_LISTENING, 8080);
	struct open_socket denied = lonely(IPPROTO_TCP, SOCKET_LISTENING, 40000);

	(void)state;
	assert_int_equal(verdict_on(&granted), VERDICT_ALLOW);
	assert_int_equal(verdict_on(&denied), VERDICT_DENY);
	assert_string_equal(judge(enforcing, NULL, &denied, false).kind, "listen");
}

static void what_a_granted_listener_accepted_is_granted(void **state)
{
	struct open_socket accepted = connected(IPPROTO_TCP, "203.0.113.9", 50000);
	struct judgement judgement;

	(void)state;
	accepted.local_port = 8080;
	judgement = judge(enforcing, NULL, &accepted, true);
	assert_int_equal(judgement.verdict.kind, VERDICT_ALLOW);
	assert_true(judgement.inbound);
	/* The same ports without a listener: it went out from there. */
	assert_int_equal(judge(enforcing, NULL, &accepted, false).verdict.kind, VERDICT_DENY);
	accepted.local_port = 8081;
	assert_int_equal(judge(enforcing, NULL, &accepted, true).verdict.kind, VERDICT_DENY);
	accepted.local_port = 8080;
	accepted.protocol = IPPROTO_UDP;
	assert_int_equal(judge(enforcing, NULL, &accepted, true).verdict.kind, VERDICT_DENY);
}

static void a_listener_is_one_of_the_same_end_and_namespace(void **state)
{
	struct open_socket accepted = connected(IPPROTO_TCP, "203.0.113.9", 50000);
	struct open_socket listener = lonely(IPPROTO_TCP, SOCKET_LISTENING, 40000);

	(void)state;
	assert_true(judge_is_listener_of(&listener, &accepted));
	listener.local = accepted.local;
	assert_true(judge_is_listener_of(&listener, &accepted));
	listener.local = address("10.0.0.6");
	assert_false(judge_is_listener_of(&listener, &accepted));
	listener.local = address("::");
	assert_true(judge_is_listener_of(&listener, &accepted));
	listener.space = 2;
	assert_false(judge_is_listener_of(&listener, &accepted));
	listener.space = 1;
	listener.local_port = 40001;
	assert_false(judge_is_listener_of(&listener, &accepted));
	listener.local_port = 40000;
	listener.state = SOCKET_UNCONNECTED;
	assert_false(judge_is_listener_of(&listener, &accepted));
}

static void datagrams_without_a_peer_are_the_hooks_to_judge(void **state)
{
	struct open_socket socket = lonely(IPPROTO_UDP, SOCKET_UNCONNECTED, 5353);

	(void)state;
	assert_int_equal(verdict_on(&socket), VERDICT_ALLOW);
	socket.foreign = true;
	assert_int_equal(verdict_on(&socket), VERDICT_DENY);
	assert_string_equal(judge(enforcing, NULL, &socket, false).verdict.reason, "foreign");
}

static void raw_sockets_need_their_grant_and_their_cgroup(void **state)
{
	struct open_socket raw = lonely(IPPROTO_RAW, SOCKET_UNCONNECTED, IPPROTO_ICMP);
	struct open_socket lite = connected(PROTOCOL_UDPLITE, "10.0.0.1", 443);

	(void)state;
	assert_int_equal(verdict_on(&raw), VERDICT_DENY);
	assert_int_equal(verdict_on(&lite), VERDICT_DENY);
	assert_int_equal(judge(raw_granted, NULL, &raw, false).verdict.kind, VERDICT_ALLOW);
	raw.foreign = true;
	assert_int_equal(judge(raw_granted, NULL, &raw, false).verdict.kind, VERDICT_DENY);
}

static void audit_mode_denies_nothing(void **state)
{
	struct open_socket sockets[] = {
		connected(IPPROTO_TCP, "203.0.113.9", 443),
		lonely(IPPROTO_TCP, SOCKET_LISTENING, 1),
		lonely(IPPROTO_UDP, SOCKET_UNCONNECTED, 1),
		lonely(IPPROTO_RAW, SOCKET_UNCONNECTED, 1),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		sockets[i].foreign = true;
		assert_int_equal(judge(auditing, NULL, &sockets[i], false).verdict.kind,
				 VERDICT_WOULD_DENY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_judged_by_its_peer),
		cmocka_unit_test(a_tools_grant_counts_for_that_tool),
		cmocka_unit_test(a_listener_is_judged_by_its_port),
		cmocka_unit_test(what_a_granted_listener_accepted_is_granted),
		cmocka_unit_test(a_listener_is_one_of_the_same_end_and_namespace),
		cmocka_unit_test(datagrams_without_a_peer_are_the_hooks_to_judge),
		cmocka_unit_test(raw_sockets_need_their_grant_and_their_cgroup),
		cmocka_unit_test(audit_mode_denies_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
