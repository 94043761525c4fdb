/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of a policy, as they stand in the manifest: what they name is found out on the machine
 * that they are for (kernel/objects.h). For image.c. */
#ifndef AGENTPOL_COMPILE_IMAGE_PATHS_H
#define AGENTPOL_COMPILE_IMAGE_PATHS_H

#include "compile/image.h"

/* Fills image->paths; an error is out of memory. */
int image_add_paths(struct image *image, const struct scope *const *scopes, size_t count,
		    struct error *error) MUST_USE;

#endif
