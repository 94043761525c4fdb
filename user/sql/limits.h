/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked at before a text is parsed, in one pass and without a parser: how long, how deep,
 * how many operators. libpg_query 15 takes time square in the depth of comments and stack in the
 * number of operators; a text past these bounds is undecided ("sql-limit").
 */
#ifndef AGENTPOL_SQL_LIMITS_H
#define AGENTPOL_SQL_LIMITS_H

#include <stddef.h>

#define SQL_TEXT_MAX	  (1U << 20) /* bytes of a statement that is judged */
#define SQL_COMMENT_DEPTH 32
#define SQL_OPERATORS_MAX 2000	/* operators, casts, UNION, JOIN ...: what makes the tree deep */
#define SQL_TOKENS_MAX	  40000 /* what makes it wide */

/* NULL where the text is within the bounds, else a sentence that says which it is not. Never says
 * yes to a text of more than SQL_TEXT_MAX bytes, with a NUL in it, or that is no UTF-8. */
const char *sql_limits_exceeded(const char *text, size_t length);

#endif
