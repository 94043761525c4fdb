// SPDX-License-Identifier: Apache-2.0
#include "agentpol/daemon_options.h"

#include <getopt.h>
#include <stddef.h>

#include "agentpol/commands.h"
#include "policyd/config.h"

enum { OPTION_FORMAT = 256, OPTION_SOCKET };

static const struct option all[] = {
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"help", no_argument, NULL, 'h'},
	{0},
};
static const struct option *const all_but_format = all + 1;

int daemon_options_parse(int argc, char **argv, bool has_format, struct daemon_options *options)
{
	int option;

	*options = (struct daemon_options){.socket = SOCKET_PATH_DEFAULT};
	while ((option = getopt_long(argc, argv, "h", has_format ? all : all_but_format, NULL)) !=
	       -1) {
		switch (option) {
		case OPTION_FORMAT:
			if (command_read_format(argv[0], optarg, &options->json))
				return STATUS_UNUSABLE;
			break;
		case OPTION_SOCKET:
			options->socket = optarg;
			break;
		case 'h':
			options->help = true;
			return 0;
		default:
			return command_usage(argv[0], "wrong option");
		}
	}
	return 0;
}
