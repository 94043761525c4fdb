/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gateway and the parser say to each other: packets as in guard_link.h, with types of
 * their own. The gateway numbers policies, catalogs and questions; the parser answers in order. A
 * parser that dies leaves the first question without an answer that is why it died; the next one
 * is told every policy and catalog again.
 */
#ifndef AGENTPOL_SQL_PARSER_LINK_H
#define AGENTPOL_SQL_PARSER_LINK_H

#include <stdint.h>

/* Time of the processor that one question may take; the parser ends itself past it. */
#define PARSER_QUESTION_MS 500
/* A text up to this goes in the packet, a longer one in a memfd. */
#define PARSER_INLINE_MAX 16384U
/* Of the accesses in an answer; where there are more, they are left out. */
#define PARSER_ACCESSES_MAX 12288U

enum parser_message_type {
	/* from the gateway */
	PARSER_POLICY = 64,    /* ref: the policy's; fd 0: the manifest; tail: struct guard_policy */
	PARSER_FORGET_POLICY,  /* ref */
	PARSER_CATALOG,	       /* ref: the catalog's; fd 0: its text */
	PARSER_FORGET_CATALOG, /* ref */
	PARSER_QUESTION, /* ref: the question's; tail: struct parser_question, then the text, or
			    fd 0: the text */
	/* from the parser */
	PARSER_ANSWER, /* ref: the question's; tail: struct parser_answer, then JUDGEMENT_TEXTS
			  strings with their NULs */
};

struct parser_question {
	uint64_t policy, catalog;
	uint32_t length; /* of the text */
	uint32_t reserved;
};

struct parser_answer {
	uint32_t kind;	    /* enum verdict_kind */
	uint32_t statement; /* enum sql_statement */
	uint8_t literals_decide;
	uint8_t reserved[7];
};

#endif
