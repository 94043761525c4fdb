// SPDX-License-Identifier: Apache-2.0
/*
 * agentpol run: a command under a manifest. With policyd where it runs; by itself where not: then
 * this process loads the enforcement, reads its events and writes the audit log.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "agentpol/commands.h"
#include "agentpol/daemon.h"
#include "agentpol/keeper.h"
#include "agentpol/launch.h"
#include "agentpol/run_leases.h"
#include "audit/query.h"
#include "base/file.h"
#include "compile/image.h"
#include "compile/seccomp.h"
#include "kernel/cgroup.h"
#include "kernel/selftest.h"
#include "kernel/sockets.h"
#include "manifest/manifest.h"
#include "policy/joined.h"
#include "policyd/config.h"
#include "policyd/guard.h"
#include "policyd/monitor.h"

#define TICK_MS	       1000
#define END_TIMEOUT_MS 5000
/* The self-test's own set, and the image's; slot 0 is never used. */
#define SPARE_PORT_SETS 2
#define RING_BYTES	(1U << 18) /* some 2,500 events between two looks */
#define CACHE_ENTRIES	2048	   /* one agent's questions, names and peers */

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

struct run {
	/* as asked for */
	const char *manifest, *tool, *socket, *log;
	bool quiet, allow_degraded, standalone, help;
	struct launch launch;
	struct run_leases leases;
	/* as made */
	struct launch_files files;
	bool judged; /* by the kernel's LSM, file by file */
	struct policy *policy;
	char *manifest_text;
	char cgroup_folder[PATH_MAX];	/* of all runs */
	char name[AGENT_NAME_MAX + 24]; /* of the run: AGENT-PID */
	char cgroup[PATH_MAX];
	char pins[PATH_MAX];
	char log_file[PATH_MAX];
	char state_folder[PATH_MAX]; /* policyd's; "": none */
	int keeper;
	int signals;
	pid_t child;
	struct client *client; /* policyd's; NULL: standalone */
	struct enforcer *enforcer;
	struct agents *agents;
	struct audit_store *store;
	struct monitor *monitor;
	struct guard *guard; /* NULL: none is needed */
	time_t ticked;	     /* the guard, s */
};

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

static void tell(const struct run *run, const char *line)
{
	const bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");

	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *out;

	/* The agent's own coming and going, and sums, are no news to who started it. */
	if (run->quiet || strstr(line, "\"kind\":\"traffic\"") ||
	    (strstr(line, "\"kind\":\"agent\"") && !strstr(line, "\"reason\":\"killed\"")))
		return;
	/* One write: the command writes to the same terminal. */
	out = open_memstream(&text, &length);
	if (!out)
		return;
	(void)fputs("agentpol: ", out);
	(void)!audit_print_line(line, colour, out);
	if (fclose(out) == 0)
		(void)!file_write_fd(STDERR_FILENO, text, length);
}

/* ---- with policyd ---- */

/* Where the daemon keeps what the command may not touch. */
static int learn_places(struct run *run, const json_value *reply, struct error *error)
{
	const char *log = json_as_string(json_member(reply, "log"));
	const char *state = json_as_string(json_member(reply, "state"));

	if (!log || !state)
		return error_set(error, STATUS_SYSTEM,
				 "policyd does not say where its log is; is "
				 "it of another version?");
	if (file_path(run->log_file, error, "%s/%s", log, AUDIT_LOG_NAME) < 0 ||
	    file_path(run->state_folder, error, "%s", state) < 0)
		return -1;
	run->launch.hidden[2] = run->state_folder;
	run->judged = json_as_boolean(json_member(reply, "judges_tasks"));
	return 0;
}

static int attach_by_daemon(struct run *run, struct error *error)
{
	const struct attachment attachment = {
		.cgroup = run->cgroup,
		.manifest_path = run->manifest,
		.manifest_text = run->manifest_text,
		.tool = run->tool,
		.launched = true,
		.allow_degraded = run->allow_degraded,
	};
	_cleanup_json_document_ struct json_document *attached = NULL, *followed = NULL;

	attached = daemon_attach(run->client, &attachment, error);
	if (!attached)
		return -1;
	if (learn_places(run, json_root(attached), error) < 0)
		return -1;
	followed = daemon_ask(run->client, "follow", run->cgroup, error);
	return followed ? 0 : -1;
}

