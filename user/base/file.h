/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in and out, and the directories around them. */
#ifndef AGENTPOL_BASE_FILE_H
#define AGENTPOL_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * Reads a file, or standard input for "-", up to `limit` bytes. On success *text is owned by the
 * caller (free) and NUL-terminated behind *length bytes. A file over the limit is STATUS_UNUSABLE.
 */
int file_read_all(const char *path, size_t limit, char **text, size_t *length,
		  struct error *error) MUST_USE;

/* Replaces `path` in one step: a temporary beside it, fsync, rename. Mode as given. */
int file_write_atomic(const char *path, const char *text, size_t length, mode_t mode,
		      struct error *error) MUST_USE;

/* The same without waiting for the disk: outlives this process, perhaps not a power cut. */
int file_write_quick(const char *path, const char *text, size_t length, mode_t mode,
		     struct error *error) MUST_USE;

/* mkdir -p; directories that it makes get `mode`. */
int file_make_directories(const char *path, mode_t mode, struct error *error) MUST_USE;

/* Composes a path in PATH_MAX bytes; an error where it does not fit. */
int file_path(char *path, struct error *error, const char *format, ...) FORMAT(3, 4) MUST_USE;

/* Takes the octal escapes out of a path as /proc/PID/mountinfo writes it (proc(5)), in place. */
void file_decode_mount_path(char *path);

/* write(2) until all is written; -errno otherwise. */
int file_write_fd(int fd, const char *text, size_t length) MUST_USE;

#endif
