// SPDX-License-Identifier: Apache-2.0
/* The same by io_uring, whose operations no filter of system calls sees. */
#include "breach.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../tools/uring.h"

static int submit(struct uring *uring, const struct io_uring_sqe *entry, unsigned flags)
{
	int result;

	uring->parameters.flags = flags;
	result = uring_open(uring);
	return result < 0 ? result : uring_do(uring, entry);
}

static struct io_uring_sqe opening(const struct path *path, uint32_t flags)
{
	return (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
				     .fd = AT_FDCWD,
				     .addr = (uint64_t)(uintptr_t)path->text,
				     .len = 0600,
				     .open_flags = flags};
}

static int tell_opened(int fd)
{
	return fd < 0 ? fd : tell_fd(fd);
}

static int read_by_ring(const struct world *world, const struct attempt *self)
{
	const struct path path = at(world, "secret/file");
	struct io_uring_sqe entry = opening(&path, O_RDONLY);
	struct uring uring = {0};

	entry.flags = (uint8_t)self->number;
	return tell_opened(submit(&uring, &entry, 0));
}

/* The kernel's own thread does it; it is woken where it has gone to sleep already. */
static int read_by_polling_ring(const struct world *world, const struct attempt *self)
{
	const struct path path = at(world, "secret/file");
	const struct io_uring_sqe entry = opening(&path, O_RDONLY);
	struct uring uring = {0};

	(void)self;
	uring.parameters.sq_thread_idle = 2000;
	uring.enter_flags = IORING_ENTER_SQ_WAKEUP;
	return tell_opened(submit(&uring, &entry, IORING_SETUP_SQPOLL));
}

/* With the credentials that were there before the process has given them up. */
static int read_by_personality(const struct world *world, const struct attempt *self)
{
	const struct path path = at(world, "secret/file");
	struct io_uring_sqe entry = opening(&path, O_RDONLY);
	struct uring uring = {0};
	int result = uring_open(&uring);
	long personality;

	(void)self;
	if (result < 0)
		return result;
	personality =
		syscall(SYS_io_uring_register, uring.fd, IORING_REGISTER_PERSONALITY, NULL, 0);
	if (personality < 0 || setresuid(65534, 65534, 65534) < 0)
		return -errno;
	entry.personality = (uint16_t)personality;
	return tell_opened(uring_do(&uring, &entry));
}

/* openat2, of a file that is written to. */
static int write_by_ring(const struct world *world, const struct attempt *self)
{
	const struct path path = at(world, "readonly/file");
	struct io_uring_sqe entry = opening(&path, O_WRONLY);
	struct uring uring = {0};
	int fd;

	entry.flags = (uint8_t)self->number;
	fd = submit(&uring, &entry, 0);
	return fd < 0 ? fd : outcome(write(fd, "changed", 7));
}

static int change_by_ring(const struct world *world, const struct attempt *self)
{
	const struct path from = at(world, "readonly/file"), to = at(world, "readonly/other");
	struct io_uring_sqe entry = {.opcode = (uint8_t)self->number,
				     .fd = AT_FDCWD,
				     .addr = (uint64_t)(uintptr_t)from.text};
	struct uring uring = {0};

	switch (self->number) {
	case IORING_OP_RENAMEAT:
	case IORING_OP_LINKAT:
		entry.len = (uint32_t)AT_FDCWD;
		entry.addr2 = (uint64_t)(uintptr_t)to.text;
		break;
	case IORING_OP_SYMLINKAT:
		entry.addr2 = (uint64_t)(uintptr_t)to.text;
		break;
	case IORING_OP_MKDIRAT:
		entry.addr = (uint64_t)(uintptr_t)to.text;
		entry.len = 0755;
		break;
	default:
		break;
	}
	return submit(&uring, &entry, 0);
}

static int make_ring(const struct world *world, const struct attempt *self)
{
	struct uring uring = {0};

	(void)world;
	(void)self;
	return uring_open(&uring);
}

#define EVERYWHERE .claimed = BY_LAUNCH | BY_LSM
#define CHANGING   EVERYWHERE, .evidence = SAW_CHANGE, .describe = describe_tree

static const struct attempt attempts[] = {
	{"ring-made", "io_uring_setup", EVERYWHERE, .make = make_ring, .evidence = SAW_CHANGE,
	 .describe = describe_open, .with = "io_uring"},
	{"ring-read", "io_uring opens a file that is not granted", EVERYWHERE,
	 .make = read_by_ring},
	{"ring-read-worker", "the same in a worker of the kernel's", EVERYWHERE,
	 .make = read_by_ring, .number = IOSQE_ASYNC},
	{"ring-read-polling", "the same in a thread that polls", EVERYWHERE,
	 .make = read_by_polling_ring},
	{"ring-read-personality", "the same with credentials from before", EVERYWHERE,
	 .make = read_by_personality},
	{"ring-write", "io_uring opens a file for writing", CHANGING, .make = write_by_ring},
	{"ring-write-worker", "the same in a worker of the kernel's", CHANGING,
	 .make = write_by_ring, .number = IOSQE_ASYNC},
	{"ring-unlink", "io_uring removes a file", CHANGING, .make = change_by_ring,
	 .number = IORING_OP_UNLINKAT},
	{"ring-rename", "io_uring renames a file", CHANGING, .make = change_by_ring,
	 .number = IORING_OP_RENAMEAT},
	{"ring-mkdir", "io_uring makes a folder", CHANGING, .make = change_by_ring,
	 .number = IORING_OP_MKDIRAT},
	{"ring-symlink", "io_uring makes a symbolic link", CHANGING, .make = change_by_ring,
	 .number = IORING_OP_SYMLINKAT},
	{"ring-link", "io_uring makes a hard link", CHANGING, .make = change_by_ring,
	 .number = IORING_OP_LINKAT},
};
const struct group rings_group = {attempts, ARRAY_SIZE(attempts)};
