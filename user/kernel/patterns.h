/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a path or a pattern of a manifest names on this machine, below the root of the one it is
 * for: the kernel's rules bind to objects, not to text. Landlock's rules and the LSM's are made
 * from what is found here. Globs match as path_matches() has it; links are followed, and never out
 * of the root, so that it holds for a container by /proc/PID/root as well.
 */
#ifndef AGENTPOL_KERNEL_PATTERNS_H
#define AGENTPOL_KERNEL_PATTERNS_H

#include "base/error.h"

/* More than that is a pattern that was not meant; bounds the time and the tables it would take. */
#define PATTERN_MATCHES_MAX 65536

enum named_kind {
	NAMED_FILE,
	NAMED_FOLDER,	/* with all that is below it */
	NAMED_CHILDREN, /* each file right in that folder, also those to come */
	NAMED_MISSING,	/* `name` in the folder `fd`, which is not there yet */
};

struct named {
	enum named_kind kind;
	int fd;		  /* O_PATH; of the folder for CHILDREN and MISSING; open during the call */
	const char *path; /* of what `fd` is: absolute within the root, without links */
	const char *name; /* FILE, MISSING: the last component; else NULL */
	int parent;	  /* FILE: O_PATH of the folder that it is in; else -1 */
};

/* 0 to go on, -1 with a sentence to stop. */
typedef int (*named_visitor)(const struct named *named, void *context, struct error *error);

/*
 * Calls `visit` for each object that the pattern names. `root` is an O_PATH descriptor of the
 * root's folder.
 *   /a/b       FILE, FOLDER, or MISSING where /a is a folder without a b
 *   /a/ *      CHILDREN of /a (without the space)
 *   /a/ **     FOLDER /a
 *   /a/b*      FILE or FOLDER, each that is there
 * Globs may stand in components in front, too. 0; 1 where it names nothing; -1: "**" elsewhere
 * than at the end (STATUS_UNUSABLE), more than PATTERN_MATCHES_MAX matches, a folder that cannot
 * be read, or what the visitor said.
 */
int pattern_each_named(int root, const char *pattern, named_visitor visit, void *context,
		       struct error *error) MUST_USE;

#endif
