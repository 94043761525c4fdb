// SPDX-License-Identifier: Apache-2.0
#include "agentpol/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "kernel/cgroup.h"

#define NOT_FOUND      127
#define NOT_EXECUTABLE 126
/* From Linux 5.19 on. */
#define LANDLOCK_ABI_REFER 2

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* What the child tells before it ends; pipes carry this much in one piece. */
struct failure {
	int exit_code;
	char text[512];
};

static int failed(struct failure *failure, const char *what)
{
	(void)snprintf(failure->text, sizeof(failure->text), "%s: %s", what, strerror(errno));
	return -1;
}

/*
 * Places that an agent has no use for, and that root's number alone, without any capability, could
 * write to or speak to: the enforcer's own; the sockets of container runtimes; and those by which
 * another process acts for whoever asks: starts units (dbus, the user's own manager in /run/user)
 * or looks names up.
 */
static const struct hidden_place {
	const char *path;
	bool make; /* it may come later: be there first */
} hidden_places[] = {
	{"/sys/fs/bpf", false},
	{"/run/agentpol", true},
	{"/var/log/agentpol", true},
	{"/var/lib/agentpol", false},
	{"/etc/agentpol", false},
	{"/run/docker.sock", false},
	{"/run/containerd", false},
	{"/run/crio", false},
	{"/run/podman", false},
	{"/run/user", false},
	{"/run/systemd/private", false},
	{"/run/dbus/system_bus_socket", false},
	{"/run/systemd/resolve/io.systemd.Resolve", false},
	{"/run/nscd/socket", false},
};

/* Parts of /proc by which root's number commands the kernel, as container runtimes have them. */
static const char *const read_only_places[] = {
	"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs",
};

/* File systems that are the kernel's control panel. */
static const char *const read_only_types[] = {
	"cgroup",     "cgroup2",  "proc",   "sysfs",	"debugfs", "tracefs",
	"securityfs", "configfs", "pstore", "efivarfs", "fusectl",
};

