// SPDX-License-Identifier: Apache-2.0
/* Unix sockets: policy_decide() and the kernel are asked the same, by real socket calls; and what
 * an address is, down to its last byte. Kernels before 6.7 don't ask, which is told and no failure.
 */
#include "harness.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/ring.h"
#include "policy/decide.h"
#include "random_text.h"

#define POLICIES 1500
#define REQUESTS 40

#define HEAD "{\"agentpol\":1,\"name\":\"unix\","

/* Few of each, so that they meet. None of them is there. */
static const char *const folders[] = {"/no",
				      "/no/a",
				      "/no/a/b",
				      "/run",
				      "/run/docker",
				      "/var/run",
				      "/run/containerd",
				      "/run/agentpol",
				      "/run/user/1000/podman"};
static const char *const files[] = {"x.sock",	 "y.sock",	 "docker.sock",
				    "crio.sock", "policyd.sock", "containerd.sock.ttrpc",
				    "x*y"};
static const char *const joints[] = {"/", "/", "/", "/", "//", "/./", "/../", "/b/../"};
static const char *const patterns[] = {
	"/no/x.sock", "/no/*",		 "/no/**",  "/**/x.sock", "/no/?/y.sock",
	"/run/**",    "/**/docker.sock", "/**",	    "/no/**/b/*", "@name",
	"@n*",	      "/no/*/*.sock",	 "/x.sock", "@a/b"};
static const char *const abstract[] = {
	"@name",       "@names", "@n*", "@a/b", "@", "@/containerd-shim/k8s.io/1/shim.sock",
	"@docker.sock"};

static void put_under(struct world *world, const char *manifest)
{
	_cleanup_policy_ struct policy *policy = world_read(manifest);

	(void)world_put_under(world, policy);
}

enum way { CONNECT_STREAM, CONNECT_DATAGRAM, CONNECT_PACKETS, SEND_TO, WAYS };

/* 0 or the errno: of the policy EPERM alone. */
static int attempt_bytes(enum way way, const void *name, size_t length)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_DGRAM};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	_cleanup_close_ int fd = socket(AF_UNIX, types[way] | SOCK_CLOEXEC, 0);
	long result;

	assert_true(fd >= 0 && length <= sizeof(address.sun_path));
	memcpy(address.sun_path, name, length);
	if (way == SEND_TO)
		result = sendto(fd, "x", 1, 0, (struct sockaddr *)&address, size);
	else
		result = connect(fd, (struct sockaddr *)&address, size);
	return result < 0 ? errno : 0;
}

