// SPDX-License-Identifier: Apache-2.0
/* What the kernel programs promise beyond single verdicts: swaps, full rings, counting, nesting,
 * sockets that are older than their policy, listeners. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "kernel/cgroup.h"
#include "kernel/ring.h"
#include "kernel/selftest.h"
#include "kernel/tables.h"

#define SWAPS	  1000
#define DECISIONS 1000000

#define MANIFEST(network) "{\"agentpol\":1,\"name\":\"test\",\"network\":{" network "}}"
#define EGRESS(to, ports) "{\"to\":\"" to "\",\"ports\":" ports ",\"proto\":[\"tcp\",\"udp\"]}"

static struct ip_address address_of(const char *text)
{
	struct ip_address address;

	assert_true(address_parse(text, &address));
	return address;
}

static int connect_to(const char *address, uint16_t port)
{
	struct ip_address parsed = address_of(address);

	return attempt_connect(&parsed, port, SOCK_DGRAM);
}

static uint64_t put_under(struct world *world, const char *manifest)
{
	_cleanup_policy_ struct policy *policy = world_read(manifest);

	return world_put_under(world, policy);
}

/* ---- swap ---- */

struct looping {
	atomic_bool stop;
	atomic_ulong connects, wrong;
};

/* .3 is granted by both policies, .4 by none, .1 and .2 by one each: the first two have one right
 * answer at every moment. */
static void *connect_in_a_loop(void *context)
{
	struct looping *looping = context;

	while (!looping->stop) {
		if (connect_to("10.9.0.3", 443) == EPERM || connect_to("10.9.0.4", 443) != EPERM)
			looping->wrong++;
		(void)connect_to("10.9.0.1", 443);
		(void)connect_to("10.9.0.2", 443);
		looping->connects += 4;
	}
	return NULL;
}

static void a_swap_gives_no_verdict_of_neither_policy(void **state)
{
	static const char *const manifests[] = {
		MANIFEST("\"egress\":[" EGRESS("10.9.0.1", "[443]") "," EGRESS("10.9.0.3",
									       "[443]") "]"),
		MANIFEST("\"egress\":[" EGRESS("10.9.0.2", "[443,80]") "," EGRESS("10.9.0.3",
										  "[80,443]") "]"),
	};
	struct looping looping = {0};
	struct policy *policies[2];
	pthread_t thread;

	for (size_t i = 0; i < 2; i++)
		policies[i] = world_read(manifests[i]);
	(void)world_put_under(*state, policies[0]);
	assert_int_equal(pthread_create(&thread, NULL, connect_in_a_loop, &looping), 0);
	for (size_t i = 1; i <= SWAPS; i++) {
		(void)world_put_under(*state, policies[i % 2]);
		/* Right after the write, the new policy alone speaks. */
		assert_int_equal(connect_to(i % 2 ? "10.9.0.1" : "10.9.0.2", 443), EPERM);
		assert_int_not_equal(connect_to(i % 2 ? "10.9.0.2" : "10.9.0.1", 443), EPERM);
	}
	looping.stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("# %d swaps, %lu connects beside them\n", SWAPS, looping.connects);
	assert_int_equal(looping.wrong, 0);
	assert_true(looping.connects > SWAPS);
	for (size_t i = 0; i < 2; i++)
		policy_free(policies[i]);
}

