// SPDX-License-Identifier: Apache-2.0
/*
 * agentpol run: a command under a manifest. With policyd where it runs; by itself where not: then
 * this process loads the enforcement, reads its events and writes the audit log.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

#include "agentpol/commands.h"
#include "agentpol/keeper.h"
#include "agentpol/run_internal.h"
#include "audit/store.h"
#include "base/file.h"
#include "compile/seccomp.h"
#include "kernel/cgroup.h"
#include "kernel/sockets.h"
#include "manifest/manifest.h"
#include "policy/joined.h"
#include "policyd/config.h"

#define END_TIMEOUT_MS 5000

static const char usage[] =
	"Usage: agentpol run -m MANIFEST [OPTION...] [--] COMMAND [ARGUMENT...]\n"
	"\n"
	"Runs a command under a manifest. What it may not do is refused with \"Operation not\n"
	"permitted\", told on standard error, and logged. When it ends, what it has started ends.\n"
	"A manifest in audit mode takes nothing from it and tells what would be denied.\n"
	"\n"
	"  -m, --manifest FILE   the manifest\n"
	"  -t, --tool NAME       grant what that tool may do, too\n"
	"  -u, --user USER       run it as that user\n"
	"  -q, --quiet           tell nothing of what is logged\n"
	"      --fd N            pass on descriptor N, besides 0 to 2 (may be repeated)\n"
	"      --leases FD       open grants of tools with \"scope\": \"call\" as FD says: for\n"
	"                        agentpol mcp\n"
	"      --allow-degraded  take a manifest though not all of it can be enforced here\n"
	"      --log FOLDER      audit log without policyd (default " AUDIT_FOLDER_DEFAULT ")\n"
	"      --socket PATH     policyd's socket (default " SOCKET_PATH_DEFAULT ")\n"
	"      --standalone      do without policyd though it runs\n"
	"  -h, --help\n"
	"\n"
	"Exit status: the command's; 128+N where signal N ended it; 127 where it was not found "
	"and\n"
	"126 where it could not be executed; 2 or 3 where agentpol itself could not start it.\n";

enum {
	OPTION_FD = 256,
	OPTION_LEASES,
	OPTION_DEGRADED,
	OPTION_LOG,
	OPTION_SOCKET,
	OPTION_STANDALONE,
};

static int read_fd(const char *text, int *fd)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || *end || end == text || number < 0 || number > INT_MAX ||
	    fcntl((int)number, F_GETFD) < 0)
		return command_usage("run", "%s: no such open descriptor", text);
	*fd = (int)number;
	return 0;
}

static int keep_fd(struct launch *launch, const char *text)
{
	int fd, status = read_fd(text, &fd);

	if (status)
		return status;
	if (launch->kept_fd_count == KEPT_FDS_MAX)
		return command_usage("run", "--fd can be given %d times", KEPT_FDS_MAX);
	launch->kept_fds[launch->kept_fd_count++] = fd;
	return 0;
}

static int parse(int argc, char **argv, struct run *run)
{
	static const struct option options[] = {
		{"manifest", required_argument, NULL, 'm'},
		{"tool", required_argument, NULL, 't'},
		{"user", required_argument, NULL, 'u'},
		{"quiet", no_argument, NULL, 'q'},
		{"fd", required_argument, NULL, OPTION_FD},
		{"leases", required_argument, NULL, OPTION_LEASES},
		{"allow-degraded", no_argument, NULL, OPTION_DEGRADED},
		{"log", required_argument, NULL, OPTION_LOG},
		{"socket", required_argument, NULL, OPTION_SOCKET},
		{"standalone", no_argument, NULL, OPTION_STANDALONE},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, status;

	/* "+": what follows the command is the command's. */
	while ((option = getopt_long(argc, argv, "+m:t:u:qh", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			run->manifest = optarg;
			break;
		case 't':
			run->tool = optarg;
			break;
		case 'u':
			run->launch.user = optarg;
			break;
		case 'q':
			run->quiet = true;
			break;
		case OPTION_FD:
			status = keep_fd(&run->launch, optarg);
			if (status)
				return status;
			break;
		case OPTION_LEASES:
			status = read_fd(optarg, &run->leases.fd);
			if (status)
				return status;
			break;
		case OPTION_DEGRADED:
			run->allow_degraded = true;
			break;
		case OPTION_LOG:
			run->log = optarg;
			break;
		case OPTION_SOCKET:
			run->socket = optarg;
			break;
		case OPTION_STANDALONE:
			run->standalone = true;
			break;
		case 'h':
			run->help = true;
			return 0;
		default:
			return command_usage("run", "wrong option");
		}
	}
	if (!run->manifest)
		return command_usage("run", "which manifest? give -m MANIFEST");
	if (optind >= argc)
		return command_usage("run", "no command to run");
	run->launch.command = argv + optind;
	return 0;
}

