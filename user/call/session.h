/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent's session remembers, and judges by: which tools were called and have succeeded,
 * with which values (as digests), what is left of the budgets, how often a person was asked.
 * Belongs to the agent and not to a connection: policyd holds it, or the one process that judges
 * where there is no policyd. Pure: no I/O, no clock; it parses nothing that an agent wrote.
 */
#ifndef AGENTPOL_CALL_SESSION_H
#define AGENTPOL_CALL_SESSION_H

#include "base/error.h"
#include "base/json_write.h"
#include "call/decision.h"
#include "call/digest.h"

struct call_session;

/* Values that "match" can bind, of one requires entry, or sources of one tool. */
#define CALL_MATCHES_MAX 16
/* Pairs of all requires of one tool. */
#define CALL_CLAIMS_MAX 64

/* A call as a session sees it: no argument, only digests of those that "match" names: for each
 * requires entry of the tool in the manifest's order, for each of its pairs in theirs. */
struct call_claim {
	const struct tool *tool; /* of the session's policy; NULL: one that it does not have */
	struct digest values[CALL_CLAIMS_MAX];
	size_t count;
};

/* What a call that succeeded leaves: for each source of its tool (call_sources), in order. */
struct call_evidence {
	struct digest values[CALL_MATCHES_MAX];
	size_t count;
};

/* The distinct source pointers by which other tools' "match" refer to `tool`, in the manifest's
 * order; at most CALL_MATCHES_MAX, which the reader of manifests holds. Not owned. */
size_t call_sources(const struct policy *policy, const struct tool *tool,
		    const char *pointers[CALL_MATCHES_MAX]);
/* Fills it from a call's arguments. */
void call_claim_make(const struct tool *tool, const json_value *arguments,
		     struct call_claim *claim);
/* Fills it from a call's arguments and its result (either may be NULL). */
void call_evidence_make(const struct policy *policy, const struct tool *tool,
			const json_value *arguments, const json_value *result,
			struct call_evidence *evidence);

/* Empty. The policy stays the caller's and must outlive it. */
struct call_session *call_session_new(const struct policy *policy, struct error *error) MUST_USE;
/* Accepts NULL. */
void call_session_free(struct call_session *session);
/* Begins anew. */
void call_session_reset(struct call_session *session);
/* Goes on under another version of the manifest: what tools of the same name have done is kept. */
int call_session_adopt(struct call_session *session, const struct policy *policy,
		       struct error *error) MUST_USE;

/*
 * Judges a call that its arguments allow, and notes it: it counts against the budgets from here on.
 * reason: "forbids_after", "requires", "match", "budget", "confirm". VERDICT_ASK: counted as one
 * question to a person, and as a call once call_session_confirm says yes.
 * now_ns: of a clock that never goes back.
 */
void call_session_begin(struct call_session *session, const struct call_claim *claim,
			uint64_t now_ns, struct call_decision *decision);
/* The end of VERDICT_ASK. No: *decision is a denial with reason "confirm", and counted. */
void call_session_confirm(struct call_session *session, const struct call_claim *claim, bool yes,
			  const char *why, uint64_t now_ns, struct call_decision *decision);
/* Counts a denial that somebody else decided (call_decide): sets abandon where it was the last. */
void call_session_note_denial(struct call_session *session, struct call_decision *decision);
/* How a call that was allowed ended. */
void call_session_end(struct call_session *session, const struct tool *tool, bool succeeded,
		      const struct call_evidence *evidence);

/* Is a call of the tool under way, or was it never called? For `result` lines without a call. */
bool call_session_expects(const struct call_session *session, const struct tool *tool);
/* Has a budget of the whole session run out? Then the manifest's on_exhausted is due. */
bool call_session_is_exhausted(const struct call_session *session);

struct call_session_counts {
	uint64_t calls, denials, confirmations; /* used */
};
struct call_session_counts call_session_counts(const struct call_session *session);

/* What a successor takes over, as one JSON object: counts, and digests as hex. Times in it are
 * against `now_ns`, so that they outlive a boot. */
void call_session_write(const struct call_session *session, uint64_t now_ns,
			struct json_writer *writer);
/* Into an empty session. Tools that the policy no longer has are left out. */
int call_session_read(struct call_session *session, const json_value *object, uint64_t now_ns,
		      struct error *error) MUST_USE;

#endif
