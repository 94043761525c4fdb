// SPDX-License-Identifier: Apache-2.0
/* Running what is not granted. The marker program must not be run from anywhere but a granted
 * place, and nothing that the agent may write to is one. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOADER "/lib64/ld-linux-x86-64.so.2"

static int run_named(const struct world *world, const struct attempt *self)
{
	return run_file(at(world, self->with).text);
}

static int run_by_symlink(const struct world *world, const struct attempt *self)
{
	const struct path link = at(world, "granted/link");

	(void)self;
	if (symlink(at(world, "tools/marker").text, link.text) < 0)
		return -errno;
	return run_file(link.text);
}

static int run_by_hard_link(const struct world *world, const struct attempt *self)
{
	const struct path to = at(world, self->with);

	if (link(at(world, "tools/marker").text, to.text) < 0)
		return -errno;
	return run_file(to.text);
}

static int run_renamed(const struct world *world, const struct attempt *self)
{
	const struct path to = at(world, self->with);

	if (rename(at(world, "tools/marker").text, to.text) < 0)
		return -errno;
	return run_file(to.text);
}

static int run_copied(const struct world *world, const struct attempt *self)
{
	const struct path to = at(world, self->with);
	const int result = copy_file(at(world, "readonly/marker").text, to.text, 0755);

	return result ? result : run_file(to.text);
}

static int run_exchanged(const struct world *world, const struct attempt *self)
{
	const struct path tool = at(world, "bin/tool");

	(void)self;
	if (renameat2(AT_FDCWD, at(world, "tools/marker").text, AT_FDCWD, tool.text,
		      RENAME_EXCHANGE) < 0)
		return -errno;
	return run_file(tool.text);
}

static int run_linked_tmpfile(const struct world *world, const struct attempt *self)
{
	const struct path to = at(world, self->with);
	char folder[PATH_MAX], name[64];
	int fd;

	(void)strncpy(folder, to.text, sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	*strrchr(folder, '/') = '\0';
	fd = open(folder, O_TMPFILE | O_WRONLY, 0755);
	if (fd < 0 || write(fd, marker_begin, (size_t)(marker_end - marker_begin)) < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, name, AT_FDCWD, to.text, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	(void)close(fd);
	return run_file(to.text);
}

/* By a descriptor, or by its name in /proc. */
static int run_fd(int fd, bool by_name)
{
	char *const arguments[] = {(char *)"marker", NULL}, *const environment[] = {NULL};
	char name[64];

	if (fd < 0)
		return -errno;
	if (!by_name)
		return outcome(
			syscall(SYS_execveat, fd, "", arguments, environment, AT_EMPTY_PATH));
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return run_file(name);
}

static int run_opened(const struct world *world, const struct attempt *self)
{
	return run_fd(open(at(world, "readonly/marker").text, O_RDONLY), self->number != 0);
}

static int run_path_fd(const struct world *world, const struct attempt *self)
{
	return run_fd(open(at(world, "tools/marker").text, O_PATH), self->number != 0);
}

static int run_memfd(const struct world *world, const struct attempt *self)
{
	(void)world;
	return run_fd(marker_memfd(), self->number != 0);
}

static int run_by_loader(const struct world *world, const struct attempt *self)
{
	const struct path library = at(world, "granted/marker.so");
	char *const arguments[] = {(char *)LOADER, (char *)library.text, NULL};

	(void)self;
	return outcome(execv(LOADER, arguments));
}

static int preload(const struct world *world, const struct attempt *self)
{
	char setting[PATH_MAX];
	char *const arguments[] = {(char *)"sh", (char *)"-c", (char *)":", NULL};
	char *const environment[] = {setting, NULL};

	(void)snprintf(setting, sizeof(setting), "%s=%s", self->with,
		       at(world, "granted/marker.so").text);
	return outcome(execve("/bin/sh", arguments, environment));
}

