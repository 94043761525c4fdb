// SPDX-License-Identifier: Apache-2.0
#include "compile/image_paths.h"

#include <stddef.h>

/* Where a scope keeps its lists of paths, and what an entry says. */
static const struct path_list {
	size_t offset; /* of the struct strings in struct scope */
	const char *pointer;
	uint32_t bits;
} path_lists[] = {
	{offsetof(struct scope, files.read), "/files/read", OBJECT_READ},
	{offsetof(struct scope, files.write), "/files/write", OBJECT_READ | OBJECT_WRITE},
	{offsetof(struct scope, files.deny), "/files/deny", OBJECT_DENY},
	{offsetof(struct scope, process.exec), "/process/exec", OBJECT_EXEC},
};

static const struct strings *list_of(const struct scope *scope, const struct path_list *list)
{
	return (const void *)((const char *)scope + list->offset);
}

static bool add_list(struct image *image, const struct scope *scope, const struct path_list *list)
{
	const struct strings *entries = list_of(scope, list);

	for (size_t i = 0; i < entries->count; i++) {
		const char *pointer = arena_printf(image->arena, "%s%s/%zu", scope->pointer,
						   list->pointer, i);

		if (!pointer)
			return false;
		image->paths[image->path_count++] =
			(struct image_path){entries->items[i], pointer, list->bits};
	}
	return true;
}

int image_add_paths(struct image *image, const struct scope *const *scopes, size_t count,
		    struct error *error)
{
	size_t room = 1;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(path_lists); j++)
			room += list_of(scopes[i], &path_lists[j])->count;
	image->paths = arena_new_array(image->arena, struct image_path, room);
	for (size_t i = 0; image->paths && i < count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(path_lists); j++)
			if (!add_list(image, scopes[i], &path_lists[j]))
				return error_set(error, STATUS_SYSTEM, "out of memory");
	return image->paths ? 0 : error_set(error, STATUS_SYSTEM, "out of memory");
}
