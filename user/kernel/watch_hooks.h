/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tracing programs of bpf/watch.bpf.c, by which a live cgroup is watched where no LSM heeds us.
 * For enforcer.c and enrol.c.
 */
#ifndef AGENTPOL_KERNEL_WATCH_HOOKS_H
#define AGENTPOL_KERNEL_WATCH_HOOKS_H

#include <bpf/libbpf.h>

#include "base/error.h"

/* Loads them with the maps and constants of `main`; the caller's to close. NULL with the errno in
 * *cause where the kernel does not take them: before Linux 6.1, or locked down. */
struct bpf_object *watch_hooks_load(const struct bpf_object *main, int *cause) MUST_USE;

#endif
