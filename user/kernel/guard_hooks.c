// SPDX-License-Identifier: Apache-2.0
#include "kernel/guard_hooks.h"

#include <bpf/btf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/enforcer_internal.h"
#include "kernel/lsm.h"
#include "kernel/side_object.h"

#define SECTION_PREFIX "lsm/"

extern const char embedded_guard_start[], embedded_guard_end[];

/* Hooks whose parameters have changed: which program is for how many. */
static const struct variant {
	const char *program;
	unsigned parameters;
} variants[] = {
	{"guard_attributes", 2},
	{"guard_attributes_mapped", 3},
};

/* The hook's parameters on this kernel; -1: it has no such hook. */
static int count_parameters(const struct btf *kernel, const char *hook)
{
	const struct btf_type *type;
	char name[64];
	int id;

	(void)snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	id = btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC);
	type = id > 0 ? btf__type_by_id(kernel, (uint32_t)id) : NULL;
	type = type ? btf__type_by_id(kernel, type->type) : NULL;
	return type ? btf_vlen(type) : -1;
}

static bool program_fits(const struct btf *kernel, const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	int parameters;

	if (strncmp(section, SECTION_PREFIX, strlen(SECTION_PREFIX)) != 0)
		return true;
	parameters = count_parameters(kernel, section + strlen(SECTION_PREFIX));
	if (parameters < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		if (strcmp(variants[i].program, bpf_program__name(program)) == 0)
			return variants[i].parameters == (unsigned)parameters;
	return true;
}

static int leave_out_missing(const struct bpf_object *object)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_program *program;

	if (!kernel)
		return -errno;
	bpf_object__for_each_program(program, object) if (!program_fits(kernel, program))(void)
		bpf_program__set_autoload(program, false);
	btf__free(kernel);
	return 0;
}

int guard_hooks_load(const struct bpf_object *main, struct bpf_object **object, int *cause)
{
	*object = NULL;
	*cause = 0;
	if (!lsm_is_active() || access(KERNEL_TYPES, R_OK) < 0)
		return 0;
	*object = side_object_open(main, embedded_guard_start, embedded_guard_end, "agentpol_guard",
				   cause);
	if (!*object)
		return -1;
	*cause = -leave_out_missing(*object);
	if (!*cause)
		*cause = -bpf_object__load(*object);
	if (!*cause)
		return 0;
	bpf_object__close(*object);
	*object = NULL;
	/* Kernels that are locked down list BPF, and refuse its programs all the same. */
	return *cause == EPERM || *cause == EACCES ? 0 : -1;
}

static void pin_path(char *path, const char *folder, const struct bpf_program *program,
		     const char *ending)
{
	(void)snprintf(path, PATH_MAX, "%s/%s%s", folder, bpf_program__name(program), ending);
}

/* The new one is in force before the old one goes. */
static int attach_program(const struct bpf_program *program, const char *folder)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	struct bpf_link *link = bpf_program__attach_lsm(program);
	int result;

	if (!link)
		return -errno;
	pin_path(path, folder, program, "");
	pin_path(fresh, folder, program, "~");
	(void)unlink(fresh);
	result = bpf_link__pin(link, fresh);
	if (result == 0 && rename(fresh, path) < 0)
		result = -errno;
	(void)bpf_link__destroy(link); /* the pin holds it */
	return result;
}

int guard_hooks_attach(const struct bpf_object *object, const char *folder, struct error *error)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		int result;

		if (bpf_program__fd(program) < 0)
			continue;
		result = attach_program(program, folder);
		if (result < 0)
			return error_set_errno(error, STATUS_SYSTEM, -result,
					       "cannot attach %s to the kernel's LSM",
					       bpf_program__name(program));
	}
	return 0;
}

void guard_hooks_detach(const struct bpf_object *object, const char *folder)
{
	struct bpf_program *program;
	char path[PATH_MAX];

	bpf_object__for_each_program(program, object)
	{
		pin_path(path, folder, program, "");
		enforcer_end_link(path);
	}
}
