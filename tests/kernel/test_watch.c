// SPDX-License-Identifier: Apache-2.0
/* A live cgroup that is watched: who does what is denied dies and is told of, and nobody else. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/ring.h"
#include "kernel/tables.h"

#define MANIFEST(mode, deny)                                                    \
	"{\"agentpol\":1,\"name\":\"test\",\"mode\":\"" mode "\",\"process\":{" \
	"\"syscalls\":{\"deny\":[" deny "]}}}"
#define DENIED "\"@escape\",\"getpriority\",\"mkdir\",\"mkdirat\""

/* The watched cgroup, below the world's, and the policy that it has. */
static char watched[PATH_MAX];
static uint64_t watched_id;

static void put_watched(struct world *world, const char *manifest)
{
	_cleanup_policy_ struct policy *policy = world_read(manifest);
	struct error error;
	_cleanup_image_ struct image *image = image_new(policy, NULL, NULL, &error);
	uint64_t loaded;

	if (!image || tables_load(world->enforcer, image, &loaded, &error) < 0)
		fail_msg("%s", error.text);
	loaded |= POLICY_WORD(0, POLICY_WATCH);
	if (file_path(watched, &error, "%s/watched", world->cgroup) < 0 ||
	    cgroup_create(watched, &error) < 0 || cgroup_id(watched, &watched_id, &error) < 0 ||
	    enforcer_enrol(world->enforcer, watched, loaded, &error) < 0)
		fail_msg("%s", error.text);
}