/* ---- what both ways need ---- */

static int read_policy(struct run *run, const struct tool **tool, struct error *error)
{
	run->policy = manifest_read_file(run->manifest, &run->manifest_text, error);
	if (!run->policy)
		return -1;
	*tool = NULL;
	if (!run->tool)
		return 0;
	if (policy_is_joined_name(run->tool) &&
	    policy_join_tools(run->policy, run->tool, error) < 0)
		return error_wrap(error, "%s", run->manifest);
	*tool = policy_find_tool(run->policy, run->tool);
	if (!*tool)
		return error_set(error, STATUS_UNUSABLE, "%s has no tool %s", run->manifest,
				 run->tool);
	return 0;
}

static int make_cgroup(struct run *run, struct error *error)
{
	struct run_place place;
	char mount[PATH_MAX];

	if (geteuid() != 0)
		return error_set(
			error, STATUS_SYSTEM,
			"putting a command under a policy needs root; use sudo (and --user "
			"to run the command as somebody else)");
	(void)snprintf(run->name, sizeof(run->name), "%s-%ld", run->policy->name, (long)getpid());
	if (cgroup_find_mount(mount, error) < 0 ||
	    file_path(run->cgroup_folder, error, "%s/agentpol", mount) < 0 ||
	    file_path(run->cgroup, error, "%s/%s", run->cgroup_folder, run->name) < 0 ||
	    file_path(run->pins, error, "%s/%s", PIN_ROOT_DEFAULT RUN_PINS, run->name) < 0 ||
	    file_path(run->log_file, error, "%s/%s", run->log, AUDIT_LOG_NAME) < 0)
		return -1;
	keeper_sweep(run->cgroup_folder, PIN_ROOT_DEFAULT RUN_PINS);
	run->launch.cgroup = run->cgroup;
	run->launch.hidden[0] = run->log_file;
	run->launch.hidden[1] = run->socket;
	place = (struct run_place){
		.name = run->name, .cgroup = run->cgroup, .pins = run->client ? NULL : run->pins};
	/* The lock first: without it another run's sweep ends what it finds by that name. */
	run->keeper = keeper_start(&place, error);
	return run->keeper < 0 ? -1 : cgroup_create(run->cgroup, error);
}

/* Ends what the command left behind, then the policy, then the cgroup and what was pinned. */
static void end(struct run *run)
{
	int result = run->cgroup[0] ? cgroup_empty(run->cgroup, END_TIMEOUT_MS) : 0;

	if (result < 0) {
		/* Still populated: the policy has to stay. The keeper tries once more. */
		(void)fprintf(stderr, "agentpol run: cannot end %s: %s\n", run->cgroup,
			      strerror(-result));
		return;
	}
	if (run->cgroup[0])
		sockets_destroy_left(run->cgroup);
	run_detach(run);
	if (run->cgroup[0])
		(void)!cgroup_end(run->cgroup, END_TIMEOUT_MS);
	keeper_dismiss(run->keeper, run->name);
}

/* Where the LSM judges files it tells what it denies; Landlock is asked before it, and would not.
 * Its domain without any rule keeps what it keeps there, too. */
static int prepare_files(struct run *run, const struct tool *tool, struct error *error)
{
	struct policy bare = *run->policy;

	bare.agent.files = (struct files){0};
	bare.agent.process = (struct process){0};
	run->launch.files = &run->files;
	if (run->judged)
		return launch_files_prepare(&bare, NULL, run->allow_degraded, &run->files, error);
	return launch_files_prepare(run->policy, tool, run->allow_degraded, &run->files, error);
}

