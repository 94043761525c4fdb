/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "on_violation": "kill" where the kernel's hooks can deny but send no signal: those of a cgroup.
 * They ask for it by an errand; monitor.c runs it.
 */
#ifndef AGENTPOL_POLICYD_VIOLATOR_H
#define AGENTPOL_POLICYD_VIOLATOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/abi.h"

/* A process, whoever has its number later. */
struct violator {
	pid_t pid;
	uint64_t started; /* clock ticks since boot */
};

/*
 * Sends SIGKILL to the errand's process, if it is the one that was denied and is in the agent's
 * cgroup still. False where it was not sent: the process has ended, or is the `last` one, which
 * dies already; on true it is the last.
 */
bool violator_kill(const struct errand *errand, const char *cgroup_path, struct violator *last);

#endif
