// SPDX-License-Identifier: Apache-2.0
/* How a run comes under its policy, and out of it: by policyd, or by itself. */
#include "agentpol/run_internal.h"

#include <errno.h>
#include <string.h>

#include "agentpol/daemon.h"
#include "audit/query.h"
#include "base/file.h"
#include "compile/image.h"
#include "kernel/selftest.h"
#include "policyd/config.h"

/* The self-test's own set, and the image's; slot 0 is never used. */
#define SPARE_PORT_SETS 2
#define RING_BYTES	(1U << 18) /* some 2,500 events between two looks */
#define CACHE_ENTRIES	2048	   /* one agent's questions, names and peers */

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

void run_tell_daemons_lines(struct run *run)
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

/* ---- either ---- */

int run_attach(struct run *run, const struct tool *tool, struct error *error)
{
	return run->client ? attach_by_daemon(run, error) : attach_by_oneself(run, tool, error);
}

void run_detach(struct run *run)
{
	if (run->enforcer || run->store) {
		detach_by_oneself(run);
		return;
	}
	if (run->client) {
		detach_by_daemon(run);
		run_tell_daemons_lines(run);
	}
	client_close(run->client);
}
