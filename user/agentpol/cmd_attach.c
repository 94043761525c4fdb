// SPDX-License-Identifier: Apache-2.0
/* agentpol attach, agentpol detach: a live cgroup under a manifest, and out of it. */
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "agentpol/commands.h"
#include "agentpol/daemon.h"
#include "kernel/cgroup.h"
#include "policyd/config.h"

static const char usage_attach[] =
	"Usage: agentpol attach -m MANIFEST (--cgroup PATH | --pid N | --container ID | --unit "
	"NAME)\n"
	"\n"
	"Puts a live cgroup, and all below it, under a manifest; a second attach exchanges the\n"
	"manifest in one step. policyd must be running.\n"
	"\n"
	"  -m, --manifest FILE   the manifest; - is standard input\n"
	"      --cgroup PATH     a cgroup v2 folder, or its path below the mount\n"
	"      --pid N           the cgroup that process N is in\n"
	"      --container ID    a container's cgroup, by its id (12 digits or more)\n"
	"      --unit NAME       a systemd unit's cgroup\n"
	"  -t, --tool NAME       grant what that tool may do, too\n"
	"      --allow-degraded  take a manifest though not all of it can be enforced here\n"
	"      --format text|json\n"
	"      --socket PATH     policyd's socket (default " SOCKET_PATH_DEFAULT ")\n"
	"  -h, --help\n";

static const char usage_detach[] =
	"Usage: agentpol detach (--cgroup PATH | --pid N | --container ID | --unit NAME)\n"
	"\n"
	"Ends the policy of a cgroup.\n"
	"\n"
	"      --socket PATH     policyd's socket (default " SOCKET_PATH_DEFAULT ")\n"
	"  -h, --help\n";

enum {
	OPTION_CGROUP = 256,
	OPTION_PID,
	OPTION_CONTAINER,
	OPTION_UNIT,
	OPTION_DEGRADED,
	OPTION_FORMAT,
	OPTION_SOCKET,
};

/* Those of detach come last. */
static const struct option options_attach[] = {
	{"manifest", required_argument, NULL, 'm'},
	{"tool", required_argument, NULL, 't'},
	{"allow-degraded", no_argument, NULL, OPTION_DEGRADED},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"cgroup", required_argument, NULL, OPTION_CGROUP},
	{"pid", required_argument, NULL, OPTION_PID},
	{"container", required_argument, NULL, OPTION_CONTAINER},
	{"unit", required_argument, NULL, OPTION_UNIT},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"help", no_argument, NULL, 'h'},
	{0},
};

#define ATTACH_ALONE 4
static const struct option *const options_detach = options_attach + ATTACH_ALONE;

struct arguments {
	struct target target;
	struct attachment attachment;
	const char *socket;
	bool json, help;
};

/* 0, or the exit status. */
static int parse(int argc, char **argv, bool attaching, struct arguments *arguments)
{
	int option;

	*arguments = (struct arguments){.socket = SOCKET_PATH_DEFAULT};
	while ((option = getopt_long(argc, argv, attaching ? "m:t:h" : "h",
				     attaching ? options_attach : options_detach, NULL)) != -1) {
		switch (option) {
		case 'm':
			arguments->attachment.manifest_path = optarg;
			break;
		case 't':
			arguments->attachment.tool = optarg;
			break;
		case OPTION_CGROUP:
			arguments->target.cgroup = optarg;
			break;
		case OPTION_PID:
			arguments->target.pid = optarg;
			break;
		case OPTION_CONTAINER:
			arguments->target.container = optarg;
			break;
		case OPTION_UNIT:
			arguments->target.unit = optarg;
			break;
		case OPTION_DEGRADED:
			arguments->attachment.allow_degraded = true;
			break;
		case OPTION_FORMAT:
			if (command_read_format(argv[0], optarg, &arguments->json))
				return STATUS_UNUSABLE;
			break;
		case OPTION_SOCKET:
			arguments->socket = optarg;
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
	if (attaching && !arguments->attachment.manifest_path)
		return command_usage(argv[0], "which manifest? give -m MANIFEST");
	return 0;
}

/* Those of the format's defaults are told by `agentpol ps`. */
static void print_gaps(const json_value *agent)
{
	json_for_each (gap, json_member(agent, "not_enforced"))
		if (json_as_boolean(json_member(gap, "asked_for")))
			(void)fprintf(stderr, "agentpol: not enforced: %s: %s\n",
				      json_as_string(json_member(gap, "pointer")),
				      json_as_string(json_member(gap, "what")));
}

static void print_attached(const struct json_document *reply, bool json)
{
	const json_value *agent = json_member(json_root(reply), "agent");
	_cleanup_free_ char *text = NULL;

	if (json) {
		text = json_print(agent);
		(void)puts(text ? text : "{}");
		return;
	}
	(void)printf("%s: %s is under %s\n", json_as_string(json_member(agent, "agent")),
		     json_as_string(json_member(agent, "cgroup_path")),
		     json_as_string(json_member(agent, "policy")));
	print_gaps(agent);
}

int cmd_attach(int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_json_document_ struct json_document *reply = NULL;
	struct arguments arguments;
	char path[PATH_MAX];
	struct error error;
	int status = parse(argc, argv, true, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage_attach, stdout);
		return STATUS_DONE;
	}
	if (target_resolve(&arguments.target, path, &error) < 0)
		return command_fail("attach", &error);
	arguments.attachment.cgroup = path;
	client = client_open(arguments.socket, &error);
	if (client)
		reply = daemon_attach(client, &arguments.attachment, &error);
	if (!reply)
		return command_fail("attach", &error);
	print_attached(reply, arguments.json);
	return STATUS_DONE;
}

int cmd_detach(int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_json_document_ struct json_document *reply = NULL;
	struct arguments arguments;
	char path[PATH_MAX];
	struct error error;
	int status = parse(argc, argv, false, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage_detach, stdout);
		return STATUS_DONE;
	}
	if (target_resolve(&arguments.target, path, &error) < 0)
		return command_fail("detach", &error);
	client = client_open(arguments.socket, &error);
	if (client)
		reply = daemon_ask(client, "detach", path, &error);
	if (!reply)
		return command_fail("detach", &error);
	return STATUS_DONE;
}