static int make_read_only(const char *point)
{
	return mount(NULL, point, NULL,
		     MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int protect_places(struct failure *failure)
{
	for (size_t i = 0; i < ARRAY_SIZE(read_only_places); i++) {
		const char *place = read_only_places[i];

		if (access(place, F_OK) < 0)
			continue;
		if (mount(place, place, NULL, MS_BIND, NULL) < 0 || make_read_only(place) < 0)
			return failed(failure, place);
	}
	return 0;
}

/* "..., - TYPE SOURCE OPTIONS" of a line of mountinfo, see proc(5). */
static bool is_read_only_type(const char *line)
{
	const char *type = strstr(line, " - ");

	for (size_t i = 0; type && i < ARRAY_SIZE(read_only_types); i++) {
		size_t length = strlen(read_only_types[i]);

		if (strncmp(type + 3, read_only_types[i], length) == 0 && type[3 + length] == ' ')
			return true;
	}
	return false;
}

/* Wherever they are mounted: moving oneself out of a cgroup, for one, is a write. */
static int protect_file_systems(struct failure *failure)
{
	_cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (!mounts)
		return failed(failure, "/proc/self/mountinfo");
	while (getline(&line, &room, mounts) > 0) {
		char point[PATH_MAX];

		if (!is_read_only_type(line) || sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		file_decode_mount_path(point);
		/* The one that programs need; its dangerous parts are read-only already. */
		if (strcmp(point, "/proc") == 0)
			continue;
		/* One that another mount covers can't be named, and not be reached either. */
		if (make_read_only(point) < 0 && errno != EINVAL)
			return failed(failure, point);
	}
	return 0;
}

/* A folder becomes an empty one that cannot be opened, a file or a socket becomes nothing. */
static int hide(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (S_ISDIR(status.st_mode))
		return mount("agentpol", path, "tmpfs",
			     MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0000,size=4k");
	return mount("/dev/null", path, NULL, MS_BIND, NULL);
}

static int hide_places(const struct launch *launch, struct failure *failure)
{
	struct error ignored;

	for (size_t i = 0; i < ARRAY_SIZE(hidden_places); i++) {
		if (hidden_places[i].make)
			(void)!file_make_directories(hidden_places[i].path, 0700, &ignored);
		if (hide(hidden_places[i].path) < 0)
			return failed(failure, hidden_places[i].path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(launch->hidden); i++)
		if (launch->hidden[i] && hide(launch->hidden[i]) < 0)
			return failed(failure, launch->hidden[i]);
	return 0;
}

static int hide_enforcer(const struct launch *launch, struct failure *failure)
{
	_cleanup_free_ char *here = getcwd(NULL, 0);

	/* What the host mounts later is seen; what is done here is not seen outside. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return failed(failure, "a mount namespace of its own");
	if (hide_places(launch, failure) < 0 || protect_places(failure) < 0 ||
	    protect_file_systems(failure) < 0)
		return -1;
	/* The working directory still leads below what was just mounted: walk there again. */
	if ((!here || chdir(here) < 0) && chdir("/") < 0)
		return failed(failure, "/");
	return 0;
}

/*
 * A Landlock domain of its own, which takes no file away: what it gives is that a task inside can't
 * reach into one outside by what the kernel judges like ptrace(2): /proc/PID/mem, root, fd, environ
 * (landlock(7), "Ptrace restrictions"). ABI 1 could not rename between folders then; kernels
 * without Landlock, or with that, leave it to the system calls that are denied.
 */
static int enter_landlock_domain(struct failure *failure)
{
	const struct landlock_ruleset_attr attributes = {.handled_access_fs =
								 LANDLOCK_ACCESS_FS_REFER};
	struct landlock_path_beneath_attr everywhere = {.allowed_access = LANDLOCK_ACCESS_FS_REFER};
	_cleanup_close_ int root = open("/", O_PATH | O_CLOEXEC), rules = -1;

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) <
	    LANDLOCK_ABI_REFER)
		return 0;
	everywhere.parent_fd = root;
	rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (rules < 0 ||
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &everywhere, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return failed(failure, "a Landlock domain");
	return 0;
}

static int drop_bounding_set(uint64_t kept, struct failure *failure)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
			continue;
		if (!(kept >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return failed(failure, "dropping capabilities");
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
		return failed(failure, "setting capabilities");
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((kept >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return failed(failure, "keeping a capability");
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
		return failed(failure, "becoming the user");
	if (entry->pw_name &&
	    (setenv("HOME", entry->pw_dir, 1) < 0 || setenv("USER", entry->pw_name, 1) < 0 ||
	     setenv("LOGNAME", entry->pw_name, 1) < 0))
		return failed(failure, "environment");
	return 0;
}

static int close_inherited(const struct launch *launch, struct failure *failure)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return failed(failure, "closing inherited descriptors");
	for (size_t i = 0; i < launch->kept_fd_count; i++)
		if (fcntl(launch->kept_fds[i], F_SETFD, 0) < 0)
			return failed(failure, "a descriptor named with --fd");
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
	struct error error;

	if (cgroup_join(launch->cgroup, &error) < 0) {
		(void)snprintf(failure->text, sizeof(failure->text), "%.500s", error.text);
		return -1;
	}
	if (hide_enforcer(launch, failure) < 0)
		return -1;
	if (!launch->observe_only && drop_bounding_set(launch->capabilities, failure) < 0)
		return -1;
	if (launch->user && become_user(launch->user, failure) < 0)
		return -1;
	if (!launch->observe_only && keep_capabilities(launch->capabilities, failure) < 0)
		return -1;
	if (!launch->observe_only && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(failure, "no_new_privs");
	if (!launch->observe_only && enter_landlock_domain(failure) < 0)
		return -1;
	if (close_inherited(launch, failure) < 0)
		return -1;
	reset_signals();
	if (!launch->observe_only && launch->filter.len &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &launch->filter, 0, 0) < 0)
		return failed(failure, "the system call filter");
	return 0;
}

static void become_command(const struct launch *launch, int report)
{
	struct failure failure = {.exit_code = STATUS_SYSTEM};

	if (confine(launch, &failure) == 0) {
		(void)execvp(launch->command[0], launch->command);
		failure.exit_code = errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
		(void)failed(&failure, launch->command[0]);
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
