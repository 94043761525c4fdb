/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the paths of a policy name on this machine: files and directories as the kernel knows them,
 * so that a rule holds whatever path leads there. The kernel itself is asked for each, since
 * stat(2) has other numbers on overlayfs and btrfs. Needs type information (BTF).
 */
#ifndef AGENTPOL_KERNEL_OBJECTS_H
#define AGENTPOL_KERNEL_OBJECTS_H

#include "compile/image.h"

/* One rule: of an object and all below it, or of what is called so in a directory. */
struct object_rule {
	struct object_key object;     /* policy_id 0 */
	char name[OBJECT_NAME_BYTES]; /* "": the object itself */
	uint32_t bits;		      /* OBJECT_* */
};

struct object_list {
	struct object_rule *rules; /* owned; each object and name once */
	size_t count, room;
	size_t unnamed; /* entries that grant something and name nothing here */
};

/* Frees the rules, not the list. */
void object_list_free(struct object_list *list);
#define _cleanup_objects_ __attribute__((cleanup(object_list_free)))

/*
 * Finds what the image's paths name for the process `target` (in its root, with its mounts; 0: for
 * this one), and what is the enforcer's own: `own`, paths of this process, NULL-terminated. A mount
 * below a path that is named belongs to it. STATUS_UNUSABLE where an entry of "deny" names nothing,
 * not even a place where something could be.
 */
int objects_find(const struct image *image, pid_t target, const char *const *own,
		 struct object_list *list, struct error *error) MUST_USE;

#endif
