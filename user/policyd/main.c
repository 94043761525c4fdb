// SPDX-License-Identifier: Apache-2.0
/*
 * policyd: loads the enforcer, adopts what a predecessor left, serves the control socket and keeps
 * the audit log. Its end does not end enforcement; `policyd --unload` does.
 */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <signal.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/selftest.h"
#include "json/json.h"
#include "policyd/client.h"
#include "policyd/config.h"
#include "policyd/control.h"
#include "policyd/requests.h"
#include "policyd/sql_child.h"
#include "policyd/sweep.h"

static const char usage[] =
	"Usage: policyd [--config FILE] [--foreground]\n"
	"       policyd --unload [--config FILE]\n"
	"       policyd --print-default-config\n"
	"\n"
	"Keeps AI agents inside their capability manifests: loads the enforcement into the\n"
	"kernel, serves agentpol's commands, keeps the audit log.\n"
	"\n"
	"  -c, --config FILE         configuration (default " CONFIG_PATH_DEFAULT ")\n"
	"  -f, --foreground          stay in the foreground\n"
	"      --unload              end all enforcement and remove what is pinned\n"
	"      --print-default-config\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"SIGTERM ends the daemon and leaves enforcement in force; SIGHUP is `agentpol reload`.\n";

struct daemon {
	struct config config;
	struct event_base *base;
	struct enforcer *enforcer;
	struct agents *agents;
	struct audit_store *store;
	struct monitor *monitor;
	struct guard *guard;
	struct control *control;
	struct control_subject subject;
	struct calls *calls;
};

/* A daemon has no terminal to speak to. */
static bool speaks_to_syslog;

static void say(const char *format, ...) FORMAT(1, 2);
static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (speaks_to_syslog) {
		vsyslog(LOG_NOTICE, format, arguments);
	} else {
		(void)fputs("policyd: ", stderr);
		(void)vfprintf(stderr, format, arguments);
		(void)fputc('\n', stderr);
	}
	va_end(arguments);
}

static void leave_terminal(void)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	openlog("policyd", LOG_PID, LOG_DAEMON);
	speaks_to_syslog = true;
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
}

/* What joins a cgroup after the daemon's start is to find it policed already. */
static int find_or_make_cgroup(const char *written, char *path, struct error *error)
{
	char mount[PATH_MAX], wanted[PATH_MAX];

	if (cgroup_resolve(written, path, error) == 0)
		return 0;
	if (cgroup_find_mount(mount, error) < 0 ||
	    file_path(wanted, error, "%s%s",
		      strncmp(written, mount, strlen(mount)) == 0 ? "" : mount, written) < 0 ||
	    cgroup_create(wanted, error) < 0)
		return -1;
	return cgroup_resolve(wanted, path, error);
}

/* What is open there already; the policy is in force, whatever comes of this. */
static void sweep_configured(struct daemon *daemon, const struct agent *agent)
{
	const struct sweep_subject subject = {daemon->enforcer, daemon->monitor};
	struct error error;
	size_t left = 0;

	if (sweep_close(&subject, agent, NULL, &left, &error) < 0)
		say("%s: %s", agent->cgroup_path, error.text);
	if (left)
		say("%s: %zu sockets that were open before are not granted and can't be closed; "
		    "the log has them",
		    agent->cgroup_path, left);
}

static int attach_configured(struct daemon *daemon, struct error *error)
{
	const struct config_agent *wanted;

	for (wanted = daemon->config.agents; wanted; wanted = wanted->next) {
		_cleanup_free_ char *text = NULL;
		struct agent_request request = {.manifest_path = wanted->manifest,
						.tier = TIER_ATTACH};
		char path[PATH_MAX];
		const struct agent *agent;
		uint64_t cgroup;
		bool replaced;

		if (file_read_all(wanted->manifest, JSON_BYTES_MAX, &text, &request.manifest_length,
				  error) < 0 ||
		    find_or_make_cgroup(wanted->cgroup, path, error) < 0 ||
		    cgroup_id(path, &cgroup, error) < 0)
			return -1;
		replaced = agents_find(daemon->agents, cgroup) != NULL;
		request.manifest_text = text;
		request.cgroup_path = path;
		if (agents_attach(daemon->agents, &request, &agent, error) < 0)
			return error_wrap(error, "%s", wanted->cgroup);
		monitor_note(daemon->monitor, agent, "attached", "by the configuration");
		if (guard_follow_agents(daemon->guard, 0, error) < 0)
			return error_wrap(error, "%s", wanted->cgroup);
		if (!replaced)
			sweep_configured(daemon, agent);
	}
	return 0;
}

static void on_events(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	monitor_consume(daemon->monitor);
}

