/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which statement an answer belongs to, where allowed statements are logged: with the rows and the
 * time that each run took. What was sent is a queue, and each answer of the server's says what has
 * become of its first: a name stands for a statement only once the server has said that it does,
 * and what the server has skipped is no run. So no order of messages lets a statement run untold,
 * or under another's text. Where the answers can't be told apart any more, or a table is full, what
 * is approved is told at once, without rows. session*.c use it.
 */
#ifndef AGENTPOL_SQL_SESSION_FLIGHT_H
#define AGENTPOL_SQL_SESSION_FLIGHT_H

#include "sql/session.h"

struct flight;

/* NULL when out of memory. */
struct flight *flight_new(void) MUST_USE;
/* Accepts NULL. */
void flight_free(struct flight *flight);

/* ---- what goes to the server; `now` in microseconds ---- */

/* A Query; judgement NULL: nothing is to be told of it. */
void flight_query(struct flight *flight, struct judgement *judgement, const char *text,
		  size_t length, uint64_t now);
void flight_parse(struct flight *flight, const char *name, struct judgement *judgement,
		  const char *text, size_t length);
/* The start of a Bind's, Execute's, Describe's or Close's body, as much of it as was looked at. */
void flight_refer(struct flight *flight, char type, const uint8_t *body, size_t length,
		  uint64_t now);
/* A Sync, a FunctionCall, or ('c') the end of the client's COPY data. */
void flight_mark(struct flight *flight, char type);
/* There is no room for another: the client is not to be read. */
bool flight_is_full(const struct flight *flight);

/* ---- what comes back ---- */

/* A message of the server's. True: `record` is filled; its texts live until the next call. */
bool flight_answer(struct flight *flight, char type, uint64_t now, struct session_record *record);
/* What is to be told at once: to be called until it is false, after anything was sent or came. */
bool flight_untold(struct flight *flight, struct session_record *record);

#endif
