// SPDX-License-Identifier: Apache-2.0
/*
 * What a capability allows that the manifest does not keep. Under `run` it keeps none. In a live
 * cgroup it keeps all but those that world.c withholds, and only attempts on these are claimed.
 */
#include "breach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PRIVILEGED_PORT 81
#define STRANGER	12345

static int bind_low_port(const struct world *world, const struct attempt *self)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(PRIVILEGED_PORT),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)world;
	(void)self;
	return outcome(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static void give_away(struct world *world)
{
	(void)!chown(at(world, "granted/file").text, STRANGER, STRANGER);
	(void)chmod(at(world, "granted/file").text, 0600);
}

/* A lease on a file of another user's, which keeps its owner waiting. */
static int lease(const struct world *world, const struct attempt *self)
{
	const int fd = open(at(world, "granted/file").text, O_RDONLY);

	(void)self;
	return fd < 0 ? -errno : outcome(fcntl(fd, F_SETLEASE, F_RDLCK));
}

static void let_all_read(struct world *world)
{
	give_away(world);
	(void)chmod(at(world, "granted/file").text, 0644);
}

static int lock_memory(const struct world *world, const struct attempt *self)
{
	const struct rlimit none = {0, 0};
	void *memory =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)world;
	(void)self;
	if (memory == MAP_FAILED || setrlimit(RLIMIT_MEMLOCK, &none) < 0)
		return -errno;
	return outcome(mlock(memory, 1 << 20));
}

static int set_file_capability(const struct world *world, const struct attempt *self)
{
	const struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2,
					  .data = {{.permitted = 1U << CAP_SYS_ADMIN}}};

	(void)self;
	return outcome(setxattr(at(world, "granted/file").text, "security.capability", &data,
				sizeof(uint32_t) * 5, 0));
}

static int change_owner(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(chown(at(world, "granted/file").text, STRANGER, STRANGER));
}

static int change_mode_of_another(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(chmod(at(world, "granted/file").text, 0777));
}

static int overwrite_of_another(const struct world *world, const struct attempt *self)
{
	(void)self;
	return write_text(at(world, "granted/file").text, O_TRUNC, "changed");
}

static int make_device(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(mknod(at(world, "granted/device").text, S_IFCHR | 0600, 0x101 /* mem */));
}

static int become_another(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	return outcome(setresuid(STRANGER, STRANGER, STRANGER));
}

static int leave_groups(const struct world *world, const struct attempt *self)
{
	const gid_t one = STRANGER;

	(void)world;
	(void)self;
	return outcome(syscall(SYS_setgroups, 1UL, &one));
}

static int raise_own_priority(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	return outcome(setpriority(PRIO_PROCESS, 0, -5));
}

static void describe_child(struct text *out, const struct world *world, pid_t child,
			   const char *with)
{
	static const char *const lines[] = {"Uid:", "Groups:"};
	static struct text status;

	(void)world;
	(void)with;
	status.length = 0;
	text_put_file(&status, proc_path(child, "status").text);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *line = strstr(status.at, lines[i]);

		text_put(out, "%.*s\n", line ? (int)strcspn(line, "\n") : 0, line ? line : "");
	}
	text_put(out, "%d\n", getpriority(PRIO_PROCESS, (id_t)child));
}

#define WITHHELD .claimed = BY_LAUNCH | BY_LSM
#define DROPPED	 .claimed = BY_LAUNCH
#define ON_FILE	 .evidence = SAW_CHANGE, .describe = describe_file
#define ON_SELF	 .evidence = SAW_CHANGE, .describe = describe_child

static const struct attempt attempts[] = {
	{"capability-port", "a port below 1024", WITHHELD, .evidence = SAW_CHANGE,
	 .describe = describe_sockets, .with = "bound", .make = bind_low_port},
	{"capability-lease", "a lease on another's file", WITHHELD, .evidence = GOT_ANSWER,
	 .make = lease, .prepare = let_all_read},
	{"capability-lock", "memory locked past the limit", WITHHELD, .evidence = GOT_ANSWER,
	 .make = lock_memory},
	{"capability-file", "a file gets capabilities", WITHHELD, ON_FILE,
	 .make = set_file_capability, .with = "granted/file"},
	{"capability-owner", "a file gets another owner", DROPPED, ON_FILE, .make = change_owner,
	 .with = "granted/file"},
	{"capability-mode", "the mode of another's file", DROPPED, ON_FILE,
	 .make = change_mode_of_another, .prepare = give_away, .with = "granted/file"},
	{"capability-write", "another's private file", DROPPED, ON_FILE,
	 .make = overwrite_of_another, .prepare = give_away, .with = "granted/file"},
	{"capability-device", "mknod of a device", DROPPED, ON_FILE, .make = make_device,
	 .with = "granted/device"},
	{"capability-user", "setresuid", DROPPED, ON_SELF, .make = become_another},
	{"capability-groups", "setgroups", DROPPED, ON_SELF, .make = leave_groups},
	{"capability-priority", "a priority above the normal one", DROPPED, ON_SELF,
	 .make = raise_own_priority},
};
const struct group capabilities_group = {attempts, ARRAY_SIZE(attempts)};
