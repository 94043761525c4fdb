// SPDX-License-Identifier: Apache-2.0
#include "kernel/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "kernel/object_asker.h"
#include "kernel/patterns.h"
#include "policy/paths.h"

/* What one search has. */
struct search {
	const struct object_asker *asker;
	struct object_list *list;
	int root;      /* O_PATH */
	char **mounts; /* mount points below the root, as the target sees them */
	size_t mount_count;
	uint32_t bits; /* of the entry that is looked at */
};

void object_list_free(struct object_list *list)
{
	free(list->rules);
	list->rules = NULL;
}

/* ---- the list ---- */

static int add_rule(struct object_list *list, const struct object_key *object, const char *name,
		    uint32_t bits, struct error *error)
{
	struct object_rule *rule;

	if (list->count == list->room) {
		const size_t room = list->room ? 2 * list->room : 256;
		struct object_rule *rules = reallocarray(list->rules, room, sizeof(*rules));

		if (!rules)
			return error_set(error, STATUS_SYSTEM, "out of memory");
		list->rules = rules;
		list->room = room;
	}
	rule = &list->rules[list->count++];
	*rule = (struct object_rule){.object = *object, .bits = bits};
	(void)snprintf(rule->name, sizeof(rule->name), "%s", name);
	return 0;
}

static int compare_rules(const void *left, const void *right)
{
	const struct object_rule *one = left, *other = right;
	int order = memcmp(&one->object, &other->object, sizeof(one->object));

	return order ? order : memcmp(one->name, other->name, sizeof(one->name));
}

/* What several entries say of one object is joined. */
static void join_equal(struct object_list *list)
{
	size_t kept = 0;

	if (!list->count)
		return;
	qsort(list->rules, list->count, sizeof(*list->rules), compare_rules);
	for (size_t i = 1; i < list->count; i++) {
		if (compare_rules(&list->rules[kept], &list->rules[i]) == 0)
			list->rules[kept].bits |= list->rules[i].bits;
		else
			list->rules[++kept] = list->rules[i];
	}
	list->count = kept + 1;
}

/* ---- mounts ---- */

static void free_mounts(struct search *search)
{
	for (size_t i = 0; i < search->mount_count; i++)
		free(search->mounts[i]);
	free(search->mounts);
}

static int add_mount(struct search *search, const char *point)
{
	char **mounts = reallocarray(search->mounts, search->mount_count + 1, sizeof(*mounts));

	if (!mounts)
		return -ENOMEM;
	search->mounts = mounts;
	mounts[search->mount_count] = strdup(point);
	return mounts[search->mount_count++] ? 0 : -ENOMEM;
}

/* Field 5 of each line, see proc(5); what the process can't reach from its root is not in it. */
static int read_mounts(struct search *search, pid_t target, struct error *error)
{
	char path[64], point[PATH_MAX];
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/mountinfo", (long)target);
	file = fopen(path, "re");
	if (!file)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s", path);
	while (getline(&line, &room, file) > 0) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		file_decode_mount_path(point);
		if (add_mount(search, point) < 0)
			return error_set(error, STATUS_SYSTEM, "out of memory");
	}
	return 0;
}

/* The uppermost of what is mounted there. */
static int open_in_root(int root, const char *path)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* Right in the folder, not deeper. */
static bool is_child(const char *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	const size_t length = strlen(folder);

	if (!slash || path_is_below(path, folder))
		return false;
	return length == 1 ? slash == path
			   : (size_t)(slash - path) == length && memcmp(folder, path, length) == 0;
}

/* What is mounted below a folder belongs to it. */
static int add_mounts_below(struct search *search, const struct named *named, struct error *error)
{
	const bool children = named->kind == NAMED_CHILDREN;
	const uint32_t bits = children ? OBJECT_EXEC : search->bits;

	for (size_t i = 0; i < search->mount_count; i++) {
		const char *point = search->mounts[i];
		_cleanup_close_ int fd = -1;
		struct object_key object;

		if (children
			    ? !is_child(named->path, point)
			    : !path_is_below(named->path, point) || strcmp(named->path, point) == 0)
			continue;
		fd = open_in_root(search->root, point);
		/* It has gone since, or another mount is over it. */
		if (fd < 0)
			continue;
		if (object_ask(search->asker, fd, &object, error) < 0 ||
		    add_rule(search->list, &object, "", bits, error) < 0)
			return -1;
	}
	return 0;
}

