// SPDX-License-Identifier: Apache-2.0
/* What goes where is counted, whole and once, and answers to peers are not. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/traffic.h"

#define MANIFEST(more, network) \
	"{\"agentpol\":1,\"name\":\"test\"," more "\"network\":{" network "}}"
#define COUNTED "\"audit\":{\"allowed\":[\"connect\"]},"
#define EGRESS	"\"egress\":[{\"to\":\"192.0.2.1\",\"ports\":[443],\"proto\":\"udp\"}]"
#define LOCAL                                                                               \
	"\"egress\":[{\"to\":\"@loopback\",\"ports\":[4001],\"proto\":[\"tcp\",\"udp\"]}]," \
	"\"listen\":[{\"ports\":[4001],\"on\":\"@loopback\"}]"

/* IP and UDP stand in front of what harness.c sends. */
#define HEADERS 28

struct sum {
	uint64_t destinations, bytes, packets;
	uint16_t port; /* of the last one */
	bool in_order;
};

static void add(const struct traffic_key *key, const struct traffic *traffic, const char *name,
		void *context)
{
	struct sum *sum = context;

	assert_string_equal(name, "");
	sum->destinations++;
	sum->bytes += traffic->bytes;
	sum->packets += traffic->packets;
	sum->port = key->port;
	sum->in_order = traffic->first_ns && traffic->first_ns <= traffic->last_ns;
}

static struct sum take(const struct world *world)
{
	struct sum sum = {0};

	assert_int_equal(traffic_take(world->enforcer, add, &sum), 0);
	return sum;
}

static void put_under(struct world *world, const char *manifest)
{
	_cleanup_policy_ struct policy *policy = world_read(manifest);

	(void)world_put_under(world, policy);
	(void)take(world);
}

static int send_one(const char *address, uint16_t port)
{
	struct ip_address to;

	assert_true(address_parse(address, &to));
	return attempt_sendto(&to, port);
}

static void what_leaves_is_counted_and_taken_once(void **state)
{
	struct world *world = *state;
	struct sum sum;

	put_under(world, MANIFEST(COUNTED, EGRESS));
	for (int i = 0; i < 3; i++)
		assert_int_not_equal(send_one("192.0.2.1", 443), EPERM);
	sum = take(world);
	assert_int_equal(sum.destinations, 1);
	assert_int_equal(sum.packets, 3);
	assert_true(sum.bytes >= 3 * HEADERS);
	assert_int_equal(sum.port, 443);
	assert_true(sum.in_order);
	assert_int_equal(take(world).destinations, 0);
	assert_int_not_equal(send_one("192.0.2.1", 443), EPERM);
	assert_int_equal(take(world).packets, 1);
}

static void what_is_denied_is_not_counted(void **state)
{
	struct world *world = *state;

	put_under(world, MANIFEST(COUNTED, EGRESS));
	assert_int_equal(send_one("192.0.2.2", 443), EPERM);
	assert_int_equal(take(world).destinations, 0);
}

static void nothing_is_counted_unless_asked_for(void **state)
{
	struct world *world = *state;

	put_under(world, MANIFEST("", EGRESS));
	assert_int_not_equal(send_one("192.0.2.1", 443), EPERM);
	assert_int_equal(take(world).destinations, 0);
	put_under(world, MANIFEST("\"mode\":\"audit\",", EGRESS));
	assert_int_not_equal(send_one("192.0.2.2", 443), EPERM);
	assert_int_equal(take(world).destinations, 1);
}

/* ---- answers ---- */

static struct sockaddr_in server(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(4001),
				    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

/* What does not come fails the test, and does not hold it up. */
static int open_socket(int type)
{
	const struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, type, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static void answer_datagram(void)
{
	const struct sockaddr_in address = server();
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	int serving = open_socket(SOCK_DGRAM), asking = open_socket(SOCK_DGRAM);
	char bytes[8];

	assert_int_equal(bind(serving, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(connect(asking, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(asking, "x", 1, 0), 1);
	assert_int_equal(
		recvfrom(serving, bytes, sizeof(bytes), 0, (struct sockaddr *)&peer, &length), 1);
	assert_int_equal(sendto(serving, "x", 1, 0, (struct sockaddr *)&peer, length), 1);
	(void)close(serving);
	(void)close(asking);
}

static void answer_connection(void)
{
	const struct sockaddr_in address = server();
	int listening = open_socket(SOCK_STREAM), asking = open_socket(SOCK_STREAM);
	int serving;
	char bytes[8];

	assert_int_equal(bind(listening, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(connect(asking, (const struct sockaddr *)&address, sizeof(address)), 0);
	serving = accept(listening, NULL, NULL);
	assert_true(serving >= 0);
	assert_int_equal(send(serving, "x", 1, 0), 1);
	assert_int_equal(recv(asking, bytes, sizeof(bytes), 0), 1);
	(void)close(asking);
	(void)close(serving);
	(void)close(listening);
}

/* Also in audit mode where nobody has granted the listener. */
static void answers_to_peers_are_no_destination(void **state)
{
	static const char *const manifests[] = {
		MANIFEST(COUNTED, LOCAL),
		MANIFEST("\"mode\":\"audit\",", LOCAL),
		MANIFEST("\"mode\":\"audit\",",
			 "\"egress\":[{\"to\":\"@loopback\",\"ports\":[4001]}]"),
	};
	struct world *world = *state;
	struct sum sum;

	for (size_t i = 0; i < ARRAY_SIZE(manifests); i++) {
		put_under(world, manifests[i]);
		answer_connection();
		sum = take(world);
		assert_int_equal(sum.destinations, 1);
		assert_int_equal(sum.port, 4001);
	}
	put_under(world, manifests[0]);
	answer_datagram();
	sum = take(world);
	assert_int_equal(sum.destinations, 1);
	assert_int_equal(sum.packets, 1);
	assert_int_equal(sum.port, 4001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_leaves_is_counted_and_taken_once),
		cmocka_unit_test(what_is_denied_is_not_counted),
		cmocka_unit_test(nothing_is_counted_unless_asked_for),
		cmocka_unit_test(answers_to_peers_are_no_destination),
	};

	if (!world_is_possible())
		return 0;
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
