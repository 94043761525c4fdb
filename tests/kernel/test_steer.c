// SPDX-License-Identifier: Apache-2.0
/* A tool's server is reached through the guard alone: who connects there comes to the guard's
 * listener, or nowhere. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/server_tables.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define TOOL(name, server)                                                      \
	"\"" name "\":{\"sql\":{\"engine\":\"postgresql\",\"server\":\"" server \
	"\",\"allow\":[{\"select\":[\"t\"]}]}}"
#define MANIFEST(more, egress, tools)                                                \
	"{\"agentpol\":1,\"name\":\"test\"," more "\"network\":{\"egress\":[" egress \
	"]},\"tools\":{" tools "}}"
#define TWO_TOOLS                       \
	TOOL("mine", "192.0.2.10:5432") \
	"," TOOL("six", "[2001:db8::10]:5432") "," TOOL("other", "192.0.2.11:5433")
#define EVERYTHING                                                                   \
	"{\"to\":\"@any\",\"ports\":[\"*\",5432,5433],\"proto\":[\"tcp\",\"udp\"]}," \
	"{\"to\":\"@loopback\",\"ports\":\"*\"}"

struct guard {
	int four, six;
	uint32_t space, policy;
	struct guard_ports ports;
};

static struct guard guard;

static int listen_on(const char *address, uint16_t *port)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	const bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
	struct sockaddr *place = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
	socklen_t length = is_six ? sizeof(six) : sizeof(four);
	int fd = socket(place->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (!is_six)
		assert_int_equal(inet_pton(AF_INET, address, &four.sin_addr), 1);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, place, length), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, place, &length), 0);
	*port = ntohs(is_six ? six.sin6_port : four.sin_port);
	return fd;
}

static int make_guard(void **state)
{
	if (world_set_up(state) < 0)
		return -1;
	guard.four = listen_on("127.0.0.1", &guard.ports.port4);
	guard.six = listen_on("::1", &guard.ports.port6);
	return guard_space_of(guard.four, &guard.space);
}

/* The world's cgroup under the manifest; the guard listens for it. */
static void put_under(struct world *world, const char *manifest, const char *tool, bool listens)
{
	_cleanup_policy_ struct policy *policy = world_read(manifest);
	struct error error;

	guard.policy = POLICY_ID(world_put_under_tool(world, policy, tool));
	guard_close_all(world->enforcer);
	if (!listens)
		return;
	assert_int_equal(
		guard_keep_port(world->enforcer, guard.space, guard.ports.port4, guard.four), 0);
	assert_int_equal(
		guard_keep_port(world->enforcer, guard.space, guard.ports.port6, guard.six), 0);
	assert_int_equal(
		guard_open(world->enforcer, guard.policy, guard.space, &guard.ports, &error), 0);
}

static int attempt(const char *address, uint16_t port, int type)
{
	struct ip_address to;

	assert_true(address_parse(address, &to));
	return attempt_connect(&to, port, type);
}

static struct sockaddr_in4_or_6 {
	struct sockaddr_in6 place;
	socklen_t length;
} place_of(int family, const char *address, uint16_t port)
{
	struct sockaddr_in4_or_6 result = {.length = sizeof(struct sockaddr_in6)};
	struct sockaddr_in *four = (struct sockaddr_in *)&result.place;

	result.place.sin6_family = (sa_family_t)family;
	if (family == AF_INET) {
		result.length = sizeof(*four);
		four->sin_port = htons(port);
		assert_int_equal(inet_pton(family, address, &four->sin_addr), 1);
		return result;
	}
	result.place.sin6_port = htons(port);
	assert_int_equal(inet_pton(family, address, &result.place.sin6_addr), 1);
	return result;
}

/* A socket that is connected, or has sent `data` with MSG_FASTOPEN; -errno. */
static int reach(int family, int protocol, const char *address, uint16_t port, const char *data)
{
	const struct sockaddr_in4_or_6 to = place_of(family, address, port);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol), result;

	if (fd < 0)
		return -errno;
	if (data)
		result = (int)sendto(fd, data, strlen(data), MSG_FASTOPEN,
				     (const struct sockaddr *)&to.place, to.length);
	else
		result = connect(fd, (const struct sockaddr *)&to.place, to.length);
	if (result >= 0)
		return fd;
	result = -errno;
	(void)close(fd);
	return result;
}

