/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process may serve several tools: scopes of more than one. "a+b" is what both may do, "*" what
 * all tools with "scope": "process" may; "*+c" adds one whose grants are open during a call alone.
 * Made right after a manifest is read, before anybody else has the policy.
 */
#ifndef AGENTPOL_POLICY_JOINED_H
#define AGENTPOL_POLICY_JOINED_H

#include "base/error.h"
#include "policy/policy.h"

/* Tools of one scope that grant anything. */
#define JOINED_PARTS_MAX 64

/* Does the name ask for a scope of several? */
bool policy_is_joined_name(const char *name);
/* Makes the scope of that name, so that policy_find_tool finds it. STATUS_UNUSABLE: a tool of it is
 * not there, or what two of them grant can't be one (each has a database). */
int policy_join_tools(struct policy *policy, const char *name, struct error *error) MUST_USE;
/* The rule in the manifest that a number of an egress rule of a scope means. */
void policy_egress_pointer(const struct tool *tool, size_t index, char *pointer, size_t room);

#endif
