/* SPDX-License-Identifier: Apache-2.0 */
/* What policyd leaves for its successor: an agent a pair of files, CGROUP.json and CGROUP.manifest.
 */
#ifndef AGENTPOL_POLICYD_STATE_H
#define AGENTPOL_POLICYD_STATE_H

#include "policyd/agents.h"

int state_save(const char *folder, const struct agent *agent, const char *manifest, size_t length,
	       struct error *error) MUST_USE;
/* Fills the agent but for its policy and its container; *manifest is the caller's to free. */
int state_load(const char *folder, uint64_t cgroup, struct agent *agent, char **manifest,
	       size_t *length, struct error *error) MUST_USE;
/* The manifest's text alone. */
int state_load_manifest(const char *folder, uint64_t cgroup, char **manifest, size_t *length,
			struct error *error) MUST_USE;
/* Calls `visit` for each agent that is kept there; it may remove the one that it is called for. */
void state_each(const char *folder, void (*visit)(uint64_t cgroup, void *context), void *context);
void state_remove(const char *folder, uint64_t cgroup);

#endif