/* What came to the guard, from whom: the accepted socket. Fails where nothing came. */
static int accept_at(int listener, struct world *world, struct steered *peer)
{
	struct pollfd waiting = {.fd = listener, .events = POLLIN};
	struct sockaddr_in6 from = {0};
	socklen_t length = sizeof(from);
	struct steered_key key = {.space = guard.space};
	struct ip_address address = {{0}};
	int fd;

	assert_int_equal(poll(&waiting, 1, 2000), 1);
	fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	if (from.sin6_family == AF_INET6) {
		memcpy(address.bytes, &from.sin6_addr, sizeof(address.bytes));
		key.guard_port = guard.ports.port6;
	} else {
		assert_true(address_parse("127.0.0.1", &address));
		memcpy(address.bytes + 12, &((struct sockaddr_in *)&from)->sin_addr, 4);
		key.guard_port = guard.ports.port4;
	}
	key.port = ntohs(from.sin6_port);
	memcpy(key.address, address.bytes, sizeof(key.address));
	assert_int_equal(guard_take_peer(world->enforcer, &key, peer), 0);
	assert_int_equal(guard_take_peer(world->enforcer, &key, &(struct steered){0}), -ENOENT);
	return fd;
}

static void assert_nothing_came(int listener)
{
	assert_int_equal(accept4(listener, NULL, NULL, SOCK_CLOEXEC), -1);
	assert_int_equal(errno, EAGAIN);
}

static void assert_wanted(const struct steered *peer, const char *address, uint16_t port)
{
	struct ip_address wanted;

	assert_true(address_parse(address, &wanted));
	assert_memory_equal(peer->steering.address, wanted.bytes, sizeof(wanted.bytes));
	assert_int_equal(peer->steering.port, port);
	assert_int_equal(peer->steering.policy_id, guard.policy);
	assert_int_equal(peer->steering.pid, getpid());
	assert_int_equal(peer->steering.uid, getuid());
}

static void assert_steered(struct world *world, int family, int protocol, const char *address,
			   const char *as, const char *data)
{
	_cleanup_close_ int fd = reach(family, protocol, address, 5432, data), accepted = -1;
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);
	struct steered peer;
	char got[8] = "";

	assert_true(fd >= 0);
	accepted = accept_at(strchr(as, ':') ? guard.six : guard.four, world, &peer);
	assert_wanted(&peer, as, 5432);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
	if (protocol != IPPROTO_MPTCP)
		assert_int_equal(peer.cookie, cookie);
	if (!data)
		assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(read(accepted, got, sizeof(got)), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(write(accepted, "olleh", 5), 5);
	assert_int_equal(read(fd, got, sizeof(got)), 5);
	assert_memory_equal(got, "olleh", 5);
}

static void a_connect_to_the_tools_server_comes_to_the_guard(void **state)
{
	put_under(*state, MANIFEST("", "", TWO_TOOLS), "mine", true);
	assert_steered(*state, AF_INET, 0, "192.0.2.10", "192.0.2.10", NULL);
	assert_steered(*state, AF_INET6, 0, "::ffff:192.0.2.10", "192.0.2.10", NULL);
	assert_steered(*state, AF_INET, 0, "192.0.2.10", "192.0.2.10", "hello");
}

static void an_ipv6_server_is_steered_to_ipv6(void **state)
{
	put_under(*state, MANIFEST("", "", TWO_TOOLS), "six", true);
	assert_steered(*state, AF_INET6, 0, "2001:db8::10", "2001:db8::10", NULL);
	assert_steered(*state, AF_INET6, 0, "2001:db8::10", "2001:db8::10", "hello");
}

