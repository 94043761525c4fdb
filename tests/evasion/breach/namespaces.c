// SPDX-License-Identifier: Apache-2.0
/* Namespaces of one's own, and others' namespaces. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int unshare_one(const struct world *world, const struct attempt *self)
{
	(void)world;
	return outcome(syscall(SYS_unshare, (unsigned long)self->number));
}

static int enter_of_witness(const struct world *world, const struct attempt *self)
{
	const int fd = open(proc_path(world->witness, self->with).text, O_RDONLY);

	return fd < 0 ? -errno : outcome(syscall(SYS_setns, fd, 0));
}

static int enter_by_pidfd(const struct world *world, const struct attempt *self)
{
	const int fd = (int)syscall(SYS_pidfd_open, world->witness, 0);

	return fd < 0 ? -errno : outcome(syscall(SYS_setns, fd, self->number));
}

/* A descriptor that was opened without a right to it, and again. */
static int enter_by_reopened(const struct world *world, const struct attempt *self)
{
	const int fd = open(proc_path(world->witness, "ns/uts").text, O_PATH);
	char name[64];
	int again;

	(void)self;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	again = fd < 0 ? -1 : open(name, O_RDONLY);
	return again < 0 ? -errno : outcome(syscall(SYS_setns, again, 0));
}

/* The child says that it is there, in a namespace that is not its parent's. */
static int say_where(long child)
{
	if (child == 0) {
		(void)!write(STDOUT_FILENO, MARKER_TEXT, sizeof(MARKER_TEXT) - 1);
		_exit(0);
	}
	return outcome(child < 0 ? child : waitpid((pid_t)child, NULL, 0));
}

static int clone_with(const struct world *world, const struct attempt *self)
{
	(void)world;
	return say_where(
		syscall(SYS_clone, (unsigned long)self->number | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int clone3_with(const struct world *world, const struct attempt *self)
{
	struct clone_args arguments = {.flags = (uint64_t)self->number, .exit_signal = SIGCHLD};

	(void)world;
	return say_where(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

#define OWN                                                                                    \
	.claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_namespace, \
	.make = unshare_one
#define FOREIGN \
	.claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_namespace
#define CLONED .claimed = BY_LAUNCH | BY_LSM, .evidence = RAN_MARKER

static const struct attempt attempts[] = {
	{"namespace-user", "unshare of the user namespace", OWN, .number = CLONE_NEWUSER,
	 .with = "ns/user"},
	{"namespace-mount", "unshare of the mount namespace", OWN, .number = CLONE_NEWNS,
	 .with = "ns/mnt"},
	{"namespace-net", "unshare of the network namespace", OWN, .number = CLONE_NEWNET,
	 .with = "ns/net"},
	{"namespace-pid", "unshare of the PID namespace", OWN, .number = CLONE_NEWPID,
	 .with = "ns/pid_for_children"},
	{"namespace-cgroup", "unshare of the cgroup namespace", OWN, .number = CLONE_NEWCGROUP,
	 .with = "ns/cgroup"},
	{"namespace-ipc", "unshare of the IPC namespace", OWN, .number = CLONE_NEWIPC,
	 .with = "ns/ipc"},
	{"namespace-uts", "unshare of the UTS namespace", OWN, .number = CLONE_NEWUTS,
	 .with = "ns/uts"},
	{"namespace-time", "unshare of the time namespace", OWN, .number = CLONE_NEWTIME,
	 .with = "ns/time_for_children"},
	{"namespace-enter-net", "setns to the network of a process outside", FOREIGN,
	 .make = enter_of_witness, .with = "ns/net"},
	{"namespace-enter-mount", "setns to the mounts of a process outside", FOREIGN,
	 .make = enter_of_witness, .with = "ns/mnt"},
	{"namespace-enter-cgroup", "setns to the cgroup namespace of a process outside", FOREIGN,
	 .make = enter_of_witness, .with = "ns/cgroup"},
	{"namespace-enter-pidfd", "setns by a pidfd", FOREIGN, .make = enter_by_pidfd,
	 .number = CLONE_NEWNET, .with = "ns/net"},
	{"namespace-enter-reopen", "setns by a descriptor that was opened again", FOREIGN,
	 .make = enter_by_reopened, .with = "ns/uts"},
	{"namespace-clone-user", "clone with CLONE_NEWUSER", CLONED, .make = clone_with,
	 .number = CLONE_NEWUSER},
	{"namespace-clone3-user", "clone3 with CLONE_NEWUSER", CLONED, .make = clone3_with,
	 .number = CLONE_NEWUSER},
	{"namespace-clone3-all", "clone3 with all of them", CLONED, .make = clone3_with,
	 .number = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET},
};
const struct group namespaces_group = {attempts, ARRAY_SIZE(attempts)};