static int run_script(const struct world *world, const struct attempt *self)
{
	const struct path script = at(world, "granted/script");
	const int result = write_text(script.text, O_CREAT, "#!/bin/sh\necho executed\n");

	(void)self;
	if (result || chmod(script.text, 0755) < 0)
		return result ? result : -errno;
	return run_file(script.text);
}

/* The machine code of a file, without execve. */
static int map_code(const struct world *world, const struct attempt *self)
{
	const size_t length = (size_t)(code_end - code_begin);
	const int fd = open(at(world, "granted/code").text, O_RDWR | O_CREAT, 0600);
	const int first = self->number ? PROT_READ : PROT_READ | PROT_EXEC;
	void *code;

	if (fd < 0 || write(fd, code_begin, length) != (ssize_t)length)
		return -errno;
	code = mmap(NULL, length, first, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED)
		return -errno;
	if (self->number && mprotect(code, length, PROT_READ | PROT_EXEC) < 0)
		return -errno;
	((void (*)(void))(uintptr_t)code)();
	return 0;
}

static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/* A path that reads as a granted one, below a root of the agent's own. */
static int run_below_own_root(const struct world *world, const struct attempt *self)
{
	char path[PATH_MAX];
	int result;

	(void)self;
	(void)snprintf(path, sizeof(path), "%s/granted/jail%s/bin/tool", world->root, world->root);
	result = make_folders(path);
	if (result == 0)
		result = copy_file(at(world, "readonly/marker").text, path, 0755);
	if (result == 0)
		result = outcome(chroot(at(world, "granted/jail").text));
	return result ? result : run_file(at(world, "bin/tool").text);
}

static int bind_and_run(const struct world *world)
{
	const struct path tool = at(world, "bin/tool");

	if (mount(at(world, "readonly/marker").text, tool.text, NULL, MS_BIND, NULL) < 0)
		return -errno;
	return run_file(tool.text);
}

static int run_bound(const struct world *world, const struct attempt *self)
{
	(void)self;
	return bind_and_run(world);
}

static int run_bound_in_namespace(const struct world *world, const struct attempt *self)
{
	(void)self;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	return bind_and_run(world);
}

static int run_in_tmpfs(const struct world *world, const struct attempt *self)
{
	(void)self;
	if (mount("breach", at(world, "bin").text, "tmpfs", 0, NULL) < 0)
		return -errno;
	return run_copied(world, &(struct attempt){.with = "bin/own"}) ? -errno : 0;
}

/* The stack of the kernel that judges an exec is another one in a child of vfork. */
static int run_by_spawn(const struct world *world, const struct attempt *self)
{
	char *const arguments[] = {(char *)"marker", NULL}, *const environment[] = {NULL};
	const struct path marker = at(world, self->with);
	pid_t child;
	const int failure = posix_spawn(&child, marker.text, NULL, NULL, arguments, environment);

	if (failure)
		return -failure;
	return outcome(waitpid(child, NULL, 0));
}

static int run_relative(const struct world *world, const struct attempt *self)
{
	(void)self;
	if (chdir(at(world, "bin").text) < 0)
		return -errno;
	return run_file("../tools/marker");
}

#define FILE_RULE  .claimed = BY_LANDLOCK | BY_LSM, .evidence = RAN_MARKER
#define LAUNCH_TOO .claimed = BY_LAUNCH | BY_LANDLOCK | BY_LSM, .evidence = RAN_MARKER
/* Landlock judges what is executed, and nothing that is mapped. */
#define MAPPED .claimed = BY_LSM, .evidence = RAN_MARKER