/* The words of a mapped address, but not in front. */
static void an_ipv6_server_that_looks_mapped_is_ipv6(void **state)
{
	put_under(*state, MANIFEST("", "", TOOL("mine", "[2001:db8::ffff:c000:20a]:5432")), "mine",
		  true);
	assert_steered(*state, AF_INET6, 0, "2001:db8::ffff:c000:20a", "2001:db8::ffff:c000:20a",
		       NULL);
}

static void a_server_on_loopback_is_steered_by_each_of_its_addresses(void **state)
{
	put_under(*state, MANIFEST("", EVERYTHING, TOOL("mine", "localhost:5432")), "mine", true);
	assert_steered(*state, AF_INET, 0, "127.0.0.1", "127.0.0.1", NULL);
	assert_steered(*state, AF_INET, 0, "127.5.5.5", "127.5.5.5", NULL);
	assert_steered(*state, AF_INET, 0, "0.0.0.0", "127.0.0.1", NULL);
	assert_steered(*state, AF_INET6, 0, "::1", "::1", NULL);
	assert_steered(*state, AF_INET6, 0, "::", "::1", NULL);
	assert_steered(*state, AF_INET6, 0, "::ffff:127.0.0.1", "127.0.0.1", NULL);
}

static void without_a_listener_nothing_goes_there(void **state)
{
	put_under(*state, MANIFEST("", EVERYTHING, TWO_TOOLS), "mine", false);
	assert_int_equal(attempt("192.0.2.10", 5432, SOCK_STREAM), EPERM);
	assert_int_equal(reach(AF_INET, 0, "192.0.2.10", 5432, "hello"), -EPERM);
	assert_int_equal(reach(AF_INET6, 0, "::ffff:192.0.2.10", 5432, NULL), -EPERM);
	assert_int_not_equal(attempt("192.0.2.10", 5431, SOCK_STREAM), EPERM);
}

/* The guard has ended, and somebody else listens at the port that it had. */
static void nobody_takes_the_guards_place(void **state)
{
	struct world *world = *state;
	struct guard_ports taken = {0};
	_cleanup_close_ int four = listen_on("127.0.0.1", &taken.port4);
	_cleanup_close_ int six = listen_on("::1", &taken.port6);
	struct error error;

	put_under(world, MANIFEST("", "", TWO_TOOLS), "mine", false);
	assert_int_equal(guard_open(world->enforcer, guard.policy, guard.space, &taken, &error), 0);
	assert_int_equal(attempt("192.0.2.10", 5432, SOCK_STREAM), EPERM);
	assert_nothing_came(four);
	put_under(world, MANIFEST("", "", TWO_TOOLS), "six", false);
	assert_int_equal(guard_open(world->enforcer, guard.policy, guard.space, &taken, &error), 0);
	assert_int_equal(attempt("2001:db8::10", 5432, SOCK_STREAM), EPERM);
	assert_nothing_came(six);
}

/* Whatever the one who comes later sets on its socket, and though it may listen there. */
static void nobody_listens_beside_the_guard(void **state)
{
	const int on = 1;

	put_under(
		*state,
		"{\"agentpol\":1,\"name\":\"test\",\"network\":{\"listen\":[{\"ports\":[\"*\"]}]},"
		"\"tools\":{" TWO_TOOLS "}}",
		"mine", true);
	for (int i = 0; i < 2; i++) {
		const struct sockaddr_in4_or_6 place =
			place_of(AF_INET, i ? "0.0.0.0" : "127.0.0.1", guard.ports.port4);
		_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
		assert_int_equal(bind(fd, (const struct sockaddr *)&place.place, place.length), -1);
		assert_int_equal(errno, EADDRINUSE);
	}
}

