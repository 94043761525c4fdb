// SPDX-License-Identifier: Apache-2.0
#include "kernel/selftest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/file.h"
#include "compile/confinement.h"
#include "kernel/cgroup.h"
#include "kernel/tables.h"

#define END_TIMEOUT_MS 1000
/* The child's exit code where the sentence has no errno to tell. */
#define CHILD_CANT_JOIN 255
/* In the place of one, where SIGKILL ended it; no errno is as high. */
#define CHILD_KILLED 256

/* A listener on a free loopback port; its port in *port. -1 with errno. */
static int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		(void)close(fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

/* The context is the port. */
static int connect_to_loopback(const void *context)
{
	const uint16_t port = *(const uint16_t *)context;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval patience = {.tv_sec = 2};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* A firewall that drops on loopback must not hold the daemon up. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return errno;
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

/* Nobody need be there: who is refused is not told so. The context is the path. */
static int connect_to_path(const void *context)
{
	const char *path = context;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0)
		return errno;
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

/* Tries it inside the cgroup, in a child: what it returns (0 or an errno), or CHILD_KILLED. */
static int try_inside(const char *cgroup, int (*attempt)(const void *context), const void *context,
		      struct error *error)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "fork");
	if (child == 0) {
		struct error ignored;

		if (cgroup_join(cgroup, &ignored) < 0)
			_exit(CHILD_CANT_JOIN);
		_exit(attempt(context));
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_set_errno(error, STATUS_SYSTEM, errno, "waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return CHILD_KILLED;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == CHILD_CANT_JOIN)
		return error_set(error, STATUS_SYSTEM, "self-test: cannot enter %s", cgroup);
	return WEXITSTATUS(status);
}

static int judge(const char *cgroup, uint16_t granted, uint16_t ungranted, struct error *error)
{
	int result = try_inside(cgroup, connect_to_loopback, &ungranted, error);

	if (result < 0)
		return -1;
	if (result != EPERM)
		return error_set(
			error, STATUS_SYSTEM,
			"self-test: a connection that no rule grants was not refused (%s); "
			"nothing would be enforced here",
			result ? strerror(result) : "it succeeded");
	result = try_inside(cgroup, connect_to_loopback, &granted, error);
	if (result < 0)
		return -1;
	if (result != 0)
		return error_set(error, STATUS_SYSTEM,
				 "self-test: a granted connection over loopback failed: %s%s",
				 strerror(result),
				 result == ENETUNREACH ? " (is the interface lo up?)" : "");
	return 0;
}

/* Its one path is denied to every policy, the other one to none that lists nothing. */
static int judge_unix(const char *cgroup, struct error *error)
{
	static const char denied[] = "/run/agentpol/self-test", open[] = "/agentpol-self-test";
	int result = try_inside(cgroup, connect_to_path, denied, error);

	if (result < 0)
		return -1;
	if (result != EPERM)
		return error_set(
			error, STATUS_SYSTEM,
			"self-test: a connection to a Unix socket of the enforcer's was not "
			"refused (%s)",
			result ? strerror(result) : "it succeeded");
	result = try_inside(cgroup, connect_to_path, open, error);
	if (result == EPERM)
		return error_set(error, STATUS_SYSTEM,
				 "self-test: a connection to a Unix socket that nothing denies was "
				 "refused");
	return result < 0 ? -1 : 0;
}

/* One grant: 127.0.0.1, one port, TCP. */
static int load_policy(struct enforcer *enforcer, uint16_t port, uint64_t *policy,
		       struct error *error)
{
	struct arena *arena = arena_new();
	const struct port_range range = {port, port};
	const struct port_set *set = arena ? port_set_new(arena, &range, 1) : NULL;
	struct image_address address = {
		.table = TABLE_EGRESS,
		.prefix = {.address = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}},
			   .bits = ADDRESS_BITS},
		.grant = {.tcp_ports = 1},
	};
	struct image image = {.flags = POLICY_QUIET,
			      .addresses = &address,
			      .address_count = 1,
			      .port_sets = &set,
			      .port_set_count = 1};
	int result = -1;

	confinement_allow_all(&image.confinement);
	if (!set)
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
	else
		result = tables_load(enforcer, &image, policy, error);
	arena_free(arena);
	return result;
}

