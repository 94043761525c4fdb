// SPDX-License-Identifier: Apache-2.0
#include "kernel/features.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/cgroup.h"
#include "kernel/landlock.h"
#include "kernel/limits.h"
#include "kernel/side_object.h"

/* What loading and attaching take. Numbers: <linux/capability.h>. */
static const struct {
	cap_value_t value;
	const char *name;
} capabilities[] = {
	{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	{CAP_PERFMON, "CAP_PERFMON"},
	{CAP_BPF, "CAP_BPF"},
};

static void read_release(struct features *features)
{
	struct utsname kernel;
	unsigned major, minor;

	if (uname(&kernel) < 0)
		return;
	(void)snprintf(features->release, sizeof(features->release), "%s", kernel.release);
	features->too_old = sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
			    (major < 5 || (major == 5 && minor < 15));
}

static void read_capabilities(struct features *features)
{
	cap_t own = cap_get_proc();
	size_t used = 0;

	features->root = geteuid() == 0;
	for (size_t i = 0; own && i < ARRAY_SIZE(capabilities); i++) {
		cap_flag_value_t held = CAP_CLEAR;

		if (cap_get_flag(own, capabilities[i].value, CAP_EFFECTIVE, &held) == 0 &&
		    held == CAP_SET)
			continue;
		used += (size_t)snprintf(features->capabilities_missing + used,
					 sizeof(features->capabilities_missing) - used, "%s%s",
					 used ? ", " : "", capabilities[i].name);
	}
	(void)cap_free(own);
}

/* The first line; "" where there is none. */
static void read_line(const char *path, char *text, size_t room)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, room - 1);

	text[length > 0 ? length : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* Each hook of the BPF LSM is a function of the kernel's, whose type says that it is there. */
static enum answer find_bpf_lsm(void)
{
	struct btf *kernel;
	enum answer answer;

	if (access(KERNEL_TYPES, R_OK) < 0)
		return ANSWER_UNKNOWN;
	kernel = btf__load_vmlinux_btf();
	if (!kernel)
		return ANSWER_UNKNOWN;
	answer = btf__find_by_name_kind(kernel, "bpf_lsm_file_open", BTF_KIND_FUNC) > 0 ? ANSWER_YES
											: ANSWER_NO;
	btf__free(kernel);
	return answer;
}

void features_read(struct features *features)
{
	const unsigned action = SECCOMP_RET_ERRNO;
	char unprivileged[FEATURE_TEXT_MAX];
	struct error ignored;
	struct statfs system;

	*features = (struct features){0};
	read_release(features);
	read_capabilities(features);
	if (cgroup_find_mount(features->cgroup_mount, &ignored) < 0)
		features->cgroup_mount[0] = '\0';
	features->controllers = limits_controllers();
	features->bpf_mounted =
		statfs("/sys/fs/bpf", &system) == 0 && system.f_type == BPF_FS_MAGIC;
	features->types = access(KERNEL_TYPES, R_OK) == 0;
	features->bpf_lsm = find_bpf_lsm();
	lsm_read_list(features->lsm_list);
	lsm_read_lockdown(features->lockdown);
	features->landlock_abi = landlock_abi();
	features->seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
	read_line("/proc/sys/kernel/unprivileged_bpf_disabled", unprivileged, sizeof(unprivileged));
	features->unprivileged_bpf = unprivileged[0] ? (int)strtol(unprivileged, NULL, 10) : -1;
}
