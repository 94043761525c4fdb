/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of tools in an image. For image.c. */
#ifndef AGENTPOL_COMPILE_IMAGE_SERVERS_H
#define AGENTPOL_COMPILE_IMAGE_SERVERS_H

#include "compile/image.h"

/* Those by address go into the image, those by name into *names. `own`: the tool whose scope it is,
 * or NULL. */
int image_add_servers(struct image *image, const struct policy *policy, const struct tool *own,
		      struct names_source *names, struct error *error) MUST_USE;

#endif