/* bpf(2) is denied; files and connections are not. */
static int load_tasks_policy(struct enforcer *enforcer, uint64_t *policy, struct error *error)
{
	struct image image = {.flags = POLICY_QUIET};

	confinement_allow_all(&image.confinement);
	image.confinement.denied_syscalls[SYS_bpf / 64] = 1ULL << SYS_bpf % 64;
	if (!enforcer_judges_tasks(enforcer))
		image.flags |= POLICY_WATCH;
	return tables_load(enforcer, &image, policy, error);
}

/* Without a policy: EINVAL, since it asks for a map without a type. */
static int call_bpf(const void *context)
{
	(void)context;
	return syscall(SYS_bpf, 0 /* BPF_MAP_CREATE */, NULL, 0) < 0 ? errno : 0;
}

static int judge_call(const struct enforcer *enforcer, const char *cgroup, struct error *error)
{
	const int wanted = enforcer_judges_tasks(enforcer) ? EPERM : CHILD_KILLED;
	const int result = try_inside(cgroup, call_bpf, NULL, error);

	if (result < 0)
		return -1;
	if (result != wanted)
		return error_set(error, STATUS_SYSTEM,
				 "self-test: a system call that is denied was not %s",
				 wanted == EPERM ? "refused; the kernel does not ask its BPF LSM"
						 : "answered by SIGKILL");
	return 0;
}

static int run_tasks_in(struct enforcer *enforcer, const char *cgroup, struct error *error)
{
	struct error ignored;
	uint64_t id, policy;
	int result;

	if (cgroup_id(cgroup, &id, error) < 0 || load_tasks_policy(enforcer, &policy, error) < 0)
		return -1;
	result = enforcer_enrol(enforcer, cgroup, policy, error);
	if (result == 0) {
		result = judge_call(enforcer, cgroup, error);
		(void)!enforcer_release(enforcer, id, &ignored);
	}
	tables_retire(enforcer, policy);
	return result;
}

static int run_in(struct enforcer *enforcer, const char *cgroup, struct error *error)
{
	uint16_t granted = 0, ungranted = 0;
	_cleanup_close_ int granted_fd = listen_on_loopback(&granted);
	_cleanup_close_ int ungranted_fd = listen_on_loopback(&ungranted);
	struct error ignored;
	uint64_t id;
	uint64_t policy;
	int result;

	if (granted_fd < 0 || ungranted_fd < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "self-test: listen");
	if (cgroup_id(cgroup, &id, error) < 0 || load_policy(enforcer, granted, &policy, error) < 0)
		return -1;
	result = enforcer_enrol(enforcer, cgroup, policy, error);
	if (result == 0) {
		result = judge(cgroup, granted, ungranted, error);
		if (result == 0 && enforcer_judges_unix(enforcer))
			result = judge_unix(cgroup, error);
		(void)!enforcer_release(enforcer, id, &ignored);
	}
	tables_retire(enforcer, policy);
	return result;
}

static int run_in_cgroup(struct enforcer *enforcer,
			 int (*run)(struct enforcer *enforcer, const char *cgroup,
				    struct error *error),
			 struct error *error)
{
	char mount[PATH_MAX], cgroup[PATH_MAX];
	int result;

	if (cgroup_find_mount(mount, error) < 0 ||
	    file_path(cgroup, error, "%s/agentpol-selftest-%ld", mount, (long)getpid()) < 0 ||
	    cgroup_create(cgroup, error) < 0)
		return -1;
	result = run(enforcer, cgroup, error);
	(void)!cgroup_end(cgroup, END_TIMEOUT_MS);
	return result;
}

int selftest_run_tasks(struct enforcer *enforcer, struct error *error)
{
	return run_in_cgroup(enforcer, run_tasks_in, error);
}

int selftest_run_connections(struct enforcer *enforcer, struct error *error)
{
	return run_in_cgroup(enforcer, run_in, error);
}

int selftest_run(struct enforcer *enforcer, struct error *error)
{
	int result;

	enforcer_keep_guard(enforcer, true);
	result = selftest_run_connections(enforcer, error);
	if (result == 0 && enforcer_judges_tasks(enforcer))
		result = selftest_run_tasks(enforcer, error);
	enforcer_keep_guard(enforcer, false);
	return result;
}
