/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The children of the SQL guard are this very program, started again: `PROGRAM sql-guard-child
 * --uid N --root DIR` and `PROGRAM sql-parser-child ...`, with their link at descriptor 3. Called
 * first by the main of every program that may have to be one.
 */
#ifndef AGENTPOL_POLICYD_SQL_CHILD_H
#define AGENTPOL_POLICYD_SQL_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#define SQL_CHILD_LINK 3

/* True: it was one, and *status is for exit(). */
bool sql_child_main(int argc, char **argv, int *status);

struct sql_child {
	uid_t uid;
	const char *root;
};

/* guard_child.c, parser_child.c: each runs until its link is closed, and returns an exit status. */
int guard_child_run(const struct sql_child *child);
int parser_child_run(const struct sql_child *child);

#endif
