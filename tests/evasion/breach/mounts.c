// SPDX-License-Identifier: Apache-2.0
/* Mounts: to show what is hidden under a granted path, or for their own sake. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <sys/mount.h> and <linux/mount.h> can't be had together in every C library. */
extern int mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data);
extern int umount2(const char *target, int flags);
enum { DETACH = 2 };

static int bind_and_read(const struct world *world, const struct attempt *self)
{
	(void)self;
	if (mount(at(world, "secret/file").text, at(world, "granted/file").text, NULL, MS_BIND,
		  NULL) < 0)
		return -errno;
	return tell_file(at(world, "granted/file").text);
}

static int clone_and_read(const struct world *world, const struct attempt *self)
{
	const int tree =
		(int)syscall(SYS_open_tree, AT_FDCWD, at(world, "secret").text, OPEN_TREE_CLONE);

	(void)self;
	return tree < 0 ? -errno : tell_fd(openat(tree, "file", O_RDONLY));
}

static int move_and_read(const struct world *world, const struct attempt *self)
{
	const int tree =
		(int)syscall(SYS_open_tree, AT_FDCWD, at(world, "secret").text, OPEN_TREE_CLONE);

	(void)self;
	if (tree < 0 || mkdir(at(world, "granted/shown").text, 0755) < 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, at(world, "granted/shown").text,
		    MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return tell_file(at(world, "granted/shown/file").text);
}

static int overlay_and_read(const struct world *world, const struct attempt *self)
{
	char options[3 * PLACE_ROOM];

	(void)self;
	(void)snprintf(options, sizeof(options), "lowerdir=%s/secret:%s/readonly", world->root,
		       world->root);
	if (mkdir(at(world, "granted/shown").text, 0755) < 0 ||
	    mount("breach", at(world, "granted/shown").text, "overlay", MS_RDONLY, options) < 0)
		return -errno;
	return tell_file(at(world, "granted/shown/file").text);
}

static int pivot_and_read(const struct world *world, const struct attempt *self)
{
	const struct path secret = at(world, "secret");

	(void)self;
	if (mount(secret.text, secret.text, NULL, MS_BIND, NULL) < 0 || chdir(secret.text) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	return tell_file("/file");
}

static int mount_fresh(const struct world *world, const struct attempt *self)
{
	return outcome(mount("breach", at(world, "granted").text, self->with, 0, NULL));
}

static int mount_by_steps(const struct world *world, const struct attempt *self)
{
	const int context = (int)syscall(SYS_fsopen, "tmpfs", 0);
	int tree;

	(void)self;
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	tree = (int)syscall(SYS_fsmount, context, 0, 0);
	return tree < 0 ? -errno
			: outcome(syscall(SYS_move_mount, tree, "", AT_FDCWD,
					  at(world, "granted").text, MOVE_MOUNT_F_EMPTY_PATH));
}

static int unmount(const struct world *world, const struct attempt *self)
{
	(void)world;
	return outcome(umount2(self->with, DETACH));
}

static int remount(const struct world *world, const struct attempt *self)
{
	(void)world;
	return outcome(
		mount(NULL, self->with, NULL, MS_REMOUNT | MS_BIND | MS_NOATIME | MS_NOSUID, NULL));
}

static int set_attribute(const struct world *world, const struct attempt *self)
{
	struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
						    MOUNT_ATTR_NOEXEC};

	(void)world;
	return outcome(syscall(SYS_mount_setattr, AT_FDCWD, self->with, 0, &attributes,
			       sizeof(attributes)));
}

static int share(const struct world *world, const struct attempt *self)
{
	(void)world;
	return outcome(mount(NULL, self->with, NULL, MS_SHARED, NULL));
}

/* The 32-bit entry counts another way: 21 is mount. */
static int mount_32bit(const struct world *world, const struct attempt *self)
{
	long result = 21;
	char *low = (char *)syscall(SYS_mmap, NULL, PLACE_ROOM + 16, 3, 0x62, -1, 0);

	(void)self;
	if (low == (char *)-1)
		return -errno;
	(void)snprintf(low, PLACE_ROOM + 16, "tmpfs%c%s/granted", 0, world->root);
	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"((uint32_t)(uintptr_t)low), "c"((uint32_t)(uintptr_t)(low + 6)),
			   "d"((uint32_t)(uintptr_t)low), "S"(0), "D"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return result < 0 ? (int)result : 0;
}

/* Bit 30 of a call's number is the x32 entry. */
static int mount_x32(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(syscall(0x40000000 + SYS_mount, "breach", at(world, "granted").text, "tmpfs",
			       0, NULL));
}

#define SHOWING	 .claimed = BY_LAUNCH | BY_LSM, .evidence = SAID_TOKEN
#define MOUNTING .claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_mounts

static const struct attempt attempts[] = {
	{"mount-bind-read", "a secret bound over a granted file", SHOWING, .make = bind_and_read},
	{"mount-clone-read", "a secret in a detached tree of open_tree", SHOWING,
	 .make = clone_and_read},
	{"mount-move-read", "the same, moved into a granted folder", SHOWING,
	 .make = move_and_read},
	{"mount-overlay-read", "a secret as the lower folder of an overlay", SHOWING,
	 .make = overlay_and_read},
	{"mount-pivot-read", "pivot_root to it", SHOWING, .make = pivot_and_read},
	{"mount-tmpfs", "mount of a tmpfs", MOUNTING, .make = mount_fresh, .with = "tmpfs"},
	{"mount-proc", "mount of another proc", MOUNTING, .make = mount_fresh, .with = "proc"},
	{"mount-cgroup", "mount of another cgroup2", MOUNTING, .make = mount_fresh,
	 .with = "cgroup2"},
	{"mount-bpf", "mount of another bpf", MOUNTING, .make = mount_fresh, .with = "bpf"},
	{"mount-sysfs", "mount of another sysfs", MOUNTING, .make = mount_fresh, .with = "sysfs"},
	{"mount-devtmpfs", "mount of another devtmpfs", MOUNTING, .make = mount_fresh,
	 .with = "devtmpfs"},
	{"mount-steps", "fsopen, fsconfig, fsmount, move_mount", MOUNTING, .make = mount_by_steps},
	{"mount-remove", "umount2", MOUNTING, .make = unmount, .with = "/proc"},
	{"mount-again", "a mount's flags, by remounting", MOUNTING, .make = remount,
	 .with = "/proc"},
	{"mount-attribute", "mount_setattr", MOUNTING, .make = set_attribute, .with = "/proc"},
	{"mount-share", "a mount becomes shared with others", MOUNTING, .make = share, .with = "/"},
	{"mount-32bit", "mount by the 32-bit entry", MOUNTING, .make = mount_32bit},
	{"mount-x32", "mount by the x32 entry", MOUNTING, .make = mount_x32},
};
const struct group mounts_group = {attempts, ARRAY_SIZE(attempts)};