/* What is taken away for good at the start may be needed in a call: all of it is left to the
 * command, and the kernel opens and closes it. */
static int widen(struct run *run, const struct tool **tool, struct error *error)
{
	char name[SCOPE_NAME_MAX + 1];

	if (run->leases.fd < 0)
		return 0;
	if (run_leases_widest(run->policy, run->tool, name, error) < 0)
		return -1;
	if (!name[0])
		return 0;
	if (policy_is_joined_name(name) && policy_join_tools(run->policy, name, error) < 0)
		return error_wrap(error, "%s", run->manifest);
	*tool = policy_find_tool(run->policy, name);
	return 0;
}

/* Files and programs of a call's grants are opened by the LSM alone. */
static int check_leases(const struct run *run, struct error *error)
{
	for (size_t i = 0; run->leases.fd >= 0 && i < run->policy->tool_count; i++) {
		const struct tool *tool = &run->policy->tools[i];

		if (!tool->call_scope || run->judged || run->allow_degraded ||
		    !(tool->scope.files.present || tool->scope.process.present))
			continue;
		return error_set(
			error, STATUS_SYSTEM,
			"%s: \"files\" and \"process\" of a tool with \"scope\": \"call\" "
			"can't be opened for a call alone here, which takes the BPF LSM; with "
			"--allow-degraded they are open all the time",
			tool->scope.pointer);
	}
	return 0;
}

static int start_leases(struct run *run, struct error *error)
{
	if (run->leases.fd < 0)
		return 0;
	run->leases.socket = run->socket;
	run->leases.cgroup_path = run->cgroup;
	run->leases.own = run->agents ? agents_leases(run->agents) : NULL;
	if (cgroup_id(run->cgroup, &run->leases.cgroup, error) < 0)
		return -1;
	return run_leases_prepare(&run->leases, error);
}

static int start_and_supervise(struct run *run, const struct tool *tool, struct error *error)
{
	int exit_code = STATUS_SYSTEM, result;

	if (launch_check_inherited(&run->launch, error) < 0 || run_block_signals(run, error) < 0)
		return (int)error->status;
	if (!run->standalone) {
		struct error ignored;

		run->client = client_open(run->socket, &ignored);
	}
	if (make_cgroup(run, error) < 0)
		return (int)error->status;
	result = run_attach(run, tool, error);
	if (result < 0 || check_leases(run, error) < 0 || start_leases(run, error) < 0 ||
	    widen(run, &tool, error) < 0 ||
	    seccomp_compile(run->policy, tool, &run->launch.filter, error) < 0)
		return (int)error->status;
	run->launch.capabilities =
		tool ? tool->scope.process.capabilities | run->policy->agent.process.capabilities
		     : run->policy->agent.process.capabilities;
	run->launch.observe_only = run->policy->mode == MODE_AUDIT;
	if (!run->launch.observe_only && prepare_files(run, tool, error) < 0)
		return (int)error->status;
	run->child = launch_start(&run->launch, &exit_code, error);
	if (run->child < 0)
		return exit_code;
	error->text[0] = '\0';
	return run_supervise(run);
}

int cmd_run(int argc, char **argv)
{
	struct run run = {.files = {.rules = -1},
			  .socket = SOCKET_PATH_DEFAULT,
			  .log = AUDIT_FOLDER_DEFAULT,
			  .leases = {.fd = -1},
			  .keeper = -1,
			  .signals = -1};
	const struct tool *tool;
	struct error error = {.text = ""};
	int status = parse(argc, argv, &run);

	if (status)
		return status;
	if (run.help) {
		(void)fputs(usage, stdout);
		return STATUS_DONE;
	}
	if (read_policy(&run, &tool, &error) < 0) {
		status = (int)error.status;
	} else {
		status = start_and_supervise(&run, tool, &error);
		end(&run);
	}
	if (error.text[0])
		(void)fprintf(stderr, "agentpol run: %s\n", error.text);
	launch_files_free(&run.files);
	free(run.launch.filter.filter);
	policy_free(run.policy);
	free(run.manifest_text);
	return status;
}
