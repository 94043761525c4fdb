/* SPDX-License-Identifier: Apache-2.0 */
/* A tool's "arguments": limits on the values that a call passes. call_decide uses it. */
#ifndef AGENTPOL_CALL_ARGUMENTS_H
#define AGENTPOL_CALL_ARGUMENTS_H

#include "call/regex.h"
#include "json/json.h"
#include "policy/decide.h"

/* One limit of the manifest, and its pattern, compiled; NULL: it has none. */
struct ready_limit {
	const struct argument_limit *limit;
	struct regex *pattern; /* owned */
};

/*
 * Holds what the limit's pointer leads to against it. Absent and null are no value, which
 * inputSchema may require; of a list, also on the way, each item is held. What stands in the way is
 * refused. True, or false with *verdict a denial.
 */
bool arguments_hold(const struct policy *policy, const struct tool *tool,
		    const struct ready_limit *ready, const json_value *arguments,
		    struct verdict *verdict);

#endif
