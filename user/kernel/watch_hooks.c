// SPDX-License-Identifier: Apache-2.0
#include "kernel/watch_hooks.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/abi.h"
#include "kernel/side_object.h"

extern const char embedded_watch_start[], embedded_watch_end[];

static int set_numbers(const struct bpf_object *object)
{
	const struct watch_config config = {
		.socket = SYS_socket,
		.setsockopt = SYS_setsockopt,
		.ioctl = SYS_ioctl,
		.clone = SYS_clone,
		.unshare = SYS_unshare,
	};
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.watch");

	return map ? bpf_map__set_initial_value(map, &config, sizeof(config)) : -ENOENT;
}

struct bpf_object *watch_hooks_load(const struct bpf_object *main, int *cause)
{
	struct bpf_object *object;

	*cause = access(KERNEL_TYPES, R_OK) < 0 ? errno : 0;
	if (*cause)
		return NULL;
	object = side_object_open(main, embedded_watch_start, embedded_watch_end, "agentpol_watch",
				  cause);
	if (!object)
		return NULL;
	*cause = -set_numbers(object);
	if (!*cause)
		*cause = -bpf_object__load(object);
	if (!*cause)
		return object;
	bpf_object__close(object);
	return NULL;
}
