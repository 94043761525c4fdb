// SPDX-License-Identifier: Apache-2.0
/* agentpol attach, agentpol detach: a live cgroup under a manifest, and out of it. */
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "agentpol/commands.h"
#include "agentpol/daemon.h"
#include "audit/query.h"
#include "kernel/cgroup.h"
#include "policyd/config.h"

static const char usage_attach[] =
	"Usage: agentpol attach -m MANIFEST (--cgroup PATH | --pid N | --container ID | --unit "
	"NAME)\n"
	"\n"
	"Puts a live cgroup, and all below it, under a manifest; a second attach exchanges the\n"
	"manifest in one step. policyd must be running.\n"
	"Connections and listeners that are open already and that the manifest does not grant are\n"
	"closed.\n"
	"\n"
	"  -m, --manifest FILE   the manifest; - is standard input\n"
	"      --cgroup PATH     a cgroup v2 folder, or its path below the mount\n"
	"      --pid N           the cgroup that process N is in\n"
	"      --container ID    a container's cgroup, by its id (12 digits or more)\n"
	"      --unit NAME       a systemd unit's cgroup\n"
	"  -t, --tool NAME       grant what that tool may do, too\n"
	"      --allow-degraded  take a manifest though not all of it can be enforced here\n"
	"      --keep-open       close nothing: refuse where something is open that is not "
	"granted\n"
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
	OPTION_KEEP_OPEN,
	OPTION_FORMAT,
	OPTION_SOCKET,
};

/* Those of detach come last. */
static const struct option options_attach[] = {
	{"manifest", required_argument, NULL, 'm'},
	{"tool", required_argument, NULL, 't'},
	{"allow-degraded", no_argument, NULL, OPTION_DEGRADED},
	{"keep-open", no_argument, NULL, OPTION_KEEP_OPEN},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"cgroup", required_argument, NULL, OPTION_CGROUP},
	{"pid", required_argument, NULL, OPTION_PID},
	{"container", required_argument, NULL, OPTION_CONTAINER},
	{"unit", required_argument, NULL, OPTION_UNIT},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"help", no_argument, NULL, 'h'},
	{0},
};

#define ATTACH_ALONE 5
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
		case OPTION_KEEP_OPEN:
			arguments->attachment.keep_open = true;
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

/* "10.0.0.1 port 40000"; a raw socket's is its protocol. */
static void print_end(const json_value *end, FILE *out)
{
	(void)fprintf(out, " %s port %.0f", json_as_string(json_member(end, "address")),
		      json_as_number(json_member(end, "port")));
}

/* "tcp 10.0.0.1 port 40000 to 203.0.113.9 port 443, /usr/bin/curl (pid 991): why" */
static void print_socket(const json_value *socket, FILE *out)
{
	const json_value *remote = json_member(socket, "remote"), *pid = json_member(socket, "pid");
	const char *exe = json_as_string(json_member(socket, "exe"));

	(void)fprintf(out, "%s", json_as_string(json_member(socket, "protocol")));
	print_end(json_member(socket, "local"), out);
	if (json_is_object(remote)) {
		(void)fputs(" to", out);
		print_end(remote, out);
	} else {
		(void)fprintf(out, ", %s", json_as_string(json_member(socket, "state")));
	}
	if (json_is_number(pid)) {
		(void)fputs(", ", out);
		audit_print_safely(exe ? exe : "process", out);
		(void)fprintf(out, " (pid %.0f)", json_as_number(pid));
	}
	(void)fprintf(out, ": %s\n", json_as_string(json_member(socket, "message")));
}

static void print_closed(const json_value *agent)
{
	const double unlisted = json_as_number(json_member(agent, "unlisted"));

	json_for_each (socket, json_member(agent, "closed")) {
		(void)fputs("closed: ", stdout);
		print_socket(socket, stdout);
	}
	if (unlisted > 0)
		(void)printf("and %.0f sockets more; the log has what was closed\n", unlisted);
}

/* What is granted and the cgroup's own is no news. */
static void print_kept(const json_value *agent)
{
	json_for_each (socket, json_member(agent, "kept")) {
		if (!json_is_string(json_member(socket, "message")))
			continue;
		(void)fputs("agentpol: still open: ", stderr);
		print_socket(socket, stderr);
	}
}

static void print_attached(const json_value *agent, bool json)
{
	_cleanup_free_ char *text = NULL;

	if (json) {
		text = json_print(agent);
		(void)puts(text ? text : "{}");
		return;
	}
	(void)printf("%s: %s is under %s\n", json_as_string(json_member(agent, "agent")),
		     json_as_string(json_member(agent, "cgroup_path")),
		     json_as_string(json_member(agent, "policy")));
	print_closed(agent);
	print_gaps(agent);
	print_kept(agent);
}

int cmd_attach(int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	_cleanup_json_document_ struct json_document *reply = NULL;
	struct arguments arguments;
	const json_value *agent;
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
	agent = json_member(json_root(reply), "agent");
	print_attached(agent, arguments.json);
	return json_as_number(json_member(agent, "left_open")) > 0 ? STATUS_NO : STATUS_DONE;
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
