// SPDX-License-Identifier: Apache-2.0
#include "policyd/violator.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/cgroup.h"
#include "policy/paths.h"

#define NS_PER_SECOND 1000000000ULL
/* The 22nd field of /proc/PID/stat (proc(5)), counted from behind the command's name. */
#define FIELDS_BEFORE_START 19
/* Numbers, and a name of 64 bytes at most. */
#define STAT_ROOM 2048

/* False where the process is gone. */
static bool read_start(pid_t pid, uint64_t *started)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[64], line[STAT_ROOM];
	const char *at;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file || !fgets(line, sizeof(line), file))
		return false;
	/* A command's name may hold whatever it likes. */
	at = strrchr(line, ')');
	for (int field = 0; at && field <= FIELDS_BEFORE_START; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, "%" SCNu64, started) == 1;
}

static bool is_in_cgroup(pid_t pid, const char *cgroup_path)
{
	char path[PATH_MAX];
	struct error error;

	return cgroup_of_pid(pid, path, &error) == 0 && path_is_below(cgroup_path, path);
}

bool violator_kill(const struct errand *errand, const char *cgroup_path, struct violator *last)
{
	struct violator violator = {.pid = (pid_t)errand->pid};
	const uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	/* First: what is read of its number afterwards is this process's, or the signal goes to
	 * nobody. */
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, violator.pid, 0U);

	if (fd < 0 || !is_in_cgroup(violator.pid, cgroup_path) ||
	    !read_start(violator.pid, &violator.started))
		return false;
	/* The number is another process's by now: errands wait while nobody reads them. */
	if (violator.started > errand->time_ns / (NS_PER_SECOND / ticks))
		return false;
	if (violator.pid == last->pid && violator.started == last->started)
		return false;
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0U) < 0)
		return false;
	*last = violator;
	return true;
}
