// SPDX-License-Identifier: Apache-2.0
/* What processes do, asked of the kernel's LSM: each attempt is made by a child, in a cgroup of its
 * own, without a policy (it succeeds, or fails by itself), under one, and where a manifest lets it.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/tables.h"

#define END_TIMEOUT_MS 2000
#define CANT_JOIN      255
#define KILLED	       254

#define HEAD "{\"agentpol\":1,\"name\":\"guard\""
/* Of capabilities all that attempts need, so that a system call is denied by the list alone. */
#define KEPT                                                                                     \
	"\"capabilities\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_CHROOT\",\"CAP_SYS_PTRACE\","             \
	"\"CAP_SYS_MODULE\",\"CAP_SYS_BOOT\",\"CAP_SYS_TIME\",\"CAP_KILL\",\"CAP_SYS_NICE\","    \
	"\"CAP_SYS_RESOURCE\",\"CAP_NET_RAW\",\"CAP_NET_ADMIN\",\"CAP_SYSLOG\",\"CAP_PERFMON\"," \
	"\"CAP_BPF\",\"CAP_SYS_RAWIO\",\"CAP_IPC_LOCK\",\"CAP_DAC_OVERRIDE\"]"

static struct world world;
static pid_t outsider;

static int result_of(long result)
{
	return result < 0 ? errno : 0;
}

static int make_map(void)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	return result_of(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static int take_map(void)
{
	union bpf_attr attributes = {.start_id = 0};

	if (syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &attributes, sizeof(attributes)) < 0)
		return errno;
	attributes = (union bpf_attr){.map_id = attributes.next_id};
	return result_of(syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attributes, sizeof(attributes)));
}

