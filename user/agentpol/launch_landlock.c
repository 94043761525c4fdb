// SPDX-License-Identifier: Apache-2.0
#include "agentpol/launch_landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "kernel/interpreter.h"
#include "kernel/landlock.h"
#include "kernel/patterns.h"
#include "policy/paths.h"

/* Interpreters that granted programs ask for; a machine has one or two. */
#define INTERPRETERS_MAX 16

/* What programs in granted folders ask for, which nobody reads one by one. */
static const char *const usual_interpreters[] = {
	"/lib64/ld-linux*.so*",
	"/lib/ld-linux*.so*",
	"/lib/ld-musl*",
	"/lib64/ld-musl*",
};

struct making {
	struct launch_files *files;
	struct landlock_domain domain;
	int root;
	char interpreters[INTERPRETERS_MAX][PATH_MAX];
	size_t interpreter_count;
	const struct landlock_grant *grant; /* whose path is being bound; NULL: none's */
	uint64_t rights;		    /* that it is bound with */
	char **writable;		    /* owned, each too: folders that are granted to write */
	size_t writable_count, writable_room;
};

static int keep_path(char ***paths, size_t *count, size_t *room, const char *path,
		     struct error *error)
{
	char **more = array_reserve(*paths, room, *count, sizeof(**paths));

	if (more) {
		*paths = more;
		more[*count] = strdup(path);
	}
	if (!more || !more[*count])
		return error_set(error, STATUS_SYSTEM, "out of memory");
	++*count;
	return 0;
}

static void free_paths(char **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}

/* ---- grants ---- */

static int allow(const struct making *making, int fd, bool folder, uint64_t rights,
		 struct error *error)
{
	if (landlock_allow(making->files->rules, fd, folder, rights) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "Landlock: cannot add a rule");
	return 0;
}

static void note_interpreter(struct making *making, int fd)
{
	char path[PATH_MAX];

	if (making->interpreter_count == INTERPRETERS_MAX ||
	    !interpreter_read(fd, path, sizeof(path)))
		return;
	for (size_t i = 0; i < making->interpreter_count; i++)
		if (strcmp(making->interpreters[i], path) == 0)
			return;
	memcpy(making->interpreters[making->interpreter_count++], path, sizeof(path));
}

static int allow_program(struct making *making, int fd, struct error *error)
{
	note_interpreter(making, fd);
	return allow(making, fd, false, making->rights, error);
}

/* Landlock knows "below" alone, so each file that is in the folder now gets a rule. A link is not
 * followed: what it leads to is not in the folder. */