static void detach_by_daemon(struct run *run)
{
	struct error error;
	_cleanup_client_ struct client *other = client_open(run->socket, &error);
	_cleanup_json_document_ struct json_document *reply = NULL;

	/* A daemon that is gone finds the cgroup gone when it comes back. */
	if (other)
		reply = daemon_ask(other, "detach", run->cgroup, &error);
}

static void tell_daemons_lines(struct run *run)
{
	const char *line;
	bool ended = false;

	while (run->client && (line = client_next_line(run->client, &ended)))
		tell(run, line);
	if (!ended)
		return;
	if (!run->quiet)
		(void)fputs("agentpol: policyd has gone; the policy stays in force\n", stderr);
	client_close(run->client);
	run->client = NULL;
}

/* ---- without ---- */

static void on_record(uint64_t cgroup, const char *line, void *context)
{
	(void)cgroup;
	tell(context, line);
}

static int guard_by_oneself(struct run *run, struct error *error)
{
	const struct guard_options options = {
		.enforcer = run->enforcer,
		.agents = run->agents,
		.monitor = run->monitor,
		.program = GUARD_PROGRAM_SELF,
		.root = GUARD_ROOT_DEFAULT,
	};

	run->guard = guard_new(&options, error);
	if (!run->guard)
		return -1;
	monitor_set_guard(run->monitor, guard_listen_for, run->guard);
	return guard_follow_agents(run->guard, getpid(), error);
}

/* As much as one policy takes. */
static void set_sizes(struct enforcer_options *options, const struct image *image)
{
	options->port_sets = (uint32_t)image->port_set_count + SPARE_PORT_SETS;
	options->name_grants = (uint32_t)image->names.grant_count + 1;
	options->budgets = 1 + (uint32_t)(image->budget_count > image->budget_list_count
						  ? image->budget_count
						  : image->budget_list_count);
	options->caches = CACHE_ENTRIES;
}

static int attach_by_oneself(struct run *run, const struct tool *tool, struct error *error)
{
	_cleanup_image_ struct image *image = image_new(run->policy, tool, NULL, error);
	const char *const own[] = {run->pins, run->log, run->socket, NULL};
	struct enforcer_options options = {.pin_root = run->pins,
					   .own_places = own,
					   .ring_bytes = RING_BYTES,
					   .own_socket = run->socket};
	struct agent_request request = {
		.cgroup_path = run->cgroup,
		.manifest_path = "",
		.manifest_text = run->manifest_text,
		.manifest_length = strlen(run->manifest_text),
		.tool = run->tool,
		.tier = TIER_LAUNCH,
		.allow_degraded = run->allow_degraded,
	};
	const struct agent *agent;

	if (!image)
		return -1;
	options.without_names = !(image->flags & POLICY_NAMES);
	options.without_servers = !(image->flags & POLICY_SERVERS);
	/* With leases there will be more policies than this one. */
	if (run->leases.fd < 0)
		set_sizes(&options, image);
	else
		options.without_names = options.without_servers = false;
	run->store = audit_store_open(run->log, error);
	if (!run->store)
		return -1;
	run->enforcer = enforcer_open(&options, error);
	if (!run->enforcer)
		return -1;
	run->judged = enforcer_judges_tasks(run->enforcer);
	run->agents = agents_new(run->enforcer, NULL, error);
	if (!run->agents || agents_attach(run->agents, &request, &agent, error) < 0 ||
	    selftest_run(run->enforcer, error) < 0)
		return -1;
	run->monitor = monitor_new(run->enforcer, run->agents, run->store, on_record, run, error);
	if (!run->monitor)
		return -1;
	monitor_note(run->monitor, agent, "attached", "by agentpol run");
	return tool && tool->sql ? guard_by_oneself(run, error) : 0;
}

