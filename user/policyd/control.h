/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policyd's side of the control socket: mode 0600, peers of uid 0 alone, bounded requests, and no
 * client that hangs holds another one up. See client.h for the form of messages.
 *
 *   {"op": "ping"}
 *   {"op": "attach", "cgroup": PATH, "manifest_path": PATH, "tool": NAME, "launched": BOOL,
 *    "allow_degraded": BOOL, "keep_open": BOOL, "body_bytes": N}
 *                                         and N bytes behind the line: the manifest
 *   {"op": "detach", "cgroup": PATH}
 *   {"op": "ps"}
 *   {"op": "reload"}
 *   {"op": "follow", "cgroup": PATH}      records of that agent as they are written
 *   {"op": "calls", "body_bytes": N}      and a manifest: from then on a gateway's connection,
 * which
 *   {"op": "call-begin" | "call-end" | "call-denied" | "call-withdraw", ...}   see calls.h
 *   {"op": "approvals"}, {"op": "approve" | "refuse", "id": N}
 *   {"op": "session-reset", "agent": NAME}
 */
#ifndef AGENTPOL_POLICYD_CONTROL_H
#define AGENTPOL_POLICYD_CONTROL_H

#include <event2/event.h>

#include "policyd/agents.h"
#include "policyd/calls.h"
#include "policyd/guard.h"
#include "policyd/monitor.h"

struct control;

/* What requests act on; all the caller's. */
struct control_subject {
	struct enforcer *enforcer;
	struct agents *agents;
	const char *log_folder,
		*state_folder;	 /* told to a run, which hides them from its command */
	struct monitor *monitor; /* may be set after control_new */
	struct guard *guard;	 /* also; NULL: none */
	struct calls *calls;
};

struct control *control_new(struct event_base *base, const char *socket_path,
			    struct control_subject *subject, struct error *error) MUST_USE;
/* Closes clients and removes the socket. Accepts NULL. */
void control_free(struct control *control);
/* Hands a record to those who follow that cgroup; a monitor_listener. */
void control_publish(uint64_t cgroup, const char *line, void *control);

#endif
