/* SPDX-License-Identifier: Apache-2.0 */
/* A command under a policy, from its start to its end; cmd_run.c and run_*.c alone use it. */
#ifndef AGENTPOL_AGENTPOL_RUN_INTERNAL_H
#define AGENTPOL_AGENTPOL_RUN_INTERNAL_H

#include <limits.h>
#include <time.h>

#include "agentpol/launch.h"
#include "agentpol/run_leases.h"
#include "policyd/client.h"
#include "policyd/guard.h"
#include "policyd/monitor.h"

struct run {
	/* as asked for */
	const char *manifest, *tool, *socket, *log;
	bool quiet, allow_degraded, standalone, help;
	struct launch launch;
	struct run_leases leases;
	/* as made */
	struct launch_files files;
	bool judged; /* by the kernel's LSM, file by file */
	struct policy *policy;
	char *manifest_text;
	char cgroup_folder[PATH_MAX];	/* of all runs */
	char name[AGENT_NAME_MAX + 24]; /* of the run: AGENT-PID */
	char cgroup[PATH_MAX];
	char pins[PATH_MAX];
	char log_file[PATH_MAX];
	char state_folder[PATH_MAX]; /* policyd's; "": none */
	int keeper;
	int signals;
	pid_t child;
	struct client *client; /* policyd's; NULL: standalone */
	struct enforcer *enforcer;
	struct agents *agents;
	struct audit_store *store;
	struct monitor *monitor;
	struct guard *guard; /* NULL: none is needed */
	time_t ticked;	     /* the guard, s */
};

/* ---- run_attach.c ---- */

/* Puts the run's cgroup under the policy: by policyd where `client` is open, else by this process.
 */
int run_attach(struct run *run, const struct tool *tool, struct error *error) MUST_USE;
/* Takes what run_attach has made out again; the command has ended. */
void run_detach(struct run *run);
/* Prints what policyd has told of the run; without it when it has gone. */
void run_tell_daemons_lines(struct run *run);

/* ---- run_supervise.c ---- */

int run_block_signals(struct run *run, struct error *error) MUST_USE;
/* Until the command has ended; its exit code. */
int run_supervise(struct run *run);

#endif
