/* SPDX-License-Identifier: Apache-2.0 */
/* What the agents are held in; agents.c and agents_adopt.c alone use it. */
#ifndef AGENTPOL_POLICYD_AGENTS_INTERNAL_H
#define AGENTPOL_POLICYD_AGENTS_INTERNAL_H

#include "policyd/agents.h"
#include "policyd/leases.h"

/* A policy that was replaced: events of its time are still to be explained. */
struct past_policy {
	struct past_policy *next;
	struct policy *policy; /* owned */
	uint64_t loaded;
	uint64_t cgroup;
};

/* A cgroup that has gone. */
struct lingering {
	struct lingering *next;
	uint64_t cgroup, loaded;
	unsigned seconds; /* left */
};

struct agents {
	struct enforcer *enforcer;
	struct lingering *lingering;
	struct agent *first;
	struct past_policy *past;
	struct leases *leases;
	char *state_folder; /* NULL: none */
	unsigned tidied;    /* times, since what names have opened was looked through */
};

void agent_free(struct agent *agent);
/* Keeps the text for its leases, which are made of it, where a tool has "scope": "call"; without
 * memory there are none. */
void agent_keep_manifest(struct agent *agent, const char *text, size_t length);
/* Is that cgroup still there under its path? */
bool agent_still_is(const char *cgroup_path, uint64_t cgroup);

#endif
