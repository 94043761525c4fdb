/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch tier's system call filter, made with libseccomp: what "process" denies, socket
 * families that are not granted, and what no sandboxed program may do to its terminal. What is
 * denied gets EPERM, or ends the process where "on_violation" says so.
 */
#ifndef AGENTPOL_COMPILE_SECCOMP_H
#define AGENTPOL_COMPILE_SECCOMP_H

#include <linux/filter.h>
#include <seccomp.h>

#include "base/error.h"
#include "policy/policy.h"

/* A call that is not let through: with these arguments, all of them; with none, whatever they are.
 */
struct seccomp_rule {
	const char *syscall;
	const struct scmp_arg_cmp *arguments;
	unsigned argument_count;
	bool missing; /* ENOSYS in any case, so that a program takes another call; audit mode: none
		       */
};
typedef void (*seccomp_visitor)(const struct seccomp_rule *rule, void *context);
/* Each rule of the filter; a name may be one of another architecture. */
void seccomp_each_rule(const struct policy *policy, const struct tool *tool, seccomp_visitor visit,
		       void *context);
/* libseccomp's action of a rule: EPERM, in audit mode a line in the kernel's log, or a kill. */
uint32_t seccomp_deny_action(const struct policy *policy, const struct tool *tool);

/* *program's filter is owned by the caller (free). */
int seccomp_compile(const struct policy *policy, const struct tool *tool,
		    struct sock_fprog *program, struct error *error) MUST_USE;

/* Writes the filter to `fd` as libseccomp's pseudo code, for people. */
int seccomp_print(const struct policy *policy, const struct tool *tool, int fd,
		  struct error *error) MUST_USE;

#endif
