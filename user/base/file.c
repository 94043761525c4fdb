// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK_BYTES 65536

static int read_fd(int fd, const char *path, size_t limit, char **text, size_t *length,
		   struct error *error)
{
	_cleanup_free_ char *bytes = NULL;
	size_t room = 0, used = 0;

	for (;;) {
		ssize_t got;

		if (used + 1 >= room) {
			char *more = realloc(bytes, room + CHUNK_BYTES + room / 2);

			if (!more)
				return error_set(error, STATUS_SYSTEM, "%s: out of memory", path);
			bytes = more;
			room += CHUNK_BYTES + room / 2;
		}
		got = read(fd, bytes + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(error, STATUS_UNUSABLE, errno, "%s: read", path);
		if (got == 0)
			break;
		used += (size_t)got;
		if (used > limit)
			return error_set(error, STATUS_UNUSABLE,
					 "%s: larger than the limit of %zu bytes", path, limit);
	}
	bytes[used] = '\0';
	*text = bytes;
	*length = used;
	bytes = NULL;
	return 0;
}

int file_read_all(const char *path, size_t limit, char **text, size_t *length, struct error *error)
{
	_cleanup_close_ int fd = -1;

	if (strcmp(path, "-") == 0)
		return read_fd(STDIN_FILENO, "standard input", limit, text, length, error);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return error_set_errno(error, STATUS_UNUSABLE, errno, "%s", path);
	return read_fd(fd, path, limit, text, length, error);
}

int file_path(char *path, struct error *error, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(path, PATH_MAX, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= PATH_MAX)
		return error_set(error, STATUS_UNUSABLE, "%.64s...: path too long", path);
	return 0;
}

static bool is_octal(const char *digits)
{
	for (int i = 0; i < 3; i++)
		if (digits[i] < '0' || digits[i] > '7')
			return false;
	return true;
}

void file_decode_mount_path(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		if (*from == '\\' && is_octal(from + 1)) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

int file_write_fd(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, text, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		text += put;
		length -= (size_t)put;
	}
	return 0;
}

static int write_beside(const char *path, const char *text, size_t length, mode_t mode, bool sync,
			struct error *error)
{
	char temporary[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int result;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return error_set(error, STATUS_UNUSABLE, "%s: path too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s: create", temporary);
	result = file_write_fd(fd, text, length);
	if (result == 0 &&
	    (fchmod(fd, mode) < 0 || (sync && fsync(fd) < 0) || rename(temporary, path) < 0))
		result = -errno;
	if (result < 0) {
		(void)unlink(temporary);
		return error_set_errno(error, STATUS_SYSTEM, -result, "%s: write", path);
	}
	return 0;
}

int file_write_atomic(const char *path, const char *text, size_t length, mode_t mode,
		      struct error *error)
{
	return write_beside(path, text, length, mode, true, error);
}

int file_write_quick(const char *path, const char *text, size_t length, mode_t mode,
		     struct error *error)
{
	return write_beside(path, text, length, mode, false, error);
}

int file_make_directories(const char *path, mode_t mode, struct error *error)
{
	char part[PATH_MAX];
	char *slash;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return error_set(error, STATUS_UNUSABLE, "%s: path too long", path);
	for (slash = part + 1;; slash++) {
		if (*slash != '/' && *slash != '\0')
			continue;
		bool last = *slash == '\0';

		*slash = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return error_set_errno(error, STATUS_SYSTEM, errno, "%s: mkdir", part);
		if (last)
			return 0;
		*slash = '/';
	}
}