static const struct attempt attempts[] = {
	{"exec-plain", "a program that is not granted", FILE_RULE, .make = run_named,
	 .with = "tools/marker"},
	{"exec-readable", "a program that may be read", FILE_RULE, .make = run_named,
	 .with = "readonly/marker"},
	{"exec-relative", "it, by .. from a granted folder", FILE_RULE, .make = run_relative},
	{"exec-symlink", "it, by a symbolic link", FILE_RULE, .make = run_by_symlink},
	{"exec-hard-link", "it, by a hard link in a granted folder", FILE_RULE,
	 .make = run_by_hard_link, .with = "granted/own"},
	{"exec-link-into-bin", "it, linked into the folder of granted programs", FILE_RULE,
	 .make = run_by_hard_link, .with = "bin/own"},
	{"exec-rename", "it, renamed to a folder that may be written to", FILE_RULE,
	 .make = run_renamed, .with = "granted/own"},
	{"exec-rename-into-bin", "it, renamed into the folder of granted programs", FILE_RULE,
	 .make = run_renamed, .with = "bin/own"},
	{"exec-rename-over", "it, renamed over a granted program", FILE_RULE, .make = run_renamed,
	 .with = "bin/tool"},
	{"exec-exchange", "it, exchanged with a granted program", FILE_RULE, .make = run_exchanged},
	{"exec-copy", "a copy in a folder that may be written to", FILE_RULE, .make = run_copied,
	 .with = "granted/own"},
	{"exec-copy-into-bin", "a copy in the folder of granted programs", FILE_RULE,
	 .make = run_copied, .with = "bin/own"},
	{"exec-overwrite", "a copy over a granted program", FILE_RULE, .make = run_copied,
	 .with = "bin/tool"},
	{"exec-tmpfile", "a nameless file that gets a name in a granted folder", FILE_RULE,
	 .make = run_linked_tmpfile, .with = "granted/own"},
	{"exec-tmpfile-into-bin", "the same, among granted programs", FILE_RULE,
	 .make = run_linked_tmpfile, .with = "bin/own"},
	{"exec-fd", "fexecve of an open file", FILE_RULE, .make = run_opened},
	{"exec-proc-fd", "/proc/self/fd of an open file", FILE_RULE, .make = run_opened,
	 .number = 1},
	{"exec-path-fd", "fexecve of what was opened by O_PATH", FILE_RULE, .make = run_path_fd},
	{"exec-proc-path-fd", "/proc/self/fd of what was opened by O_PATH", FILE_RULE,
	 .make = run_path_fd, .number = 1},
	/* Landlock has no rule for what lies in no file system that one can name. */
	{"exec-memfd", "a program in memory, by fexecve", MAPPED, .make = run_memfd},
	{"exec-proc-memfd", "a program in memory, by /proc/self/fd", MAPPED, .make = run_memfd,
	 .number = 1},
	{"exec-interpreter", "a granted script whose interpreter is not granted", FILE_RULE,
	 .make = run_named, .with = "bin/script"},
	{"exec-script", "a script of one's own with a granted interpreter", FILE_RULE,
	 .make = run_script},
	{"exec-loader", "the dynamic loader, given a file", MAPPED, .make = run_by_loader},
	{"exec-preload", "LD_PRELOAD of a library that the policy can write", MAPPED,
	 .make = preload, .with = "LD_PRELOAD"},
	{"exec-audit", "LD_AUDIT of such a library", MAPPED, .make = preload, .with = "LD_AUDIT"},
	{"exec-map", "mmap for execution of a file of one's own", MAPPED, .make = map_code},
	{"exec-mprotect", "the same, made executable later", MAPPED, .make = map_code, .number = 1},
	{"exec-chroot", "a granted path below a root of one's own", LAUNCH_TOO,
	 .make = run_below_own_root},
	{"exec-bind", "a bind mount over a granted program", LAUNCH_TOO, .make = run_bound},
	{"exec-user-namespace", "the same, in a user namespace", LAUNCH_TOO,
	 .make = run_bound_in_namespace},
	{"exec-tmpfs", "a file system of one's own over the granted programs", LAUNCH_TOO,
	 .make = run_in_tmpfs},
	{"exec-spawn", "the program, by posix_spawn", FILE_RULE, .make = run_by_spawn,
	 .with = "tools/marker"},
};
const struct group exec_group = {attempts, ARRAY_SIZE(attempts)};
