// SPDX-License-Identifier: Apache-2.0
#include "kernel/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "kernel/cgroup.h"

/* Linux 6.9: a thread that does not lead its process. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
/* More is no agent but an attempt to keep the daemon busy. */
#define HOLDERS_MAX (1U << 21)
#define SPACES_MAX  4096

/* ---- cgroups and their processes ---- */

/* A number a line; -errno. */
static int each_line(const char *folder, const char *name, int (*visit)(pid_t pid, void *context),
		     void *context)
{
	char path[PATH_MAX];
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	int result = 0;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	errno = 0;
	while (result == 0 && getline(&line, &room, file) > 0)
		result = visit((pid_t)strtol(line, NULL, 10), context);
	if (result < 0)
		return result;
	return ferror(file) ? -errno : 0;
}

/* A threaded cgroup's processes are told as threads alone (cgroups(7): EOPNOTSUPP). One that has
 * gone has none. */
static int each_process_in(const char *folder, int (*visit)(pid_t pid, void *context),
			   void *context)
{
	int result = each_line(folder, "cgroup.procs", visit, context);

	if (result == -EOPNOTSUPP)
		result = each_line(folder, "cgroup.threads", visit, context);
	return result == -ENOENT || result == -ENODEV ? 0 : result;
}

static int each_cgroup(const struct socket_scope *scope,
		       int (*visit)(const char *folder, uint64_t cgroup, void *context),
		       void *context)
{
	char *roots[] = {(char *)(uintptr_t)scope->cgroup_path, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	FTSENT *entry;
	struct error error;
	uint64_t cgroup;
	int result = 0;

	if (!walk)
		return -errno;
	while (result == 0 && (entry = fts_read(walk)) != NULL) {
		if (entry->fts_info != FTS_D || cgroup_id(entry->fts_path, &cgroup, &error) < 0)
			continue;
		if (entry->fts_level > 0 && scope->is_apart &&
		    scope->is_apart(cgroup, scope->context))
			(void)fts_set(walk, entry, FTS_SKIP);
		else
			result = visit(entry->fts_path, cgroup, context);
	}
	(void)fts_close(walk);
	return result;
}

struct process_visit {
	int (*visit)(pid_t pid, void *context);
	void *context;
};

static int visit_processes(const char *folder, uint64_t cgroup, void *context)
{
	const struct process_visit *each = context;

	(void)cgroup;
	return each_process_in(folder, each->visit, each->context);
}

int holders_each_process(const struct socket_scope *scope, int (*visit)(pid_t pid, void *context),
			 void *context)
{
	struct process_visit each = {visit, context};

	return each_cgroup(scope, visit_processes, &each);
}

/* ---- descriptors ---- */

static int add_holder(struct holders *holders, const struct holder *holder)
{
	struct holder *items;

	if (holders->count >= HOLDERS_MAX)
		return -E2BIG;
	items = array_reserve(holders->items, &holders->room, holders->count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	holders->items = items;
	items[holders->count++] = *holder;
	return 0;
}

/* What can't be opened has ended. */
static int scan_descriptors(struct holders *holders, pid_t pid, pid_t task)
{
	char path[64], link[64];
	DIR *directory;
	struct dirent *entry;
	int result = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", pid, task);
	directory = opendir(path);
	if (!directory)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	while (result == 0 && (entry = readdir(directory)) != NULL) {
		struct holder holder = {.pid = pid, .task = task};
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);

		if (length <= 0)
			continue;
		link[length] = '\0';
		if (sscanf(link, "socket:[%" SCNu32 "]", &holder.inode) != 1)
			continue;
		holder.descriptor = (int)strtol(entry->d_name, NULL, 10);
		result = add_holder(holders, &holder);
	}
	(void)closedir(directory);
	return result;
}

/* Where the kernel can't tell, they are looked at twice. */
static bool shares_descriptors(pid_t pid, pid_t task)
{
	return syscall(SYS_kcmp, pid, task, KCMP_FILES, 0UL, 0UL) == 0;
}

int holders_add_space(struct holders *holders, int fd)
{
	struct space *spaces;
	struct stat status;
	int result = 0;

	if (fstat(fd, &status) < 0)
		result = -errno;
	for (size_t i = 0; result == 0 && i < holders->space_count; i++)
		if (holders->spaces[i].inode == status.st_ino)
			result = 1;
	if (result == 0 && holders->space_count >= SPACES_MAX)
		result = -E2BIG;
	spaces = result ? NULL
			: array_reserve(holders->spaces, &holders->space_room, holders->space_count,
					sizeof(*spaces));
	if (spaces) {
		holders->spaces = spaces;
		spaces[holders->space_count++] =
			(struct space){.inode = status.st_ino, .fd = fd, .diag = -1};
		return 0;
	}
	(void)close(fd);
	if (result > 0)
		return 0;
	return result ? result : -ENOMEM;
}

/* A thread may have gone into another namespace by itself. */
static int scan_space(struct holders *holders, pid_t pid, pid_t task)
{
	char path[64];
	struct stat status;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/net", pid, task);
	if (stat(path, &status) < 0)
		return 0;
	for (size_t i = 0; i < holders->space_count; i++)
		if (holders->spaces[i].inode == status.st_ino)
			return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : 0;
	return holders_add_space(holders, fd);
}

static int scan_process(pid_t pid, void *context)
{
	struct holders *holders = context;
	char path[64];
	DIR *directory;
	struct dirent *entry;
	int result = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	if (!directory)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	while (result == 0 && (entry = readdir(directory)) != NULL) {
		pid_t task = (pid_t)strtol(entry->d_name, NULL, 10);

		if (task <= 0)
			continue;
		result = scan_space(holders, pid, task);
		if (result == 0 && (task == pid || !shares_descriptors(pid, task)))
			result = scan_descriptors(holders, pid, task);
	}
	(void)closedir(directory);
	return result;
}

static int scan_cgroup(const char *folder, uint64_t cgroup, void *context)
{
	struct holders *holders = context;
	uint64_t *cgroups = array_reserve(holders->cgroups, &holders->cgroup_room,
					  holders->cgroup_count, sizeof(*cgroups));

	if (!cgroups)
		return -ENOMEM;
	holders->cgroups = cgroups;
	cgroups[holders->cgroup_count++] = cgroup;
	return each_process_in(folder, scan_process, holders);
}

static int compare_cgroups(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int compare_holders(const void *a, const void *b)
{
	const struct holder *left = a, *right = b;

	return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static int add_own_space(struct holders *holders)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : holders_add_space(holders, fd);
}

int holders_find(const struct socket_scope *scope, struct holders *holders, struct error *error)
{
	int result;

	*holders = (struct holders){0};
	result = each_cgroup(scope, scan_cgroup, holders);
	if (result >= 0 && scope->here)
		result = add_own_space(holders);
	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result,
				       "cannot look at the processes of %s", scope->cgroup_path);
	if (holders->cgroup_count)
		qsort(holders->cgroups, holders->cgroup_count, sizeof(*holders->cgroups),
		      compare_cgroups);
	if (holders->count)
		qsort(holders->items, holders->count, sizeof(*holders->items), compare_holders);
	return 0;
}

void holders_free(struct holders *holders)
{
	for (size_t i = 0; i < holders->space_count; i++) {
		(void)close(holders->spaces[i].fd);
		if (holders->spaces[i].diag >= 0)
			(void)close(holders->spaces[i].diag);
	}
	free(holders->spaces);
	free(holders->items);
	free(holders->cgroups);
	*holders = (struct holders){0};
}

const struct holder *holders_of(const struct holders *holders, uint32_t inode)
{
	const struct holder key = {.inode = inode};

	return inode && holders->count
		       ? bsearch(&key, holders->items, holders->count, sizeof(key), compare_holders)
		       : NULL;
}

bool holders_have_cgroup(const struct holders *holders, uint64_t cgroup)
{
	return holders->cgroup_count && bsearch(&cgroup, holders->cgroups, holders->cgroup_count,
						sizeof(cgroup), compare_cgroups) != NULL;
}

int holder_take(const struct holder *holder)
{
	const unsigned flags = holder->task == holder->pid ? 0 : PIDFD_THREAD;
	_cleanup_close_ int process = (int)syscall(SYS_pidfd_open, holder->task, flags);
	int fd;

	if (process < 0)
		return -errno;
	fd = (int)syscall(SYS_pidfd_getfd, process, holder->descriptor, 0);
	return fd < 0 ? -errno : fd;
}
