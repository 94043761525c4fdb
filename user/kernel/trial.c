// SPDX-License-Identifier: Apache-2.0
#include "kernel/trial.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/selftest.h"

/* The least that a policy of the self-test takes. */
#define PORT_SETS  4
#define RING_BYTES (1U << 16)
#define ENTRIES	   64

/* Adds what was tried; true where it was proved. */
static bool note(struct trial *trial, const char *what, int result, const struct error *error)
{
	struct proof *proof = &trial->proofs[trial->proof_count++];

	*proof = (struct proof){.what = what, .proved = result == 0};
	if (result < 0)
		proof->error = *error;
	return result == 0;
}

static void try_tasks(struct trial *trial, struct enforcer *enforcer)
{
	const bool lsm = enforcer_judges_tasks(enforcer);
	struct error error;

	if (!lsm && !enforcer_can_watch(enforcer))
		return;
	if (note(trial,
		 lsm ? "on a live cgroup, a denied system call is refused by the LSM"
		     : "on a live cgroup, a denied system call kills who makes it",
		 selftest_run_tasks(enforcer, &error), &error))
		trial->has |= lsm ? NEED_LSM : NEED_WATCH;
}

static void try_enforcer(struct trial *trial, struct enforcer *enforcer)
{
	struct error error;

	if (!note(trial,
		  enforcer_judges_unix(enforcer)
			  ? "connections that are not granted are refused: TCP and a Unix socket"
			  : "a connection that is not granted is refused, a granted one is made",
		  selftest_run_connections(enforcer, &error), &error))
		return;
	trial->has |= NEED_BPF | (enforcer_judges_unix(enforcer) ? NEED_UNIX_HOOKS : 0U);
	try_tasks(trial, enforcer);
}

void trial_make(struct trial *trial)
{
	char pins[PATH_MAX];
	const struct enforcer_options options = {.pin_root = pins,
						 .port_sets = PORT_SETS,
						 .ring_bytes = RING_BYTES,
						 .name_grants = ENTRIES,
						 .budgets = ENTRIES,
						 .caches = ENTRIES,
						 .without_names = true,
						 .without_servers = true};
	struct enforcer *enforcer;
	struct error error;

	*trial = (struct trial){0};
	(void)snprintf(pins, sizeof(pins), PIN_ROOT_DEFAULT "/run/doctor-%ld", (long)getpid());
	enforcer = enforcer_open(&options, &error);
	if (enforcer) {
		enforcer_keep_guard(enforcer, true);
		try_enforcer(trial, enforcer);
		enforcer_keep_guard(enforcer, false);
	} else {
		(void)note(trial, "the programs are loaded", -1, &error);
	}
	enforcer_close(enforcer);
	/* Where nothing was loaded, who may not load may not look, either. */
	if (enforcer_unpin_all(pins, &error) < 0 && enforcer)
		(void)note(trial, "nothing of the trial is left", -1, &error);
}
