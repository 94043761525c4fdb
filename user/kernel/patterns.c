// SPDX-License-Identifier: Apache-2.0
#include "kernel/patterns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "policy/paths.h"

/* As path_resolution(7) has it. */
#define LINKS_MAX 40
/* openat2(2): EAGAIN while somebody renames a folder on the way. */
#define TRIES_MAX 64

/* What stood behind the folder that is looked for. */
enum tail { TAIL_NONE, TAIL_CHILDREN /* "*" */, TAIL_BELOW /* "**" */ };

struct walk {
	int root;
	char root_path[PATH_MAX]; /* how /proc/self/fd shows the root; "" for "/" */
	const char *pattern;
	enum tail tail;
	named_visitor visit;
	void *context;
	struct error *error;
	size_t matches, visited;
};

static int open_below(int root, const char *path, int flags)
{
	const struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
				     .resolve = RESOLVE_IN_ROOT};
	int fd = -1;

	for (int tries = 0; tries < TRIES_MAX; tries++) {
		fd = (int)syscall(SYS_openat2, root, *path ? path : "/", &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* No object is there by that path; all else that open says is a failure. */
static bool is_nothing(int number)
{
	return number == ENOENT || number == ENOTDIR || number == ELOOP;
}

static int cannot(const struct walk *walk, const char *path)
{
	return error_set_errno(walk->error, STATUS_SYSTEM, errno, "%s: cannot look at %s",
			       walk->pattern, *path ? path : "/");
}

/* The path of an open object, by which it can be opened again below the root. */
static int read_path(const struct walk *walk, int fd, char *path)
{
	const size_t above = strlen(walk->root_path);
	char link[64], shown[PATH_MAX];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, shown, sizeof(shown) - 1);
	if (length < 0)
		return cannot(walk, link);
	shown[length] = '\0';
	if (!path_is_below(above ? walk->root_path : "/", shown))
		return error_set(walk->error, STATUS_SYSTEM, "%s leads to %s, outside of its root",
				 walk->pattern, shown);
	(void)snprintf(path, PATH_MAX, "%s", shown[above] ? shown + above : "/");
	return 0;
}

/* ---- what one path names ---- */

static int tell(struct walk *walk, const struct named *named)
{
	walk->visited++;
	return walk->visit(named, walk->context, walk->error);
}

static int tell_file(struct walk *walk, int fd, const char *path)
{
	struct named named = {.kind = NAMED_FILE, .fd = fd, .path = path};
	_cleanup_close_ int parent = -1;
	char folder[PATH_MAX];
	char *slash;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	named.name = path + (slash - folder) + 1;
	*slash = '\0';
	parent = open_below(walk->root, folder, O_PATH | O_DIRECTORY);
	if (parent < 0)
		return cannot(walk, folder);
	named.parent = parent;
	return tell(walk, &named);
}

static int tell_object(struct walk *walk, int fd)
{
	struct named named = {.kind = NAMED_FOLDER, .fd = fd, .parent = -1};
	char path[PATH_MAX];
	struct stat status;

	if (fstat(fd, &status) < 0)
		return cannot(walk, walk->pattern);
	if (read_path(walk, fd, path) < 0)
		return -1;
	if (!S_ISDIR(status.st_mode))
		return walk->tail == TAIL_NONE ? tell_file(walk, fd, path) : 0;
	named.path = path;
	if (walk->tail == TAIL_CHILDREN)
		named.kind = NAMED_CHILDREN;
	return tell(walk, &named);
}

/* Splits "/a/b" in place; false where it ends in a name that no file can have. */
static bool split_last(char *path, const char **folder, const char **name)
{
	size_t length = strlen(path);
	char *slash;

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	slash = strrchr(path, '/');
	if (!slash || strcmp(slash, "/") == 0 || strcmp(slash, "/.") == 0 ||
	    strcmp(slash, "/..") == 0)
		return false;
	*slash = '\0';
	*folder = path;
	*name = slash + 1;
	return true;
}

/* Where the last component is a link that leads nowhere yet, what it leads to is what is missing:
 * 1 and that path, 0 where it is no link. */
static int follow_dangling(const struct walk *walk, int folder, const char *name, char *next)
{
	char target[PATH_MAX], here[PATH_MAX];
	const ssize_t length = readlinkat(folder, name, target, sizeof(target) - 1);
	int written;

	if (length < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : cannot(walk, name);
	target[length] = '\0';
	if (read_path(walk, folder, here) < 0)
		return -1;
	written = target[0] == '/' ? snprintf(next, PATH_MAX, "%s", target)
				   : snprintf(next, PATH_MAX, "%s/%s", here, target);
	if (written >= PATH_MAX)
		return error_set(walk->error, STATUS_SYSTEM, "%s: the link %s/%s leads too far",
				 walk->pattern, here, name);
	return 1;
}

static int tell_missing(struct walk *walk, const char *written)
{
	char text[PATH_MAX], next[PATH_MAX], path[PATH_MAX];

	(void)snprintf(next, sizeof(next), "%s", written);
	for (int links = 0; links < LINKS_MAX; links++) {
		struct named named = {.kind = NAMED_MISSING, .path = path, .parent = -1};
		_cleanup_close_ int folder = -1;
		const char *above;
		int followed;

		(void)snprintf(text, sizeof(text), "%s", next);
		if (!split_last(text, &above, &named.name))
			return 0;
		folder = open_below(walk->root, above, O_PATH | O_DIRECTORY);
		if (folder < 0)
			return is_nothing(errno) ? 0 : cannot(walk, above);
		followed = follow_dangling(walk, folder, named.name, next);
		if (followed < 0)
			return -1;
		if (followed)
			continue;
		if (read_path(walk, folder, path) < 0)
			return -1;
		named.fd = folder;
		return tell(walk, &named);
	}
	return 0;
}

static int tell_path(struct walk *walk, const char *path, bool literal)
{
	_cleanup_close_ int fd = open_below(walk->root, path, O_PATH);

	if (fd >= 0)
		return tell_object(walk, fd);
	if (!is_nothing(errno))
		return cannot(walk, path);
	if (!literal || walk->tail != TAIL_NONE || errno != ENOENT)
		return 0;
	return tell_missing(walk, path);
}

/* ---- globs ---- */

/* One folder of the way that is being read, and where in the pattern its entries are matched. */
struct level {
	DIR *folder;	    /* owned */
	size_t path_length; /* of the walk's path up to it */
	size_t component;   /* where its glob begins in the pattern */
};

/* The deepest pattern that fits a path: "/" and a letter each. */
#define LEVELS_MAX 64

static bool has_glob(const char *text, size_t length)
{
	return memchr(text, '*', length) || memchr(text, '?', length);
}

/* Copies literal components to the path; what comes then is a glob, or the pattern's end. */
static int copy_literals(const struct walk *walk, const char *pattern, size_t *at, char *path)
{
	size_t used = strlen(path);

	while (pattern[*at]) {
		const size_t length = 1 + strcspn(pattern + *at + 1, "/");

		if (has_glob(pattern + *at, length))
			break;
		if (used + length >= PATH_MAX)
			return error_set(walk->error, STATUS_UNUSABLE, "%s: the path is too long",
					 walk->pattern);
		memcpy(path + used, pattern + *at, length);
		used += length;
		path[used] = '\0';
		*at += length;
	}
	return 0;
}

static int open_level(const struct walk *walk, const char *path, size_t component,
		      struct level *level)
{
	int fd = open_below(walk->root, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);

	*level = (struct level){.path_length = strlen(path), .component = component};
	if (fd < 0)
		return is_nothing(errno) ? 0 : cannot(walk, path);
	level->folder = fdopendir(fd);
	if (level->folder)
		return 1;
	(void)close(fd);
	return cannot(walk, path);
}

/* The next entry that the level's glob matches, put behind the path; 0 at its end. */
static int next_match(struct walk *walk, struct level *level, const char *pattern, char *path)
{
	const char *start = pattern + level->component + 1;
	const struct dirent *entry;
	char glob[PATH_MAX];

	(void)snprintf(glob, sizeof(glob), "%.*s", (int)strcspn(start, "/"), start);
	while ((void)(errno = 0), (entry = readdir(level->folder))) {
		const size_t length = strlen(entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    !path_matches(glob, entry->d_name) ||
		    level->path_length + 1 + length >= PATH_MAX)
			continue;
		if (++walk->matches > PATTERN_MATCHES_MAX)
			return error_set(walk->error, STATUS_UNUSABLE,
					 "%s matches more than %d files; name fewer, or a folder "
					 "(\"/**\" at the end)",
					 walk->pattern, PATTERN_MATCHES_MAX);
		path[level->path_length] = '/';
		memcpy(path + level->path_length + 1, entry->d_name, length + 1);
		return 1;
	}
	if (errno == 0)
		return 0;
	path[level->path_length] = '\0';
	return cannot(walk, path);
}

/* Depth first with a level for each component that has a glob. */
static int expand(struct walk *walk, const char *pattern)
{
	struct level levels[LEVELS_MAX];
	char path[PATH_MAX] = "";
	size_t at = 0, depth = 0;
	int result = copy_literals(walk, pattern, &at, path);

	if (result == 0 && !pattern[at])
		return tell_path(walk, path, true);
	if (result == 0)
		result = open_level(walk, path, at, &levels[0]);
	depth = result > 0;
	while (result >= 0 && depth > 0) {
		struct level *level = &levels[depth - 1];

		result = next_match(walk, level, pattern, path);
		if (result == 0)
			(void)closedir(levels[--depth].folder);
		if (result <= 0)
			continue;
		at = level->component + 1 + strcspn(pattern + level->component + 1, "/");
		result = copy_literals(walk, pattern, &at, path);
		if (result < 0)
			break;
		if (!pattern[at]) {
			result = tell_path(walk, path, false);
			continue;
		}
		result = depth < LEVELS_MAX
				 ? open_level(walk, path, at, &levels[depth])
				 : error_set(walk->error, STATUS_UNUSABLE, "%s: more than %d globs",
					     walk->pattern, LEVELS_MAX);
		depth += result > 0;
	}
	while (depth > 0)
		(void)closedir(levels[--depth].folder);
	return result < 0 ? -1 : 0;
}

/* Takes the last component off where it stands for a folder's content. */
static void take_tail(struct walk *walk, char *pattern)
{
	char *slash = strrchr(pattern, '/');

	if (strcmp(slash, "/*") == 0)
		walk->tail = TAIL_CHILDREN;
	else if (strcmp(slash, "/**") == 0)
		walk->tail = TAIL_BELOW;
	if (walk->tail != TAIL_NONE)
		*slash = '\0';
}

int pattern_each_named(int root, const char *pattern, named_visitor visit, void *context,
		       struct error *error)
{
	struct walk walk = {.root = root,
			    .pattern = pattern,
			    .visit = visit,
			    .context = context,
			    .error = error};
	char normal[PATH_MAX], root_path[PATH_MAX];

	if (!path_normalise(pattern, normal, sizeof(normal)))
		return error_set(error, STATUS_UNUSABLE,
				 "%s is not an absolute path of less than %d bytes", pattern,
				 PATH_MAX);
	take_tail(&walk, normal);
	if (strstr(normal, "**"))
		return error_set(error, STATUS_UNUSABLE,
				 "%s: \"**\" binds to what is there as the last component alone "
				 "(\"/opt/**\"); name the folders in front of it",
				 pattern);
	if (read_path(&walk, root, root_path) < 0)
		return -1;
	if (strcmp(root_path, "/") != 0)
		(void)snprintf(walk.root_path, sizeof(walk.root_path), "%s", root_path);
	if (expand(&walk, normal) < 0)
		return -1;
	return walk.visited ? 0 : 1;
}