static void on_guard(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	guard_serve(daemon->guard);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	monitor_tick(daemon->monitor);
	guard_tick(daemon->guard);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(daemon->base);
}

static void on_reload(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;
	struct error error;
	size_t failed;

	(void)fd;
	(void)what;
	(void)request_reload_all(&daemon->subject, &failed, &error);
	if (failed)
		say("%zu agents keep the manifest they have: %s", failed, error.text);
}

static int open_guard(struct daemon *daemon, struct error *error)
{
	const struct guard_options options = {
		.enforcer = daemon->enforcer,
		.agents = daemon->agents,
		.monitor = daemon->monitor,
		.program = GUARD_PROGRAM_SELF,
		.user = daemon->config.guard_user[0] ? daemon->config.guard_user : NULL,
		.root = GUARD_ROOT_DEFAULT,
	};
	struct error one;

	daemon->guard = guard_new(&options, error);
	daemon->subject.guard = daemon->guard;
	if (!daemon->guard)
		return -1;
	monitor_set_guard(daemon->monitor, guard_listen_for, daemon->guard);
	/* Of those that were adopted: without it nothing of theirs gets to a server. */
	if (guard_follow_agents(daemon->guard, 0, &one) < 0)
		say("%s", one.text);
	return 0;
}

static int open_all(struct daemon *daemon, struct error *error)
{
	const char *const own[] = {daemon->config.pin, daemon->config.log, daemon->config.state,
				   daemon->config.socket, NULL};
	const struct enforcer_options options = {
		.pin_root = daemon->config.pin,
		.own_places = own,
		.pin_maps = true,
		.own_socket = daemon->config.socket,
		.port_sets = daemon->config.port_sets,
		.ring_bytes = daemon->config.ring_bytes,
	};
	size_t adopted = 0, orphans = 0;

	/* The socket first: it tells whether another policyd runs, before anything is touched. */
	daemon->control = control_new(daemon->base, daemon->config.socket, &daemon->subject, error);
	if (!daemon->control)
		return -1;
	daemon->enforcer = enforcer_open(&options, error);
	daemon->subject.enforcer = daemon->enforcer;
	if (!daemon->enforcer)
		return -1;
	daemon->calls = calls_new(daemon->base, daemon->config.state, error);
	daemon->subject.calls = daemon->calls;
	if (!daemon->calls)
		return -1;
	daemon->agents = agents_new(daemon->enforcer, daemon->config.state, error);
	daemon->subject.agents = daemon->agents;
	daemon->subject.log_folder = daemon->config.log;
	daemon->subject.state_folder = daemon->config.state;
	if (!daemon->agents)
		return -1;
	calls_set_agents(daemon->calls, daemon->agents);
	if (enforcer_was_adopted(daemon->enforcer) &&
	    agents_adopt(daemon->agents, &adopted, &orphans, error) < 0)
		return -1;
	daemon->store = audit_store_open(daemon->config.log, error);
	if (!daemon->store)
		return -1;
	daemon->monitor = monitor_new(daemon->enforcer, daemon->agents, daemon->store,
				      control_publish, daemon->control, error);
	daemon->subject.monitor = daemon->monitor;
	if (!daemon->monitor)
		return -1;
	if (adopted || orphans)
		say("adopted %zu agents%s", adopted,
		    orphans ? "; some enrolled cgroups have lost their state and stay enforced as "
			      "they are (agentpol attach gives them a manifest again)"
			    : "");
	if (open_guard(daemon, error) < 0 || attach_configured(daemon, error) < 0)
		return -1;
	return selftest_run(daemon->enforcer, error);
}

static int serve(struct daemon *daemon, struct error *error)
{
	const struct timeval second = {.tv_sec = 1};
	struct event *watched[] = {
		event_new(daemon->base, monitor_fd(daemon->monitor), EV_READ | EV_PERSIST,
			  on_events, daemon),
		event_new(daemon->base, -1, EV_PERSIST, on_tick, daemon),
		event_new(daemon->base, guard_fd(daemon->guard), EV_READ | EV_PERSIST, on_guard,
			  daemon),
		evsignal_new(daemon->base, SIGTERM, on_stop, daemon),
		evsignal_new(daemon->base, SIGINT, on_stop, daemon),
		evsignal_new(daemon->base, SIGHUP, on_reload, daemon),
	};
	int result = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(watched); i++)
		if (!watched[i] || event_add(watched[i], i == 1 ? &second : NULL) < 0)
			result = error_set(error, STATUS_SYSTEM, "cannot watch for events");
	if (result == 0) {
		say("serving at %s; log in %s", daemon->config.socket, daemon->config.log);
		(void)event_base_dispatch(daemon->base);
		monitor_consume(daemon->monitor);
		say("stopped; what is enforced stays enforced (policyd --unload ends it)");
	}
	for (i = 0; i < ARRAY_SIZE(watched); i++)
		if (watched[i])
			event_free(watched[i]);
	return result;
}