/* A connected socket is judged again by the policy that comes after. */
static void a_swap_reaches_sockets_that_are_connected(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_addr.s_addr = inet_addr("10.9.0.1");
	(void)put_under(*state, MANIFEST("\"egress\":[" EGRESS("10.9.0.1", "[443]") "]"));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	(void)put_under(*state, MANIFEST("\"egress\":[" EGRESS("10.9.0.2", "[443]") "]"));
	assert_int_equal(send(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	(void)put_under(*state, MANIFEST("\"egress\":[" EGRESS("10.9.0.0/24", "[443]") "]"));
	assert_int_equal(send(fd, "x", 1, 0), 1);
	(void)close(fd);
}

static int send_to(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

	to.sin_addr.s_addr = inet_addr(address);
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

/* The socket remembers whom it may speak to: address and port, nothing near them. */
static void an_approved_peer_approves_no_other(void **state)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)put_under(*state, MANIFEST("\"egress\":[" EGRESS("10.9.0.1", "[443]") "]"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send_to(fd, "10.9.0.1", 443), 0);
		assert_int_equal(send_to(fd, "10.9.0.1", 444), EPERM);
		assert_int_equal(send_to(fd, "10.9.0.2", 443), EPERM);
	}
	(void)close(fd);
}

/* ---- events ---- */

static void a_full_ring_changes_no_verdict(void **state)
{
	struct world *world = *state;
	struct ip_address granted = address_of("10.9.0.1"), other = address_of("10.9.1.0");
	uint64_t lost = enforcer_events_lost(world->enforcer);
	unsigned long wrong = 0;

	(void)put_under(world, MANIFEST("\"egress\":[" EGRESS("10.9.0.1", "[443]") "]"));
	/* Nobody reads the ring; each denial is of another kind, so each wants an event. */
	for (unsigned i = 0; i < world_turns(DECISIONS) / 2; i++) {
		other.bytes[14] = (uint8_t)(1 + (i >> 16));
		wrong += attempt_connect(&other, (uint16_t)(1 + i % 65535), SOCK_DGRAM) != EPERM;
		wrong += attempt_connect(&granted, 443, SOCK_DGRAM) != 0;
	}
	print_message("# %u decisions, %llu events lost and counted\n", world_turns(DECISIONS),
		      (unsigned long long)(enforcer_events_lost(world->enforcer) - lost));
	assert_int_equal(wrong, 0);
	assert_true(enforcer_events_lost(world->enforcer) > lost);
}

struct counting {
	size_t events;
	uint64_t last;
};

static void count_event(const struct event *event, const char *name, void *context)
{
	struct counting *counting = context;

	(void)name;

	if (event->what.port != 4242)
		return;
	counting->events++;
	counting->last = event->count;
}

static void ignore_errand(const struct errand *errand, void *context)
{
	(void)errand;
	(void)context;
}

static void equal_denials_are_told_at_powers_of_two_and_at_the_end(void **state)
{
	struct world *world = *state;
	struct counting counting = {0};
	struct error error;
	uint64_t id = put_under(world, MANIFEST("\"egress\":[]"));
	struct ring *ring;

	/* What other tests left in the ring is taken first. */
	ring = ring_new(world->enforcer, count_event, ignore_errand, &counting, &error);
	assert_non_null(ring);
	(void)ring_consume(ring);
	ring_settle_counts(ring, 0);
	counting = (struct counting){0};
	for (int i = 0; i < 1000; i++)
		assert_int_equal(connect_to("10.9.0.77", 4242), EPERM);
	(void)ring_consume(ring);
	assert_int_equal(counting.events, 10); /* 1, 2, 4 ... 512 */
	assert_int_equal(counting.last, 512);
	ring_settle_counts(ring, POLICY_ID(id));
	assert_int_equal(counting.events, 11);
	assert_int_equal(counting.last, 1000);
	ring_free(ring);
}

/* ---- whose policy ---- */

static void the_nearest_enrolled_cgroup_decides(void **state)
{
	struct world *world = *state;
	_cleanup_policy_ struct policy *inner_policy =
		world_read(MANIFEST("\"egress\":[" EGRESS("10.9.0.2", "[443]") "]"));
	char inner[PATH_MAX], below[PATH_MAX];
	struct error error;
	_cleanup_image_ struct image *image = image_new(inner_policy, NULL, NULL, &error);
	uint64_t cgroup, id;
	int old_socket;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};

	(void)put_under(world, MANIFEST("\"egress\":[" EGRESS("10.9.0.1", "[443]") "]"));
	(void)snprintf(inner, sizeof(inner), "%s/inner", world->cgroup);
	(void)snprintf(below, sizeof(below), "%s/inner/a/b/c", world->cgroup);
	assert_int_equal(cgroup_create(below, &error), 0);
	assert_int_equal(cgroup_id(inner, &cgroup, &error), 0);
	assert_int_equal(cgroup_join(below, &error), 0);
	assert_int_not_equal(connect_to("10.9.0.1", 443), EPERM);
	old_socket = socket(AF_INET, SOCK_DGRAM, 0);
	to.sin_addr.s_addr = inet_addr("10.9.0.1");
	assert_int_equal(connect(old_socket, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(old_socket, "x", 1, 0), 1);

	assert_int_equal(tables_load(world->enforcer, image, &id, &error), 0);
	assert_int_equal(enforcer_enrol(world->enforcer, inner, id, &error), 0);
	assert_true(enforcer_is_effective(world->enforcer, inner));
	assert_int_equal(connect_to("10.9.0.1", 443), EPERM);
	assert_int_not_equal(connect_to("10.9.0.2", 443), EPERM);
	/* The socket is older than the nearer policy: its packets are judged by that one. */
	assert_int_equal(send(old_socket, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);

	/* The outer one leaves: the inner one stays in force, by programs of its own. */
	assert_int_equal(enforcer_release(world->enforcer, world->cgroup_id, &error), 0);
	assert_int_equal(connect_to("10.9.0.1", 443), EPERM);
	assert_int_not_equal(connect_to("10.9.0.2", 443), EPERM);
	assert_true(enforcer_is_effective(world->enforcer, inner));
	assert_int_equal(cgroup_join(world->cgroup, &error), 0);
	assert_int_not_equal(connect_to("10.9.0.3", 443), EPERM);
	assert_int_equal(enforcer_release(world->enforcer, cgroup, &error), 0);
	(void)close(old_socket);
	tables_retire(world->enforcer, id);
}

static void a_socket_older_than_its_policy_is_judged(void **state)
{
	struct world *world = *state;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};
	struct error error;
	int fd;

	(void)!enforcer_release(world->enforcer, world->cgroup_id, &error);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	to.sin_addr.s_addr = inet_addr("10.9.0.1");
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	(void)put_under(world, MANIFEST("\"egress\":[" EGRESS("10.9.0.2", "[443]") "]"));
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), -1);
	assert_int_equal(errno, EPERM);
	to.sin_addr.s_addr = inet_addr("10.9.0.2");
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	(void)close(fd);
}

