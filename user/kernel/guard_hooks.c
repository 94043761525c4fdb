// SPDX-License-Identifier: Apache-2.0
#include "kernel/guard_hooks.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
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
	bpf_object__for_each_program (program, object) {
		if (!program_fits(kernel, program))
			(void)bpf_program__set_autoload(program, false);
	}
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
	/* Where a kernel is locked down it lists "bpf" and takes other programs from us, but none
	 * of the LSM: nothing is judged there, and enforcer_judges_tasks() says so. */
	if (*cause == EPERM) {
		bpf_object__close(*object);
		*object = NULL;
		*cause = 0;
	}
	return *cause ? -1 : 0;
}
