/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked at before a text is parsed, in one pass and without a parser: how long, how deep,
 * how many operators. libpg_query 15 takes time square in the depth of comments and stack in the
 * number of operators; a text past these bounds is undecided ("sql-limit").
 */
#ifndef AGENTPOL_SQL_LIMITS_H
#define AGENTPOL_SQL_LIMITS_H

#include <stddef.h>

/*
 * Measured with libpg_query 15-4.0.0 on a stack of 16 MiB: a token costs at most 0.6 us and 260
 * bytes of JSON; 200,000 operators in a chain overflow the stack, 100,000 do not. So the worst text
 * within these bounds is parsed in some 50 ms and 40 MiB, with ten times the stack to spare, and an
 * INSERT of 2,000 rows of 20 columns is still within them.
 */
#define SQL_TEXT_MAX	  (1U << 20) /* bytes of a statement that is judged */
#define SQL_COMMENT_DEPTH 32
#define SQL_OPERATORS_MAX 10000 /* operators, casts, UNION, JOIN ...: what makes the tree deep */
#define SQL_TOKENS_MAX	  80000 /* what makes it wide, as often as the tree has it */
/*
 * UPDATE's SET (a, b, c) = source puts the source into the tree three times, and a source may hold
 * another UPDATE: 540 bytes of them cost 290 MB. So tokens there, and their bytes, count as often
 * as they are copied.
 */
#define SQL_BYTES_MAX  (2U << 20)
#define SQL_GROUPS_MAX 1000 /* parentheses and brackets inside of each other */
/*
 * The scanner matches an operator, and the opening of a comment, together with all operator bytes
 * behind it, and then puts back what is too much: half a MiB of slashes and asterisks costs four
 * minutes. This many bytes, looked at again and again, cost some 4 ms.
 */
#define SQL_RESCAN_MAX (4U << 20)

/* NULL where the text is within the bounds, else a sentence that says which it is not. Never says
 * yes to a text of more than SQL_TEXT_MAX bytes, with a NUL in it, or that is no UTF-8. */
const char *sql_limits_exceeded(const char *text, size_t length);

#endif
