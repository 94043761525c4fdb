// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compile/seccomp.h"

#define KILLED_BY(number) (-(number))

/* What an attempt came to: 0, its errno, or what it was killed by. */
typedef int (*attempt)(void);

/* Runs the attempt in a child under the policy's filter (policy NULL: without one). */
static int under_filter(const struct policy *policy, attempt try)
{
	struct sock_fprog program = {0};
	struct error error;
	pid_t child;
	int status;

	if (policy)
		assert_int_equal(seccomp_compile(policy, NULL, &program, &error), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (policy && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			       prctl(PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, &program) != 0))
			_exit(255);
		_exit(try());
	}
	free(program.filter);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED_BY(WTERMSIG(status));
}

static struct policy plain_policy(void)
{
	return (struct policy){.agent = {.pointer = ""}};
}

static int result_of(long result)
{
	return result < 0 ? errno : 0;
}

static int try_ptrace(void)
{
	return result_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_inet(void)
{
	return result_of(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int try_unix(void)
{
	return result_of(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_packet(void)
{
	return result_of(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int try_old_packet(void)
{
	return result_of(socket(AF_INET, SOCK_PACKET | SOCK_CLOEXEC, 0));
}

static int try_high_half_packet(void)
{
	return result_of(syscall(SYS_socket, 0x100000000L | AF_PACKET, (long)SOCK_DGRAM, 0L));
}

static int try_later_family(void)
{
	return result_of(socket(200, SOCK_STREAM, 0));
}

static int try_route(void)
{
	return result_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
}

static int try_uevent(void)
{
	return result_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT));
}

static int try_unshare_user(void)
{
	return result_of(unshare(CLONE_NEWUSER));
}

static int try_clone_user(void)
{
	const long child = syscall(SYS_clone, (long)(CLONE_NEWUSER | SIGCHLD), 0L, 0L, 0L, 0L);

	if (child == 0)
		_exit(0);
	return result_of(child);
}

static int try_clone3(void)
{
	return result_of(syscall(SYS_clone3, NULL, 0L));
}

static int try_fork(void)
{
	const pid_t child = fork();

	if (child == 0)
		_exit(0);
	return result_of(child);
}

static int try_tiocsti(void)
{
	return result_of(ioctl(-1, TIOCSTI, "x"));
}

static int try_high_half_tiocsti(void)
{
	return result_of(syscall(SYS_ioctl, -1L, 0x100000000L | TIOCSTI, "x"));
}

static int try_other_ioctl(void)
{
	return result_of(ioctl(-1, TIOCGWINSZ, NULL));
}

static const struct {
	const char *name;
	attempt try;
	int expected;
} defaults[] = {
	{"ptrace", try_ptrace, EPERM},
	{"inet", try_inet, 0},
	{"unix", try_unix, 0},
	{"packet", try_packet, EPERM},
	{"packet by SOCK_PACKET", try_old_packet, EPERM},
	{"packet with the register's high half set", try_high_half_packet, EPERM},
	{"a family of a later kernel", try_later_family, EPERM},
	{"netlink route", try_route, 0},
	{"netlink uevent", try_uevent, EPERM},
	{"unshare", try_unshare_user, EPERM},
	{"clone", try_clone_user, EPERM},
	{"clone3", try_clone3, ENOSYS},
	{"fork", try_fork, 0},
	{"TIOCSTI", try_tiocsti, EPERM},
	{"TIOCSTI with the high half set", try_high_half_tiocsti, EPERM},
	{"another ioctl", try_other_ioctl, EBADF},
};

/* `denied` is what one comes to that the filter denies. */
static void check_attempts(const struct policy *policy, int denied)
{
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		const int expected = defaults[i].expected == EPERM ? denied : defaults[i].expected;
		const int got = under_filter(policy, defaults[i].try);

		if (got != expected)
			fail_msg("%s: %d, not %d", defaults[i].name, got, expected);
	}
}

static void each_attempt_gets_what_the_default_says(void **state)
{
	const struct policy policy = plain_policy();

	(void)state;
	check_attempts(&policy, EPERM);
}

static void a_denied_attempt_kills_where_that_is_asked_for(void **state)
{
	struct policy policy = plain_policy();

	(void)state;
	policy.agent.process.kill_on_violation = true;
	check_attempts(&policy, KILLED_BY(SIGSYS));
}

/* cmocka's skip() is "not ok # SKIP" in TAP, which prove takes for a failure. */
static void not_shown_here(const char *reason)
{
	print_message("# skipped: %s\n", reason);
}

/* The same attempts without the filter: it is the filter that denies. */
static void without_a_filter_they_go_through(void **state)
{
	static const attempt attempts[] = {try_ptrace, try_clone_user, try_uevent};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(attempts); i++)
		if (under_filter(NULL, attempts[i]) != 0) {
			not_shown_here("the machine itself denies one of the attempts");
			return;
		}
	assert_int_equal(under_filter(NULL, try_tiocsti), EBADF);
	assert_int_not_equal(under_filter(NULL, try_clone3), ENOSYS);
}

static void a_granted_family_opens(void **state)
{
	struct policy policy = plain_policy();

	(void)state;
	if (under_filter(NULL, try_packet) != 0) {
		not_shown_here("the machine itself denies packet sockets");
		return;
	}
	policy.agent.network.families = FAMILY_PACKET | FAMILY_NETLINK;
	assert_int_equal(under_filter(&policy, try_packet), 0);
	assert_int_equal(under_filter(&policy, try_old_packet), 0);
	assert_int_equal(under_filter(&policy, try_uevent), 0);
}

static void an_exception_opens_the_call(void **state)
{
	const char *deny[] = {"@escape", "socket"}, *allow[] = {"ptrace", "unshare"};
	struct policy policy = plain_policy();

	(void)state;
	policy.agent.process.syscalls_present = true;
	policy.agent.process.syscalls_deny = (struct strings){deny, ARRAY_SIZE(deny)};
	policy.agent.process.syscalls_allow = (struct strings){allow, ARRAY_SIZE(allow)};
	assert_int_equal(under_filter(&policy, try_ptrace), under_filter(NULL, try_ptrace));
	assert_int_equal(under_filter(&policy, try_clone_user), under_filter(NULL, try_clone_user));
	/* Denied as a whole, although some families have rules of their own. */
	assert_int_equal(under_filter(&policy, try_inet), EPERM);
}

static void audit_mode_denies_nothing(void **state)
{
	struct policy policy = plain_policy();

	(void)state;
	policy.mode = MODE_AUDIT;
	assert_int_equal(under_filter(&policy, try_ptrace), under_filter(NULL, try_ptrace));
	assert_int_equal(under_filter(&policy, try_tiocsti), EBADF);
	assert_int_equal(under_filter(&policy, try_packet), under_filter(NULL, try_packet));
}

#if defined(__x86_64__)
/* getpid of the 32-bit table is 20, which is writev here. */
static int try_int80(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L)
			 : "memory", "r8", "r9", "r10", "r11");
	return result < 0 ? (int)-result : 0;
}

static int try_x32(void)
{
	return result_of(syscall(0x40000000L | SYS_getpid));
}

static void other_entries_are_closed(void **state)
{
	struct policy policy = plain_policy();

	(void)state;
	assert_int_equal(under_filter(&policy, try_int80), EPERM);
	assert_int_equal(under_filter(&policy, try_x32), EPERM);
	policy.agent.process.kill_on_violation = true;
	assert_int_equal(under_filter(&policy, try_int80), KILLED_BY(SIGSYS));
	assert_int_equal(under_filter(&policy, try_x32), KILLED_BY(SIGSYS));
}
#else
static void other_entries_are_closed(void **state)
{
	(void)state;
	not_shown_here("there is no second entry on this architecture");
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attempt_gets_what_the_default_says),
		cmocka_unit_test(a_denied_attempt_kills_where_that_is_asked_for),
		cmocka_unit_test(without_a_filter_they_go_through),
		cmocka_unit_test(a_granted_family_opens),
		cmocka_unit_test(an_exception_opens_the_call),
		cmocka_unit_test(audit_mode_denies_nothing),
		cmocka_unit_test(other_entries_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
