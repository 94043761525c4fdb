// SPDX-License-Identifier: Apache-2.0
/* Reading what is not granted: the token of the secret comes out, or it does not. */
#include "breach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int read_named(const struct world *world, const struct attempt *self)
{
	return tell_file(at(world, self->with).text);
}

static int read_symlink(const struct world *world, const struct attempt *self)
{
	const struct path link = at(world, "granted/link");

	if (symlink(at(world, self->with).text, link.text) < 0)
		return -errno;
	return tell_file(link.text);
}

static int read_hard_link(const struct world *world, const struct attempt *self)
{
	const struct path to = at(world, "granted/own");

	if (link(at(world, self->with).text, to.text) < 0)
		return -errno;
	return tell_file(to.text);
}

struct move {
	const char *from, *to, *read;
};
static const struct move moves[] = {
	{"secret/file", "granted/own", "granted/own"},
	{"secret", "granted/moved", "granted/moved/file"},
	{"granted/denied", "granted/other", "granted/other/file"},
	{"granted/private", "granted/public", "granted/public"},
};

static int read_moved(const struct world *world, const struct attempt *self)
{
	const struct move *move = &moves[self->number];

	if (rename(at(world, move->from).text, at(world, move->to).text) < 0)
		return -errno;
	return tell_file(at(world, move->read).text);
}

static int read_exchanged(const struct world *world, const struct attempt *self)
{
	const struct path granted = at(world, "granted/file");

	if (renameat2(AT_FDCWD, at(world, self->with).text, AT_FDCWD, granted.text,
		      RENAME_EXCHANGE) < 0)
		return -errno;
	return tell_file(granted.text);
}

static void exchange_back(const struct world *world)
{
	const struct path private = at(world, "granted/private"), file = at(world, "granted/file");
	struct stat status;

	/* The file that was granted has one line and no token. */
	if (stat(private.text, &status) == 0 && status.st_size == (off_t)strlen("granted\n"))
		(void)renameat2(AT_FDCWD, private.text, AT_FDCWD, file.text, RENAME_EXCHANGE);
}

/* What is denied below a granted folder, when another object has its name. */
static int read_replaced(const struct world *world, const struct attempt *self)
{
	const struct path private = at(world, "granted/private"),
			  public = at(world, "granted/public");

	(void)self;
	if (rename(private.text, public.text) < 0)
		return -errno;
	(void)write_text(private.text, O_CREAT, "another\n");
	return tell_file(public.text);
}

static void take_back_private(const struct world *world)
{
	if (access(at(world, "granted/public").text, F_OK) == 0)
		(void)rename(at(world, "granted/public").text, at(world, "granted/private").text);
}

static int read_of_witness(const struct world *world, const struct attempt *self)
{
	char name[2 * PLACE_ROOM];

	(void)snprintf(name, sizeof(name), "%s%s%s", self->with, self->number ? world->root : "",
		       self->number ? "/secret/file" : "");
	return tell_file(proc_path(world->witness, name).text);
}

static int read_descriptor_of_witness(const struct world *world, const struct attempt *self)
{
	char name[32];

	(void)self;
	/* The first one that it has opened for itself; some are the judge's. */
	for (int fd = 3; fd < 64; fd++) {
		struct stat wanted, found;

		(void)snprintf(name, sizeof(name), "fd/%d", fd);
		if (stat(proc_path(world->witness, name).text, &found) < 0) {
			if (errno != ENOENT)
				return -errno;
			continue;
		}
		if (stat(at(world, "secret/file").text, &wanted) == 0 &&
		    wanted.st_ino == found.st_ino)
			return tell_file(proc_path(world->witness, name).text);
	}
	return -ENOENT;
}

static int read_by_own_root(const struct world *world, const struct attempt *self)
{
	struct path path;

	(void)self;
	(void)snprintf(path.text, sizeof(path.text), "/proc/self/root%s/secret/file", world->root);
	return tell_file(path.text);
}

