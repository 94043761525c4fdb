/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict's members in the JSON that `agentpol decide` and `agentpol sql` print. */
#ifndef AGENTPOL_POLICY_VERDICT_JSON_H
#define AGENTPOL_POLICY_VERDICT_JSON_H

#include "base/json_write.h"
#include "policy/decide.h"

/* Into an object that is open; `assumes` (may be NULL) besides the verdict's own. */
void verdict_write(struct json_writer *writer, const struct verdict *verdict,
		   const struct strings *assumes);

#endif
