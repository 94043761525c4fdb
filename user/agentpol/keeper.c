// SPDX-License-Identifier: Apache-2.0
#include "agentpol/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/enforcer.h"
#include "kernel/sockets.h"

#define END_TIMEOUT_MS 5000
#define DONE	       'd'
#define LOCK_TRIES     100

static void end_run(const char *cgroup, const char *pins)
{
	struct error error;

	/* The processes first, then what they left, the policy after them. */
	if (cgroup_empty(cgroup, END_TIMEOUT_MS) < 0)
		return;
	sockets_destroy_left(cgroup);
	if (cgroup_end(cgroup, END_TIMEOUT_MS) == 0 && pins)
		(void)!enforcer_unpin_all(pins, &error);
}

static void forget_lock(const char *name)
{
	struct error error;
	char path[PATH_MAX];

	if (file_path(path, &error, "%s/%s", RUN_LOCKS, name) == 0)
		(void)unlink(path);
}

static void keep(int fd, int lock, const struct run_place *place)
{
	char word = 0;
	int null;

	/* Out of reach of the terminal's signals, and holding nobody's pipe open. */
	(void)setsid();
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_IGN);
	(void)prctl(PR_SET_NAME, "agentpol-keeper", 0, 0, 0);
	null = open("/dev/null", O_RDWR);
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		(void)dup2(null, i);
	/* Both above what is closed next, then in their places. */
	fd = fcntl(fd, F_DUPFD, 16);
	lock = fcntl(lock, F_DUPFD, 16);
	(void)dup2(fd, 3);
	(void)dup2(lock, 4);
	(void)syscall(SYS_close_range, 5U, ~0U, 0U);
	while (read(3, &word, 1) < 0 && errno == EINTR)
		;
	if (word != DONE) {
		end_run(place->cgroup, place->pins);
		forget_lock(place->name);
	}
	_exit(0);
}

/* A lock file that was removed meanwhile is nobody's lock. */
static bool is_at(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* The descriptor stays open, and with it the lock, until the process ends. */
static int take_lock(const char *name, struct error *error)
{
	char path[PATH_MAX];
	int fd;

	if (file_make_directories(RUN_LOCKS, 0700, error) < 0 ||
	    file_path(path, error, "%s/%s", RUN_LOCKS, name) < 0)
		return -1;
	/* A sweeper that came between open and lock took the file for one that was left, and
	 * removes it under its lock: then it is made anew. */
	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) < 0)
			break;
		if (is_at(fd, path))
			return fd;
		(void)close(fd);
	}
	return error_set_errno(error, STATUS_SYSTEM, errno, "lock %s", path);
}

int keeper_start(const struct run_place *place, struct error *error)
{
	int pipes[2], lock = take_lock(place->name, error);
	pid_t child;

	if (lock < 0)
		return -1;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "pipe");
	child = fork();
	if (child == 0) {
		(void)close(pipes[1]);
		keep(pipes[0], lock, place);
	}
	(void)close(pipes[0]);
	if (child < 0) {
		(void)close(pipes[1]);
		return error_set_errno(error, STATUS_SYSTEM, errno, "fork");
	}
	return pipes[1];
}

void keeper_dismiss(int fd, const char *name)
{
	const char word = DONE;

	if (fd < 0)
		return;
	forget_lock(name);
	(void)!write(fd, &word, 1);
	(void)close(fd);
}

static void sweep_one(const char *name, const char *cgroup_folder, const char *pin_folder)
{
	char lock[PATH_MAX], cgroup[PATH_MAX], pins[PATH_MAX];
	_cleanup_close_ int fd = -1;
	struct error error;

	if (file_path(lock, &error, "%s/%s", RUN_LOCKS, name) < 0 ||
	    file_path(cgroup, &error, "%s/%s", cgroup_folder, name) < 0 ||
	    file_path(pins, &error, "%s/%s", pin_folder, name) < 0)
		return;
	/* Held until the end: nobody begins what is being ended. One that is no more at its place
	 * was another sweeper's, and a run may have begun under a new one. */
	fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_at(fd, lock))
		return;
	end_run(cgroup, pins);
	(void)unlink(lock);
}

void keeper_sweep(const char *cgroup_folder, const char *pin_folder)
{
	DIR *directory = opendir(RUN_LOCKS);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			sweep_one(entry->d_name, cgroup_folder, pin_folder);
	(void)closedir(directory);
}