static int read_by_handle(const struct world *world, const struct attempt *self)
{
	struct {
		struct file_handle head;
		unsigned char room[MAX_HANDLE_SZ];
	} handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	const int top = open(at(world, "granted").text, O_RDONLY | O_DIRECTORY);
	int mount_id;

	(void)self;
	if (top < 0 || name_to_handle_at(AT_FDCWD, at(world, "secret/file").text, &handle.head,
					 &mount_id, 0) < 0)
		return -errno;
	return tell_fd(open_by_handle_at(top, &handle.head, O_RDONLY));
}

static int reopen_path_fd(const struct world *world, const struct attempt *self)
{
	const int fd = open(at(world, "secret/file").text, O_PATH);
	char name[64];

	if (fd < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "%s/%d", self->with, fd);
	return tell_file(name);
}

static int read_below_folder_fd(const struct world *world, const struct attempt *self)
{
	const int folder = open(at(world, "secret").text, O_PATH | O_DIRECTORY);

	(void)self;
	return folder < 0 ? -errno : tell_fd(openat(folder, "file", O_RDONLY));
}

static int read_after_chdir(const struct world *world, const struct attempt *self)
{
	(void)self;
	return chdir(at(world, "secret").text) < 0 ? -errno : tell_file("file");
}

static int read_after_chroot(const struct world *world, const struct attempt *self)
{
	return chroot(at(world, self->with).text) < 0 ? -errno : tell_file("/file");
}

static int read_by_openat2(const struct world *world, const struct attempt *self)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
	const int root = open("/", O_PATH | O_DIRECTORY);
	const struct path path = at(world, "secret/file");

	(void)self;
	return root < 0 ? -errno
			: tell_fd((int)syscall(SYS_openat2, root, path.text, &how, sizeof(how)));
}

static int read_by_sendfile(const struct world *world, const struct attempt *self)
{
	const int fd = open(at(world, "secret/file").text, O_RDWR);

	(void)self;
	return fd < 0 ? -errno : outcome(sendfile(STDOUT_FILENO, fd, NULL, PLACE_ROOM));
}

static int read_by_map(const struct world *world, const struct attempt *self)
{
	const int fd = open(at(world, "secret/file").text, O_RDONLY);
	const char *mapped;

	(void)self;
	if (fd < 0)
		return -errno;
	mapped = mmap(NULL, TOKEN_ROOM, PROT_READ, MAP_SHARED, fd, 0);
	return mapped == MAP_FAILED ? -errno
				    : outcome(write(STDOUT_FILENO, mapped, strlen(mapped)));
}

/* The name of a file in the folder is the token, too. */
static int read_names(const struct world *world, const struct attempt *self)
{
	DIR *folder = opendir(at(world, self->with).text);
	const struct dirent *entry;

	if (!folder)
		return -errno;
	while ((entry = readdir(folder)))
		(void)!write(STDOUT_FILENO, entry->d_name, strlen(entry->d_name));
	return closedir(folder);
}

