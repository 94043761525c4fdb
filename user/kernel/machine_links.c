// SPDX-License-Identifier: Apache-2.0
#include "kernel/machine_links.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/enforcer_internal.h"

static void pin_path(char *path, const char *folder, const struct bpf_program *program,
		     const char *ending)
{
	(void)snprintf(path, PATH_MAX, "%s/%s%s", folder, bpf_program__name(program), ending);
}

/* The new one is in force before the old one goes. */
static int attach_program(const struct bpf_program *program, const char *folder)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	struct bpf_link *link = bpf_program__attach(program);
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

int machine_links_attach(const struct bpf_object *object, const char *folder, struct error *error)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		int result;

		if (bpf_program__fd(program) < 0)
			continue;
		result = attach_program(program, folder);
		if (result < 0)
			return error_set_errno(error, STATUS_SYSTEM, -result, "cannot attach %s",
					       bpf_program__name(program));
	}
	return 0;
}

void machine_links_detach(const struct bpf_object *object, const char *folder)
{
	struct bpf_program *program;
	char path[PATH_MAX];

	bpf_object__for_each_program(program, object)
	{
		pin_path(path, folder, program, "");
		enforcer_end_link(path);
	}
}

bool machine_links_are_pinned(const struct bpf_object *object, const char *folder)
{
	struct bpf_program *program;
	char path[PATH_MAX];

	bpf_object__for_each_program(program, object)
	{
		pin_path(path, folder, program, "");
		if (bpf_program__fd(program) >= 0 && access(path, F_OK) < 0)
			return false;
	}
	return true;
}
