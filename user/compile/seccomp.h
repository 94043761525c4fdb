/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch tier's system call filter, made with libseccomp: what "process" denies, socket
 * families that are not granted, and what no sandboxed program may do to its terminal. What is
 * denied gets EPERM, or ends the process where "on_violation" says so.
 */
#ifndef AGENTPOL_COMPILE_SECCOMP_H
#define AGENTPOL_COMPILE_SECCOMP_H

#include <linux/filter.h>

#include "base/error.h"
#include "policy/policy.h"

/* *program's filter is owned by the caller (free). */
int seccomp_compile(const struct policy *policy, const struct tool *tool,
		    struct sock_fprog *program, struct error *error) MUST_USE;

/* Writes the filter to `fd` as libseccomp's pseudo code, for people. */
int seccomp_print(const struct policy *policy, const struct tool *tool, int fd,
		  struct error *error) MUST_USE;

#endif
