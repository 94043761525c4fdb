// SPDX-License-Identifier: Apache-2.0
#include "kernel/unix_hooks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/enforcer_internal.h"
#include "kernel/side_object.h"

extern const char embedded_unix_start[], embedded_unix_end[];

/* The least program there is, for the hook: a kernel that has none by that number says EINVAL
 * (bpf_prog_load_check_attach in kernel/bpf/syscall.c). 1, 0, or -errno. */
static int kernel_has_hooks(void)
{
	const struct bpf_insn allow[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)CGROUP_UNIX_CONNECT);
	int fd = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "probe", "GPL", allow,
			       ARRAY_SIZE(allow), &options);

	if (fd < 0)
		return errno == EINVAL ? 0 : -errno;
	(void)close(fd);
	return 1;
}

/* The section's name stands for another hook of the same type of program. */
static int name_hooks(const struct bpf_object *object)
{
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(object, hooks[i].program);
		int result =
			program ? bpf_program__set_expected_attach_type(program, hooks[i].type) : 0;

		if (result < 0)
			return result;
	}
	return 0;
}

int unix_hooks_load(const struct bpf_object *main, struct bpf_object **object, int *cause)
{
	int has = access(KERNEL_TYPES, R_OK) == 0 ? kernel_has_hooks() : 0;

	*object = NULL;
	*cause = has < 0 ? -has : 0;
	if (has <= 0)
		return has;
	*object = side_object_open(main, embedded_unix_start, embedded_unix_end, "agentpol_unix",
				   cause);
	if (!*object)
		return -1;
	*cause = -name_hooks(*object);
	if (!*cause)
		*cause = -bpf_object__load(*object);
	return *cause ? -1 : 0;
}