/* ---- sockets and listeners ---- */

static void raw_and_foreign_protocols_need_a_grant(void **state)
{
	(void)put_under(*state, MANIFEST("\"egress\":[" EGRESS("10.9.0.1", "\"*\"") "]"));
	assert_int_equal(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(socket(AF_INET6, SOCK_RAW, IPPROTO_RAW), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), -1);
	/* Gone from newer kernels, which say so before any hook is asked. */
	assert_true(errno == EPERM || errno == EPROTONOSUPPORT);
}

/* A listener on a port of its own choice, and a client in the same cgroup over loopback. */
static void a_free_port_serves_this_host_alone(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0), client, accepted;
	char byte;

	(void)put_under(*state, MANIFEST("\"egress\":[" EGRESS("@loopback", "\"*\"") "," EGRESS(
					"10.77.0.1", "\"*\"") "]"));
	assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server, 4), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&address, &length), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	accepted = accept(server, NULL, NULL);
	assert_true(accepted >= 0);
	assert_int_equal(send(accepted, "y", 1, 0), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	(void)close(client);
	(void)close(accepted);
	/* From another address of this host nobody comes in: the handshake is not answered. */
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	address.sin_addr.s_addr = inet_addr("10.77.0.1");
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), -1);
	assert_int_equal(errno, EINPROGRESS);
	(void)fcntl(server, F_SETFL, O_NONBLOCK);
	assert_int_equal(accept(server, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	(void)close(client);
	(void)close(server);
}

static void a_granted_udp_listener_may_answer_its_peers_alone(void **state)
{
	struct world *world = *state;
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(5300)};
	struct sockaddr_in peer = {.sin_family = AF_INET}, stranger;
	socklen_t length = sizeof(peer);
	char mount[PATH_MAX], byte;
	struct error error;
	int server, outside;

	/* The peer's socket is made outside the policed cgroup, so that it speaks freely. */
	assert_int_equal(cgroup_find_mount(mount, &error), 0);
	assert_int_equal(cgroup_join(mount, &error), 0);
	outside = socket(AF_INET, SOCK_DGRAM, 0);
	peer.sin_addr.s_addr = inet_addr("10.77.0.1");
	assert_int_equal(bind(outside, (struct sockaddr *)&peer, sizeof(peer)), 0);
	assert_int_equal(getsockname(outside, (struct sockaddr *)&peer, &length), 0);
	assert_int_equal(cgroup_join(world->cgroup, &error), 0);
	(void)put_under(world, MANIFEST("\"listen\":[{\"ports\":[5300],\"on\":\"10.77.0.1\"}]"));

	server = socket(AF_INET, SOCK_DGRAM, 0);
	own.sin_addr.s_addr = inet_addr("10.77.0.1");
	assert_int_equal(bind(server, (struct sockaddr *)&own, sizeof(own)), 0);
	assert_int_equal(sendto(server, "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer)), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(sendto(outside, "q", 1, 0, (struct sockaddr *)&own, sizeof(own)), 1);
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	assert_int_equal(sendto(server, "a", 1, 0, (struct sockaddr *)&peer, sizeof(peer)), 1);
	assert_int_equal(recv(outside, &byte, 1, 0), 1);
	assert_int_equal(byte, 'a');
	stranger = peer;
	stranger.sin_port = htons((uint16_t)(ntohs(peer.sin_port) ^ 1));
	assert_int_equal(sendto(server, "x", 1, 0, (struct sockaddr *)&stranger, sizeof(stranger)),
			 -1);
	assert_int_equal(errno, EPERM);
	(void)close(server);
	(void)close(outside);
}

static void the_self_test_passes_and_leaves_nothing(void **state)
{
	struct world *world = *state;
	struct error error;
	char mount[PATH_MAX];

	assert_int_equal(cgroup_find_mount(mount, &error), 0);
	assert_int_equal(cgroup_join(mount, &error), 0);
	if (selftest_run(world->enforcer, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(cgroup_join(world->cgroup, &error), 0);
	tables_sweep(world->enforcer);
	assert_int_equal(tables_retired_count(world->enforcer), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_self_test_passes_and_leaves_nothing),
		cmocka_unit_test(a_socket_older_than_its_policy_is_judged),
		cmocka_unit_test(a_swap_gives_no_verdict_of_neither_policy),
		cmocka_unit_test(a_swap_reaches_sockets_that_are_connected),
		cmocka_unit_test(an_approved_peer_approves_no_other),
		cmocka_unit_test(raw_and_foreign_protocols_need_a_grant),
		cmocka_unit_test(a_free_port_serves_this_host_alone),
		cmocka_unit_test(a_granted_udp_listener_may_answer_its_peers_alone),
		cmocka_unit_test(equal_denials_are_told_at_powers_of_two_and_at_the_end),
		cmocka_unit_test(the_nearest_enrolled_cgroup_decides),
		cmocka_unit_test(a_full_ring_changes_no_verdict),
	};

	if (!world_is_possible())
		return 0;
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
