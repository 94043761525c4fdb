// SPDX-License-Identifier: Apache-2.0
#include "kernel/cgroup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"

#define CONTAINER_ID_LENGTH 64
#define CONTAINER_ID_SHORT  12
#define WAIT_MS		    2

int cgroup_find_mount(char *path, struct error *error)
{
	_cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (!mounts)
		return error_set_errno(error, STATUS_SYSTEM, errno, "/proc/self/mountinfo");
	/* proc(5): "36 35 98:0 ROOT MOUNTPOINT OPTIONS ... - TYPE SOURCE OPTIONS" */
	while (getline(&line, &room, mounts) > 0) {
		const char *type = strstr(line, " - ");
		char point[PATH_MAX];

		if (!type || strncmp(type + 3, "cgroup2 ", 8) != 0)
			continue;
		if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		file_decode_mount_path(point);
		(void)snprintf(path, PATH_MAX, "%s", point);
		return 0;
	}
	return error_set(error, STATUS_SYSTEM,
			 "no cgroup2 file system is mounted here; mount it: "
			 "mount -t cgroup2 none /sys/fs/cgroup");
}

static int join_path(char *path, const char *folder, const char *name, struct error *error)
{
	if (snprintf(path, PATH_MAX, "%s%s%s", folder, name[0] == '/' ? "" : "/", name) >= PATH_MAX)
		return error_set(error, STATUS_UNUSABLE, "%s: path too long", name);
	/* The root's own path is "MOUNT/". */
	size_t length = strlen(path);

	if (length > 1 && path[length - 1] == '/')
		path[length - 1] = '\0';
	return 0;
}

int cgroup_of_pid(pid_t pid, char *path, struct error *error)
{
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	char name[64], mount[PATH_MAX];
	size_t room = 0;

	(void)snprintf(name, sizeof(name), "/proc/%ld/cgroup", (long)pid);
	file = fopen(name, "re");
	if (!file)
		return error_set(error, STATUS_UNUSABLE, "no process %ld", (long)pid);
	while (getline(&line, &room, file) > 0) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (cgroup_find_mount(mount, error) < 0)
			return -1;
		return join_path(path, mount, line + 3, error);
	}
	return error_set(error, STATUS_SYSTEM, "process %ld is in no cgroup v2", (long)pid);
}

int cgroup_resolve(const char *written, char *path, struct error *error)
{
	char mount[PATH_MAX], wanted[PATH_MAX];
	struct stat status;
	size_t length;

	if (cgroup_find_mount(mount, error) < 0)
		return -1;
	length = strlen(mount);
	if (strncmp(written, mount, length) == 0 &&
	    (written[length] == '/' || written[length] == '\0'))
		(void)snprintf(wanted, sizeof(wanted), "%s", written);
	else if (join_path(wanted, mount, written, error) < 0)
		return -1;
	if (!realpath(wanted, path))
		return error_set_errno(error, STATUS_UNUSABLE, errno, "no cgroup %s", wanted);
	if (strncmp(path, mount, length) != 0 || stat(path, &status) < 0 ||
	    !S_ISDIR(status.st_mode))
		return error_set(error, STATUS_UNUSABLE, "%s is no cgroup below %s", written,
				 mount);
	return 0;
}

/* "ID", "docker-ID.scope", "NAME.service": the name as a whole word, or as the start of an id. */
static bool folder_is_named(const char *folder, const char *name)
{
	size_t length = strlen(name);
	const char *at = strstr(folder, name);

	if (!at || (at != folder && at[-1] != '-'))
		return false;
	if (at[length] == '\0' || at[length] == '.')
		return true;
	return length >= CONTAINER_ID_SHORT && isxdigit((unsigned char)at[length]);
}

int cgroup_find_named(const char *name, char *path, struct error *error)
{
	char mount[PATH_MAX];
	char *roots[] = {mount, NULL};
	FTS *walk;
	FTSENT *entry;
	size_t found = 0;

	if (!name[0] || strchr(name, '/'))
		return error_set(error, STATUS_UNUSABLE, "\"%s\" names no container or unit", name);
	if (cgroup_find_mount(mount, error) < 0)
		return -1;
	walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	if (!walk)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s", mount);
	while ((entry = fts_read(walk)) != NULL) {
		if (entry->fts_info != FTS_D || !folder_is_named(entry->fts_name, name))
			continue;
		/* What is below (an init scope of the container's own) is in it already. */
		(void)fts_set(walk, entry, FTS_SKIP);
		(void)snprintf(path, PATH_MAX, "%s", entry->fts_path);
		found++;
	}
	(void)fts_close(walk);
	if (found == 1)
		return 0;
	return error_set(error, STATUS_UNUSABLE,
			 found ? "%s names more than one cgroup; give its whole id"
			       : "no cgroup belongs to %s; is it running?",
			 name);
}

int cgroup_id(const char *path, uint64_t *id, struct error *error)
{
	struct {
		struct file_handle handle;
		uint64_t id;
	} result = {.handle.handle_bytes = sizeof(uint64_t)};
	int mount;

	/* kernfs gives its 64-bit node id as the handle: that is the cgroup's id. */
	if (name_to_handle_at(AT_FDCWD, path, &result.handle, &mount, 0) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "cgroup %s", path);
	memcpy(id, result.handle.f_handle, sizeof(*id));
	return 0;
}

