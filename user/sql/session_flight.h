/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which statement an answer belongs to, where allowed statements are logged: with the rows and the
 * time that each run took. Prepared statements and portals are followed by name, and what is under
 * way is a queue. Bounded: what does not fit is logged without its text. session*.c use it.
 */
#ifndef AGENTPOL_SQL_SESSION_FLIGHT_H
#define AGENTPOL_SQL_SESSION_FLIGHT_H

#include "sql/session.h"

struct flight;

/* NULL when out of memory. */
struct flight *flight_new(void) MUST_USE;
/* Accepts NULL. */
void flight_free(struct flight *flight);

/* A Query that was let through at `now` (microseconds). */
void flight_query(struct flight *flight, struct judgement *judgement, const char *text,
		  size_t length, uint64_t now);
/* A Parse that was let through. */
void flight_parse(struct flight *flight, const char *name, struct judgement *judgement,
		  const char *text, size_t length);
/* The start of a Bind's or Execute's body, as much of it as was looked at. */
void flight_bind(struct flight *flight, const uint8_t *body, size_t length);
void flight_execute(struct flight *flight, const uint8_t *body, size_t length, uint64_t now);
/* A command has ended: `record` is filled for what was under way first; false where nothing was.
 * The record's texts live until the next call. */
bool flight_done(struct flight *flight, uint64_t now, struct session_record *record);
/* A ReadyForQuery has come and nothing is under way. */
void flight_idle(struct flight *flight);

#endif
