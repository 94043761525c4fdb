/* SPDX-License-Identifier: Apache-2.0 */
/* A BPF object beside the main one, for what not every kernel has: it has the main one's maps and
 * constants, and programs of its own. For unix_hooks.c and guard_hooks.c. */
#ifndef AGENTPOL_KERNEL_SIDE_OBJECT_H
#define AGENTPOL_KERNEL_SIDE_OBJECT_H

#include <bpf/libbpf.h>

#include "base/error.h"

/* What the kernel tells of its own types. */
#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"

/* Opens the object that is embedded from `start` to `end`, named so, with what is `main`'s, which
 * is loaded. NULL with the errno in *cause. The caller's to load and to close. */
struct bpf_object *side_object_open(const struct bpf_object *main, const char *start,
				    const char *end, const char *name, int *cause) MUST_USE;

#endif
