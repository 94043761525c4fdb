/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who cleans up when `agentpol run` is killed: a process that waits for its end, then ends the
 * agent's processes first and takes what is pinned away last. Where the keeper is killed too, the
 * pins keep enforcement in force, and the next `agentpol run` clears them away.
 */
#ifndef AGENTPOL_AGENTPOL_KEEPER_H
#define AGENTPOL_AGENTPOL_KEEPER_H

#include <stdbool.h>

#include "base/error.h"

/* Below PIN_ROOT_DEFAULT: a folder for each run without policyd, named as its cgroup. */
#define RUN_PINS "/run"

/*
 * Starts a keeper for a run's cgroup and its pins (NULL: policyd has them). Returns the descriptor
 * whose closing it waits for; keeper_dismiss closes it after a clean end.
 */
int keeper_start(const char *cgroup, const char *pins, struct error *error) MUST_USE;
void keeper_dismiss(int fd);

/* Ends what runs before this one left, whose `agentpol run` and keeper are both gone. */
void keeper_sweep(const char *cgroup_folder, const char *pin_folder);

#endif
