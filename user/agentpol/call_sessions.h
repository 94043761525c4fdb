/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and results of `decide` and of policy tests: each session by its name. */
#ifndef AGENTPOL_AGENTPOL_CALL_SESSIONS_H
#define AGENTPOL_AGENTPOL_CALL_SESSIONS_H

#include "call/session.h"

/* Sessions of one run; a call of one more is denied. */
#define CALL_SESSIONS_MAX 65536

struct call_sessions; /* by name */

struct call_sessions *call_sessions_new(const struct policy *policy, struct error *error) MUST_USE;
/* Accepts NULL. */
void call_sessions_free(struct call_sessions *sessions);
/* All begin anew. */
void call_sessions_forget(struct call_sessions *sessions);

/* A request of kind "call". A person who is asked is taken to say yes when a result comes. */
void call_sessions_call(struct call_sessions *sessions, const json_value *request, uint64_t now_ns,
			const struct sql_catalog *catalog, struct arena *arena,
			struct call_decision *decision);
/* One of kind "result". What tells of a call that was denied changes nothing. */
void call_sessions_result(struct call_sessions *sessions, const json_value *request,
			  uint64_t now_ns);

#endif
