// SPDX-License-Identifier: Apache-2.0
#include "kernel/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "policy/paths.h"

/* A file of a cgroup is a line or two. */
#define CONTROL_BYTES_MAX 4096
/* cpu.max: so much of each period, in microseconds (cgroup-v2.rst). */
#define CPU_PERIOD 100000U

static void format_pids(const struct limits *limits, char *text)
{
	if (limits->pids)
		(void)snprintf(text, LIMIT_TEXT_MAX, "%" PRIu64, limits->pids);
}

static void format_memory(const struct limits *limits, char *text)
{
	if (limits->memory_bytes)
		(void)snprintf(text, LIMIT_TEXT_MAX, "%" PRIu64, limits->memory_bytes);
}

/* What memory.max pushes out would go on in swap, without end. */
static void format_swap(const struct limits *limits, char *text)
{
	if (limits->memory_bytes)
		(void)snprintf(text, LIMIT_TEXT_MAX, "0");
}

static void format_cpu(const struct limits *limits, char *text)
{
	if (limits->cpu_percent)
		(void)snprintf(text, LIMIT_TEXT_MAX, "%" PRIu64 " %u",
			       (uint64_t)limits->cpu_percent * (CPU_PERIOD / 100), CPU_PERIOD);
}

static const struct {
	enum controller controller;
	bool may_be_missing; /* kernels without swap have no such file */
	void (*format)(const struct limits *limits, char *text);
} controls[LIMIT_FILES] = {
	{CONTROLLER_PIDS, false, format_pids},
	{CONTROLLER_MEMORY, false, format_memory},
	{CONTROLLER_MEMORY, true, format_swap},
	{CONTROLLER_CPU, false, format_cpu},
};
const char *const limit_files[LIMIT_FILES] = {"pids.max", "memory.max", "memory.swap.max",
					      "cpu.max"};

static const struct {
	const char *name;
	enum controller bit;
} controllers[] = {
	{"pids", CONTROLLER_PIDS},
	{"memory", CONTROLLER_MEMORY},
	{"cpu", CONTROLLER_CPU},
};

/* ---- files of a cgroup ---- */

static int read_control(const char *cgroup, const char *file, char *text, size_t room,
			struct error *error)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	ssize_t length;

	if (file_path(path, error, "%s/%s", cgroup, file) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, room - 1);
	if (length < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s", path);
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int write_control(const char *cgroup, const char *file, const char *text,
			 struct error *error)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (file_path(path, error, "%s/%s", cgroup, file) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "cannot write \"%s\" to %s",
				       text, path);
	return 0;
}

static bool exists(const char *cgroup, const char *file)
{
	char path[PATH_MAX];
	struct error error;

	return file_path(path, &error, "%s/%s", cgroup, file) == 0 && access(path, F_OK) == 0;
}

/* ---- controllers ---- */

static unsigned controllers_in(const char *words)
{
	unsigned bits = 0;

	while (*words) {
		const size_t length = strcspn(words, " ");

		for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
			if (strlen(controllers[i].name) == length &&
			    strncmp(words, controllers[i].name, length) == 0)
				bits |= controllers[i].bit;
		words += length + (words[length] == ' ');
	}
	return bits;
}

unsigned limits_controllers(void)
{
	char mount[PATH_MAX], words[CONTROL_BYTES_MAX];
	struct error error;

	if (cgroup_find_mount(mount, &error) < 0 ||
	    read_control(mount, "cgroup.controllers", words, sizeof(words), &error) < 0)
		return 0;
	return controllers_in(words);
}

static unsigned controllers_asked(const struct limits *limits)
{
	return (limits->pids ? CONTROLLER_PIDS : 0U) |
	       (limits->memory_bytes ? CONTROLLER_MEMORY : 0U) |
	       (limits->cpu_percent ? CONTROLLER_CPU : 0U);
}

/* In one folder of the way: for its children. */
static int enable_in(const char *folder, unsigned wanted, struct error *error)
{
	char words[CONTROL_BYTES_MAX];
	unsigned missing;

	if (read_control(folder, "cgroup.subtree_control", words, sizeof(words), error) < 0)
		return -1;
	missing = wanted & ~controllers_in(words);
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		char text[LIMIT_TEXT_MAX];

		(void)snprintf(text, sizeof(text), "+%s", controllers[i].name);
		if ((missing & controllers[i].bit) &&
		    write_control(folder, "cgroup.subtree_control", text, error) < 0)
			return error_wrap(error,
					  "/process/limits: the %s controller can't be enabled for "
					  "the agent's cgroup",
					  controllers[i].name);
	}
	return 0;
}

/* From the mount down to the parent. */
static int enable(const char *cgroup, unsigned wanted, struct error *error)
{
	char folder[PATH_MAX], mount[PATH_MAX];
	size_t at;

	if (!wanted)
		return 0;
	if (cgroup_find_mount(mount, error) < 0)
		return -1;
	if (!path_is_below(mount, cgroup))
		return error_set(error, STATUS_SYSTEM, "%s is not below %s", cgroup, mount);
	for (at = strlen(mount); cgroup[at]; at += 1 + strcspn(cgroup + at + 1, "/")) {
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)at, cgroup);
		if (enable_in(folder, wanted, error) < 0)
			return -1;
	}
	return 0;
}

/* ---- */

/* Nothing of it is to be touched, or the kernel has no such file. */
static bool passed_over(const char *cgroup, size_t i, unsigned there)
{
	return !(controls[i].controller & there) ||
	       (controls[i].may_be_missing && !exists(cgroup, limit_files[i]));
}

int limits_prepare(const char *cgroup, const struct limits *limits, struct limits_before *before,
		   struct error *error)
{
	const unsigned there = limits_controllers();

	if (enable(cgroup, there & controllers_asked(limits), error) < 0)
		return -1;
	for (size_t i = 0; i < LIMIT_FILES; i++) {
		char wanted[LIMIT_TEXT_MAX] = "";

		controls[i].format(limits, wanted);
		if (!wanted[0] || before->texts[i][0] || passed_over(cgroup, i, there))
			continue;
		if (read_control(cgroup, limit_files[i], before->texts[i], LIMIT_TEXT_MAX, error) <
		    0)
			return -1;
	}
	return 0;
}

int limits_set(const char *cgroup, const struct limits *limits, const struct limits_before *before,
	       struct error *error)
{
	const unsigned there = limits_controllers();

	for (size_t i = 0; i < LIMIT_FILES; i++) {
		char wanted[LIMIT_TEXT_MAX] = "";

		controls[i].format(limits, wanted);
		/* What was never read is not to be put back, and so not written. */
		if (!before->texts[i][0] || passed_over(cgroup, i, there))
			continue;
		if (write_control(cgroup, limit_files[i], wanted[0] ? wanted : before->texts[i],
				  error) < 0)
			return -1;
	}
	return 0;
}

void limits_put_back(const char *cgroup, const struct limits_before *before)
{
	struct error ignored;

	for (size_t i = 0; i < LIMIT_FILES; i++)
		if (before->texts[i][0])
			(void)!write_control(cgroup, limit_files[i], before->texts[i], &ignored);
}
