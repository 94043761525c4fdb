// SPDX-License-Identifier: Apache-2.0
/* Changing what may only be read, or not even that: the judge compares the folders. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct path the_file(const struct world *world)
{
	return at(world, "readonly/file");
}

static int write_named(const struct world *world, const struct attempt *self)
{
	return write_text(at(world, self->with).text, (int)self->number, "changed");
}

static int truncate_path(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(truncate(the_file(world).text, 1));
}

/* O_TRUNC is a write though nothing is written. */
static int truncate_open(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(open(the_file(world).text, O_RDONLY | O_TRUNC));
}

static int map_and_write(const struct world *world, const struct attempt *self)
{
	const int fd = open(the_file(world).text, O_RDWR);
	char *mapped;

	(void)self;
	if (fd < 0)
		return -errno;
	mapped = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	(void)memcpy(mapped, "changed", 7);
	return 0;
}

/* A descriptor for reading becomes one for writing. */
static int reopen_for_writing(const struct world *world, const struct attempt *self)
{
	const int fd = open(the_file(world).text, (int)self->number);
	char name[64];

	if (fd < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return write_text(name, 0, "changed");
}

static int change_mode_of_fd(const struct world *world, const struct attempt *self)
{
	const int fd = open(the_file(world).text, O_RDONLY);

	(void)self;
	return fd < 0 ? -errno : outcome(fchmod(fd, 0666));
}

static int change_flags(const struct world *world, const struct attempt *self)
{
	const int fd = open(the_file(world).text, O_RDONLY);
	int flags = FS_NODUMP_FL | FS_NOATIME_FL;

	(void)self;
	if (fd < 0)
		return -errno;
	return outcome(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int clone_over(const struct world *world, const struct attempt *self)
{
	const int from = open(at(world, "granted/file").text, O_RDONLY);
	const int to = open(the_file(world).text, O_WRONLY);

	(void)self;
	return from < 0 || to < 0 ? -errno : outcome(copy_file_range(from, NULL, to, NULL, 7, 0));
}

/* One call on a path, of those that change a folder or what a file is. */
enum change {
	UNLINK,
	RMDIR,
	MKDIR,
	SYMLINK,
	LINK_IN,
	LINK_OUT,
	RENAME_WITHIN,
	RENAME_OUT,
	RENAME_IN,
	EXCHANGE,
	FIFO,
	DEVICE,
	CHMOD,
	CHOWN,
	TIMES,
	XATTR,
	UNLINK_DENIED,
	MKDIR_DENIED,
	RENAME_DENIED,
	RENAME_FOLDER,
	RMDIR_DENIED,
};

static int change(const struct world *world, const struct attempt *self)
{
	const struct path file = the_file(world), new = at(world, "readonly/new");
	const struct path granted = at(world, "granted/file"), own = at(world, "granted/own");
	const struct path folder = at(world, "readonly/folder"),
			  denied = at(world, "granted/denied/file"),
			  barred = at(world, "granted/barred/file");
	long result = -1;

	switch ((enum change)self->number) {
	case UNLINK:
		result = unlink(file.text);
		break;
	case RMDIR:
		result = rmdir(folder.text);
		break;
	case MKDIR:
		result = mkdir(new.text, 0755);
		break;
	case SYMLINK:
		result = symlink("/", new.text);
		break;
	case LINK_IN:
		result = link(granted.text, new.text);
		break;
	case LINK_OUT:
		result = link(file.text, own.text);
		break;
	case RENAME_WITHIN:
		result = rename(file.text, new.text);
		break;
	case RENAME_OUT:
		result = rename(file.text, own.text);
		break;
	case RENAME_IN:
		result = rename(granted.text, new.text);
		break;
	case EXCHANGE:
		result = renameat2(AT_FDCWD, file.text, AT_FDCWD, granted.text, RENAME_EXCHANGE);
		break;
	case FIFO:
		result = mkfifo(new.text, 0600);
		break;
	case DEVICE:
		result = mknod(new.text, S_IFCHR | 0600, 0x103); /* null */
		break;
	case CHMOD:
		result = chmod(file.text, 0666);
		break;
	case CHOWN:
		result = chown(file.text, 12345, 12345);
		break;
	case TIMES:
		result = utimensat(AT_FDCWD, file.text, (struct timespec[]){{1, 0}, {1, 0}}, 0);
		break;
	case XATTR:
		result = setxattr(file.text, "user.breach", "x", 1, 0);
		if (result < 0 && errno == EOPNOTSUPP)
			result = setxattr(file.text, "trusted.breach", "x", 1, 0);
		break;
	case UNLINK_DENIED:
		result = unlink(denied.text);
		break;
	case MKDIR_DENIED:
		result = mkdir(at(world, "granted/denied/new").text, 0755);
		break;
	case RENAME_DENIED:
		result = rename(granted.text, at(world, "granted/denied/new").text);
		break;
	case RENAME_FOLDER:
		result = rename(folder.text, own.text);
		break;
	case RMDIR_DENIED:
		result = unlink(barred.text) < 0 ? -1 : rmdir(at(world, "granted/barred").text);
		break;
	}
	return outcome(result);
}

static void make_barred(const struct world *world)
{
	(void)mkdir(at(world, "granted/barred").text, 0755);
}

static int link_tmpfile(const struct world *world, const struct attempt *self)
{
	const int fd = open(at(world, "granted").text, O_TMPFILE | O_WRONLY, 0600);
	char name[64];

	(void)self;
	if (fd < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return outcome(linkat(AT_FDCWD, name, AT_FDCWD, at(world, "readonly/new").text,
			      AT_SYMLINK_FOLLOW));
}

/* A symbolic link in a granted folder that leads to where nothing is yet. */
static int create_by_dangling_link(const struct world *world, const struct attempt *self)
{
	const struct path link = at(world, "granted/link");

	(void)self;
	if (symlink(at(world, "readonly/new").text, link.text) < 0)
		return -errno;
	return write_text(link.text, O_CREAT, "changed");
}

static int bind_socket(const struct world *world, const struct attempt *self)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/%s", world->root,
		       self->with);
	return outcome(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int dump_core(const struct world *world, const struct attempt *self)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY}, some = {1 << 20, 1 << 20};
	pid_t child;

	(void)self;
	if (chdir(at(world, "readonly").text) < 0 ||
	    (setrlimit(RLIMIT_CORE, &unlimited) < 0 && setrlimit(RLIMIT_CORE, &some) < 0))
		return -errno;
	child = fork();
	if (child == 0) {
		(void)signal(SIGQUIT, SIG_DFL);
		(void)raise(SIGQUIT);
	}
	return outcome(waitpid(child, NULL, 0));
}

static int open_by_handle(const struct world *world, const struct attempt *self)
{
	struct {
		struct file_handle head;
		unsigned char room[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	const int top = open(at(world, "granted").text, O_RDONLY | O_DIRECTORY);
	int mount_id, fd;

	(void)self;
	if (top < 0 ||
	    name_to_handle_at(AT_FDCWD, the_file(world).text, &handle.head, &mount_id, 0) < 0)
		return -errno;
	fd = open_by_handle_at(top, &handle.head, O_WRONLY);
	return fd < 0 ? -errno : outcome(write(fd, "changed", 7));
}

/* The kernel itself writes to the file that it is given. */
static int account_into(const struct world *world, const struct attempt *self)
{
	const int result = outcome(acct(the_file(world).text));

	(void)self;
	if (result == 0 && fork() == 0)
		_exit(0);
	(void)wait(NULL);
	return result;
}

static void end_accounting(const struct world *world)
{
	(void)world;
	(void)acct(NULL);
}

/* Landlock has rights for what makes, removes, renames, writes and truncates (ABI 3). */
#define WRITING .claimed = BY_LANDLOCK | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_tree
/* It has none for what a file is: mode, owner, times, attributes. */
#define NATURE	 .claimed = BY_LSM, .evidence = SAW_CHANGE, .describe = describe_tree
#define LAUNCHED .claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_tree

static const struct attempt attempts[] = {
	{"write-plain", "a file that may be read is written to", WRITING, .make = write_named,
	 .with = "readonly/file"},
	{"write-append", "it is added to", WRITING, .make = write_named, .with = "readonly/file",
	 .number = O_APPEND},
	{"write-secret", "a file that is not granted is written to", WRITING, .make = write_named,
	 .with = "secret/file"},
	{"write-program", "a granted program is written to", WRITING, .make = write_named,
	 .with = "bin/tool"},
	{"write-denied", "a denied file in a granted folder is written to", WRITING,
	 .make = write_named, .with = "granted/private"},
	{"write-create", "a file is made where nothing may be written", WRITING,
	 .make = write_named, .with = "readonly/new", .number = O_CREAT},
	{"write-create-denied", "a file is made in a denied folder", WRITING, .make = write_named,
	 .with = "granted/denied/new", .number = O_CREAT},
	{"write-dangling-link", "a file is made by a link that leads nowhere yet", WRITING,
	 .make = create_by_dangling_link},
	{"write-truncate", "truncate", WRITING, .make = truncate_path},
	{"write-open-truncate", "O_TRUNC of an open for reading", WRITING, .make = truncate_open},
	{"write-map", "a shared mapping", WRITING, .make = map_and_write},
	{"write-reopen", "a descriptor for reading, opened again for writing", WRITING,
	 .make = reopen_for_writing, .number = O_RDONLY},
	{"write-reopen-path", "a descriptor of O_PATH, opened again for writing", WRITING,
	 .make = reopen_for_writing, .number = O_PATH},
	{"write-copy-range", "copy_file_range", WRITING, .make = clone_over},
	{"write-handle", "open_by_handle_at", LAUNCHED, .make = open_by_handle},
	{"write-unlink", "unlink", WRITING, .make = change, .number = UNLINK},
	{"write-unlink-denied", "unlink in a denied folder", WRITING, .make = change,
	 .number = UNLINK_DENIED},
	{"write-rmdir", "rmdir", WRITING, .make = change, .number = RMDIR},
	/* At launch it is hidden by a mount, which goes with the folder when somebody outside
	 * removes that, as the attempt without a policy does. */
	{"write-rmdir-denied", "a denied folder is emptied and removed", NATURE, .make = change,
	 .number = RMDIR_DENIED, .undo = make_barred},
	{"write-mkdir", "mkdir", WRITING, .make = change, .number = MKDIR},
	{"write-mkdir-denied", "mkdir in a denied folder", WRITING, .make = change,
	 .number = MKDIR_DENIED},
	{"write-symlink", "symlink", WRITING, .make = change, .number = SYMLINK},
	{"write-link-in", "a hard link of a granted file", WRITING, .make = change,
	 .number = LINK_IN},
	{"write-link-out", "a hard link in a granted folder", WRITING, .make = change,
	 .number = LINK_OUT},
	{"write-rename", "rename", WRITING, .make = change, .number = RENAME_WITHIN},
	{"write-rename-out", "rename into a granted folder", WRITING, .make = change,
	 .number = RENAME_OUT},
	{"write-rename-in", "rename from a granted folder", WRITING, .make = change,
	 .number = RENAME_IN},
	{"write-rename-denied", "rename into a denied folder", WRITING, .make = change,
	 .number = RENAME_DENIED},
	{"write-rename-folder", "a folder is renamed into a granted one", WRITING, .make = change,
	 .number = RENAME_FOLDER},
	{"write-exchange", "exchange with a granted file", WRITING, .make = change,
	 .number = EXCHANGE},
	{"write-fifo", "mkfifo", WRITING, .make = change, .number = FIFO},
	{"write-device", "mknod of a device", WRITING, .make = change, .number = DEVICE},
	{"write-tmpfile", "a nameless file gets a name there", WRITING, .make = link_tmpfile},
	{"write-socket", "bind of a Unix socket", WRITING, .make = bind_socket,
	 .with = "readonly/new"},
	{"write-core", "a core dump", WRITING, .make = dump_core},
	{"write-mode", "chmod", NATURE, .make = change, .number = CHMOD},
	{"write-mode-fd", "fchmod of a descriptor for reading", NATURE, .make = change_mode_of_fd},
	{"write-owner", "chown", LAUNCHED, .make = change, .number = CHOWN},
	{"write-times", "utimensat", NATURE, .make = change, .number = TIMES},
	{"write-attribute", "setxattr", NATURE, .make = change, .number = XATTR},
	{"write-flags", "the flags of a file, by ioctl", NATURE, .make = change_flags},
	{"write-accounting", "acct writes to it", LAUNCHED, .make = account_into,
	 .undo = end_accounting, .vm_only = true},
};
const struct group writes_group = {attempts, ARRAY_SIZE(attempts)};
