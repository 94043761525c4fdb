// SPDX-License-Identifier: Apache-2.0
/*
 * "scope": "call" in the kernel, by real sockets: what a lease opens, when it closes, and what it
 * must leave as it was, which is names that were learnt, connections that other rules grant, and
 * what is left of budgets.
 */
#include "names_world.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "policyd/leases.h"

#define LONG_NS	       60000000000ULL
#define SHORT_NS       50000000ULL
#define END_MS	       2000
#define PATIENCE_MS    5000
#define QUIET_MS       200
#define MEASURED_CALLS 1000

static const char manifest[] =
	"{\"agentpol\":1,\"name\":\"leases\",\"network\":{\"resolvers\":[\"" RESOLVER "\"],"
	"\"egress\":[{\"to\":\"a.example\",\"ports\":[8000,9000],\"sni\":\"ignore\"},"
	"{\"to\":\"203.0.113.4\",\"ports\":[80],\"connects\":\"3/h\"}]},"
	"\"tools\":{"
	"\"fetch\":{\"effect\":\"read\",\"scope\":\"call\",\"network\":{\"egress\":["
	"{\"to\":\"203.0.113.2\",\"ports\":[8000,9000]},"
	"{\"to\":\"203.0.113.4\",\"ports\":[443],\"connects\":\"3/h\"}]}},"
	"\"post\":{\"effect\":\"read\",\"scope\":\"call\",\"network\":{\"egress\":["
	"{\"to\":\"203.0.113.3\",\"ports\":[8000]}]}},"
	"\"plain\":{\"effect\":\"read\"}}}";

enum host { NAMED, FETCHED, POSTED, COUNTED }; /* into asked_addresses */

struct scene {
	struct names_world *names;
	struct world *world;
	struct agents *agents;
	struct leases *leases;
	char outside[PATH_MAX]; /* the cgroup that the test process is in between attempts */
	char other[PATH_MAX];	/* an agent of the same manifest that no call is for */
	uint64_t cgroup, other_cgroup;
};

static void require(int result, const struct error *error)
{
	if (result < 0)
		fail_msg("%s", error->text);
}

static void enter(const char *cgroup)
{
	struct error error;

	require(cgroup_join(cgroup, &error), &error);
}

/* ---- attempts, each from within the cgroup ---- */

static int connect_from(const struct scene *scene, const char *cgroup, enum host host,
			uint16_t port)
{
	const struct ip_address address = asked_address(host);
	int result;

	enter(cgroup);
	result = attempt_connect(&address, port, SOCK_STREAM);
	enter(scene->outside);
	return result == EINPROGRESS ? 0 : result;
}

static int reach(const struct scene *scene, enum host host)
{
	return connect_from(scene, scene->world->cgroup, host, 8000);
}

static void learn_name(struct scene *scene)
{
	scene->names->answers->count[0] = 1;
	scene->names->answers->addresses[0][0] = NAMED;
	enter(scene->world->cgroup);
	assert_int_equal(ask_resolver(0, false), 0);
	enter(scene->outside);
}

/* A connection from within to a listener of the test's own, and its other end. */
struct connection {
	int near, far;
};

static struct sockaddr_in listener_at(enum host host, uint16_t port, int *listener)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int on = 1;

	(void)inet_pton(AF_INET, asked_addresses[host], &at.sin_addr);
	*listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(*listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)setsockopt(*listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(*listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(*listener, 1) < 0)
		fail_msg("listen: %s", strerror(errno));
	return at;
}

static bool is_ready(int fd, int patience_ms)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, patience_ms) == 1;
}

