// SPDX-License-Identifier: Apache-2.0
/* Findings about "process" and "files". */
#include <string.h>

#include "manifest/lint_rules.h"
#include "policy/paths.h"
#include "policy/syscalls.h"

/* Each of these is enough to load programs into the kernel, to reach into other processes, or to
 * change who one is (capabilities(7)). */
static const char *const undoing_capabilities[] = {
	"CAP_SYS_ADMIN",	  "CAP_BPF",	      "CAP_SYS_MODULE",
	"CAP_SYS_PTRACE",	  "CAP_SYS_RAWIO",    "CAP_SYS_BOOT",
	"CAP_MAC_ADMIN",	  "CAP_MAC_OVERRIDE", "CAP_PERFMON",
	"CAP_DAC_READ_SEARCH",	  "CAP_NET_ADMIN",    "CAP_MKNOD",
	"CAP_CHECKPOINT_RESTORE",
};

static const char *const system_directories[] = {
	"/bin", "/boot", "/dev", "/etc", "/lib",     "/lib64",		"/proc",
	"/run", "/sbin", "/sys", "/usr", "/var/run", "/var/spool/cron",
};

static bool undoes(const char *capability)
{
	for (size_t i = 0; i < ARRAY_SIZE(undoing_capabilities); i++)
		if (strcmp(undoing_capabilities[i], capability) == 0)
			return true;
	return false;
}

static void lint_capabilities(struct linter *linter, const json_value *list, const char *pointer)
{
	size_t index = 0;

	json_for_each (item, list) {
		if (undoes(json_as_string(item)))
			lint_find(linter, LINT_CAPABILITY, item, json_as_string(item), pointer,
				  "/process/capabilities/%zu", index);
		index++;
	}
}

struct overlap {
	const struct syscall_group *group;
	bool found;
};

static void look_for_overlap(const char *name, void *context)
{
	struct overlap *overlap = context;

	overlap->found |= syscall_group_has(overlap->group, name);
}

/* Does an exception lift a part of @escape? */
static bool lifts_escape(const char *name, const struct syscall_group *escape)
{
	struct overlap overlap = {syscall_group_find(name), false};
	const struct process all = {
		.syscalls_present = true,
		.syscalls_deny = {(const char *[]){escape->name}, 1},
	};

	if (name[0] != '@')
		return syscall_group_has(escape, name);
	if (overlap.group)
		syscalls_each_denied(&all, look_for_overlap, &overlap);
	return overlap.found;
}

static bool denies_escape(const struct strings *deny)
{
	for (size_t i = 0; i < deny->count; i++)
		if (strcmp(deny->items[i], "@escape") == 0)
			return true;
	return false;
}

static void lint_syscalls(struct linter *linter, const struct lint_scope *scope)
{
	const struct process *process = &scope->scope->process;
	const struct syscall_group *escape = syscall_group_find("@escape");
	const json_value *value = json_member(json_member(scope->value, "process"), "syscalls");
	const json_value *deny = json_member(value, "deny");
	size_t index = 0;

	if (!escape || !value)
		return;
	/* A tool's own list adds to the agent's: only the agent's can leave it out. */
	if (!scope->scope->tool && deny && !denies_escape(&process->syscalls_deny))
		lint_find(linter, LINT_ESCAPE, deny, NULL, scope->scope->pointer,
			  "/process/syscalls/deny");
	json_for_each (item, json_member(value, "allow")) {
		if (lifts_escape(json_as_string(item), escape))
			lint_find(linter, LINT_ESCAPE, item, json_as_string(item),
				  scope->scope->pointer, "/process/syscalls/allow/%zu", index);
		index++;
	}
}

void lint_process(struct linter *linter, const struct lint_scope *scope)
{
	const json_value *process = json_member(scope->value, "process");

	lint_capabilities(linter, json_member(process, "capabilities"), scope->scope->pointer);
	lint_syscalls(linter, scope);
}

static bool is_system(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(system_directories); i++)
		if (path_is_below(system_directories[i], path))
			return true;
	return false;
}

/* Devices that are made to be written. */
static bool is_harmless_device(const char *path)
{
	return strcmp(path, "/dev/null") == 0 || strcmp(path, "/dev/shm") == 0 ||
	       strcmp(path, "/dev/tty") == 0;
}

void lint_files(struct linter *linter, const struct lint_scope *scope)
{
	const struct files *files = &scope->scope->files;
	const char *pointer = scope->scope->pointer;
	const json_value *value = json_member(scope->value, "files");
	const json_value *item = json_first(json_member(value, "write"));

	for (size_t i = 0; i < files->write.count && item; i++, item = json_next(item)) {
		const char *path = files->write.items[i];

		if (strcmp(path, "/") == 0)
			lint_find(linter, LINT_WRITE_ROOT, item, NULL, pointer, "/files/write/%zu",
				  i);
		else if (is_system(path) && !is_harmless_device(path))
			lint_find(linter, LINT_WRITE_SYSTEM, item, path, pointer,
				  "/files/write/%zu", i);
	}
	item = json_first(json_member(value, "read"));
	for (size_t i = 0; i < files->read.count && item; i++, item = json_next(item))
		if (strcmp(files->read.items[i], "/") == 0 && files->deny.count == 0)
			lint_find(linter, LINT_READ_ROOT, item, NULL, pointer, "/files/read/%zu",
				  i);
}
