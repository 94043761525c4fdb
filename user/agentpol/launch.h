/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch tier of `agentpol run`: what a process gives up between fork and exec. In this order:
 * a view of the file system without the enforcer's own places, capabilities,
 * user, new privileges, files, inherited descriptors, core dumps, the agent's cgroup, system calls.
 */
#ifndef AGENTPOL_AGENTPOL_LAUNCH_H
#define AGENTPOL_AGENTPOL_LAUNCH_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agentpol/launch_landlock.h"
#include "base/error.h"

#define KEPT_FDS_MAX 64

struct launch {
	char **command;	       /* argv, NULL-terminated */
	const char *cgroup;    /* path */
	const char *user;      /* name or number; NULL: stay who we are */
	uint64_t capabilities; /* bit n: capability number n is kept */
	struct sock_fprog filter;
	const struct launch_files *files; /* NULL: none, as in audit mode */
	int kept_fds[KEPT_FDS_MAX];	  /* besides 0 to 2 */
	size_t kept_fd_count;
	const char *hidden[3]; /* files of the enforcer besides its usual places; NULL: none */
	bool observe_only;     /* audit mode: nothing is taken from the command but the enforcer's
				  places */
};

/*
 * Starts the command and returns its pid once it has been executed. Where a step failed, nothing
 * runs: -1, the sentence, and *exit_code: 127 where the command was not found, 126 where it could
 * not be executed, as env(1) has it; otherwise STATUS_SYSTEM or STATUS_UNUSABLE.
 */
pid_t launch_start(const struct launch *launch, int *exit_code, struct error *error) MUST_USE;

/* An inet socket among the descriptors that would be inherited passes the cgroup's hooks, since it
 * belongs to the cgroup it was made in: -1 with a sentence where there is one that is not named. */
int launch_check_inherited(const struct launch *launch, struct error *error) MUST_USE;

#endif
