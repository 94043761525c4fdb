/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of verbs that ask policyd something: --format, --socket, --help. */
#ifndef AGENTPOL_AGENTPOL_DAEMON_OPTIONS_H
#define AGENTPOL_AGENTPOL_DAEMON_OPTIONS_H

#include <stdbool.h>

struct daemon_options {
	const char *socket;
	bool json, help;
};

/* Leaves optind at the first argument. `has_format`: the verb takes --format. 0, or STATUS_UNUSABLE
 * when it has complained. */
int daemon_options_parse(int argc, char **argv, bool has_format, struct daemon_options *options);

#endif
