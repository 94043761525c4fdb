// SPDX-License-Identifier: Apache-2.0
#include "kernel/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

#define SECURITY "/sys/kernel/security/"

/* Where nobody has mounted securityfs (containers, small systems) it is looked into without being
 * mounted anywhere. */
static int open_unmounted(const char *name)
{
	_cleanup_close_ int system = (int)syscall(SYS_fsopen, "securityfs", FSOPEN_CLOEXEC);
	_cleanup_close_ int mount = -1;

	if (system < 0 || syscall(SYS_fsconfig, system, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	mount = (int)syscall(SYS_fsmount, system, FSMOUNT_CLOEXEC, 0);
	return mount < 0 ? -1 : openat(mount, name, O_RDONLY | O_CLOEXEC);
}

static void read_line(const char *name, char line[LSM_LIST_MAX])
{
	_cleanup_close_ int fd = -1;
	char path[sizeof(SECURITY) + NAME_MAX];
	ssize_t length;

	(void)snprintf(path, sizeof(path), SECURITY "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = open_unmounted(name);
	length = fd < 0 ? -1 : read(fd, line, LSM_LIST_MAX - 1);
	line[length > 0 ? length : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

void lsm_read_list(char list[LSM_LIST_MAX])
{
	read_line("lsm", list);
}

/* "none [integrity] confidentiality": what is in brackets holds. */
void lsm_read_lockdown(char level[LSM_LIST_MAX])
{
	char line[LSM_LIST_MAX];
	const char *chosen;

	read_line("lockdown", line);
	chosen = strchr(line, '[');
	(void)snprintf(level, LSM_LIST_MAX, "%.*s", chosen ? (int)strcspn(chosen + 1, "]") : 0,
		       chosen ? chosen + 1 : "");
}

bool lsm_list_has(const char *list, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = list; *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (strcspn(at, ",") == length && memcmp(at, name, length) == 0)
			return true;
	}
	return false;
}

bool lsm_is_active(void)
{
	char list[LSM_LIST_MAX];

	lsm_read_list(list);
	return lsm_list_has(list, "bpf");
}