/* ---- entries ---- */

/* By its name too: what is put there later in its place is held to the rule, too. */
static int add_name(struct search *search, int folder, const char *name, struct error *error)
{
	struct object_key object;

	if (strlen(name) >= OBJECT_NAME_BYTES) {
		if (search->bits != OBJECT_DENY)
			return 0;
		return error_set(error, STATUS_UNUSABLE,
				 "%s: the kernel's table takes names of less than %d bytes", name,
				 OBJECT_NAME_BYTES);
	}
	return object_ask(search->asker, folder, &object, error) < 0
		       ? -1
		       : add_rule(search->list, &object, name, search->bits, error);
}

/* A folder is known by its name, too, unless it is the root. */
static int add_folder_name(struct search *search, const struct named *named, struct error *error)
{
	_cleanup_free_ char *folder = strdup(named->path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	_cleanup_close_ int fd = -1;

	if (!slash || !slash[1])
		return folder ? 0 : error_set(error, STATUS_SYSTEM, "out of memory");
	*slash = '\0';
	fd = open_in_root(search->root, slash == folder ? "/" : folder);
	return fd < 0 ? 0 : add_name(search, fd, slash + 1, error);
}

static int take_named(const struct named *named, void *context, struct error *error)
{
	struct search *search = context;
	struct object_key object;
	uint32_t bits = named->kind == NAMED_CHILDREN ? OBJECT_EXEC_CHILDREN : search->bits;

	if (named->kind == NAMED_MISSING)
		return add_name(search, named->fd, named->name, error);
	if (object_ask(search->asker, named->fd, &object, error) < 0 ||
	    add_rule(search->list, &object, "", bits, error) < 0)
		return -1;
	if (named->kind == NAMED_FILE)
		return add_name(search, named->parent, named->name, error);
	if (named->kind == NAMED_FOLDER && add_folder_name(search, named, error) < 0)
		return -1;
	return add_mounts_below(search, named, error);
}

static int take_entry(struct search *search, const struct image_path *entry, struct error *error)
{
	int result;

	search->bits = entry->bits;
	result = pattern_each_named(search->root, entry->path, take_named, search, error);
	if (result < 0)
		return error_wrap(error, "%s", entry->pointer);
	if (result > 0 && entry->bits == OBJECT_DENY)
		return error_set(error, STATUS_UNUSABLE,
				 "%s: %s names nothing here, not even the folder that it would be "
				 "in, so that nothing can be denied there; make the folder, or "
				 "take the entry out",
				 entry->pointer, entry->path);
	search->list->unnamed += result > 0;
	return 0;
}

static int find_granted(struct search *search, const struct image *image, pid_t target,
			struct error *error)
{
	char path[64];
	int result;

	(void)snprintf(path, sizeof(path), "/proc/%ld/root", (long)target);
	search->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (search->root < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s", path);
	result = read_mounts(search, target, error);
	for (size_t i = 0; result == 0 && i < image->path_count; i++)
		result = take_entry(search, &image->paths[i], error);
	(void)close(search->root);
	return result;
}

/* In this process's own root, whatever the target's is. */
static int find_own(struct search *search, const char *const *own, struct error *error)
{
	int result = 0;

	search->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	search->bits = OBJECT_ENFORCER;
	if (search->root < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "/");
	for (size_t i = 0; result >= 0 && own[i]; i++)
		result = pattern_each_named(search->root, own[i], take_named, search, error);
	(void)close(search->root);
	return result < 0 ? -1 : 0;
}

int objects_find(const struct image *image, pid_t target, const char *const *own,
		 struct object_list *list, struct error *error)
{
	_cleanup_asker_ struct object_asker *asker = object_asker_new(error);
	struct search search = {.asker = asker, .list = list};
	int result;

	if (!asker)
		return -1;
	result = find_granted(&search, image, target ? target : getpid(), error);
	if (result == 0)
		result = find_own(&search, own, error);
	free_mounts(&search);
	join_equal(list);
	return result;
}
