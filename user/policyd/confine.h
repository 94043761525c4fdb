/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a child that deals with bytes of an agent gives up before it reads the first one: its user,
 * its root directory, capabilities, all but a list of system calls. It cannot be undone. For the
 * children of the SQL guard.
 */
#ifndef AGENTPOL_POLICYD_CONFINE_H
#define AGENTPOL_POLICYD_CONFINE_H

#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"

struct confine_limit {
	int resource; /* RLIMIT_* */
	rlim_t value;
};

struct confinement {
	uid_t uid;	  /* its group, too */
	const char *root; /* an empty directory */
	const struct confine_limit *limits;
	size_t limit_count;
	const char *const *syscalls; /* by name, ended by NULL: those that it keeps */
};

/* In this order: limits, root, user, capabilities, system calls. Needs root. */
int confine_self(const struct confinement *confinement, struct error *error) MUST_USE;
/* The last step alone, for who is not root: no new privileges, and these system calls. */
int confine_syscalls(const char *const *names, struct error *error) MUST_USE;

#endif
