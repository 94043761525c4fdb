/* SPDX-License-Identifier: Apache-2.0 */
/* The session of an agent kept in this process: where no policyd runs. */
#ifndef AGENTPOL_CALL_OWN_AUTHORITY_H
#define AGENTPOL_CALL_OWN_AUTHORITY_H

#include "call/authority.h"

/* Asks a person and waits for the answer, the tool's ask_timeout at most. False: *why may be set to
 * a sentence (static). */
typedef bool (*call_asked)(const struct tool *tool, const struct call_shown *shown,
			   const char **why, void *context);

/* `ask` may be NULL: nobody can be asked. Free it by its method. */
struct call_authority *own_authority_new(const struct policy *policy, call_asked ask, void *context,
					 struct error *error) MUST_USE;

#endif
