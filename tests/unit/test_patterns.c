// SPDX-License-Identifier: Apache-2.0
/* What patterns name, in a small tree that stands for a machine's root. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/patterns.h"

struct world {
	char path[64];
	int root;
};

static const char *const folders[] = {"usr",	   "usr/bin", "opt",	   "opt/a",
				      "opt/a/bin", "opt/b",   "opt/b/bin", "etc"};
static const char *const files[] = {"usr/bin/python3.11", "usr/bin/sh", "opt/a/bin/tool",
				    "opt/b/bin/tool",	  "etc/x[1]",	"opt/file"};
static const char *const links[][2] = {
	{"python3.11", "usr/bin/python3"},
	{"/usr/bin", "bin"},
	{"/../../../../etc", "out"},
	{"/etc/later", "opt/dangling"},
	{"loop", "etc/loop"},
	{"../etc/sub/later", "opt/nowhere"},
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	size_t i;

	(void)snprintf(world->path, sizeof(world->path), "/tmp/patterns.XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->root = open(world->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdirat(world->root, folders[i], 0755) < 0)
			return -1;
	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (close(openat(world->root, files[i], O_CREAT | O_WRONLY, 0755)) < 0)
			return -1;
	for (i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i][0], world->root, links[i][1]) < 0)
			return -1;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(links); i++)
		(void)unlinkat(world->root, links[i][1], 0);
	for (i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlinkat(world->root, files[i], 0);
	for (i = ARRAY_SIZE(folders); i > 0; i--)
		(void)unlinkat(world->root, folders[i - 1], AT_REMOVEDIR);
	(void)close(world->root);
	(void)rmdir(world->path);
	free(world);
	return 0;
}

/* Each object as "kind path name", in the order of the folder: sorted by the caller's eye. */
struct seen {
	char lines[16][128];
	size_t count;
};

static int note(const struct named *named, void *context, struct error *error)
{
	static const char *const kinds[] = {"file", "folder", "children", "missing"};
	struct seen *seen = context;
	struct stat by_fd, by_name;

	(void)error;
	assert_true(seen->count < ARRAY_SIZE(seen->lines));
	(void)snprintf(seen->lines[seen->count++], sizeof(seen->lines[0]), "%s %s%s%s",
		       kinds[named->kind], named->path, named->name ? " " : "",
		       named->name ? named->name : "");
	assert_int_equal(fstat(named->fd, &by_fd), 0);
	if (named->kind != NAMED_FILE)
		return 0;
	assert_int_equal(fstatat(named->parent, named->name, &by_name, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(by_fd.st_ino, by_name.st_ino);
	return 0;
}

static int compare_lines(const void *one, const void *other)
{
	return strcmp(one, other);
}

static void a_pattern_names_objects(void **state)
{
	static const struct {
		const char *pattern;
		const char *lines[3];
	} cases[] = {
		{"/", {"folder /"}},
		{"/**", {"folder /"}},
		{"/*", {"children /"}},
		{"/usr/bin/sh", {"file /usr/bin/sh sh"}},
		{"/usr//bin/./sh", {"file /usr/bin/sh sh"}},
		{"/usr/bin", {"folder /usr/bin"}},
		{"/usr/bin/*", {"children /usr/bin"}},
		{"/usr/bin/**", {"folder /usr/bin"}},
		/* by links: absolute, relative, and one that would lead out */
		{"/bin/python3", {"file /usr/bin/python3.11 python3.11"}},
		{"/bin/*", {"children /usr/bin"}},
		{"/out", {"folder /etc"}},
		{"/../../etc", {"folder /etc"}},
		/* globs */
		{"/usr/bin/s?", {"file /usr/bin/sh sh"}},
		{"/usr/bin/python3.*", {"file /usr/bin/python3.11 python3.11"}},
		{"/opt/*/bin/*", {"children /opt/a/bin", "children /opt/b/bin"}},
		{"/opt/*/bin/tool", {"file /opt/a/bin/tool tool", "file /opt/b/bin/tool tool"}},
		{"/opt/?/**", {"folder /opt/a", "folder /opt/b"}},
		{"/opt/?", {"folder /opt/a", "folder /opt/b"}},
		{"/etc/x[*", {"file /etc/x[1] x[1]"}},
		/* what is not there yet */
		{"/etc/new", {"missing /etc new"}},
		{"/opt/dangling", {"missing /etc later"}},
		{"/opt/nowhere", {NULL}},
		{"/etc/no/new", {NULL}},
		{"/etc/loop", {NULL}},
		{"/opt/file/x", {NULL}},
		{"/opt/file/*", {NULL}},
		{"/opt/file/**", {NULL}},
		{"/etc/new/*", {NULL}},
		{"/etc/n*", {NULL}},
		{"/opt/*/new", {NULL}},
	};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error = {.text = ""};
		struct seen seen = {.count = 0};
		size_t j;
		const int result =
			pattern_each_named(world->root, cases[i].pattern, note, &seen, &error);

		qsort(seen.lines, seen.count, sizeof(seen.lines[0]), compare_lines);
		if (result != (cases[i].lines[0] ? 0 : 1))
			fail_msg("%s: %d (%s)", cases[i].pattern, result, error.text);
		for (j = 0; j < ARRAY_SIZE(cases[i].lines) && cases[i].lines[j]; j++)
			assert_string_equal(seen.lines[j], cases[i].lines[j]);
		if (seen.count != j)
			fail_msg("%s: %s too", cases[i].pattern, seen.lines[j]);
	}
}

static void what_can_not_be_bound_is_refused(void **state)
{
	static const char *const patterns[] = {"/opt/**/tool", "/opt/a**", "/opt/**/*", "opt/a"};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct error error = {.text = ""};
		struct seen seen = {.count = 0};

		assert_int_equal(pattern_each_named(world->root, patterns[i], note, &seen, &error),
				 -1);
		assert_int_equal(error.status, STATUS_UNUSABLE);
		assert_int_equal(seen.count, 0);
	}
}

static int refuse(const struct named *named, void *context, struct error *error)
{
	(void)named;
	++*(int *)context;
	return error_set(error, STATUS_UNUSABLE, "no");
}

static void a_visitor_can_stop(void **state)
{
	const struct world *world = *state;
	struct error error = {.text = ""};
	int calls = 0;

	assert_int_equal(pattern_each_named(world->root, "/opt/*/bin/tool", refuse, &calls, &error),
			 -1);
	assert_int_equal(calls, 1);
	assert_string_equal(error.text, "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_names_objects),
		cmocka_unit_test(what_can_not_be_bound_is_refused),
		cmocka_unit_test(a_visitor_can_stop),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