static void close_all(struct daemon *daemon)
{
	control_free(daemon->control);
	calls_free(daemon->calls);
	guard_free(daemon->guard);
	monitor_free(daemon->monitor);
	audit_store_close(daemon->store);
	agents_free(daemon->agents);
	enforcer_close(daemon->enforcer);
	if (daemon->base)
		event_base_free(daemon->base);
	config_free(&daemon->config);
}

/* The parent's exit tells whether the daemon serves: it waits for a word through the pipe. */
static int wait_for_child(int fd)
{
	unsigned char status = STATUS_SYSTEM;

	while (read(fd, &status, 1) < 0 && errno == EINTR)
		;
	return status;
}

static void tell_parent(int *fd, unsigned char status)
{
	if (*fd < 0)
		return;
	(void)!write(*fd, &status, 1);
	(void)close(*fd);
	*fd = -1;
}

static int run(struct daemon *daemon, bool foreground, struct error *error)
{
	int pipes[2] = {-1, -1}, result;

	if (!foreground) {
		pid_t child;

		if (pipe(pipes) < 0)
			return error_set_errno(error, STATUS_SYSTEM, errno, "pipe");
		child = fork();
		if (child < 0)
			return error_set_errno(error, STATUS_SYSTEM, errno, "fork");
		if (child > 0) {
			(void)close(pipes[1]);
			_exit(wait_for_child(pipes[0]));
		}
		(void)close(pipes[0]);
		(void)setsid();
		if (chdir("/") < 0)
			return error_set_errno(error, STATUS_SYSTEM, errno, "/");
	}
	daemon->base = event_base_new();
	if (!daemon->base)
		return error_set(error, STATUS_SYSTEM, "no event loop");
	result = open_all(daemon, error);
	if (result == 0) {
		if (!foreground)
			leave_terminal();
		tell_parent(&pipes[1], STATUS_DONE);
		result = serve(daemon, error);
	}
	if (result < 0)
		say("%s", error->text);
	tell_parent(&pipes[1], (unsigned char)(result < 0 ? error->status : STATUS_DONE));
	return result;
}

static int unload(const struct config *config, struct error *error)
{
	struct error ignored;
	_cleanup_client_ struct client *running = client_open(config->socket, &ignored);

	if (running)
		return error_set(error, STATUS_SYSTEM,
				 "policyd is running; stop it first, so that "
				 "it does not serve what is no more");
	if (geteuid() != 0)
		return error_set(error, STATUS_SYSTEM, "ending enforcement needs root; use sudo");
	if (enforcer_unpin_all(config->pin, error) < 0)
		return -1;
	say("enforcement has ended; nothing is pinned at %s", config->pin);
	return 0;
}

enum { OPTION_UNLOAD = 256, OPTION_PRINT };

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"foreground", no_argument, NULL, 'f'},
		{"unload", no_argument, NULL, OPTION_UNLOAD},
		{"print-default-config", no_argument, NULL, OPTION_PRINT},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	const char *path = NULL;
	bool foreground = false, unloading = false;
	struct daemon daemon = {0};
	struct error error = {.status = STATUS_DONE};
	char *text;
	int option, result;

	if (sql_child_main(argc, argv, &result))
		return result;
	while ((option = getopt_long(argc, argv, "c:fhV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'f':
			foreground = true;
			break;
		case OPTION_UNLOAD:
			unloading = true;
			break;
		case OPTION_PRINT:
			if (config_print_defaults(&text) < 0)
				return STATUS_SYSTEM;
			(void)fputs(text, stdout);
			free(text);
			return STATUS_DONE;
		case 'h':
			(void)fputs(usage, stdout);
			return STATUS_DONE;
		case 'V':
			(void)puts("policyd " AGENTPOL_VERSION);
			return STATUS_DONE;
		default:
			(void)fputs(usage, stderr);
			return STATUS_UNUSABLE;
		}
	}
	if (optind < argc) {
		say("unexpected argument: %s (see policyd --help)", argv[optind]);
		return STATUS_UNUSABLE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (config_read(path ? path : CONFIG_PATH_DEFAULT, path != NULL, &daemon.config, &error) <
	    0) {
		say("%s", error.text);
		return (int)error.status;
	}
	if (unloading) {
		result = unload(&daemon.config, &error);
		if (result < 0)
			say("%s", error.text);
	} else {
		result = run(&daemon, foreground, &error);
	}
	close_all(&daemon);
	return result < 0 ? (int)error.status : STATUS_DONE;
}