static void detach_by_oneself(struct run *run)
{
	const struct agent *agent = run->agents ? agents_first(run->agents) : NULL;
	struct error error;

	if (run->monitor && agent) {
		monitor_settle(run->monitor, POLICY_ID(agent->loaded));
		monitor_note(run->monitor, agent, "detached", "the command has ended");
		(void)!agents_detach(run->agents, agent->cgroup, &error);
	}
	guard_free(run->guard);
	monitor_free(run->monitor);
	audit_store_close(run->store);
	agents_free(run->agents);
	enforcer_close(run->enforcer);
	(void)!enforcer_unpin_all(run->pins, &error);
}

/* ---- while it runs ---- */

static int block_signals(struct run *run, struct error *error)
{
	static const int numbers[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)sigaddset(&set, numbers[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "signals");
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "signalfd");
	return 0;
}

/* Stops with the command, so that the shell that started us sees it; goes on with it. */
static void follow_stop(const struct run *run)
{
	(void)raise(SIGSTOP);
	(void)kill(run->child, SIGCONT);
}

/* True when the command has ended; its exit code then. */
static bool reap(struct run *run, int *exit_code)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != run->child)
			continue;
		if (WIFSTOPPED(status)) {
			follow_stop(run);
			continue;
		}
		*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return true;
	}
	return false;
}

/* What was sent to us alone is the command's; what the terminal sends it has got itself. */
static bool take_signals(struct run *run, int *exit_code)
{
	struct signalfd_siginfo info;
	bool ended = false;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			ended = ended || reap(run, exit_code);
		else if (info.ssi_code != SI_KERNEL && !ended)
			(void)kill(run->child, (int)info.ssi_signo);
	}
	return ended;
}

static int event_fd(const struct run *run)
{
	if (run->monitor)
		return monitor_fd(run->monitor);
	return run->client ? client_fd(run->client) : -1;
}

static void take_events(struct run *run, bool tick)
{
	if (!run->monitor)
		tell_daemons_lines(run);
	else if (tick)
		monitor_tick(run->monitor);
	else
		monitor_consume(run->monitor);
}

/* While it is busy it has its tick by the way. */
static void serve_guard(struct run *run, bool ready)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (ready)
		guard_serve(run->guard);
	if (now.tv_sec != run->ticked)
		guard_tick(run->guard);
	run->ticked = now.tv_sec;
}

static int supervise(struct run *run)
{
	int exit_code = STATUS_SYSTEM;

	for (;;) {
		struct pollfd pollers[] = {
			{.fd = run->signals, .events = POLLIN},
			{.fd = event_fd(run), .events = POLLIN},
			{.fd = run->guard ? guard_fd(run->guard) : -1, .events = POLLIN},
			{.fd = run->leases.fd, .events = POLLIN}};
		int ready = poll(pollers, ARRAY_SIZE(pollers), TICK_MS);

		if (pollers[3].revents)
			run_leases_serve(&run->leases);
		run_leases_renew(&run->leases);
		take_events(run, ready == 0);
		if (run->guard)
			serve_guard(run, pollers[2].revents != 0);
		if (pollers[0].revents && take_signals(run, &exit_code))
			return exit_code;
	}
}

/* Ends what the command left behind, then the policy, then the cgroup and what was pinned. */
static void end(struct run *run)
{
	bool with_daemon = !run->enforcer && !run->store;
	int result = run->cgroup[0] ? cgroup_empty(run->cgroup, END_TIMEOUT_MS) : 0;

	if (result < 0) {
		/* Still populated: the policy has to stay. The keeper tries once more. */
		(void)fprintf(stderr, "agentpol run: cannot end %s: %s\n", run->cgroup,
			      strerror(-result));
		return;
	}
	if (run->cgroup[0])
		sockets_destroy_left(run->cgroup);
	if (!with_daemon) {
		detach_by_oneself(run);
	} else {
		if (run->client) {
			detach_by_daemon(run);
			tell_daemons_lines(run);
		}
		client_close(run->client);
	}
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

	if (launch_check_inherited(&run->launch, error) < 0 || block_signals(run, error) < 0)
		return (int)error->status;
	if (!run->standalone) {
		struct error ignored;

		run->client = client_open(run->socket, &ignored);
	}
	if (make_cgroup(run, error) < 0)
		return (int)error->status;
	result = run->client ? attach_by_daemon(run, error) : attach_by_oneself(run, tool, error);
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
	return supervise(run);
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
