/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who cleans up when `agentpol run` is killed: a process that waits for its end, then ends the
 * agent's processes first and takes what is pinned away last. Where the keeper is killed too, the
 * pins keep enforcement in force, and the next `agentpol run` clears them away.
 */
#ifndef AGENTPOL_AGENTPOL_KEEPER_H
#define AGENTPOL_AGENTPOL_KEEPER_H

#include "base/error.h"

/* Below PIN_ROOT_DEFAULT: a folder for each run without policyd, named as its cgroup. */
#define RUN_PINS "/run"
/* A file for each run, locked as long as it or its keeper lives: whoever gets the lock knows that
 * both are gone, whatever process numbers mean where they look from. */
#define RUN_LOCKS "/run/agentpol/runs"

/* A run's place in the world. */
struct run_place {
	const char *name;   /* AGENT-PID */
	const char *cgroup; /* path */
	const char *pins;   /* NULL: policyd has them */
};

/*
 * Takes the run's lock and starts its keeper; before the cgroup is made, since what has a lock file
 * and no lock is swept. Returns the descriptor whose closing the keeper waits for; keeper_dismiss
 * closes it after a clean end.
 */
int keeper_start(const struct run_place *place, struct error *error) MUST_USE;
void keeper_dismiss(int fd, const char *name);

/* Ends what earlier runs left, of which neither the run nor the keeper is there any more. */
void keeper_sweep(const char *cgroup_folder, const char *pin_folder);

#endif
