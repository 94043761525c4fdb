/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of `agentpol`: one file each. A verb gets its own argv (argv[0] is the verb), prints
 * results to standard output and messages to standard error, and returns an exit_status.
 */
#ifndef AGENTPOL_AGENTPOL_COMMANDS_H
#define AGENTPOL_AGENTPOL_COMMANDS_H

#include <stdbool.h>

#include "base/error.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary; /* for `agentpol --help` */
};

int cmd_check(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_decide(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_mcp(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_detach(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_approvals(int argc, char **argv);
int cmd_approve(int argc, char **argv);
int cmd_refuse(int argc, char **argv);
int cmd_session(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_sql(int argc, char **argv);
/* `agentpol sql snapshot`; argv[0] is "snapshot". */
int cmd_sql_snapshot(int argc, char **argv);

/* Prints "agentpol VERB: sentence" to standard error and returns the error's status. */
int command_fail(const char *verb, const struct error *error) MUST_USE;
/* The word of --format: sets *json, or complains. 0, or STATUS_UNUSABLE. */
int command_read_format(const char *verb, const char *word, bool *json) MUST_USE;
/* For a wrong command line: the sentence, and where to read more. Returns STATUS_UNUSABLE. */
int command_usage(const char *verb, const char *format, ...) FORMAT(2, 3) MUST_USE;

#endif
