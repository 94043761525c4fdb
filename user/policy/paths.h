/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and patterns as text: normal forms, "is below", globs. Nothing touches a file system. */
#ifndef AGENTPOL_POLICY_PATHS_H
#define AGENTPOL_POLICY_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Absolute path without ".", "..", "//" or a trailing slash, by text alone; false if `path` is
 * not absolute or does not fit. */
bool path_normalise(const char *path, char *normal, size_t room) MUST_USE;
/* `path` is `top` or lies below it; both in normal form. */
bool path_is_below(const char *top, const char *path);
/* Glob: "?" and "*" within one component, "**" across components; the whole path must match. */
bool path_matches(const char *pattern, const char *path);
/* The enforcer's own directories and sockets, which no policed process may touch. */
bool path_is_enforcers(const char *path);
/* The directories of that, NULL-terminated. */
extern const char *const paths_of_enforcer[];

#endif
