/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's events to the audit log: asks the decision core why, writes the record, and
 * hands its line to who listens (the terminal of `run`, the followers of policyd).
 */
#ifndef AGENTPOL_POLICYD_MONITOR_H
#define AGENTPOL_POLICYD_MONITOR_H

#include "audit/store.h"
#include "policyd/agents.h"

struct monitor;

/* `cgroup` is the agent's; `line` is the record with its newline, valid during the call. */
typedef void (*monitor_listener)(uint64_t cgroup, const char *line, void *context);

/* Everything stays the caller's; `listener` may be NULL. */
struct monitor *monitor_new(struct enforcer *enforcer, struct agents *agents,
			    struct audit_store *store, monitor_listener listener, void *context,
			    struct error *error) MUST_USE;
/* Accepts NULL. */
void monitor_free(struct monitor *monitor);
/* Readable when there are events. */
int monitor_fd(const struct monitor *monitor);
/* Takes the events that are there; once a minute, what went where, too. */
void monitor_consume(struct monitor *monitor);
/* Once a second: events, lost ones, the counts of replaced policies, agents that vanished;
 * flushes. */
void monitor_tick(struct monitor *monitor);
/* Before an agent leaves: consumes, and tells the final counts of its policy and what went where.
 */
void monitor_settle(struct monitor *monitor, uint32_t policy_id);
/* Writes a record of now that user space has judged: kind, verdict and what follows from them are
 * the caller's to fill (a count of 0 is 1), whose it is is filled here. */
void monitor_tell(struct monitor *monitor, const struct agent *agent, struct audit_record *record);
/* Records that were lost before they came here, of nobody who is known. */
void monitor_add_lost(struct monitor *monitor, uint64_t count);
/* Who is told when an agent's process wants the SQL guard in its network namespace. */
typedef void (*monitor_guard)(uint64_t cgroup, pid_t pid, void *context);
void monitor_set_guard(struct monitor *monitor, monitor_guard guard, void *context);
/* Writes a record about an agent itself: "attached", "swapped", "detached", "vanished". */
void monitor_note(struct monitor *monitor, const struct agent *agent, const char *what,
		  const char *message);

#endif
