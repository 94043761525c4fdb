/* SPDX-License-Identifier: Apache-2.0 */
/* The programs of Unix sockets, on kernels that ask about them; for enforcer.c. */
#ifndef AGENTPOL_KERNEL_UNIX_HOOKS_H
#define AGENTPOL_KERNEL_UNIX_HOOKS_H

#include <bpf/libbpf.h>

#include "base/error.h"

/*
 * Loads them with the maps and the constants of `main`, which is loaded; *object is the caller's to
 * close. *object is NULL, and that is no error, where the kernel has no such hooks, or no type
 * information to read an address by. errno-like result in *cause on an error.
 */
int unix_hooks_load(const struct bpf_object *main, struct bpf_object **object, int *cause) MUST_USE;

#endif
