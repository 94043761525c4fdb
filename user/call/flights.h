/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's requests that have no answer yet, and the calls whose answer was a question to the
 * client (2026-07-28: input_required), which wait for their retry. Used by the gateway alone.
 */
#ifndef AGENTPOL_CALL_FLIGHTS_H
#define AGENTPOL_CALL_FLIGHTS_H

#include "call/message.h"
#include "call/session.h"

enum flight_kind { FLIGHT_OTHER, FLIGHT_LIST, FLIGHT_CALL };

struct mcp_gateway;
struct flight {
	struct flight *next;
	struct mcp_gateway *gateway;
	enum flight_kind kind;
	char *id, *id_key; /* owned; see message.h */
	bool cancelled;	   /* by the client: an answer may come or not */
	bool sent;	   /* the server has it */
	/* of a call */
	char *name;		     /* owned */
	const struct tool *tool;     /* NULL: audit mode, and the manifest does not have it */
	uint64_t number;	     /* the authority's; 0: not begun */
	bool settled;		     /* answered while the authority was still asked */
	char *held;		     /* owned: the message, while it waits; else NULL */
	const struct message *asked; /* while the authority is asked */
	size_t length;
	char *shape; /* owned: of the arguments, for the log */
	bool modern; /* the client speaks 2026-07-28 or later */
	struct digest arguments;
	struct digest state;	       /* requestState of the question that waits for its answer */
	struct call_evidence evidence; /* what "match" takes of the arguments */
};

struct flights {
	struct flight *open;	/* owned; newest first */
	struct flight *waiting; /* owned; for their retry, newest first */
	size_t open_count, waiting_count, held_count, held_bytes;
};

/* NULL: no memory, or too many. */
struct flight *flights_add(struct flights *flights, enum flight_kind kind,
			   const struct message *message) MUST_USE;
struct flight *flights_find(const struct flights *flights, const char *id_key);
void flights_remove(struct flights *flights, struct flight *flight);
/* The only one that was sent and is waited for; NULL where there are none or several. */
struct flight *flights_only_sent(const struct flights *flights);

/* Keeps the message that it asks about; false: too much is held. */
bool flights_hold(struct flights *flights, struct flight *flight) MUST_USE;
void flights_unhold(struct flights *flights, struct flight *flight);

/* Out of the open ones, to those that wait; the one that is too many comes back (or NULL). */
struct flight *flights_park(struct flights *flights, struct flight *flight) MUST_USE;
/* The call that this is the retry of, out of those that wait; NULL: none. */
struct flight *flights_unpark(struct flights *flights, const char *name,
			      const struct digest *arguments, const struct digest *state);
/* As the retry that has come: open again under its id. False: no memory; it is gone then. */
bool flights_reopen(struct flights *flights, struct flight *flight,
		    const struct message *message) MUST_USE;
void flights_free_one(struct flight *flight);

#endif
