// SPDX-License-Identifier: Apache-2.0
#include "policy/paths.h"

#include <string.h>

/* Where policyd keeps its maps, sockets, manifests, state and log. /var/run is a link to /run, and
 * what is judged here is text. */
const char *const paths_of_enforcer[] = {
	"/sys/fs/bpf/agentpol",
	"/run/agentpol",
	"/var/run/agentpol",
	"/etc/agentpol",
	"/var/lib/agentpol",
	"/var/log/agentpol",
	NULL,
};

/* Drops the last component of `normal`; the root has none. */
static size_t drop_component(const char *normal, size_t used)
{
	while (used > 0 && normal[used - 1] != '/')
		used--;
	return used > 0 ? used - 1 : 0;
}

bool path_normalise(const char *path, char *normal, size_t room)
{
	size_t used = 0;

	if (path[0] != '/' || room < 2)
		return false;
	while (*path) {
		size_t length;

		while (*path == '/')
			path++;
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			used = drop_component(normal, used);
		} else if (length > 0 && !(length == 1 && path[0] == '.')) {
			if (length + 1 >= room - used)
				return false;
			normal[used++] = '/';
			memcpy(normal + used, path, length);
			used += length;
		}
		path += length;
	}
	if (used == 0)
		normal[used++] = '/';
	normal[used] = '\0';
	return true;
}

bool path_is_below(const char *top, const char *path)
{
	const size_t length = strlen(top);

	if (length == 1) /* the root */
		return true;
	return strncmp(top, path, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* Where matching goes on if what follows a star turns out not to fit. */
struct retry {
	const char *pattern; /* behind the star; NULL: none */
	const char *path;
	bool components; /* the star is a whole component: it takes whole components */
};

/* Lets the "**" take more of the path; false when there is no more. */
static bool retry_across(struct retry *retry)
{
	const char *next;

	if (!retry->pattern || !*retry->path)
		return false;
	next = retry->components ? strchr(retry->path, '/') : retry->path;
	if (!next)
		return false;
	retry->path = next + 1;
	return true;
}

/*
 * Iterative: a star first takes nothing, and one more each time that the rest fails. Only the
 * last star of each sort needs to be remembered: if the text up to a later star matched, an
 * earlier star that takes more can only leave less to the later one.
 */
bool path_matches(const char *pattern, const char *path)
{
	const char *const start = pattern;
	struct retry within = {0}, across = {0};

	while (*path || *pattern) {
		if (pattern[0] == '*' && pattern[1] == '*') {
			const bool opens = pattern == start || pattern[-1] == '/';

			/* "/a/" "**" "/b" matches "/a/b" too. */
			across.components = opens && pattern[2] == '/';
			pattern += across.components ? 3 : 2;
			across.pattern = pattern;
			across.path = path;
			within.pattern = NULL;
			continue;
		}
		if (*pattern == '*') {
			within.pattern = ++pattern;
			within.path = path;
			continue;
		}
		if (*pattern && *path && (*pattern == *path || (*pattern == '?' && *path != '/'))) {
			pattern++;
			path++;
			continue;
		}
		if (within.pattern && *within.path && *within.path != '/') {
			pattern = within.pattern;
			path = ++within.path;
			continue;
		}
		if (!retry_across(&across))
			return false;
		within.pattern = NULL;
		pattern = across.pattern;
		path = across.path;
	}
	return true;
}

bool path_is_enforcers(const char *path)
{
	for (const char *const *place = paths_of_enforcer; *place; place++)
		if (path_is_below(*place, path))
			return true;
	return false;
}
