// SPDX-License-Identifier: Apache-2.0
/* Leaving the cgroup, and doing something to another one: its files, whatever path leads to them.
 */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_US 50000

static struct path foreign_file(const struct world *world, const char *before, const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s%s/%s", before, world->foreign, name);
	return path;
}

static int join(const struct world *world, const struct attempt *self)
{
	return write_text(foreign_file(world, "", self->with).text, 0, "0");
}

static int join_top(const struct world *world, const struct attempt *self)
{
	char path[2 * PLACE_ROOM];

	(void)self;
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", world->cgroups);
	return write_text(path, 0, "0");
}

static int join_by_root(const struct world *world, const struct attempt *self)
{
	return write_text(
		foreign_file(world,
			     self->number ? proc_path(world->witness, "root").text : self->with,
			     "cgroup.procs")
			.text,
		0, "0");
}

static int join_by_path_fd(const struct world *world, const struct attempt *self)
{
	const int folder = open(world->foreign, O_PATH | O_DIRECTORY);
	const int fd = openat(folder, "cgroup.procs", O_WRONLY);

	(void)self;
	return folder < 0 || fd < 0 ? -errno : outcome(write(fd, "0", 1));
}

static int join_by_symlink(const struct world *world, const struct attempt *self)
{
	const struct path link = at(world, "granted/link");

	(void)self;
	if (symlink(foreign_file(world, "", "cgroup.procs").text, link.text) < 0)
		return -errno;
	return write_text(link.text, 0, "0");
}

static int join_by_own_mount(const struct world *world, const struct attempt *self)
{
	struct path path;

	(void)self;
	if (mount("breach", at(world, "granted").text, "cgroup2", 0, NULL) < 0)
		return -errno;
	(void)snprintf(path.text, sizeof(path.text), "%s/granted%s/cgroup.procs", world->root,
		       world->foreign + strlen(world->cgroups));
	return write_text(path.text, 0, "0");
}

static int start_there(const struct world *world, const struct attempt *self)
{
	const int folder = open(world->foreign, O_RDONLY | O_DIRECTORY);
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned)folder};
	long child;

	(void)self;
	if (folder < 0)
		return -errno;
	child = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (child == 0)
		for (;;)
			(void)pause();
	return outcome(child);
}

static int pull_witness(const struct world *world, const struct attempt *self)
{
	char path[2 * PLACE_ROOM], number[16];

	(void)self;
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", world->cgroups);
	(void)snprintf(number, sizeof(number), "%d", (int)world->witness);
	return write_text(path, 0, number);
}

static int write_foreign(const struct world *world, const struct attempt *self)
{
	return write_text(foreign_file(world, "", self->with).text, 0, self->number ? "7" : "1");
}

static void thaw(const struct world *world)
{
	(void)write_text(foreign_file(world, "", "cgroup.freeze").text, 0, "0");
	(void)write_text(foreign_file(world, "", "cgroup.max.descendants").text, 0, "max");
}

static int make_below_foreign(const struct world *world, const struct attempt *self)
{
	return outcome(mkdir(foreign_file(world, "", self->with).text, 0755));
}

static int make_at_top(const struct world *world, const struct attempt *self)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s-%s", world->cgroups, self->with,
		       world->token);
	return outcome(mkdir(path.text, 0755));
}

static void describe_top(struct text *out, const struct world *world, pid_t child, const char *with)
{
	struct path path;

	(void)child;
	(void)snprintf(path.text, sizeof(path.text), "%s/%s-%s", world->cgroups, with,
		       world->token);
	text_put(out, "%d\n", access(path.text, F_OK));
}

/* It takes the kernel a moment. */
static void describe_life(struct text *out, const struct world *world, pid_t child,
			  const char *with)
{
	siginfo_t ended = {0};

	(void)child;
	(void)with;
	(void)usleep(KILL_US);
	(void)waitid(P_PID, (id_t)world->witness, &ended, WEXITED | WNOHANG | WNOWAIT);
	text_put(out, "%d\n", ended.si_pid != 0);
}

static void remove_made(const struct world *world)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/made-%s", world->cgroups, world->token);
	(void)rmdir(path.text);
	(void)rmdir(foreign_file(world, "", "made").text);
}

#define EVERYWHERE .claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE
#define LEAVING	   EVERYWHERE, .describe = describe_membership
#define REACHING   EVERYWHERE, .describe = describe_cgroup

static const struct attempt attempts[] = {
	{"cgroup-join", "a write to another's cgroup.procs", LEAVING, .make = join,
	 .with = "cgroup.procs"},
	{"cgroup-join-top", "a write to cgroup.procs of the top", LEAVING, .make = join_top},
	{"cgroup-join-own-root", "the same by /proc/self/root", LEAVING, .make = join_by_root,
	 .with = "/proc/self/root"},
	{"cgroup-join-witness-root", "the same by the root of a process outside", LEAVING,
	 .make = join_by_root, .number = 1},
	{"cgroup-join-path-fd", "the same below a folder opened by O_PATH", LEAVING,
	 .make = join_by_path_fd},
	{"cgroup-join-symlink", "the same by a symbolic link", LEAVING, .make = join_by_symlink},
	{"cgroup-join-mount", "the same below a mount of one's own", LEAVING,
	 .make = join_by_own_mount},
	{"cgroup-start-there", "CLONE_INTO_CGROUP", REACHING, .make = start_there},
	{"cgroup-pull", "a process outside is moved", REACHING, .make = pull_witness},
	{"cgroup-freeze", "another's cgroup.freeze", REACHING, .make = write_foreign,
	 .with = "cgroup.freeze", .undo = thaw},
	{"cgroup-kill", "another's cgroup.kill", EVERYWHERE, .describe = describe_life,
	 .make = write_foreign, .with = "cgroup.kill"},
	{"cgroup-limit", "another's cgroup.max.descendants", REACHING, .make = write_foreign,
	 .with = "cgroup.max.descendants", .number = 7, .undo = thaw},
	{"cgroup-make-below", "a cgroup below another's", REACHING, .make = make_below_foreign,
	 .with = "made", .undo = remove_made},
	{"cgroup-make", "a cgroup at the top", EVERYWHERE, .describe = describe_top,
	 .make = make_at_top, .with = "made", .undo = remove_made},
};
const struct group cgroups_group = {attempts, ARRAY_SIZE(attempts)};