static bool carries(const struct connection *connection, int patience_ms)
{
	char byte;

	if (send(connection->near, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return false;
	return is_ready(connection->far, patience_ms) &&
	       recv(connection->far, &byte, 1, MSG_DONTWAIT) == 1;
}

static struct connection connection_to(const struct scene *scene, enum host host, uint16_t port)
{
	struct connection connection;
	_cleanup_close_ int listener = -1;
	const struct sockaddr_in at = listener_at(host, port, &listener);

	enter(scene->world->cgroup);
	connection.near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(connection.near, (const struct sockaddr *)&at, sizeof(at)) < 0)
		fail_msg("connect: %s", strerror(errno));
	enter(scene->outside);
	assert_true(is_ready(listener, PATIENCE_MS));
	connection.far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(carries(&connection, PATIENCE_MS));
	return connection;
}

static void close_both(const struct connection *connection)
{
	(void)close(connection->near);
	(void)close(connection->far);
}

/* ---- leases ---- */

static void open_for(const struct scene *scene, const char *tool, uint64_t ttl_ns)
{
	struct error error;

	require(leases_open(scene->leases, scene->cgroup, tool, ttl_ns, &error), &error);
}

static void open_call(const struct scene *scene, const char *tool)
{
	open_for(scene, tool, LONG_NS);
}

static void close_call(const struct scene *scene, const char *tool)
{
	leases_close(scene->leases, scene->cgroup, tool);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static void wait_for_end_of(uint64_t ttl_ns)
{
	const struct timespec time = {.tv_nsec = (long)ttl_ns};

	(void)nanosleep(&time, NULL);
}

/* ---- the promises ---- */

static void a_host_is_reached_during_a_call_alone(void **state)
{
	const struct scene *scene = *state;

	assert_int_equal(reach(scene, FETCHED), EPERM);
	open_call(scene, "fetch");
	assert_int_equal(reach(scene, FETCHED), 0);
	assert_int_equal(reach(scene, POSTED), EPERM);
	close_call(scene, "fetch");
	assert_int_equal(reach(scene, FETCHED), EPERM);
}

static void another_cgroup_gets_nothing_of_it(void **state)
{
	const struct scene *scene = *state;

	open_call(scene, "fetch");
	assert_int_equal(connect_from(scene, scene->other, FETCHED, 8000), EPERM);
	close_call(scene, "fetch");
}

static void with_nobody_awake_it_ends_by_itself(void **state)
{
	const struct scene *scene = *state;
	struct connection connection;

	open_for(scene, "fetch", LONG_NS);
	connection = connection_to(scene, FETCHED, 9000);
	leases_renew(scene->leases, scene->cgroup, SHORT_NS);
	wait_for_end_of(SHORT_NS);
	assert_int_equal(reach(scene, FETCHED), EPERM);
	assert_false(carries(&connection, QUIET_MS));
	close_both(&connection);
	close_call(scene, "fetch");
}

static void what_has_run_out_comes_not_back_with_another_call(void **state)
{
	const struct scene *scene = *state;

	open_for(scene, "fetch", SHORT_NS);
	wait_for_end_of(SHORT_NS);
	open_call(scene, "post");
	assert_int_equal(reach(scene, POSTED), 0);
	assert_int_equal(reach(scene, FETCHED), EPERM);
	close_call(scene, "post");
	assert_int_equal(reach(scene, POSTED), EPERM);
}

static void a_shorter_call_cuts_no_longer_one_off(void **state)
{
	const struct scene *scene = *state;

	open_call(scene, "fetch");
	open_for(scene, "post", SHORT_NS);
	wait_for_end_of(SHORT_NS);
	assert_int_equal(reach(scene, FETCHED), 0);
	close_call(scene, "post");
	close_call(scene, "fetch");
	assert_int_equal(reach(scene, FETCHED), EPERM);
}

static void calls_that_overlap_are_counted(void **state)
{
	const struct scene *scene = *state;

	open_call(scene, "fetch");
	open_call(scene, "post");
	open_call(scene, "fetch");
	close_call(scene, "fetch");
	assert_int_equal(reach(scene, FETCHED), 0);
	assert_int_equal(reach(scene, POSTED), 0);
	close_call(scene, "fetch");
	assert_int_equal(reach(scene, FETCHED), EPERM);
	assert_int_equal(reach(scene, POSTED), 0);
	close_call(scene, "post");
	close_call(scene, "post");
	assert_int_equal(reach(scene, POSTED), EPERM);
}

static void a_connection_carries_nothing_after_its_call(void **state)
{
	const struct scene *scene = *state;
	struct connection connection;

	open_call(scene, "fetch");
	connection = connection_to(scene, FETCHED, 9000);
	open_call(scene, "post");
	assert_true(carries(&connection, PATIENCE_MS));
	close_call(scene, "fetch");
	assert_false(carries(&connection, QUIET_MS));
	close_call(scene, "post");
	close_both(&connection);
}

static void a_connection_by_a_name_outlives_calls(void **state)
{
	struct scene *scene = *state;
	struct connection before, during;

	learn_name(scene);
	before = connection_to(scene, NAMED, 9000);
	open_call(scene, "fetch");
	assert_true(carries(&before, PATIENCE_MS));
	assert_int_equal(reach(scene, NAMED), 0);
	during = connection_to(scene, NAMED, 9000);
	open_call(scene, "post");
	assert_true(carries(&during, PATIENCE_MS));
	close_call(scene, "fetch");
	assert_true(carries(&during, PATIENCE_MS));
	close_call(scene, "post");
	assert_true(carries(&before, PATIENCE_MS));
	assert_true(carries(&during, PATIENCE_MS));
	close_both(&before);
	close_both(&during);
}

static void a_name_that_was_learnt_in_a_call_stays_learnt(void **state)
{
	struct scene *scene = *state;

	open_call(scene, "fetch");
	learn_name(scene);
	close_call(scene, "fetch");
	assert_int_equal(reach(scene, NAMED), 0);
}

/* Three an hour, however many policies they are spent under. */
static void a_call_fills_no_budget_again(void **state)
{
	const struct scene *scene = *state;
	const char *cgroup = scene->world->cgroup;

	assert_int_equal(connect_from(scene, cgroup, COUNTED, 80), 0);
	open_call(scene, "fetch");
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 80), 0);
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 443), 0);
	close_call(scene, "fetch");
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 80), 0);
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 80), EPERM);
	open_call(scene, "post");
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 80), EPERM);
	/* The tool's own, in another set of tools. */
	open_call(scene, "fetch");
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 443), 0);
	close_call(scene, "post");
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 443), 0);
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 443), EPERM);
	assert_int_equal(connect_from(scene, cgroup, COUNTED, 80), EPERM);
	close_call(scene, "fetch");
}

