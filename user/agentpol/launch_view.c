// SPDX-License-Identifier: Apache-2.0
/* What the command sees of the file system: a mount namespace of its own. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "agentpol/launch_internal.h"
#include "base/file.h"
#include "compile/places.h"

/* File systems that are the kernel's control panel. */
static const char *const read_only_types[] = {
	"cgroup",     "cgroup2",  "proc",   "sysfs",	"debugfs", "tracefs",
	"securityfs", "configfs", "pstore", "efivarfs", "fusectl",
};

static int make_read_only(const char *point)
{
	return mount(NULL, point, NULL,
		     MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int protect_places(struct failure *failure)
{
	for (size_t i = 0; i < read_only_place_count; i++) {
		const char *place = read_only_places[i];

		if (access(place, F_OK) < 0)
			continue;
		if (mount(place, place, NULL, MS_BIND, NULL) < 0 || make_read_only(place) < 0)
			return launch_failed(failure, place);
	}
	return 0;
}

/* "..., - TYPE SOURCE OPTIONS" of a line of mountinfo, see proc(5). */
static bool is_read_only_type(const char *line)
{
	const char *type = strstr(line, " - ");

	for (size_t i = 0; type && i < ARRAY_SIZE(read_only_types); i++) {
		size_t length = strlen(read_only_types[i]);

		if (strncmp(type + 3, read_only_types[i], length) == 0 && type[3 + length] == ' ')
			return true;
	}
	return false;
}

/* Wherever they are mounted: moving oneself out of a cgroup, for one, is a write. */
static int protect_file_systems(struct failure *failure)
{
	_cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (!mounts)
		return launch_failed(failure, "/proc/self/mountinfo");
	while (getline(&line, &room, mounts) > 0) {
		char point[PATH_MAX];

		if (!is_read_only_type(line) || sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		file_decode_mount_path(point);
		/* The one that programs need; its dangerous parts are read-only already. */
		if (strcmp(point, "/proc") == 0)
			continue;
		/* One that another mount covers can't be named, and not be reached either. */
		if (make_read_only(point) < 0 && errno != EINVAL)
			return launch_failed(failure, point);
	}
	return 0;
}

/* A folder becomes an empty one that cannot be opened, a file or a socket becomes nothing. */
static int hide(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (S_ISDIR(status.st_mode))
		return mount("agentpol", path, "tmpfs",
			     MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0000,size=4k");
	/* Without devices: opening it is refused, so that nobody takes it for an empty file. */
	if (mount("/dev/null", path, NULL, MS_BIND, NULL) < 0)
		return -1;
	return make_read_only(path);
}

static int hide_places(const struct launch *launch, struct failure *failure)
{
	struct error ignored;

	for (size_t i = 0; i < hidden_place_count; i++) {
		if (hidden_places[i].make)
			(void)!file_make_directories(hidden_places[i].path, 0700, &ignored);
		if (hide(hidden_places[i].path) < 0)
			return launch_failed(failure, hidden_places[i].path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(launch->hidden); i++)
		if (launch->hidden[i] && hide(launch->hidden[i]) < 0)
			return launch_failed(failure, launch->hidden[i]);
	return 0;
}

static int hide_denied(const struct launch_files *files, struct failure *failure)
{
	for (size_t i = 0; i < files->hidden_count; i++)
		if (hide(files->hidden[i]) < 0)
			return launch_failed(failure, files->hidden[i]);
	return 0;
}

int launch_make_view(const struct launch *launch, struct failure *failure)
{
	_cleanup_free_ char *here = getcwd(NULL, 0);

	/* What the host mounts later is seen; what is done here is not seen outside. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return launch_failed(failure, "a mount namespace of its own");
	if (hide_places(launch, failure) < 0 || protect_places(failure) < 0 ||
	    protect_file_systems(failure) < 0)
		return -1;
	if (launch->files && hide_denied(launch->files, failure) < 0)
		return -1;
	/* The working directory still leads below what was just mounted: walk there again. */
	if ((!here || chdir(here) < 0) && chdir("/") < 0)
		return launch_failed(failure, "/");
	return 0;
}
