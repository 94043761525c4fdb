// SPDX-License-Identifier: Apache-2.0
/* Where a fault is: found by a walk, once, so that nothing has to be kept for it. */
#include <stdarg.h>
#include <string.h>

#include "call/schema_internal.h"

struct path {
	const json_value *steps[JSON_DEPTH_MAX + 1];
	size_t count;
};

/* The containers from `root` down to `at`, both included; empty where it is not there. */
static void find_path(const json_value *root, const json_value *at, struct path *path)
{
	const json_value *node = root;

	path->count = 0;
	while (node != at) {
		const json_value *first = json_first(node);

		if (first && path->count < JSON_DEPTH_MAX) {
			path->steps[path->count++] = node;
			node = first;
			continue;
		}
		while (path->count > 0 && !json_next(node))
			node = path->steps[--path->count];
		if (path->count == 0)
			return;
		node = json_next(node);
	}
	path->steps[path->count++] = node;
}

static size_t index_in(const json_value *container, const json_value *item)
{
	size_t index = 0;

	json_for_each (other, container) {
		if (other == item)
			break;
		index++;
	}
	return index;
}

/* A key as RFC 6901 has it; what has no room is left out, and half a character with it. */
static size_t append_key(char *text, size_t used, size_t room, const char *key)
{
	for (; *key; key++) {
		const char *written = *key == '~' ? "~0" : *key == '/' ? "~1" : NULL;
		size_t bytes = written ? 2 : 1;

		if (used + bytes >= room)
			break;
		memcpy(text + used, written ? written : key, bytes);
		used += bytes;
	}
	if (*key)
		while (used > 0 && ((unsigned char)*key & 0xc0) == 0x80 &&
		       ((unsigned char)text[used - 1] & 0x80)) {
			key--;
			used--;
		}
	text[used] = '\0';
	return used;
}

static void write_pointer(const struct path *path, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 1; i < path->count && used + 2 < room; i++) {
		text[used++] = '/';
		if (json_is_object(path->steps[i - 1]))
			used = append_key(text, used, room, json_key_of(path->steps[i]));
		else
			used += (size_t)snprintf(text + used, room - used, "%zu",
						 index_in(path->steps[i - 1], path->steps[i]));
		if (used >= room)
			used = room - 1;
	}
}

__attribute__((format(printf, 5, 0))) static void fault_fill(struct schema_fault *fault,
							     const json_value *root,
							     const json_value *at,
							     const char *keyword,
							     const char *format, va_list arguments)
{
	struct path path;

	find_path(root, at, &path);
	write_pointer(&path, fault->pointer, sizeof(fault->pointer));
	(void)snprintf(fault->keyword, sizeof(fault->keyword), "%s", keyword ? keyword : "");
	(void)vsnprintf(fault->message, sizeof(fault->message), format, arguments);
}

bool schema_fault_set(struct schema_fault *fault, const json_value *root, const json_value *at,
		      const char *keyword, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fault_fill(fault, root, at, keyword, format, arguments);
	va_end(arguments);
	return false;
}

bool schema_fail(struct schema_compiler *compiler, const json_value *at, const char *keyword,
		 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fault_fill(compiler->fault, json_root(compiler->schema->document), at, keyword, format,
		   arguments);
	va_end(arguments);
	return false;
}
