// SPDX-License-Identifier: Apache-2.0
/* Being somebody else's child: what a process starts stays policed, however it is started, and
 * however short it lives. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD	    200
#define STACK_BYTES 65536

/* What the last one tries: a file rule, or a system call. */
static int try_one(const struct world *world, bool by_mount)
{
	if (by_mount && mount(at(world, "secret/file").text, at(world, "granted/file").text, NULL,
			      MS_BIND, NULL) < 0)
		return -errno;
	return tell_file(at(world, by_mount ? "granted/file" : "secret/file").text);
}

static int wait_for_end(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -errno;
	return -WEXITSTATUS(status);
}

/* The orphan belongs to whoever collects orphans; the pipe ends with it. */
static int be_orphan(const struct world *world, const struct attempt *self)
{
	int ends[2], result = 0;
	pid_t child;

	if (pipe(ends) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		if (setsid() < 0 || fork() != 0)
			_exit(0);
		while (getppid() == child)
			(void)sched_yield();
		result = try_one(world, self->number != 0);
		(void)!write(ends[1], &result, sizeof(result));
		_exit(0);
	}
	(void)close(ends[1]);
	(void)wait_for_end(child);
	(void)!read(ends[0], &result, sizeof(result));
	return result;
}

static int be_daemon(const struct world *world, const struct attempt *self)
{
	pid_t child = fork();

	if (child == 0) {
		(void)setsid();
		(void)setpgid(0, 0);
		_exit(-try_one(world, self->number != 0));
	}
	return wait_for_end(child);
}

static int be_child_of_vfork(const struct world *world, const struct attempt *self)
{
	const pid_t child = vfork();

	if (child == 0)
		_exit(-try_one(world, self->number != 0));
	return wait_for_end(child);
}

struct task {
	const struct world *world;
	bool by_mount;
	int result;
};

static int run_task(void *argument)
{
	struct task *task = argument;

	task->result = try_one(task->world, task->by_mount);
	return 0;
}

static int clone_task(const struct world *world, const struct attempt *self, int flags)
{
	struct task task = {world, self->number != 0, 0};
	char *stack = malloc(STACK_BYTES);
	pid_t child;

	if (!stack)
		return -ENOMEM;
	child = clone(run_task, stack + STACK_BYTES, flags, &task);
	if (child < 0 || waitpid(child, NULL, __WALL) < 0)
		task.result = -errno;
	free(stack);
	return task.result;
}

/* No signal for its end, so that nobody waits for it by chance. */
static int be_silent_clone(const struct world *world, const struct attempt *self)
{
	return clone_task(world, self, CLONE_VM | CLONE_FILES | CLONE_FS);
}

static void *run_thread(void *argument)
{
	(void)run_task(argument);
	return NULL;
}

static int be_thread(const struct world *world, const struct attempt *self)
{
	struct task task = {world, self->number != 0, 0};
	pthread_t thread;
	const int failure = pthread_create(&thread, NULL, run_thread, &task);

	if (failure)
		return -failure;
	(void)pthread_join(thread, NULL);
	return task.result;
}

/* Many at once, each for a moment. */
static int flood(const struct world *world, const struct attempt *self)
{
	int last = 0;

	for (int i = 0; i < FLOOD; i++) {
		const pid_t child = fork();

		if (child == 0)
			_exit(-try_one(world, self->number != 0));
		if (child < 0)
			return -errno;
	}
	for (int i = 0; i < FLOOD; i++) {
		int status = 0;

		if (wait(&status) > 0)
			last = -WEXITSTATUS(status);
	}
	return last;
}

/* A chain of generations, of which each ends before the next one is of age. */
static int be_descendant(const struct world *world, const struct attempt *self)
{
	int ends[2], result = 0;

	if (pipe(ends) < 0)
		return -errno;
	if (fork() == 0) {
		for (int generation = 0; generation < 20; generation++)
			if (fork() != 0)
				_exit(0);
		result = try_one(world, self->number != 0);
		(void)!write(ends[1], &result, sizeof(result));
		_exit(0);
	}
	(void)close(ends[1]);
	(void)!read(ends[0], &result, sizeof(result));
	return result;
}

#define READING	 .claimed = BY_LANDLOCK | BY_LSM, .evidence = SAID_TOKEN
#define MOUNTING .claimed = BY_LAUNCH | BY_LSM, .evidence = SAID_TOKEN, .number = 1

static const struct attempt attempts[] = {
	{"orphan-reads", "an orphan reads what is not granted", READING, .make = be_orphan},
	{"orphan-mounts", "an orphan mounts", MOUNTING, .make = be_orphan},
	{"daemon-reads", "a session of its own reads", READING, .make = be_daemon},
	{"daemon-mounts", "a session of its own mounts", MOUNTING, .make = be_daemon},
	{"vfork-reads", "a child of vfork reads", READING, .make = be_child_of_vfork},
	{"vfork-mounts", "a child of vfork mounts", MOUNTING, .make = be_child_of_vfork},
	{"clone-reads", "a child that shares its memory reads", READING, .make = be_silent_clone},
	{"clone-mounts", "a child that shares its memory mounts", MOUNTING,
	 .make = be_silent_clone},
	{"thread-reads", "a thread reads", READING, .make = be_thread},
	{"thread-mounts", "a thread mounts", MOUNTING, .make = be_thread},
	{"descendant-reads", "the twentieth generation reads", READING, .make = be_descendant},
	{"descendant-mounts", "the twentieth generation mounts", MOUNTING, .make = be_descendant},
	{"flood-reads", "200 processes read, each for a moment", READING, .make = flood},
	{"flood-mounts", "200 processes mount, each for a moment", MOUNTING, .make = flood},
};
const struct group lineage_group = {attempts, ARRAY_SIZE(attempts)};
