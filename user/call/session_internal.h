/* SPDX-License-Identifier: Apache-2.0 */
/* What a session holds; session*.c alone use it. */
#ifndef AGENTPOL_CALL_SESSION_INTERNAL_H
#define AGENTPOL_CALL_SESSION_INTERNAL_H

#include "call/session.h"

/* Calls of one tool whose values are remembered; of more the oldest are forgotten, and what would
 * have matched them is denied. */
#define PAST_MAX   1024
#define PAST_FIRST 16

struct tool_state {
	bool asked_for;	    /* a call was judged, whatever came out */
	uint64_t calls;	    /* allowed */
	uint64_t under_way; /* of them, not ended */
	uint64_t successes;
	uint64_t bucket_ns;  /* when the rate's bucket is empty: see session_judge.c */
	size_t sources;	     /* digests that one success leaves */
	struct digest *past; /* owned: past_count sets of `sources` */
	size_t past_count, past_room, past_next;
};

struct call_session {
	const struct policy *policy;
	struct tool_state *tools; /* owned; in the policy's order */
	struct call_session_counts counts;
};

struct tool_state *session_tool(const struct call_session *session, const struct tool *tool);
/* Room for one more set of values, the oldest one's where there are too many; NULL: no memory. */
struct digest *session_new_past(struct tool_state *state);

#endif
