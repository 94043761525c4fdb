/* SPDX-License-Identifier: Apache-2.0 */
/* Path patterns in the form in which the kernel follows them; see struct glob in bpf/abi.h. */
#ifndef AGENTPOL_COMPILE_GLOBS_H
#define AGENTPOL_COMPILE_GLOBS_H

#include <stdbool.h>

#include "bpf/abi.h"

/* `literal`: "*" and "?" stand for themselves. False for a pattern that is too long for any Unix
 * socket's path, and so matches none. */
bool glob_compile(const char *pattern, bool literal, struct glob *glob);

#endif