static void no_rule_opens_another_tools_server(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < 2; i++) {
		put_under(world, MANIFEST("", EVERYTHING, TWO_TOOLS), i ? "other" : NULL, true);
		assert_int_equal(attempt("192.0.2.10", 5432, SOCK_STREAM), EPERM);
		assert_int_equal(attempt("192.0.2.10", 5432, SOCK_DGRAM), EPERM);
		assert_int_equal(attempt("2001:db8::10", 5432, SOCK_STREAM), EPERM);
		assert_int_equal(reach(AF_INET6, 0, "::ffff:192.0.2.10", 5432, NULL), -EPERM);
		assert_int_equal(reach(AF_INET, 0, "192.0.2.10", 5432, "hello"), -EPERM);
		assert_int_equal(reach(AF_INET, IPPROTO_MPTCP, "192.0.2.10", 5432, NULL), -EPERM);
		/* As the rules have it. */
		assert_int_not_equal(attempt("192.0.2.12", 5432, SOCK_STREAM), EPERM);
		assert_int_not_equal(attempt("192.0.2.10", 5433, SOCK_STREAM), EPERM);
	}
	assert_nothing_came(guard.four);
}

static void datagrams_to_a_server_are_denied(void **state)
{
	struct ip_address server;

	assert_true(address_parse("192.0.2.10", &server));
	put_under(*state, MANIFEST("", EVERYTHING, TWO_TOOLS), "mine", true);
	assert_int_equal(attempt("192.0.2.10", 5432, SOCK_DGRAM), EPERM);
	assert_int_equal(attempt_sendto(&server, 5432), EPERM);
	assert_int_not_equal(attempt_sendto(&server, 5434), EPERM);
}

static void raw_packets_to_a_server_are_denied(void **state)
{
	struct ip_address server;

	assert_true(address_parse("192.0.2.10", &server));
	put_under(*state,
		  "{\"agentpol\":1,\"name\":\"test\",\"network\":{\"families\":[\"raw\"],"
		  "\"egress\":[" EVERYTHING "]},\"tools\":{" TWO_TOOLS "}}",
		  "mine", true);
	assert_int_equal(attempt_raw_packet(&server, 5432, IPPROTO_TCP), EPERM);
	assert_int_equal(attempt_raw_packet(&server, 5432, IPPROTO_UDP), EPERM);
	assert_int_not_equal(attempt_raw_packet(&server, 5434, IPPROTO_TCP), EPERM);
}

static void ranges_leave_out_a_servers_port(void **state)
{
	put_under(*state, MANIFEST("", "{\"to\":\"@any\",\"ports\":[\"*\"]}", TWO_TOOLS), "mine",
		  true);
	assert_int_equal(attempt("198.51.100.1", 5432, SOCK_STREAM), EPERM);
	assert_int_equal(attempt("198.51.100.1", 5433, SOCK_STREAM), EPERM);
	assert_int_not_equal(attempt("198.51.100.1", 5434, SOCK_STREAM), EPERM);
	put_under(*state,
		  MANIFEST("", "{\"to\":\"198.51.100.0/24\",\"ports\":[\"5000-6000\",5433]}",
			   TWO_TOOLS),
		  "mine", true);
	assert_int_equal(attempt("198.51.100.1", 5432, SOCK_STREAM), EPERM);
	assert_int_not_equal(attempt("198.51.100.1", 5433, SOCK_STREAM), EPERM);
}

static void nobody_connects_to_the_guard_by_its_port(void **state)
{
	put_under(*state, MANIFEST("", EVERYTHING, TWO_TOOLS), "mine", true);
	assert_int_equal(attempt("127.0.0.1", guard.ports.port4, SOCK_STREAM), EPERM);
	assert_int_equal(attempt("::1", guard.ports.port6, SOCK_STREAM), EPERM);
	assert_int_equal(reach(AF_INET, 0, "127.0.0.1", guard.ports.port4, "hello"), -EPERM);
	assert_int_equal(reach(AF_INET, 0, "0.0.0.0", guard.ports.port4, NULL), -EPERM);
	assert_nothing_came(guard.four);
	assert_nothing_came(guard.six);
}

