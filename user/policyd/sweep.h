/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was open before a live cgroup got its policy: each inet socket of the cgroup, and each that
 * its processes hold, is judged as if it were opened now, and what is not granted is closed.
 */
#ifndef AGENTPOL_POLICYD_SWEEP_H
#define AGENTPOL_POLICYD_SWEEP_H

#include "policyd/agents.h"
#include "policyd/monitor.h"

struct sweep_subject {
	struct enforcer *enforcer;
	struct monitor *monitor;
};

/*
 * After the cgroup was enrolled: closes, tells the log, and writes the members "closed", "kept" and
 * "unlisted" into `answer` (NULL: nobody asks). Lists again until nothing is found that is not
 * granted. In audit mode nothing is closed. What can't be closed stays, as one of "kept" whose
 * verdict is "deny"; *left counts these. STATUS_SYSTEM where the sockets can't be listed.
 */
int sweep_close(const struct sweep_subject *subject, const struct agent *agent,
		struct json_writer *answer, size_t *left, struct error *error) MUST_USE;

/*
 * Refuses (STATUS_NO, with the list) where a socket is open that the policy does not grant; closes
 * nothing. For what is granted it does what is needed to keep it.
 */
int sweep_check(const struct sweep_subject *subject, const struct policy *policy, const char *tool,
		const char *cgroup_path, struct error *error) MUST_USE;

#endif