static int allow_children(struct making *making, const struct named *named, struct error *error)
{
	int listed = openat(named->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *folder = listed < 0 ? NULL : fdopendir(listed);
	const struct dirent *entry;

	if (!folder) {
		if (listed >= 0)
			(void)close(listed);
		return error_set_errno(error, STATUS_SYSTEM, errno, "cannot read %s", named->path);
	}
	while (result == 0 && (entry = readdir(folder))) {
		_cleanup_close_ int fd =
			openat(listed, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		struct stat status;

		if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
			result = allow_program(making, fd, error);
	}
	(void)closedir(folder);
	return result;
}

static int bind_program(const struct named *named, void *context, struct error *error)
{
	struct making *making = context;

	switch (named->kind) {
	case NAMED_FILE:
		return allow_program(making, named->fd, error);
	case NAMED_FOLDER:
		return allow(making, named->fd, true, making->rights, error);
	case NAMED_CHILDREN:
		return allow_children(making, named, error);
	case NAMED_MISSING:
		break;
	}
	return 0;
}

static int bind_files(const struct named *named, void *context, struct error *error)
{
	struct making *making = context;
	const struct landlock_grant *grant = making->grant;
	const bool write = grant->rights & LANDLOCK_ACCESS_FS_WRITE_FILE;

	if (named->kind == NAMED_MISSING) {
		/* A rule binds to what is there; that nothing is granted will be noticed late. */
		if (write)
			(void)fprintf(stderr,
				      "agentpol: %s%s/%zu: %s is not there, so nothing is granted "
				      "by it; make it first, or grant its folder\n",
				      grant->scope->pointer, grant->pointer, grant->index,
				      grant->path);
		return 0;
	}
	if (write && keep_path(&making->writable, &making->writable_count, &making->writable_room,
			       named->path, error) < 0)
		return -1;
	return allow(making, named->fd, named->kind == NAMED_FOLDER, grant->rights, error);
}

static int bind_grant(const struct landlock_grant *grant, void *context, struct error *error)
{
	struct making *making = context;
	const bool exec = grant->rights & LANDLOCK_ACCESS_FS_EXECUTE;

	making->grant = grant;
	making->rights = grant->rights;
	/* Whether it names anything is no matter: lists are made for more than one machine. */
	return pattern_each_named(making->root, grant->path, exec ? bind_program : bind_files,
				  making, error) < 0
		       ? -1
		       : 0;
}

static int allow_interpreters(struct making *making, struct error *error)
{
	/* Those that are found on the way are asked for by no program. */
	const size_t count = making->interpreter_count;

	making->grant = NULL;
	making->rights =
		making->domain.files & (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
	for (size_t i = 0; i < count; i++)
		if (pattern_each_named(making->root, making->interpreters[i], bind_program, making,
				       error) < 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(usual_interpreters); i++)
		if (pattern_each_named(making->root, usual_interpreters[i], bind_program, making,
				       error) < 0)
			return -1;
	return 0;
}

static int make_rules(const struct policy *policy, const struct tool *tool, struct making *making,
		      struct error *error)
{
	const struct landlock_domain *domain = &making->domain;

	making->files->rules = landlock_new(domain);
	if (making->files->rules < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "Landlock: no rule set");
	/* Without lists files may be moved about as ever. */
	if (!domain->lists &&
	    allow(making, making->root, true, LANDLOCK_ACCESS_FS_REFER, error) < 0)
		return -1;
	if (landlock_each_grant(policy, tool, domain, bind_grant, making, error) < 0)
		return -1;
	return domain->exec ? allow_interpreters(making, error) : 0;
}

/* ---- denials ---- */

struct place_found {
	enum named_kind kind;
	char path[PATH_MAX];
};

static int note_place(const struct named *named, void *context, struct error *error)
{
	struct place_found *found = context;

	(void)error;
	found->kind = named->kind;
	(void)snprintf(found->path, sizeof(found->path), "%s", named->path);
	return 0;
}

/* Could the command make the path? It could in the nearest folder that is there. */
static int can_make(const struct making *making, const char *path, bool *can, struct error *error)
{
	struct place_found above = {.kind = NAMED_MISSING};
	char text[PATH_MAX];
	int found;

	*can = making->files->rules < 0 || !making->domain.lists;
	(void)snprintf(text, sizeof(text), "%s", path);
	while ((found = pattern_each_named(making->root, text, note_place, &above, error)) == 1) {
		char *slash = strrchr(text, '/');

		if (slash == text)
			return 0;
		*slash = '\0';
	}
	if (found < 0)
		return -1;
	for (size_t i = 0; i < making->writable_count; i++)
		*can = *can || path_is_below(making->writable[i], above.path);
	return 0;
}

/*
 * A denied path that is not there: nothing can be mounted over it. Lists of what is denied are
 * written for many machines, so that alone is no reason to refuse, and where the command can't make
 * it, the rule holds. Where it can, whoever wrote the rule would find it broken, and is told
 * before.
 */
static int judge_missing(const struct making *making, const char *path, const char *pointer,
			 bool degraded, struct error *error)
{
	bool can;

	if (can_make(making, path, &can, error) < 0)
		return -1;
	if (!can)
		return 0;
	(void)error_set(error, STATUS_SYSTEM,
			"%s: %s is not there, and the command could make it: make it first, take "
			"the entry out, or go without it (--allow-degraded)",
			pointer, path);
	if (!degraded)
		return -1;
	(void)fprintf(stderr, "agentpol: %s\n", error->text);
	error->text[0] = '\0';
	return 0;
}

static int hide_denied(const struct making *making, const char *path, const char *pointer,
		       bool degraded, struct error *error)
{
	struct place_found found = {.kind = NAMED_MISSING};
	const int result = pattern_each_named(making->root, path, note_place, &found, error);

	if (result < 0)
		return -1;
	if (result == 1 || found.kind == NAMED_MISSING)
		return judge_missing(making, path, pointer, degraded, error);
	if (strcmp(found.path, "/") == 0)
		return error_set(error, STATUS_UNUSABLE,
				 "%s denies every file: no command can run under that", pointer);
	return keep_path(&making->files->hidden, &making->files->hidden_count,
			 &making->files->hidden_room, found.path, error);
}

static int hide_scope(const struct making *making, const struct scope *scope, bool degraded,
		      struct error *error)
{
	for (size_t i = 0; i < scope->files.deny.count; i++) {
		char pointer[256];

		(void)snprintf(pointer, sizeof(pointer), "%s/files/deny/%zu", scope->pointer, i);
		if (hide_denied(making, scope->files.deny.items[i], pointer, degraded, error) < 0)
			return -1;
	}
	return 0;
}

/* ---- */

static int prepare(const struct policy *policy, const struct tool *tool, bool degraded,
		   struct making *making, struct error *error)
{
	const int abi = landlock_abi();

	landlock_domain_of(policy, abi, &making->domain);
	/* Its first version moved no file between folders: a domain would take that from all. */
	if (abi >= LANDLOCK_ABI_REFER || (abi > 0 && making->domain.files != 0))
		if (make_rules(policy, tool, making, error) < 0)
			return -1;
	if (hide_scope(making, &policy->agent, degraded, error) < 0)
		return -1;
	return tool ? hide_scope(making, &tool->scope, degraded, error) : 0;
}

int launch_files_prepare(const struct policy *policy, const struct tool *tool, bool degraded,
			 struct launch_files *files, struct error *error)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct making *making = calloc(1, sizeof(*making));
	int result;

	*files = (struct launch_files){.rules = -1};
	if (root < 0 || !making) {
		free(making);
		return error_set_errno(error, STATUS_SYSTEM, errno, "/");
	}
	making->files = files;
	making->root = root;
	result = prepare(policy, tool, degraded, making, error);
	free_paths(making->writable, making->writable_count);
	free(making);
	return result;
}

void launch_files_free(struct launch_files *files)
{
	if (files->rules >= 0)
		(void)close(files->rules);
	free_paths(files->hidden, files->hidden_count);
	*files = (struct launch_files){.rules = -1};
}
