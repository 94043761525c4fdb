// SPDX-License-Identifier: Apache-2.0
#include "agentpol/launch_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/cgroup.h"
#include "kernel/landlock.h"

#define NOT_FOUND      127
#define NOT_EXECUTABLE 126

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

int launch_failed(struct failure *failure, const char *what)
{
	(void)snprintf(failure->text, sizeof(failure->text), "%s: %s", what, strerror(errno));
	return -1;
}

static int drop_bounding_set(uint64_t kept, struct failure *failure)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
			continue;
		if (!(kept >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return launch_failed(failure, "dropping capabilities");
	}
	return 0;
}

/* Permitted, effective, inheritable and ambient become what is kept: so that it survives exec
 * whoever the user is. */
static int keep_capabilities(uint64_t kept, struct failure *failure)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (size_t i = 0; i < 2; i++) {
		uint32_t half = (uint32_t)(kept >> (32 * i));

		data[i] = (struct __user_cap_data_struct){
			.effective = half, .permitted = half, .inheritable = half};
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return launch_failed(failure, "setting capabilities");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((kept >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return launch_failed(failure, "keeping a capability");
	return 0;
}

static const struct passwd *find_user(const char *user, struct passwd *numeric)
{
	const struct passwd *entry = getpwnam(user);
	unsigned long uid;
	char *end;

	if (entry)
		return entry;
	errno = 0;
	uid = strtoul(user, &end, 10);
	if (errno || *end || end == user || uid >= UINT32_MAX)
		return NULL;
	entry = getpwuid((uid_t)uid);
	if (entry)
		return entry;
	*numeric = (struct passwd){.pw_uid = (uid_t)uid, .pw_gid = (gid_t)uid};
	return numeric;
}

static int become_user(const char *user, struct failure *failure)
{
	struct passwd numeric;
	const struct passwd *entry = find_user(user, &numeric);

	if (!entry) {
		failure->exit_code = STATUS_UNUSABLE;
		(void)snprintf(failure->text, sizeof(failure->text), "no user %s", user);
		return -1;
	}
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    (entry->pw_name ? initgroups(entry->pw_name, entry->pw_gid) : setgroups(0, NULL)) < 0 ||
	    setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) < 0 ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) < 0)
		return launch_failed(failure, "becoming the user");
	if (entry->pw_name &&
	    (setenv("HOME", entry->pw_dir, 1) < 0 || setenv("USER", entry->pw_name, 1) < 0 ||
	     setenv("LOGNAME", entry->pw_name, 1) < 0))
		return launch_failed(failure, "environment");
	return 0;
}

static int close_inherited(const struct launch *launch, struct failure *failure)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return launch_failed(failure, "closing inherited descriptors");
	for (size_t i = 0; i < launch->kept_fd_count; i++)
		if (fcntl(launch->kept_fds[i], F_SETFD, 0) < 0)
			return launch_failed(failure, "a descriptor named with --fd");
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int confine(const struct launch *launch, struct failure *failure)
{
	const struct rlimit no_core = {0, 0};
	_cleanup_close_ int door = -1;
	struct error error;

	door = cgroup_open_door(launch->cgroup, &error);
	if (door < 0) {
		(void)snprintf(failure->text, sizeof(failure->text), "%.500s", error.text);
		return -1;
	}
	if (launch_make_view(launch, failure) < 0)
		return -1;
	if (!launch->observe_only && drop_bounding_set(launch->capabilities, failure) < 0)
		return -1;
	if (launch->user && become_user(launch->user, failure) < 0)
		return -1;
	if (!launch->observe_only && keep_capabilities(launch->capabilities, failure) < 0)
		return -1;
	if (!launch->observe_only && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return launch_failed(failure, "no_new_privs");
	if (launch->files && launch->files->rules >= 0 && landlock_enter(launch->files->rules) < 0)
		return launch_failed(failure, "a Landlock domain");
	if (close_inherited(launch, failure) < 0)
		return -1;
	/* A core pattern that is a pipe runs a program outside of the cgroup (core(5)). */
	if (!launch->observe_only && setrlimit(RLIMIT_CORE, &no_core) < 0)
		return launch_failed(failure, "RLIMIT_CORE");
	reset_signals();
	/* From here on the policy holds for us, too: the LSM would refuse what is done above. */
	if (cgroup_enter(door) < 0)
		return launch_failed(failure, "entering the cgroup");
	if (!launch->observe_only && launch->filter.len &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &launch->filter, 0, 0) < 0)
		return launch_failed(failure, "the system call filter");
	return 0;
}

static void become_command(const struct launch *launch, int report)
{
	struct failure failure = {.exit_code = STATUS_SYSTEM};

	if (confine(launch, &failure) == 0) {
		(void)execvp(launch->command[0], launch->command);
		failure.exit_code = errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
		(void)launch_failed(&failure, launch->command[0]);
	}
	(void)!write(report, &failure, sizeof(failure));
	_exit(failure.exit_code);
}

pid_t launch_start(const struct launch *launch, int *exit_code, struct error *error)
{
	struct failure failure;
	_cleanup_close_ int reading = -1;
	ssize_t got;
	int pipes[2];
	pid_t child;

	*exit_code = STATUS_SYSTEM;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "pipe");
	reading = pipes[0];
	child = fork();
	if (child == 0)
		become_command(launch, pipes[1]);
	(void)close(pipes[1]);
	if (child < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "fork");
	/* Closed without a word: exec has happened. */
	do
		got = read(reading, &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return child;
	(void)waitpid(child, NULL, 0);
	if (got != sizeof(failure))
		return error_set(error, STATUS_SYSTEM, "the command could not be started");
	failure.text[sizeof(failure.text) - 1] = '\0';
	*exit_code = failure.exit_code;
	return error_set(error, STATUS_SYSTEM, "%s", failure.text);
}

static bool is_named(const struct launch *launch, int fd)
{
	for (size_t i = 0; i < launch->kept_fd_count; i++)
		if (launch->kept_fds[i] == fd)
			return true;
	return false;
}

int launch_check_inherited(const struct launch *launch, struct error *error)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct sockaddr_storage address;
		socklen_t length = sizeof(address);

		if (is_named(launch, fd) ||
		    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
			continue;
		if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
			return error_set(error, STATUS_SYSTEM,
					 "descriptor %d is an internet socket from outside, which "
					 "no policy would bind; name it with --fd %d to pass it on "
					 "all the same",
					 fd, fd);
	}
	return 0;
}
