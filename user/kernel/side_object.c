// SPDX-License-Identifier: Apache-2.0
#include "kernel/side_object.h"

#include <errno.h>
#include <stdint.h>

/* What both objects have is one map; only the programs are other ones. */
static int share_maps(const struct bpf_object *main, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, object) {
		const struct bpf_map *theirs =
			bpf_object__find_map_by_name(main, bpf_map__name(map));
		int result;

		if (!theirs || bpf_map__is_internal(map))
			continue;
		result = bpf_map__reuse_fd(map, bpf_map__fd(theirs));
		if (result < 0)
			return result;
	}
	return 0;
}

static int share_config(const struct bpf_object *main, const struct bpf_object *object)
{
	const struct bpf_map *theirs = bpf_object__find_map_by_name(main, ".rodata.config");
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.config");
	size_t size = 0;
	const void *value =
		theirs ? bpf_map__initial_value((struct bpf_map *)(uintptr_t)theirs, &size) : NULL;

	if (!map || !value)
		return -ENOENT;
	return bpf_map__set_initial_value(map, value, size);
}

struct bpf_object *side_object_open(const struct bpf_object *main, const char *start,
				    const char *end, const char *name, int *cause)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name);
	struct bpf_object *object = bpf_object__open_mem(start, (size_t)(end - start), &options);

	*cause = object ? -share_maps(main, object) : errno;
	if (!*cause)
		*cause = -share_config(main, object);
	if (!*cause)
		return object;
	bpf_object__close(object);
	return NULL;
}