/* connect(2): AF_UNSPEC ends the association. */
static void a_socket_that_was_steered_is_steered_no_more(void **state)
{
	const struct sockaddr nothing = {.sa_family = AF_UNSPEC};
	const struct sockaddr_in4_or_6 direct = place_of(AF_INET, "127.0.0.1", guard.ports.port4);
	const struct sockaddr_in4_or_6 elsewhere = place_of(AF_INET, "192.0.2.11", 5433);
	_cleanup_close_ int fd = -1, accepted = -1;
	struct steered peer;

	put_under(*state, MANIFEST("", EVERYTHING, TWO_TOOLS), "mine", true);
	fd = reach(AF_INET, 0, "192.0.2.10", 5432, NULL);
	assert_true(fd >= 0);
	accepted = accept_at(guard.four, *state, &peer);
	assert_int_equal(connect(fd, &nothing, sizeof(nothing)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&direct.place, direct.length), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(connect(fd, (const struct sockaddr *)&elsewhere.place, elsewhere.length),
			 -1);
	assert_int_equal(errno, EPERM);
	assert_nothing_came(guard.four);
}

/* What the guard has to say of the old policy's end is still to be read. */
static void a_session_outlives_its_policy_and_no_new_one_comes(void **state)
{
	_cleanup_close_ int fd = -1, accepted = -1;
	struct steered peer;
	char got[4];

	put_under(*state, MANIFEST("", "", TWO_TOOLS), "mine", true);
	fd = reach(AF_INET, 0, "192.0.2.10", 5432, NULL);
	assert_true(fd >= 0);
	accepted = accept_at(guard.four, *state, &peer);
	put_under(*state, MANIFEST("", "", TWO_TOOLS), NULL, true);
	assert_int_equal(write(accepted, "bye", 3), 3);
	assert_int_equal(read(fd, got, sizeof(got)), 3);
	assert_int_equal(write(fd, "bye", 3), 3);
	assert_int_equal(read(accepted, got, sizeof(got)), 3);
	assert_int_equal(attempt("192.0.2.10", 5432, SOCK_STREAM), EPERM);
}

static void audit_mode_lets_other_scopes_through(void **state)
{
	put_under(*state, MANIFEST("\"mode\":\"audit\",", "", TWO_TOOLS), NULL, true);
	assert_int_not_equal(attempt("192.0.2.10", 5432, SOCK_STREAM), EPERM);
	assert_nothing_came(guard.four);
	put_under(*state, MANIFEST("\"mode\":\"audit\",", "", TWO_TOOLS), "mine", true);
	assert_steered(*state, AF_INET, 0, "192.0.2.10", "192.0.2.10", NULL);
}

/* It may not be there; then it is denied. */
static void mptcp_goes_to_the_guard_or_nowhere(void **state)
{
	_cleanup_close_ int fd = -1;

	put_under(*state, MANIFEST("", EVERYTHING, TWO_TOOLS), "mine", true);
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	if (fd < 0)
		skip();
	assert_steered(*state, AF_INET, IPPROTO_MPTCP, "192.0.2.10", "192.0.2.10", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connect_to_the_tools_server_comes_to_the_guard),
		cmocka_unit_test(an_ipv6_server_is_steered_to_ipv6),
		cmocka_unit_test(an_ipv6_server_that_looks_mapped_is_ipv6),
		cmocka_unit_test(a_server_on_loopback_is_steered_by_each_of_its_addresses),
		cmocka_unit_test(without_a_listener_nothing_goes_there),
		cmocka_unit_test(nobody_takes_the_guards_place),
		cmocka_unit_test(nobody_listens_beside_the_guard),
		cmocka_unit_test(no_rule_opens_another_tools_server),
		cmocka_unit_test(datagrams_to_a_server_are_denied),
		cmocka_unit_test(raw_packets_to_a_server_are_denied),
		cmocka_unit_test(ranges_leave_out_a_servers_port),
		cmocka_unit_test(nobody_connects_to_the_guard_by_its_port),
		cmocka_unit_test(a_socket_that_was_steered_is_steered_no_more),
		cmocka_unit_test(a_session_outlives_its_policy_and_no_new_one_comes),
		cmocka_unit_test(audit_mode_lets_other_scopes_through),
		cmocka_unit_test(mptcp_goes_to_the_guard_or_nowhere),
	};

	if (!world_is_possible())
		return 0;
	return cmocka_run_group_tests(tests, make_guard, world_tear_down);
}
