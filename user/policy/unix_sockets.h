/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets that are denied without a word in the manifest; decide_unix.c and the kernel's lists
 * are made from this one table. */
#ifndef AGENTPOL_POLICY_UNIX_SOCKETS_H
#define AGENTPOL_POLICY_UNIX_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

/* sun_path, all of which may be used (unix(7)). */
#define UNIX_NAME_MAX 108

struct unix_default {
	const char *pattern; /* "@..." is an abstract one, and a pattern too */
	bool enforcers;	     /* nothing opens it; otherwise a pattern of the manifest does */
};

/* The index-th, or NULL behind the last one. */
const struct unix_default *unix_default_at(size_t index);
/* The one that denies it, or NULL: a path in normal form, or "@name". */
const struct unix_default *unix_default_find(const char *name);

#endif