/* "@name" is abstract, and so is "@" alone: one NUL. */
static int attempt_name(enum way way, const char *name)
{
	char bytes[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const size_t length = strlen(name);

	assert_true(length <= sizeof(bytes));
	memcpy(bytes, name, length);
	if (name[0] == '@')
		bytes[0] = '\0';
	return attempt_bytes(way, bytes, length);
}

static void make_name(char *name, size_t room)
{
	if (pick(5) == 0)
		(void)snprintf(name, room, "%s", abstract[pick(ARRAY_SIZE(abstract))]);
	else
		(void)snprintf(name, room, "%s%s%s%s", pick(6) ? "" : ".",
			       folders[pick(ARRAY_SIZE(folders))], joints[pick(ARRAY_SIZE(joints))],
			       files[pick(ARRAY_SIZE(files))]);
	/* A relative one. */
	if (name[0] == '/' && pick(8) == 0)
		memmove(name, name + 1, strlen(name));
}

static void make_manifest(char *text, size_t room)
{
	size_t used, items = pick(5), listed = pick(3);

	used = (size_t)snprintf(text, room, HEAD "\"mode\":\"%s\",\"network\":{",
				pick(12) ? "enforce" : "audit");
	if (listed) {
		used += (size_t)snprintf(text + used, room - used, "\"unix\":[");
		for (size_t i = 0; i < items; i++)
			used += (size_t)snprintf(text + used, room - used, "%s\"%s\"", i ? "," : "",
						 patterns[pick(ARRAY_SIZE(patterns))]);
		used += (size_t)snprintf(text + used, room - used, "]");
	}
	(void)snprintf(text + used, room - used, "}}");
}

static void kernel_and_decide_agree(void **state)
{
	struct world *world = *state;
	char manifest[TEXT_MAX], name[256];
	size_t denied = 0;

	for (size_t i = 0; i < world_turns(POLICIES); i++) {
		struct policy *policy;

		make_manifest(manifest, sizeof(manifest));
		policy = world_read(manifest);
		(void)world_put_under(world, policy);
		for (size_t n = 0; n < REQUESTS; n++) {
			const enum way way = (enum way)pick(WAYS);
			struct request request = {.kind = REQUEST_UNIX, .path = name};
			struct verdict verdict;
			int result;

			make_name(name, sizeof(name));
			policy_decide(policy, &request, &verdict);
			result = attempt_name(way, name);
			denied += result == EPERM;
			if ((verdict.kind == VERDICT_DENY) != (result == EPERM))
				fail_msg("way %d to %s: decide says %s (%s), the kernel %s; %s",
					 way, name, verdict_name(verdict.kind), verdict.message,
					 strerror(result), manifest);
		}
		policy_free(policy);
	}
	print_message("# %u policies, %d requests each, %zu denied: kernel and decide agree\n",
		      world_turns(POLICIES), REQUESTS, denied);
}

static void an_address_is_judged_to_its_last_byte(void **state)
{
	char path[108], manifest[512];

	memset(path, 'x', sizeof(path));
	memcpy(path, "/no/", 4);
	(void)snprintf(manifest, sizeof(manifest),
		       HEAD "\"network\":{\"unix\":[\"%.108s\",\"/no/a\",\"@name\"]}}", path);
	put_under(*state, manifest);
	/* The whole of sun_path, without a NUL. */
	assert_int_not_equal(attempt_bytes(CONNECT_STREAM, path, sizeof(path)), EPERM);
	assert_int_equal(attempt_bytes(CONNECT_STREAM, path, sizeof(path) - 1), EPERM);
	path[sizeof(path) - 1] = 'y';
	assert_int_equal(attempt_bytes(CONNECT_STREAM, path, sizeof(path)), EPERM);
	/* A path ends with its NUL, whatever comes after. */
	assert_int_not_equal(attempt_bytes(CONNECT_STREAM, "/no/a\0/../b", 11), EPERM);
	assert_int_equal(attempt_bytes(CONNECT_STREAM, "/no/ab\0", 7), EPERM);
	assert_int_equal(attempt_bytes(CONNECT_STREAM, "/no/", 4), EPERM);
	/* An abstract name does not. */
	assert_int_not_equal(attempt_bytes(SEND_TO, "\0name", 5), EPERM);
	assert_int_equal(attempt_bytes(SEND_TO, "\0name\0", 6), EPERM);
	assert_int_equal(attempt_bytes(SEND_TO, "\0nam", 4), EPERM);
	assert_int_equal(attempt_bytes(SEND_TO, "\0", 1), EPERM);
	/* A file by that name is none. */
	assert_int_equal(attempt_bytes(SEND_TO, "@name", 5), EPERM);
}

/* The worst that a manifest can make of it, and the longest path. */
static void sixty_four_patterns_are_held_against_a_path(void **state)
{
	char manifest[16384], path[108];
	size_t used = (size_t)snprintf(manifest, sizeof(manifest), HEAD "\"network\":{\"unix\":[");

	for (int i = 0; i < GLOBS_EACH_MAX; i++)
		used += (size_t)snprintf(manifest + used, sizeof(manifest) - used,
					 "%s\"/**/a*a*a*a*a*a*a*a*a/**/%02d\"", i ? "," : "", i);
	(void)snprintf(manifest + used, sizeof(manifest) - used, "]}}");
	put_under(*state, manifest);
	memset(path, 'a', sizeof(path));
	path[0] = path[sizeof(path) - 3] = '/';
	memcpy(path + sizeof(path) - 2, "63", 2);
	assert_int_not_equal(attempt_bytes(CONNECT_STREAM, path, sizeof(path)), EPERM);
	path[sizeof(path) - 1] = '4';
	assert_int_equal(attempt_bytes(CONNECT_STREAM, path, sizeof(path)), EPERM);
}

static void what_has_no_address_is_not_asked_about(void **state)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	int pair[2];
	char byte;

	put_under(*state, HEAD "\"network\":{\"unix\":[]}}");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_int_equal(recv(pair[1], &byte, 1, 0), 1);
	assert_int_equal(connect(pair[0], &nobody, sizeof(nobody)), 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

struct told {
	char text[NAME_TEXT_BYTES];
	struct event event;
	size_t count;
};

static void take_event(const struct event *event, const char *name, void *context)
{
	struct told *told = context;

	told->event = *event;
	told->count++;
	(void)snprintf(told->text, sizeof(told->text), "%s", name);
}

static void ignore_errand(const struct errand *errand, void *context)
{
	(void)errand;
	(void)context;
}

static void a_denial_is_told_with_its_path(void **state)
{
	struct world *world = *state;
	_cleanup_policy_ struct policy *policy = world_read(HEAD "\"network\":{\"unix\":[]}}");
	struct told told = {0};
	struct error error;
	struct ring *ring = ring_new(world->enforcer, take_event, ignore_errand, &told, &error);
	uint64_t loaded;

	assert_non_null(ring);
	loaded = world_put_under(world, policy);
	(void)ring_consume(ring);
	told.count = 0;
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt_name(CONNECT_STREAM, "/no/../x"), EPERM);
	(void)ring_consume(ring);
	assert_int_equal(told.count, 3); /* 1, 2, 4 */
	assert_string_equal(told.text, "/no/../x");
	assert_int_equal(told.event.what.family, AF_UNIX);
	assert_int_equal(told.event.what.reason, REASON_UNIX);
	assert_int_equal(told.event.what.detail, 0);
	assert_int_equal(told.event.pid, getpid());
	ring_settle_counts(ring, POLICY_ID(loaded));
	assert_int_equal(told.event.count, 5);
	assert_string_equal(told.text, "/no/../x");
	assert_int_equal(attempt_bytes(SEND_TO, "\0a\0b", 4), EPERM);
	(void)ring_consume(ring);
	assert_string_equal(told.text, "@a@b");
	assert_int_equal(told.event.what.detail, UNIX_ABSTRACT | UNIX_NULS);
	assert_int_equal(attempt_name(SEND_TO, "/run/agentpol/x"), EPERM);
	(void)ring_consume(ring);
	assert_int_equal(told.event.what.reason, REASON_ENFORCER);
	ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_judged_to_its_last_byte),
		cmocka_unit_test(sixty_four_patterns_are_held_against_a_path),
		cmocka_unit_test(what_has_no_address_is_not_asked_about),
		cmocka_unit_test(a_denial_is_told_with_its_path),
		cmocka_unit_test(kernel_and_decide_agree),
	};

	seed_from_environment();
	if (!world_is_possible())
		return 0;
	if (!world_judges_unix) {
		printf("1..0 # SKIP this kernel does not ask about Unix sockets\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