static void what_is_no_tool_of_a_call_is_not_lent(void **state)
{
	const struct scene *scene = *state;
	struct error error;

	assert_int_equal(leases_open(scene->leases, scene->cgroup, "plain", LONG_NS, &error), -1);
	assert_int_equal(leases_open(scene->leases, scene->cgroup, "nothing", LONG_NS, &error), -1);
	assert_int_equal(leases_open(scene->leases, scene->cgroup + 1, "fetch", LONG_NS, &error),
			 -1);
}

static void a_new_policy_ends_what_was_lent(void **state)
{
	const struct scene *scene = *state;
	const struct agent_request request = {.cgroup_path = scene->world->cgroup,
					      .manifest_path = "",
					      .manifest_text = manifest,
					      .manifest_length = sizeof(manifest) - 1};
	struct error error;

	open_call(scene, "fetch");
	require(agents_attach(scene->agents, &request, NULL, &error), &error);
	assert_int_equal(reach(scene, FETCHED), EPERM);
	close_call(scene, "fetch");
	open_call(scene, "fetch");
	assert_int_equal(reach(scene, FETCHED), 0);
	close_call(scene, "fetch");
	assert_int_equal(reach(scene, FETCHED), EPERM);
}

static void opening_and_closing_costs_little(void **state)
{
	const struct scene *scene = *state;
	const uint64_t begun = now_ns();
	uint64_t each;

	for (int i = 0; i < MEASURED_CALLS; i++) {
		open_call(scene, "post");
		close_call(scene, "post");
	}
	each = (now_ns() - begun) / MEASURED_CALLS;
	print_message("# a call's lease: %" PRIu64 ".%03" PRIu64 " us\n", each / 1000, each % 1000);
	assert_true(each < 50000000);
}

