/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's side of the parser: what it was asked and has not answered. A parser that dies
 * leaves its first question undecided; the others are asked again of the next one.
 */
#ifndef AGENTPOL_SQL_QUESTIONS_H
#define AGENTPOL_SQL_QUESTIONS_H

#include <event2/event.h>

#include "sql/guard_link.h"
#include "sql/judgement.h"

struct questions;

struct questions_host {
	/* The reference is the callee's. `parser_failed`: the text is why the parser died. */
	void (*answered)(void *context, uint64_t view, uint64_t relay, const char *text,
			 size_t length, struct judgement *judgement, bool parser_failed);
	/* A new parser is there: tell it all policies and catalogs (questions_tell). */
	void (*renewed)(void *context);
};

struct questions *questions_new(struct event_base *base, const struct questions_host *host,
				void *context) MUST_USE;
void questions_free(struct questions *questions);

/* Takes the descriptor over; a former parser is gone. */
void questions_set_parser(struct questions *questions, int fd);
/* PARSER_POLICY and its kin. `fd` -1: none. Nothing where there is no parser now. */
void questions_tell(struct questions *questions, const struct guard_message *head,
		    const void *tail, int fd);

struct question {
	uint64_t policy, catalog;
	uint64_t view, relay; /* come back with the answer */
};
/* False when out of memory. An answer comes later, never from in here. */
bool questions_ask(struct questions *questions, const struct question *question, const char *text,
		   size_t length) MUST_USE;
/* Once a second: what has waited too long is undecided. */
void questions_tick(struct questions *questions);

#endif