static void end_watched(struct world *world)
{
	struct error error;

	if (enforcer_release(world->enforcer, watched_id, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(cgroup_end(watched, 2000), 0);
}

/* In a child in the watched cgroup: 0 where it lives on, or the signal that ended it. */
static int ending_of(void (*attempt)(void))
{
	const pid_t child = fork();
	struct error error;
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (cgroup_join(watched, &error) < 0)
			_exit(1);
		attempt();
		(void)getppid();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

static void do_nothing(void)
{
	(void)getpid();
}
static void call_denied(void)
{
	(void)syscall(SYS_getpriority, 0, 0);
}
static void make_packet_socket(void)
{
	(void)socket(17 /* AF_PACKET */, SOCK_RAW, 0);
}
static void make_inet_socket(void)
{
	(void)close(socket(AF_INET, SOCK_STREAM, 0));
}
static void enter_by_x32(void)
{
	(void)syscall(0x40000000 | SYS_getpid);
}
static void enter_by_32_bits(void)
{
#ifdef __x86_64__
	long result = 20; /* getpid */

	asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
#endif
}
static void clone_user_namespace(void)
{
	const pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);

	if (child == 0)
		_exit(getpid() < 0);
}
static void leave(void)
{
	char above[PATH_MAX];
	struct error error;

	(void)snprintf(above, sizeof(above), "%.*s", (int)(strlen(watched) - strlen("/watched")),
		       watched);
	(void)getpid();
	(void)!cgroup_join(above, &error);
}

static const struct attempt {
	const char *name;
	void (*attempt)(void);
	bool dies;
	bool x86;
} attempts[] = {
	{"nothing", do_nothing, false, false},
	{"a denied call", call_denied, true, false},
	{"a packet socket", make_packet_socket, true, false},
	{"an inet socket", make_inet_socket, false, false},
	{"a call by x32", enter_by_x32, true, true},
	{"a call by the 32-bit entry", enter_by_32_bits, true, true},
	{"clone into a user namespace", clone_user_namespace, true, false},
	{"leaving the cgroup", leave, true, false},
};

static void who_does_what_is_denied_dies(void **state)
{
	put_watched(*state, MANIFEST("enforce", DENIED));
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		const int ending = ending_of(attempts[i].attempt);

		if (ending != (attempts[i].dies ? SIGKILL : 0))
			fail_msg("%s: ended by %d", attempts[i].name, ending);
	}
	end_watched(*state);
}

static void audit_mode_kills_nobody(void **state)
{
	put_watched(*state, MANIFEST("audit", DENIED));
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		assert_int_equal(ending_of(attempts[i].attempt), 0);
	end_watched(*state);
}

struct told {
	struct event last;
	size_t count;
};

static void take_event(const struct event *event, const char *text, void *context)
{
	struct told *told = context;

	(void)text;
	told->last = *event;
	told->count++;
}

static void ignore_errand(const struct errand *errand, void *context)
{
	(void)errand;
	(void)context;
}

static void it_is_told(void **state)
{
	struct world *world = *state;
	struct told told = {0};
	struct error error;
	struct ring *ring = ring_new(world->enforcer, take_event, ignore_errand, &told, &error);

	assert_non_null(ring);
	put_watched(world, MANIFEST("enforce", DENIED));
	(void)ring_consume(ring);
	assert_int_equal(ending_of(call_denied), SIGKILL);
	(void)ring_consume(ring);
	assert_int_equal(told.last.what.kind, EVENT_SYSCALL);
	assert_int_equal(told.last.what.reason, REASON_SYSCALL);
	assert_int_equal(told.last.what.detail, SYS_getpriority);
	assert_int_equal(told.last.hook, HOOK_TRACE);
	assert_int_equal(ending_of(leave), SIGKILL);
	(void)ring_consume(ring);
	assert_int_equal(told.last.what.kind, EVENT_ESCAPE);
	assert_int_equal(told.last.what.reason, REASON_ESCAPE);
	end_watched(world);
	ring_free(ring);
}

static void who_is_outside_goes_on(void **state)
{
	put_watched(*state, MANIFEST("enforce", DENIED));
	assert_int_not_equal(syscall(SYS_getpriority, 0, 0), -1);
	end_watched(*state);
}

static void the_programs_go_with_the_last_cgroup(void **state)
{
	struct world *world = *state;
	char pin[PATH_MAX];

	(void)snprintf(pin, sizeof(pin), "%s/links/watch_call", world->pins);
	assert_int_not_equal(access(pin, F_OK), 0);
	put_watched(world, MANIFEST("enforce", DENIED));
	assert_int_equal(access(pin, F_OK), 0);
	assert_true(enforcer_is_effective(world->enforcer, watched));
	end_watched(world);
	assert_int_not_equal(access(pin, F_OK), 0);
}

/* Prints, and does not promise, what is done by the time the signal counts. */
static char scratch[] = "/tmp/agentpol-watch-XXXXXX";

static void make_folder(void)
{
	(void)mkdir("made", 0700);
}
static bool folder_is_made(void)
{
	return rmdir("made") == 0;
}

static void a_denied_mkdir_still_happens(void **state)
{
	unsigned happened = 0;

	assert_non_null(mkdtemp(scratch));
	assert_int_equal(chdir(scratch), 0);
	put_watched(*state, MANIFEST("enforce", DENIED));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ending_of(make_folder), SIGKILL);
		happened += folder_is_made();
	}
	print_message("# mkdir happened in %u of 5 tries\n", happened);
	end_watched(*state);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(scratch), 0);
}

/* Asked of an enforcer that leaves the LSM alone, as the world's does. */
static bool can_watch(void)
{
	const struct enforcer_options options = {.pin_root = PIN_ROOT_DEFAULT "-test-probe",
						 .without_tasks = true};
	struct error error;
	struct enforcer *enforcer = enforcer_open(&options, &error);
	const bool can = enforcer && enforcer_can_watch(enforcer);

	enforcer_close(enforcer);
	(void)!enforcer_unpin_all(options.pin_root, &error);
	return can;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_what_is_denied_dies),
		cmocka_unit_test(audit_mode_kills_nobody),
		cmocka_unit_test(it_is_told),
		cmocka_unit_test(who_is_outside_goes_on),
		cmocka_unit_test(the_programs_go_with_the_last_cgroup),
		cmocka_unit_test(a_denied_mkdir_still_happens),
	};

	if (!world_is_possible())
		return 0;
	if (!can_watch()) {
		printf("1..0 # SKIP this kernel does not let live cgroups be watched\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
