// SPDX-License-Identifier: Apache-2.0
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 4096

struct path at(const struct world *world, const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", world->root, name);
	return path;
}

struct path proc_path(pid_t pid, const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "/proc/%d/%s", (int)pid, name);
	return path;
}

int outcome(long result)
{
	return result < 0 ? -errno : 0;
}

int tell_fd(int fd)
{
	char piece[PIECE];
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, piece, sizeof(piece));
	if (got < 0)
		return -errno;
	return outcome(write(STDOUT_FILENO, piece, (size_t)got));
}

int tell_file(const char *path)
{
	return tell_fd(open(path, O_RDONLY | O_CLOEXEC));
}

int write_text(const char *path, int flags, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
	size_t length = 0;
	int result;

	if (fd < 0)
		return -errno;
	while (text[length])
		length++;
	result = outcome(write(fd, text, length));
	(void)close(fd);
	return result;
}

int copy_file(const char *from, const char *to, mode_t mode)
{
	const int in = open(from, O_RDONLY | O_CLOEXEC);
	const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	char piece[PIECE];
	ssize_t got = -1;
	int result = in < 0 || out < 0 ? -errno : 0;

	while (result == 0 && (got = read(in, piece, sizeof(piece))) > 0)
		result = outcome(write(out, piece, (size_t)got));
	if (result == 0 && (got < 0 || fchmod(out, mode) < 0))
		result = -errno;
	(void)close(in);
	(void)close(out);
	return result;
}

int run_file(const char *path)
{
	char *const arguments[] = {(char *)"marker", NULL}, *const environment[] = {NULL};

	return outcome(execve(path, arguments, environment));
}

int marker_memfd(void)
{
	const int fd = memfd_create("marker", 0);
	const size_t length = (size_t)(marker_end - marker_begin);

	if (fd >= 0 && write(fd, marker_begin, length) != (ssize_t)length)
		return -1;
	return fd;
}