unsigned cgroup_level(const char *mount, const char *path)
{
	unsigned level = 0;
	size_t length = strlen(mount);

	if (strlen(path) <= length)
		return 0;
	for (const char *at = path + length; *at; at++)
		if (*at == '/' && at[1] != '\0')
			level++;
	return level;
}

bool cgroup_container_id(const char *path, char id[65])
{
	size_t run = 0;

	for (const char *at = path;; at++) {
		if (isxdigit((unsigned char)*at)) {
			run++;
			continue;
		}
		if (run == CONTAINER_ID_LENGTH) {
			memcpy(id, at - CONTAINER_ID_LENGTH, CONTAINER_ID_LENGTH);
			id[CONTAINER_ID_LENGTH] = '\0';
			return true;
		}
		run = 0;
		if (*at == '\0')
			return false;
	}
}

int cgroup_create(const char *path, struct error *error)
{
	if (file_make_directories(path, 0755, error) < 0)
		return error_wrap(error, "cannot make cgroup %s", path);
	return 0;
}

static int write_file(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	_cleanup_close_ int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return file_write_fd(fd, text, strlen(text));
}

int cgroup_join(const char *path, struct error *error)
{
	int result = write_file(path, "cgroup.procs", "0");

	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result, "cannot enter cgroup %s",
				       path);
	return 0;
}

int cgroup_open_door(const char *path, struct error *error)
{
	char name[PATH_MAX];
	int fd;

	if (file_path(name, error, "%s/cgroup.procs", path) < 0)
		return -1;
	fd = open(name, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? error_set_errno(error, STATUS_SYSTEM, errno, "cannot enter cgroup %s", path)
		      : fd;
}

int cgroup_enter(int door)
{
	return write(door, "0", 1) == 1 ? 0 : -errno;
}

bool cgroup_is_populated(const char *path)
{
	char name[PATH_MAX], text[256];
	_cleanup_close_ int fd = -1;
	ssize_t got;

	if (snprintf(name, sizeof(name), "%s/cgroup.events", path) >= (int)sizeof(name))
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT; /* what can't be seen is not taken for empty */
	got = read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return got < 0 && errno != ENODEV;
	text[got] = '\0';
	return strstr(text, "populated 1") != NULL;
}

/* Walks the cgroup and all below it, each folder after what is in it. */
static void each_folder(const char *path, void (*visit)(const char *folder, void *context),
			void *context)
{
	char *roots[] = {(char *)(uintptr_t)path, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	FTSENT *entry;

	if (!walk)
		return;
	while ((entry = fts_read(walk)) != NULL)
		if (entry->fts_info == FTS_DP)
			visit(entry->fts_path, context);
	(void)fts_close(walk);
}

static void count_lines(const char *folder, void *context)
{
	char name[PATH_MAX];
	_cleanup_fclose_ FILE *file = NULL;
	size_t *count = context;
	int byte;

	if (snprintf(name, sizeof(name), "%s/cgroup.procs", folder) >= (int)sizeof(name))
		return;
	file = fopen(name, "re");
	if (!file)
		return;
	while ((byte = getc(file)) != EOF)
		*count += byte == '\n';
}

size_t cgroup_count_processes(const char *path)
{
	size_t count = 0;

	each_folder(path, count_lines, &count);
	return count;
}

static void find_process(const char *folder, void *context)
{
	char name[PATH_MAX];
	_cleanup_fclose_ FILE *file = NULL;
	long *found = context;

	if (*found > 0 ||
	    snprintf(name, sizeof(name), "%s/cgroup.procs", folder) >= (int)sizeof(name))
		return;
	file = fopen(name, "re");
	/* 0 is a process of another PID namespace. */
	while (file && *found <= 0 && fscanf(file, "%ld", found) == 1)
		;
}

pid_t cgroup_first_process(const char *path)
{
	long found = 0;

	each_folder(path, find_process, &found);
	return (pid_t)found;
}

static void remove_folder(const char *folder, void *context)
{
	int *result = context;

	if (rmdir(folder) < 0 && errno != ENOENT)
		*result = -errno;
}

static void wait_a_little(void)
{
	const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};

	(void)nanosleep(&pause, NULL);
}

int cgroup_empty(const char *path, int timeout_ms)
{
	int result;

	if (access(path, F_OK) < 0)
		return 0;
	/* Linux before 5.14 has no cgroup.kill: then only what is empty ends. */
	result = write_file(path, "cgroup.kill", "1");
	if (result < 0 && result != -ENODEV && result != -ENOENT)
		return result;
	for (int waited = 0; cgroup_is_populated(path); waited += WAIT_MS) {
		if (waited > timeout_ms)
			return -ETIMEDOUT;
		wait_a_little();
	}
	return 0;
}

int cgroup_end(const char *path, int timeout_ms)
{
	int result = cgroup_empty(path, timeout_ms);

	/* A task that has ended holds its cgroup a moment longer: EBUSY. */
	for (int waited = 0; result == 0 && access(path, F_OK) == 0; waited += WAIT_MS) {
		each_folder(path, remove_folder, &result);
		if (result != -EBUSY || waited > timeout_ms)
			return result;
		result = 0;
		wait_a_little();
	}
	return result;
}