static int count_events(void)
{
	struct perf_event_attr attributes = {.type = PERF_TYPE_SOFTWARE,
					     .size = sizeof(attributes),
					     .config = PERF_COUNT_SW_CPU_CLOCK};

	return result_of(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static int trace_own_child(void)
{
	const pid_t child = fork();
	int result;

	if (child == 0) {
		pause();
		_exit(0);
	}
	result = result_of(ptrace(PTRACE_SEIZE, child, 0, 0));
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return result;
}

static int be_traced(void)
{
	return result_of(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static int read_own_child(void)
{
	static char byte = 'x';
	char copy;
	struct iovec here = {&copy, 1}, there = {&byte, 1};
	const pid_t child = fork();
	int result;

	if (child == 0) {
		pause();
		_exit(0);
	}
	result = result_of(process_vm_readv(child, &here, 1, &there, 1, 0));
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return result;
}

static int mount_tmpfs(void)
{
	return result_of(mount("none", "/tmp", "tmpfs", 0, NULL)) ?: result_of(umount("/tmp"));
}

static int mount_tmpfs_anew(void)
{
	return result_of(syscall(SYS_fsopen, "tmpfs", 0));
}

static int copy_tree(void)
{
	return result_of(syscall(SYS_open_tree, AT_FDCWD, "/tmp", 1 /* OPEN_TREE_CLONE */));
}

static int change_root(void)
{
	return result_of(chroot("/"));
}

static int make_namespace(void)
{
	return result_of(unshare(CLONE_NEWUTS));
}

static int make_user_namespace(void)
{
	return result_of(unshare(CLONE_NEWUSER));
}

static int clone_user_namespace(void)
{
	const long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (child == 0)
		_exit(0);
	return result_of(child);
}

static int enter_namespace(void)
{
	_cleanup_close_ int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : result_of(setns(fd, 0));
}

static int remove_module(void)
{
	return result_of(syscall(SYS_delete_module, "no-such-module", 0));
}

static int load_module(void)
{
	return result_of(syscall(SYS_init_module, "", 0, ""));
}

static int load_kernel(void)
{
	return result_of(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

static int catch_faults(void)
{
	return result_of(syscall(SYS_userfaultfd, 0));
}

static int make_ring(void)
{
	char parameters[120] = {0};

	return result_of(syscall(SYS_io_uring_setup, 2, parameters));
}

static int add_key(void)
{
	return result_of(syscall(SYS_add_key, "user", "agentpol-test", "x", 1, -2));
}

static int set_clock(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return result_of(clock_settime(CLOCK_REALTIME, &now));
}

static int set_name(void)
{
	return result_of(sethostname("guard", 5));
}

static int signal_outsider(void)
{
	return result_of(kill(outsider, 0));
}

static int renice_outsider(void)
{
	return result_of(setpriority(PRIO_PROCESS, (id_t)outsider, 1));
}

static int reschedule_outsider(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return result_of(sched_setaffinity(outsider, sizeof(set), &set));
}

static int limit_outsider(void)
{
	const struct rlimit limit = {4096, 4096};

	return result_of(prlimit(outsider, RLIMIT_CORE, &limit, NULL));
}

static int read_outsider(void)
{
	char path[64];
	_cleanup_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%ld/mem", (long)outsider);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? (errno == EACCES ? EPERM : errno) : 0;
}

static int signal_own_child(void)
{
	const pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	return result_of(kill(child, SIGKILL)) ?: result_of(waitpid(child, NULL, 0));
}

static int open_packets(void)
{
	return result_of(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int open_old_packets(void)
{
	return result_of(socket(AF_INET, SOCK_PACKET, 0));
}

static int open_uevents(void)
{
	return result_of(socket(AF_NETLINK, SOCK_RAW, 15 /* NETLINK_KOBJECT_UEVENT */));
}

static int open_routes(void)
{
	return result_of(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int join_group(void)
{
	const struct {
		unsigned char group[4], interface[4];
	} join = {{224, 1, 2, 3}, {127, 0, 0, 1}};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return result_of(setsockopt(fd, 0, 35 /* IP_ADD_MEMBERSHIP */, &join, sizeof(join)));
}

/* To what is no terminal: the request is judged before that is seen. */
static int type_ahead(void)
{
	_cleanup_close_ int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return result_of(syscall(SYS_ioctl, fd, 0x5412 /* TIOCSTI */, "x"));
}

static int clone_elsewhere(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
			set_tid, set_tid_size, cgroup;
	} arguments = {.flags = 0x200000000ULL, .exit_signal = SIGCHLD};
	char mount[PATH_MAX];
	struct error error;
	long child;

	if (cgroup_find_mount(mount, &error) < 0)
		return EIO;
	arguments.cgroup = (uint64_t)open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	child = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (child == 0)
		_exit(0);
	return result_of(child);
}

/* `excepted`: the manifest's process section that lets it; NULL: none does; "": the least one does
 * not deny it. */
static const struct attempt {
	const char *name;
	int (*make)(void);
	const char *excepted;
} attempts[] = {
#define EXCEPT(names) ",\"process\":{\"syscalls\":{\"allow\":[" names "]}," KEPT "}"
	{"bpf", make_map, EXCEPT("\"bpf\"")},
	{"bpf, another's map", take_map, NULL},
	{"perf_event_open", count_events, EXCEPT("\"perf_event_open\"")},
	{"ptrace", trace_own_child, EXCEPT("\"ptrace\"")},
	{"ptrace, traceme", be_traced, EXCEPT("\"ptrace\"")},
	{"process_vm_readv", read_own_child, EXCEPT("\"process_vm_readv\"")},
	{"mount", mount_tmpfs, EXCEPT("\"@mount\"")},
	{"fsopen", mount_tmpfs_anew, EXCEPT("\"fsopen\"")},
	{"open_tree", copy_tree, EXCEPT("\"open_tree\"")},
	{"chroot", change_root, EXCEPT("\"chroot\"")},
	{"unshare", make_namespace, EXCEPT("\"unshare\"")},
	{"unshare, user", make_user_namespace, EXCEPT("\"unshare\"")},
	{"clone, user", clone_user_namespace, EXCEPT("\"unshare\"")},
	{"setns", enter_namespace, EXCEPT("\"setns\"")},
	{"delete_module", remove_module, EXCEPT("\"@module\"")},
	{"init_module", load_module, EXCEPT("\"@module\"")},
	{"kexec_load", load_kernel, EXCEPT("\"kexec_load\"")},
	{"userfaultfd", catch_faults, EXCEPT("\"userfaultfd\"")},
	{"io_uring_setup", make_ring, EXCEPT("\"io_uring_setup\"")},
	{"add_key", add_key, EXCEPT("\"@keyring\"")},
	{"CAP_SYS_TIME", set_clock, EXCEPT("\"bpf\"")},
	{"CAP_SYS_ADMIN", set_name, EXCEPT("\"bpf\"")},
	{"a signal out", signal_outsider, NULL},
	{"a priority out", renice_outsider, NULL},
	{"an affinity out", reschedule_outsider, NULL},
	{"a limit out", limit_outsider, NULL},
	{"memory out", read_outsider, NULL},
	{"a signal in", signal_own_child, ""},
	{"packet", open_packets, ",\"network\":{\"families\":[\"packet\"]},\"process\":{" KEPT "}"},
	{"SOCK_PACKET", open_old_packets,
	 ",\"network\":{\"families\":[\"packet\"]},\"process\":{" KEPT "}"},
	{"netlink", open_uevents, ",\"network\":{\"families\":[\"netlink\"]}"},
	{"netlink of routes", open_routes, ""},
	{"a group joined", join_group, NULL},
	{"TIOCSTI", type_ahead, NULL},
	{"CLONE_INTO_CGROUP", clone_elsewhere, NULL},
};

static int try_inside(const struct attempt *attempt)
{
	const pid_t child = fork();
	struct error error;
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (cgroup_join(world.cgroup, &error) < 0)
			_exit(CANT_JOIN);
		_exit(attempt->make());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return KILLED;
	assert_int_not_equal(WEXITSTATUS(status), CANT_JOIN);
	return WEXITSTATUS(status);
}

static void put_under(const char *mode, const char *rest)
{
	char manifest[2048];

	(void)snprintf(manifest, sizeof(manifest), HEAD ",\"mode\":\"%s\"%s}", mode, rest);
	{
		_cleanup_policy_ struct policy *policy = world_read(manifest);

		(void)world_put_under(&world, policy);
	}
}

/* Put an end to, so that the next attempt is one without a policy. */
static void release(void)
{
	struct error error;

	if (enforcer_policy_of(world.enforcer, world.cgroup_id))
		assert_int_equal(enforcer_release(world.enforcer, world.cgroup_id, &error), 0);
}

/* perf_event_open(2) has another word for a privilege that is missing. */
static bool is_refusal(int result)
{
	return result == EPERM || result == EACCES;
}

/* All without a policy first: to attach and detach takes far longer than an attempt. */
static void each_attempt(const char *mode, const char *rest, bool refused)
{
	int without[ARRAY_SIZE(attempts)];
	size_t wrong = 0;

	release();
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		without[i] = try_inside(&attempts[i]);
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		const struct attempt *attempt = &attempts[i];
		const char *manifest = rest ? rest : attempt->excepted;
		const bool denied = refused && !(attempt->excepted && !attempt->excepted[0]);
		int with;

		if (!manifest)
			continue;
		put_under(mode, manifest);
		with = try_inside(attempt);
		if (!is_refusal(without[i]) && (denied ? is_refusal(with) : with == without[i]))
			continue;
		print_message("# %s: %s without the policy, %s with it\n", attempt->name,
			      strerror(without[i]), with == KILLED ? "killed" : strerror(with));
		wrong++;
	}
	release();
	assert_int_equal(wrong, 0);
}

static void what_is_not_granted_is_refused(void **state)
{
	(void)state;
	each_attempt("enforce", "", true);
}

static void what_a_manifest_excepts_is_done(void **state)
{
	(void)state;
	each_attempt("enforce", NULL, false);
}

static void audit_mode_refuses_nothing(void **state)
{
	(void)state;
	each_attempt("audit", "", false);
}

/* Of system calls; a capability that is missed is no reason to die. */
static void who_is_denied_is_killed_where_asked(void **state)
{
	static const struct attempt mounting = {"mount", mount_tmpfs, NULL},
				    naming = {"CAP_SYS_ADMIN", set_name, NULL},
				    tracing = {"a signal out", signal_outsider, NULL};

	(void)state;
	put_under("enforce", ",\"process\":{\"on_violation\":\"kill\"}");
	assert_int_equal(try_inside(&mounting), KILLED);
	assert_int_equal(try_inside(&tracing), KILLED);
	assert_int_equal(try_inside(&naming), EPERM);
	release();
}

static void who_is_outside_is_not_asked(void **state)
{
	(void)state;
	put_under("enforce", "");
	assert_int_equal(make_map(), 0);
	assert_int_equal(mount_tmpfs(), 0);
	assert_int_equal(signal_outsider(), 0);
	release();
}

static int set_up(void **state)
{
	struct enforcer_options options = {.port_sets = 256};
	char mount[PATH_MAX];
	struct error error;

	(void)state;
	if (cgroup_find_mount(mount, &error) < 0 ||
	    file_path(world.cgroup, &error, "%s/agentpol-test-guard-%ld", mount, (long)getpid()) <
		    0 ||
	    file_path(world.pins, &error, PIN_ROOT_DEFAULT "-test-guard-%ld", (long)getpid()) < 0 ||
	    cgroup_create(world.cgroup, &error) < 0 ||
	    cgroup_id(world.cgroup, &world.cgroup_id, &error) < 0)
		fail_msg("%s", error.text);
	options.pin_root = world.pins;
	world.enforcer = enforcer_open(&options, &error);
	if (!world.enforcer)
		fail_msg("%s", error.text);
	enforcer_keep_guard(world.enforcer, true);
	outsider = fork();
	if (outsider == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return outsider < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	struct error error;

	(void)state;
	if (outsider > 0) {
		(void)kill(outsider, SIGKILL);
		(void)waitpid(outsider, NULL, 0);
	}
	if (enforcer_policy_of(world.enforcer, world.cgroup_id))
		(void)!enforcer_release(world.enforcer, world.cgroup_id, &error);
	enforcer_keep_guard(world.enforcer, false);
	enforcer_close(world.enforcer);
	(void)!enforcer_unpin_all(world.pins, &error);
	return cgroup_end(world.cgroup, END_TIMEOUT_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_granted_is_refused),
		cmocka_unit_test(what_a_manifest_excepts_is_done),
		cmocka_unit_test(audit_mode_refuses_nothing),
		cmocka_unit_test(who_is_denied_is_killed_where_asked),
		cmocka_unit_test(who_is_outside_is_not_asked),
	};

	if (!world_is_possible())
		return 0;
	if (!world_judges_tasks) {
		printf("1..0 # SKIP BPF is not among this kernel's active LSMs\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
