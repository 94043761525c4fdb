/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's side of the parser: what waits to be asked, and what was asked and has not been
 * answered. A parser that dies leaves its first question undecided; the others are asked again of
 * the next one.
 *
 * Policies take turns. What waits waits here, in a line of its policy's own; the parser has a few
 * at a time. A policy whose text ended a parser asks nothing for some seconds, longer each time, so
 * that the others have one in between.
 */
#ifndef AGENTPOL_SQL_QUESTIONS_H
#define AGENTPOL_SQL_QUESTIONS_H

#include <event2/event.h>

#include "sql/guard_link.h"
#include "sql/judgement.h"

/* Given to the parser at a time: it need not wait for us, and others need not wait for it. */
#define QUESTIONS_IN_FLIGHT 2
/* A parser that has the processor for PARSER_QUESTION_MS a question is not silent for so long. */
#define QUESTIONS_SILENCE_SECONDS 15
/* What has waited for its turn, or for a parser, for so long is undecided. */
#define QUESTIONS_WAIT_SECONDS 15
/* Waiting, a policy. */
#define QUESTIONS_WAIT_BYTES (8U << 20)
/* How long a policy asks nothing after its text has ended a parser: twice as long each time. */
#define QUESTIONS_PAUSE_FIRST 2
#define QUESTIONS_PAUSE_MOST  8
/* It begins anew after so long without. */
#define QUESTIONS_FORGIVEN_SECONDS 60

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
void questions_tell(struct questions *questions, const struct guard_message *head, const void *tail,
		    int fd);

struct question {
	uint64_t policy, catalog;
	uint64_t view, relay; /* come back with the answer */
};
/* 0: an answer comes later, never from in here. -ENOBUFS: too much of the policy's waits. -ENOMEM.
 */
int questions_ask(struct questions *questions, const struct question *question, const char *text,
		  size_t length) MUST_USE;
/* Once a second: what has waited too long is undecided, and a silent parser is let go. */
void questions_tick(struct questions *questions);

#endif
