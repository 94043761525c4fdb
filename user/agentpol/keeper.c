// SPDX-License-Identifier: Apache-2.0
#include "agentpol/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "kernel/cgroup.h"
#include "kernel/enforcer.h"

#define END_TIMEOUT_MS 5000
#define DONE	       'd'

static void end_run(const char *cgroup, const char *pins)
{
	struct error error;

	/* The processes first, the policy after them. */
	if (cgroup_end(cgroup, END_TIMEOUT_MS) == 0 && pins)
		(void)!enforcer_unpin_all(pins, &error);
}

static void keep(int fd, const char *cgroup, const char *pins)
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
	if (fd != 3)
		(void)dup2(fd, 3);
	(void)syscall(SYS_close_range, 4U, ~0U, 0U);
	while (read(3, &word, 1) < 0 && errno == EINTR)
		;
	if (word != DONE)
		end_run(cgroup, pins);
	_exit(0);
}

int keeper_start(const char *cgroup, const char *pins, struct error *error)
{
	int pipes[2];
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "pipe");
	child = fork();
	if (child == 0) {
		(void)close(pipes[1]);
		keep(pipes[0], cgroup, pins);
	}
	(void)close(pipes[0]);
	if (child < 0) {
		(void)close(pipes[1]);
		return error_set_errno(error, STATUS_SYSTEM, errno, "fork");
	}
	return pipes[1];
}

void keeper_dismiss(int fd)
{
	const char word = DONE;

	if (fd < 0)
		return;
	(void)!write(fd, &word, 1);
	(void)close(fd);
}

/* The process in NAME-PID is gone. */
static bool is_left_over(const char *name)
{
	const char *dash = strrchr(name, '-');
	char *end;
	long pid;

	if (!dash)
		return false;
	pid = strtol(dash + 1, &end, 10);
	return *end == '\0' && pid > 0 && pid <= INT_MAX && kill((pid_t)pid, 0) < 0 &&
	       errno == ESRCH;
}

static void sweep_folder(const char *folder, const char *cgroup_folder, const char *pin_folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)) != NULL) {
		char cgroup[PATH_MAX], pins[PATH_MAX];

		if (!is_left_over(entry->d_name))
			continue;
		if (snprintf(cgroup, sizeof(cgroup), "%s/%s", cgroup_folder, entry->d_name) >=
			    (int)sizeof(cgroup) ||
		    snprintf(pins, sizeof(pins), "%s/%s", pin_folder, entry->d_name) >=
			    (int)sizeof(pins))
			continue;
		end_run(cgroup, pins);
	}
	(void)closedir(directory);
}

void keeper_sweep(const char *cgroup_folder, const char *pin_folder)
{
	sweep_folder(cgroup_folder, cgroup_folder, pin_folder);
	sweep_folder(pin_folder, cgroup_folder, pin_folder);
}
