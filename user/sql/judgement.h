/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A verdict on a text as the gateway keeps it: small, in one piece, shared by the cache and the
 * sessions that wait for it. Made from the parser's answer, or by the guard itself for what needs
 * no parser (a text that is too long, a function call message).
 */
#ifndef AGENTPOL_SQL_JUDGEMENT_H
#define AGENTPOL_SQL_JUDGEMENT_H

#include "sql/decision.h"

enum judgement_text {
	JUDGEMENT_REASON,
	JUDGEMENT_RULE,
	JUDGEMENT_MESSAGE,
	JUDGEMENT_HINT_OP,
	JUDGEMENT_HINT_PATH,
	JUDGEMENT_HINT_VALUE,
	JUDGEMENT_ACCESSES, /* JSON array */
	JUDGEMENT_TEXTS,
};

struct judgement {
	unsigned references;
	enum verdict_kind kind;
	enum sql_statement statement;
	bool literals_decide;
	const char *code;		   /* SQLSTATE for the client, static */
	const char *text[JUDGEMENT_TEXTS]; /* behind the struct; "" is none */
};

/* With one reference, the caller's; NULL when out of memory. NULL texts are "". */
struct judgement *judgement_new(enum verdict_kind kind, enum sql_statement statement,
				const char *const text[JUDGEMENT_TEXTS]) MUST_USE;
/* What the guard says without a parser: a reason, a rule ("" is none) and a sentence. */
struct judgement *judgement_plain(enum verdict_kind kind, const char *code, const char *reason,
				  const char *rule, const char *message) MUST_USE;
struct judgement *judgement_hold(struct judgement *judgement);
/* Accepts NULL. */
void judgement_release(struct judgement *judgement);

/* Does the text reach the server? */
static inline bool judgement_passes(const struct judgement *judgement)
{
	return judgement->kind == VERDICT_ALLOW || judgement->kind == VERDICT_WOULD_DENY;
}

#endif
