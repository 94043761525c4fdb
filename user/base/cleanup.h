/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound clean-up for locals: `_cleanup_free_ char *text = NULL;`.
 * Everyone uses it; each owner type brings its own `_cleanup_` macro beside its `_free`.
 */
#ifndef AGENTPOL_BASE_CLEANUP_H
#define AGENTPOL_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_USE	      __attribute__((warn_unused_result))
#define FORMAT(string, first) __attribute__((format(printf, string, first)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline void cleanup_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

#define _cleanup_free_	 __attribute__((cleanup(cleanup_free_pointer)))
#define _cleanup_close_	 __attribute__((cleanup(cleanup_close_fd)))
#define _cleanup_fclose_ __attribute__((cleanup(cleanup_close_file)))

#endif
