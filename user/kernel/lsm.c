// SPDX-License-Identifier: Apache-2.0
#include "kernel/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/cleanup.h"

#define LIST_PATH "/sys/kernel/security/lsm"

/* Where nobody has mounted securityfs (containers, small systems) it is looked into without being
 * mounted anywhere. */
static int open_unmounted(void)
{
	_cleanup_close_ int system = (int)syscall(SYS_fsopen, "securityfs", FSOPEN_CLOEXEC);
	_cleanup_close_ int mount = -1;

	if (system < 0 || syscall(SYS_fsconfig, system, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	mount = (int)syscall(SYS_fsmount, system, FSMOUNT_CLOEXEC, 0);
	return mount < 0 ? -1 : openat(mount, "lsm", O_RDONLY | O_CLOEXEC);
}

void lsm_read_list(char list[LSM_LIST_MAX])
{
	_cleanup_close_ int fd = open(LIST_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	list[0] = '\0';
	if (fd < 0 && errno == ENOENT)
		fd = open_unmounted();
	length = fd < 0 ? -1 : read(fd, list, LSM_LIST_MAX - 1);
	list[length > 0 ? length : 0] = '\0';
	list[strcspn(list, "\n")] = '\0';
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