static int read_32bit(const struct world *world, const struct attempt *self)
{
	/* Below 4 GiB, where that entry finds it. */
	char *low = mmap(NULL, PLACE_ROOM + 16, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long fd = 5; /* open */

	(void)self;
	if (low == MAP_FAILED)
		return -errno;
	(void)snprintf(low, PLACE_ROOM + 16, "%s/secret/file", world->root);
	__asm__ volatile("int $0x80"
			 : "+a"(fd)
			 : "b"((uint32_t)(uintptr_t)low), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return fd < 0 ? (int)fd : tell_fd((int)fd);
}

/* The page cache keeps what others have read; a mount of the same device is another way to it. */
static int read_device(const struct world *world, const struct attempt *self)
{
	const struct path node = at(world, "granted/device");
	struct stat status;
	char piece[64];
	int fd;

	(void)self;
	if (stat(world->root, &status) < 0 || mknod(node.text, S_IFBLK | 0600, status.st_dev) < 0)
		return -errno;
	fd = open(node.text, O_RDONLY);
	if (fd < 0 || read(fd, piece, sizeof(piece)) < 0)
		return -errno;
	return 0;
}

#define READING	   .claimed = BY_LANDLOCK | BY_LSM, .evidence = SAID_TOKEN
#define LAUNCH_TOO .claimed = BY_LAUNCH | BY_LANDLOCK | BY_LSM, .evidence = SAID_TOKEN

static const struct attempt attempts[] = {
	{"read-plain", "a file that is not granted", READING, .make = read_named,
	 .with = "secret/file"},
	{"read-denied", "a file in a denied folder below a granted one", READING,
	 .make = read_named, .with = "granted/denied/file"},
	{"read-private", "a denied file in a granted folder", READING, .make = read_named,
	 .with = "granted/private"},
	{"read-dots", "it, by .. from a granted folder", READING, .make = read_named,
	 .with = "granted/../secret/file"},
	{"read-symlink", "it, by a symbolic link made inside", READING, .make = read_symlink,
	 .with = "secret/file"},
	{"read-symlink-folder", "its folder, by a symbolic link", READING, .make = read_symlink,
	 .with = "granted/denied/file"},
	{"read-hard-link", "it, by a hard link made inside", READING, .make = read_hard_link,
	 .with = "secret/file"},
	{"read-hard-link-denied", "a denied file, by a hard link beside it", READING,
	 .make = read_hard_link, .with = "granted/private"},
	{"read-rename", "it, renamed into a granted folder", READING, .make = read_moved,
	 .number = 0},
	{"read-rename-folder", "it, its folder renamed into a granted one", READING,
	 .make = read_moved, .number = 1},
	{"read-rename-denied", "a denied folder under another name", READING, .make = read_moved,
	 .number = 2},
	{"read-rename-private", "a denied file under another name", READING, .make = read_moved,
	 .number = 3, .undo = take_back_private},
	{"read-replace", "a denied file whose name another file has got", READING,
	 .make = read_replaced, .undo = take_back_private},
	{"read-exchange", "it, exchanged with a granted file", READING, .make = read_exchanged,
	 .with = "secret/file", .undo = exchange_back},
	{"read-exchange-denied", "a denied file, exchanged with the one beside it", READING,
	 .make = read_exchanged, .with = "granted/private", .undo = exchange_back},
	{"read-witness-root", "by /proc/PID/root of a process outside", READING,
	 .make = read_of_witness, .with = "root", .number = 1},
	{"read-witness-cwd", "by /proc/PID/cwd of a process outside", READING,
	 .make = read_of_witness, .with = "cwd/file"},
	{"read-witness-fd", "by /proc/PID/fd of a process outside", READING,
	 .make = read_descriptor_of_witness},
	{"read-own-root", "by /proc/self/root", READING, .make = read_by_own_root},
	{"read-handle", "open_by_handle_at", LAUNCH_TOO, .make = read_by_handle},
	{"read-path-fd", "O_PATH, then opened again by /proc/self/fd", READING,
	 .make = reopen_path_fd, .with = "/proc/self/fd"},
	{"read-thread-fd", "the same by /proc/thread-self/fd", READING, .make = reopen_path_fd,
	 .with = "/proc/thread-self/fd"},
	{"read-dev-fd", "the same by /dev/fd", READING, .make = reopen_path_fd, .with = "/dev/fd"},
	{"read-folder-fd", "openat below a folder that was opened by O_PATH", READING,
	 .make = read_below_folder_fd},
	{"read-chdir", "a relative path after chdir", READING, .make = read_after_chdir},
	{"read-chroot", "a short path after chroot into it", LAUNCH_TOO, .make = read_after_chroot,
	 .with = "secret"},
	{"read-openat2", "openat2 within a root of one's own", READING, .make = read_by_openat2},
	{"read-sendfile", "sendfile to a pipe", READING, .make = read_by_sendfile},
	{"read-map", "mmap", READING, .make = read_by_map},
	{"read-names", "the names of a folder that is not granted", READING, .make = read_names,
	 .with = "secret"},
	{"read-32bit", "open by the 32-bit entry", LAUNCH_TOO, .make = read_32bit},
	{"read-device", "the file system's own device", .claimed = BY_LAUNCH | BY_LSM,
	 .evidence = GOT_ANSWER, .make = read_device},
};
const struct group reads_group = {attempts, ARRAY_SIZE(attempts)};
