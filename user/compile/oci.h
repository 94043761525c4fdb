/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a manifest says of processes as a part of a container's config.json (OCI runtime
 * specification, config.md and config-linux.md), to be merged into one. `agentpol compile --emit
 * oci` prints it. Lists of files and programs, and the network, are in no such profile.
 */
#ifndef AGENTPOL_COMPILE_OCI_H
#define AGENTPOL_COMPILE_OCI_H

#include "base/json_write.h"
#include "policy/policy.h"

/* One object; of the agent's own grants, or (tool not NULL) those joined with the tool's. */
void oci_write_profile(const struct policy *policy, const struct tool *tool,
		       struct json_writer *writer);

#endif
