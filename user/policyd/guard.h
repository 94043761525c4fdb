/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQL guard, from the side of who is root: starts the guard and the parser as processes of
 * their own and starts them again, makes the sockets that they work with, says which client is
 * whose, and writes what they record. See sql/guard_link.h. Held by policyd, or by `agentpol run`
 * for its one agent. Never waits for the guard: one that does not read is ended.
 */
#ifndef AGENTPOL_POLICYD_GUARD_H
#define AGENTPOL_POLICYD_GUARD_H

#include "kernel/enforcer.h"
#include "policyd/agents.h"
#include "policyd/monitor.h"

#define GUARD_ROOT_DEFAULT "/run/agentpol/empty"
#define GUARD_USER_DEFAULT "agentpol-guard"
#define GUARD_UID_DEFAULT  64242U /* where there is no such account */
#define GUARD_PROGRAM_SELF "/proc/self/exe"

struct guard;

struct guard_options {
	struct enforcer *enforcer;
	struct agents *agents;
	struct monitor *monitor;
	const char *program; /* whose first argument says which child it is to be */
	const char *user;    /* a name or a number; NULL: the default */
	const char *root;    /* an empty folder, which is made */
};

/* Everything stays the caller's. No process is started before it is needed. */
struct guard *guard_new(const struct guard_options *options, struct error *error) MUST_USE;
/* Ends the children. Accepts NULL. */
void guard_free(struct guard *guard);

/* Readable when there is something to do. */
int guard_fd(const struct guard *guard);
/* Does what there is to do, and some of it at most. */
void guard_serve(struct guard *guard);
/* Once a second. */
void guard_tick(struct guard *guard);

/*
 * After any agent has come, got another policy or gone: listens for those that need it, in the
 * namespaces of their processes and (0: none) of `pid`, and lets go of the others.
 */
int guard_follow_agents(struct guard *guard, pid_t pid, struct error *error) MUST_USE;
/* A process of the agent's has been denied for want of a listener in its namespace; a
 * monitor_guard.
 */
void guard_listen_for(uint64_t cgroup, pid_t pid, void *guard);

/* For `ps`. */
struct guard_counts {
	size_t listeners, sessions;
};
struct guard_counts guard_count(const struct guard *guard, uint64_t cgroup);

#endif
