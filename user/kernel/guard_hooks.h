/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs at the hooks of the LSM (bpf/guard.bpf.c), where the kernel heeds them. They are the
 * whole machine's, not a cgroup's: attached while any cgroup is enrolled. For enforcer.c and
 * enrol.c.
 */
#ifndef AGENTPOL_KERNEL_GUARD_HOOKS_H
#define AGENTPOL_KERNEL_GUARD_HOOKS_H

#include <bpf/libbpf.h>

#include "base/error.h"

/* Loads them with the maps and the constants of `main`; hooks that this kernel does not have are
 * left out. *object, the caller's to close, is NULL where BPF is not among the active LSMs, or the
 * kernel takes no such programs (*cause is EPERM then), and that is no error. errno-like result in
 * *cause on an error. */
int guard_hooks_load(const struct bpf_object *main, struct bpf_object **object,
		     int *cause) MUST_USE;

#endif
