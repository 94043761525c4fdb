// SPDX-License-Identifier: Apache-2.0
#include "kernel/glob_tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>

#include "compile/globs.h"
#include "policy/paths.h"
#include "policy/unix_sockets.h"

static int write_one(struct enforcer *enforcer, uint32_t list, uint32_t index,
		     const struct glob *glob, struct error *error)
{
	const struct glob_key key = {.list = list, .index = index};

	if (bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_GLOBS), &key, glob, BPF_ANY) == 0)
		return 0;
	return error_set_errno(error, STATUS_SYSTEM, errno,
			       errno == E2BIG || errno == ENOSPC
				       ? "the table of socket patterns is full"
				       : "globs");
}

int glob_tables_load(struct enforcer *enforcer, uint32_t list, const struct glob *globs,
		     size_t count, struct error *error)
{
	for (uint32_t i = 0; i < count; i++)
		if (write_one(enforcer, list, i, &globs[i], error) < 0)
			return -1;
	return 0;
}

void glob_tables_unload(struct enforcer *enforcer, uint32_t list)
{
	struct glob_key key = {.list = list};

	/* They are numbered without a gap. */
	while (key.index < GLOBS_EACH_MAX &&
	       bpf_map_delete_elem(enforcer_map_fd(enforcer, MAP_GLOBS), &key) == 0)
		key.index++;
}

/* A predecessor may have had more of them. */
static void drop_behind(struct enforcer *enforcer, uint32_t list, uint32_t count)
{
	struct glob_key key = {.list = list, .index = count};

	for (; key.index < GLOBS_EACH_MAX; key.index++)
		(void)bpf_map_delete_elem(enforcer_map_fd(enforcer, MAP_GLOBS), &key);
}

int glob_tables_load_defaults(struct enforcer *enforcer, const char *own_socket,
			      struct error *error)
{
	uint32_t enforcers = 0, runtimes = 0;
	const struct unix_default *each;
	char normal[PATH_MAX];
	struct glob glob;

	if (own_socket && path_normalise(own_socket, normal, sizeof(normal)) &&
	    glob_compile(normal, true, &glob) &&
	    write_one(enforcer, GLOBS_OF_ENFORCER, enforcers++, &glob, error) < 0)
		return -1;
	for (size_t i = 0; (each = unix_default_at(i)) != NULL; i++) {
		const uint32_t list = each->enforcers ? GLOBS_OF_ENFORCER : GLOBS_OF_RUNTIMES;

		if (glob_compile(each->pattern, false, &glob) &&
		    write_one(enforcer, list, each->enforcers ? enforcers++ : runtimes++, &glob,
			      error) < 0)
			return -1;
	}
	drop_behind(enforcer, GLOBS_OF_ENFORCER, enforcers);
	drop_behind(enforcer, GLOBS_OF_RUNTIMES, runtimes);
	return 0;
}

int glob_tables_each(const struct enforcer *enforcer,
		     int (*visit)(uint32_t policy_id, void *context), void *context)
{
	int fd = enforcer_map_fd(enforcer, MAP_GLOBS);
	struct glob_key key, *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		previous = &key;
		if (key.list != GLOBS_OF_ENFORCER && key.list != GLOBS_OF_RUNTIMES &&
		    visit(POLICY_OF_GLOBS(key.list), context) < 0)
			return -ENOMEM;
	}
	return 0;
}