/* ---- the scene ---- */

static void attach(const struct scene *scene, const char *cgroup)
{
	const struct agent_request request = {.cgroup_path = cgroup,
					      .manifest_path = "",
					      .manifest_text = manifest,
					      .manifest_length = sizeof(manifest) - 1};
	struct error error;

	require(agents_attach(scene->agents, &request, NULL, &error), &error);
}

static void make_cgroup(char *path, const struct scene *scene, const char *name)
{
	struct error error;

	require(file_path(path, &error, "%s-%s", scene->world->cgroup, name), &error);
	require(cgroup_create(path, &error), &error);
}

static int set_up(void **state)
{
	static struct scene scene;
	struct error error;
	void *names;

	if (names_world_set_up(&names) < 0)
		return -1;
	scene.names = names;
	scene.world = scene.names->world;
	make_cgroup(scene.outside, &scene, "outside");
	make_cgroup(scene.other, &scene, "other");
	enter(scene.outside);
	scene.cgroup = scene.world->cgroup_id;
	require(cgroup_id(scene.other, &scene.other_cgroup, &error), &error);
	scene.agents = agents_new(scene.world->enforcer, NULL, &error);
	if (!scene.agents)
		fail_msg("%s", error.text);
	scene.leases = agents_leases(scene.agents);
	attach(&scene, scene.world->cgroup);
	attach(&scene, scene.other);
	require(leases_prepare(scene.leases, scene.cgroup, &error), &error);
	*state = &scene;
	return 0;
}

/* A test that failed leaves none to the next. */
static int with_no_call(void **state)
{
	const struct scene *scene = *state;
	struct error error;

	leases_drop(scene->leases, scene->cgroup);
	require(leases_prepare(scene->leases, scene->cgroup, &error), &error);
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	void *names = scene->names;
	struct error error;
	int result;

	require(agents_detach(scene->agents, scene->cgroup, &error), &error);
	require(agents_detach(scene->agents, scene->other_cgroup, &error), &error);
	agents_free(scene->agents);
	result = names_world_tear_down(&names);
	return cgroup_end(scene->outside, END_MS) || cgroup_end(scene->other, END_MS) || result;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_host_is_reached_during_a_call_alone, with_no_call),
		cmocka_unit_test_setup(another_cgroup_gets_nothing_of_it, with_no_call),
		cmocka_unit_test_setup(with_nobody_awake_it_ends_by_itself, with_no_call),
		cmocka_unit_test_setup(what_has_run_out_comes_not_back_with_another_call,
				       with_no_call),
		cmocka_unit_test_setup(a_shorter_call_cuts_no_longer_one_off, with_no_call),
		cmocka_unit_test_setup(calls_that_overlap_are_counted, with_no_call),
		cmocka_unit_test_setup(a_connection_carries_nothing_after_its_call, with_no_call),
		cmocka_unit_test_setup(a_name_that_was_learnt_in_a_call_stays_learnt, with_no_call),
		cmocka_unit_test_setup(a_connection_by_a_name_outlives_calls, with_no_call),
		cmocka_unit_test_setup(a_call_fills_no_budget_again, with_no_call),
		cmocka_unit_test_setup(what_is_no_tool_of_a_call_is_not_lent, with_no_call),
		cmocka_unit_test_setup(a_new_policy_ends_what_was_lent, with_no_call),
		cmocka_unit_test_setup(opening_and_closing_costs_little, with_no_call),
	};

	if (!world_is_possible())
		return 0;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
