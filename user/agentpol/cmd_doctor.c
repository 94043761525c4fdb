// SPDX-License-Identifier: Apache-2.0
/* `agentpol doctor`: what this kernel and system can enforce, proved where it can be. */
#include <getopt.h>
#include <stdio.h>

#include "agentpol/commands.h"
#include "agentpol/doctor.h"
#include "policyd/client.h"
#include "policyd/config.h"

static const char usage[] =
	"Usage: agentpol doctor [--format text|json] [--syscalls]\n"
	"\n"
	"Tells what enforces each kind of grant on this machine, what is missing and how to get "
	"it.\n"
	"As root it tries: the programs are loaded, and denied things are done in a cgroup that "
	"goes\n"
	"away again. Exit status 3 where nothing can be enforced.\n"
	"\n"
	"      --syscalls        what denies each system call on a live cgroup, too\n"
	"      --format text|json\n"
	"      --socket PATH     policyd's socket (default " SOCKET_PATH_DEFAULT ")\n"
	"  -h, --help\n";

struct arguments {
	const char *socket;
	bool json, syscalls, help;
};

static int parse(int argc, char **argv, struct arguments *arguments)
{
	enum { OPTION_FORMAT = 256, OPTION_SOCKET, OPTION_SYSCALLS };
	static const struct option options[] = {
		{"format", required_argument, NULL, OPTION_FORMAT},
		{"socket", required_argument, NULL, OPTION_SOCKET},
		{"syscalls", no_argument, NULL, OPTION_SYSCALLS},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*arguments = (struct arguments){.socket = SOCKET_PATH_DEFAULT};
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPTION_FORMAT:
			if (command_read_format(argv[0], optarg, &arguments->json))
				return STATUS_UNUSABLE;
			break;
		case OPTION_SOCKET:
			arguments->socket = optarg;
			break;
		case OPTION_SYSCALLS:
			arguments->syscalls = true;
			break;
		case 'h':
			arguments->help = true;
			return 0;
		default:
			return command_usage(argv[0], "wrong option");
		}
	}
	if (optind < argc)
		return command_usage(argv[0], "unexpected argument: %s", argv[optind]);
	return 0;
}

static bool daemon_answers(const char *socket)
{
	struct error ignored;
	_cleanup_client_ struct client *client = client_open(socket, &ignored);

	return client != NULL;
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor doctor = {0};
	struct arguments arguments;
	struct error error;
	int status = parse(argc, argv, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage, stdout);
		return STATUS_DONE;
	}
	features_read(&doctor.features);
	doctor.daemon = daemon_answers(arguments.socket);
	trial_make(&doctor.trial);
	doctor_find_lacks(&doctor);
	if (!arguments.json)
		doctor_print_text(&doctor, arguments.syscalls);
	else if (doctor_print_json(&doctor, arguments.syscalls, &error) < 0)
		return command_fail("doctor", &error);
	if (doctor.has & NEED_BPF)
		return STATUS_DONE;
	(void)fprintf(stderr, "agentpol doctor: nothing can be enforced here: %s\n",
		      doctor.lacks[0].why);
	return STATUS_SYSTEM;
}
