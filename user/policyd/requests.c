// SPDX-License-Identifier: Apache-2.0
#include "policyd/requests.h"

#include <string.h>
#include <time.h>

#include "kernel/cgroup.h"
#include "kernel/place.h"
#include "kernel/selftest.h"
#include "json/json.h"
#include "policyd/sweep.h"

#define NS_PER_SECOND 1000000000ULL

struct control_call {
	struct control_subject *subject;
	const json_value *request;
	const struct request_bytes *bytes;
	uint64_t *followed;
	struct json_writer *answer; /* an open object, "ok" in it */
	struct error error;
};

void request_refuse(enum exit_status status, const char *sentence, struct json_writer *answer)
{
	json_writer_reset(answer);
	json_open_object(answer);
	json_key_boolean(answer, "ok", false);
	json_key_unsigned(answer, "status", status);
	json_key_string(answer, "error", sentence);
	json_close_object(answer);
	json_newline(answer);
}

static const char *text_of(const struct control_call *call, const char *key)
{
	return json_as_string(json_member(call->request, key));
}

/* The cgroup that the request names, resolved, and its number. */
static int find_cgroup(struct control_call *call, char *path, uint64_t *cgroup)
{
	const char *written = text_of(call, "cgroup");

	if (!written)
		return error_set(&call->error, STATUS_UNUSABLE, "the request names no cgroup");
	if (cgroup_resolve(written, path, &call->error) < 0)
		return -1;
	return cgroup_id(path, cgroup, &call->error);
}

static void write_gaps(struct enforcer *enforcer, const struct agent *agent,
		       struct json_writer *answer)
{
	const struct tool *tool =
		agent->tool[0] ? policy_find_tool(agent->policy, agent->tool) : NULL;
	struct place place;
	struct gaps gaps;

	place_find(enforcer, agent->tier, agent->policy, tool, &place);
	tiers_find_gaps(agent->policy, tool, &place, &gaps);
	json_key(answer, "not_enforced");
	json_open_array(answer);
	for (size_t i = 0; i < gaps.count; i++) {
		json_open_object(answer);
		json_key_string(answer, "pointer", gaps.items[i].pointer);
		json_key_string(answer, "what", gaps.items[i].what);
		json_key_boolean(answer, "asked_for", gaps.items[i].explicit_in_manifest);
		json_close_object(answer);
	}
	json_close_array(answer);
}

struct budget_writer {
	struct json_writer *answer;
	const struct agent *agent;
	uint64_t now;
};

/* What is left of a bucket whose clock is `at`; see struct budget. */
static uint64_t budget_left(uint64_t amount, uint64_t period, uint64_t at, uint64_t now)
{
	const uint64_t taken = at > now ? at - now : 0;

	return taken >= period
		       ? 0
		       : (uint64_t)((double)amount * (double)(period - taken) / (double)period);
}

static void write_bucket(struct json_writer *answer, const char *name, uint64_t used,
			 uint64_t amount, uint64_t left, uint64_t period)
{
	if (!period)
		return;
	json_key(answer, name);
	json_open_object(answer);
	json_key_unsigned(answer, "used", used);
	json_key_unsigned(answer, "left", left);
	json_key_unsigned(answer, "of", amount);
	json_key_unsigned(answer, "seconds", period / NS_PER_SECOND);
	json_close_object(answer);
}

static void write_budget(const struct budget *budget, void *context)
{
	const struct budget_writer *writer = context;
	struct json_writer *answer = writer->answer;
	const bool of_tool = budget->rule & BUDGET_OF_TOOL;
	char rule[TOOL_NAME_MAX + 64];

	(void)snprintf(rule, sizeof(rule), "%s%s/network/egress/%u", of_tool ? "/tools/" : "",
		       of_tool ? writer->agent->tool : "", budget->rule & ~BUDGET_OF_TOOL);
	json_open_object(answer);
	json_key_string(answer, "rule", rule);
	write_bucket(answer, "connects", budget->connects, budget->connects_amount,
		     budget_left(budget->connects_amount, budget->connects_period,
				 budget->connects_at, writer->now),
		     budget->connects_period);
	write_bucket(answer, "bytes", budget->bytes, budget->bytes_amount,
		     budget_left(budget->bytes_amount, budget->bytes_period, budget->bytes_at,
				 writer->now),
		     budget->bytes_period);
	json_key_unsigned(answer, "denied", budget->denied);
	json_close_object(answer);
}

static void write_budgets(const struct control_call *call, const struct agent *agent)
{
	struct budget_writer writer = {.answer = call->answer, .agent = agent};
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	writer.now = (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
	json_key(call->answer, "budgets");
	json_open_array(call->answer);
	enforcer_each_budget(call->subject->enforcer, POLICY_ID(agent->loaded), write_budget,
			     &writer);
	json_close_array(call->answer);
}

static void write_guard(const struct control_call *call, const struct agent *agent)
{
	struct guard_counts counts;

	if (!agent->sql)
		return;
	counts = guard_count(call->subject->guard, agent->cgroup);
	json_key(call->answer, "sql_guard");
	json_open_object(call->answer);
	json_key_unsigned(call->answer, "listeners", counts.listeners);
	json_key_unsigned(call->answer, "sessions", counts.sessions);
	json_close_object(call->answer);
}

/* Into an object that is open. */
static void write_agent_members(const struct control_call *call, const struct agent *agent)
{
	struct enforcer *enforcer = call->subject->enforcer;
	struct json_writer *answer = call->answer;
	struct verdict_counters counters;

	(void)!enforcer_read_counters(enforcer, agent->cgroup, &counters);
	json_key_string(answer, "agent", agent->policy->name);
	json_key_string(answer, "scope", agent->tool[0] ? agent->tool : NULL);
	json_key_string(answer, "cgroup_path", agent->cgroup_path);
	json_key_unsigned(answer, "cgroup", agent->cgroup);
	json_key_string(answer, "container", agent->container[0] ? agent->container : NULL);
	json_key_string(answer, "manifest", agent->manifest_path[0] ? agent->manifest_path : NULL);
	json_key_string(answer, "policy", agent->policy->digest);
	json_key_string(answer, "mode", agent->policy->mode == MODE_AUDIT ? "audit" : "enforce");
	json_key_string(answer, "tier", agent->tier == TIER_LAUNCH ? "launch" : "attach");
	json_key_boolean(answer, "effective", enforcer_is_effective(enforcer, agent->cgroup_path));
	json_key_unsigned(answer, "processes", cgroup_count_processes(agent->cgroup_path));
	json_key_unsigned(answer, "allowed", counters.allowed);
	json_key_unsigned(answer, "denied", counters.denied);
	write_budgets(call, agent);
	write_guard(call, agent);
	write_gaps(enforcer, agent, answer);
}

static void write_agent(const struct control_call *call, const struct agent *agent)
{
	json_open_object(call->answer);
	write_agent_members(call, agent);
	json_close_object(call->answer);
}

static int answer_ping(struct control_call *call)
{
	json_key_string(call->answer, "version", AGENTPOL_VERSION);
	return 0;
}

static struct sweep_subject sweep_subject_of(const struct control_call *call)
{
	return (struct sweep_subject){call->subject->enforcer, call->subject->monitor};
}

/* Before anything is touched: is something open that is not granted? */
static int check_open(struct control_call *call, const struct agent_request *request)
{
	_cleanup_policy_ struct policy *policy = agents_read_manifest(request, &call->error);
	const struct sweep_subject subject = sweep_subject_of(call);

	if (!policy)
		return -1;
	/* A tool that is not there is refused by the attach itself. */
	if (request->tool && request->tool[0] && !policy_find_tool(policy, request->tool))
		return 0;
	return sweep_check(&subject, policy, request->tool, request->cgroup_path, &call->error);
}

/* What a load or what follows it has left is not left to look like one. */
static int take_back(struct control_call *call, uint64_t cgroup)
{
	struct error ignored;

	(void)!agents_detach(call->subject->agents, cgroup, &ignored);
	(void)!guard_follow_agents(call->subject->guard, 0, &ignored);
	return -1;
}

/* A cgroup that was under no policy: what it has open is judged. The programs are at work already,
 * so that nothing comes after the listing that is not granted. */
static int settle_open(struct control_call *call, const struct agent *agent, bool keep_open)
{
	const struct sweep_subject subject = sweep_subject_of(call);
	size_t left = 0;

	if (keep_open &&
	    sweep_check(&subject, agent->policy, agent->tool, agent->cgroup_path, &call->error) < 0)
		return -1;
	if (sweep_close(&subject, agent, call->answer, &left, &call->error) < 0)
		return -1;
	json_key_unsigned(call->answer, "left_open", left);
	return 0;
}

static bool flag_of(const struct control_call *call, const char *key)
{
	return json_as_boolean(json_member(call->request, key));
}

/* A command that is to be launched will be where its launcher is. */
static int follow_agents(struct control_call *call, const struct agent_request *request)
{
	const pid_t launcher = request->tier == TIER_LAUNCH ? call->bytes->peer : 0;

	return guard_follow_agents(call->subject->guard, launcher, &call->error);
}

/* Enrols, proves, and settles what is open; writes the agent. */
static int attach(struct control_call *call, const struct agent_request *request, uint64_t cgroup)
{
	const bool replaced = agents_find(call->subject->agents, cgroup) != NULL;
	const bool sweeps = !replaced && request->tier == TIER_ATTACH;
	const bool keep_open = flag_of(call, "keep_open");
	const struct agent *agent;

	if (sweeps && keep_open && check_open(call, request) < 0)
		return -1;
	if (agents_attach(call->subject->agents, request, &agent, &call->error) < 0)
		return -1;
	monitor_note(call->subject->monitor, agent, replaced ? "swapped" : "attached", NULL);
	if (follow_agents(call, request) < 0)
		return replaced ? error_wrap(&call->error,
					     "the new manifest is in force, but not its SQL guard")
				: take_back(call, cgroup);
	/* Proof after each load. */
	if (selftest_run(call->subject->enforcer, &call->error) < 0)
		return replaced ? error_wrap(&call->error,
					     "the new manifest is in force, but can't be proven")
				: take_back(call, cgroup);
	json_key(call->answer, "agent");
	json_open_object(call->answer);
	if (sweeps && settle_open(call, agent, keep_open) < 0) {
		monitor_note(call->subject->monitor, agent, "detached", call->error.text);
		return take_back(call, cgroup);
	}
	write_agent_members(call, agent);
	json_close_object(call->answer);
	return 0;
}

static int answer_attach(struct control_call *call)
{
	const char *path = text_of(call, "manifest_path");
	char cgroup_path[PATH_MAX];
	struct agent_request request;
	uint64_t cgroup;

	if (!call->bytes->body || !path)
		return error_set(&call->error, STATUS_UNUSABLE, "the request has no manifest");
	if (find_cgroup(call, cgroup_path, &cgroup) < 0)
		return -1;
	request = (struct agent_request){
		.cgroup_path = cgroup_path,
		.manifest_path = path,
		.manifest_text = call->bytes->body,
		.manifest_length = call->bytes->body_length,
		.tool = text_of(call, "tool"),
		.tier = flag_of(call, "launched") ? TIER_LAUNCH : TIER_ATTACH,
		.allow_degraded = flag_of(call, "allow_degraded"),
	};
	json_key_string(call->answer, "log", call->subject->log_folder);
	json_key_string(call->answer, "state", call->subject->state_folder);
	json_key_boolean(call->answer, "judges_tasks",
			 enforcer_judges_tasks(call->subject->enforcer));
	return attach(call, &request, cgroup);
}

static int answer_detach(struct control_call *call)
{
	char path[PATH_MAX];
	const struct agent *agent;
	uint64_t cgroup;

	if (find_cgroup(call, path, &cgroup) < 0)
		return -1;
	agent = agents_find(call->subject->agents, cgroup);
	if (!agent)
		return error_set(&call->error, STATUS_UNUSABLE, "%s is under no manifest", path);
	monitor_settle(call->subject->monitor, POLICY_ID(agent->loaded));
	monitor_note(call->subject->monitor, agent, "detached", NULL);
	if (agents_detach(call->subject->agents, cgroup, &call->error) < 0)
		return -1;
	return guard_follow_agents(call->subject->guard, 0, &call->error);
}

static int answer_ps(struct control_call *call)
{
	const struct agent *agent;

	json_key_unsigned(call->answer, "events_lost",
			  enforcer_events_lost(call->subject->enforcer));
	json_key(call->answer, "agents");
	json_open_array(call->answer);
	for (agent = agents_first(call->subject->agents); agent; agent = agent->next)
		write_agent(call, agent);
	json_close_array(call->answer);
	json_key(call->answer, "sessions");
	calls_write_sessions(call->subject->calls, call->answer);
	return 0;
}

size_t request_reload_all(struct control_subject *subject, size_t *failed, struct error *error)
{
	const struct agent *agent;
	size_t reloaded = 0;
	struct error one;

	*failed = 0;
	for (agent = agents_first(subject->agents); agent; agent = agent->next) {
		if (agents_reload(subject->agents, agent->cgroup, &one) == 0) {
			monitor_note(subject->monitor, agent, "swapped", "reloaded");
			reloaded++;
		} else if ((*failed)++ == 0) {
			*error = one;
		}
	}
	if (guard_follow_agents(subject->guard, 0, &one) < 0 && (*failed)++ == 0)
		*error = one;
	/* Proof after each load. */
	if (selftest_run(subject->enforcer, &one) < 0 && (*failed)++ == 0)
		*error = one;
	return reloaded;
}

static int answer_reload(struct control_call *call)
{
	size_t failed, reloaded = request_reload_all(call->subject, &failed, &call->error);

	if (failed)
		return error_wrap(&call->error, "%zu reloaded, %zu kept what they had", reloaded,
				  failed);
	json_key_unsigned(call->answer, "reloaded", reloaded);
	return 0;
}

static int answer_follow(struct control_call *call)
{
	char path[PATH_MAX];

	return find_cgroup(call, path, call->followed);
}

/* ---- tool calls ---- */

static int answer_calls(struct control_call *call)
{
	const struct request_bytes *bytes = call->bytes;

	if (!bytes->body || *bytes->link)
		return error_set(&call->error, STATUS_UNUSABLE,
				 "a gateway brings one manifest, once");
	*bytes->link = call_link_open(call->subject->calls, bytes->body, bytes->body_length,
				      bytes->send, bytes->send_context, &call->error);
	return *bytes->link ? 0 : -1;
}

static struct call_link *link_of(struct control_call *call)
{
	if (!*call->bytes->link)
		(void)error_set(&call->error, STATUS_UNUSABLE,
				"the connection is no gateway's: send \"calls\" first");
	return *call->bytes->link;
}

static int answer_call_begin(struct control_call *call)
{
	struct call_link *link = link_of(call);

	return link ? call_link_begin(link, call->request, call->answer, &call->error) : -1;
}

static int answer_call_end(struct control_call *call)
{
	struct call_link *link = link_of(call);

	return link ? call_link_end(link, call->request, &call->error) : -1;
}

static int answer_call_denied(struct control_call *call)
{
	struct call_link *link = link_of(call);

	return link ? call_link_denied(link, call->request, call->answer, &call->error) : -1;
}

static int answer_call_withdraw(struct control_call *call)
{
	struct call_link *link = link_of(call);

	return link ? call_link_withdraw(link, call->request, &call->error) : -1;
}

static int answer_approvals(struct control_call *call)
{
	json_key(call->answer, "approvals");
	calls_write_questions(call->subject->calls, call->answer);
	return 0;
}

static int answer_question(struct control_call *call, bool yes)
{
	uint64_t id;

	if (!json_as_unsigned(json_member(call->request, "id"), UINT32_MAX, &id))
		return error_set(&call->error, STATUS_UNUSABLE, "\"id\" must be a number");
	return calls_answer_question(call->subject->calls, id, yes, &call->error);
}

static int answer_approve(struct control_call *call)
{
	return answer_question(call, true);
}

static int answer_refuse(struct control_call *call)
{
	return answer_question(call, false);
}

static int answer_session_reset(struct control_call *call)
{
	const char *agent = text_of(call, "agent");

	return calls_reset(call->subject->calls, agent ? agent : "", &call->error);
}

static const struct {
	const char *op;
	int (*answer)(struct control_call *call);
} operations[] = {
	{"ping", answer_ping},
	{"attach", answer_attach},
	{"detach", answer_detach},
	{"ps", answer_ps},
	{"reload", answer_reload},
	{"follow", answer_follow},
	{"calls", answer_calls},
	{"call-begin", answer_call_begin},
	{"call-end", answer_call_end},
	{"call-denied", answer_call_denied},
	{"call-withdraw", answer_call_withdraw},
	{"approvals", answer_approvals},
	{"approve", answer_approve},
	{"refuse", answer_refuse},
	{"session-reset", answer_session_reset},
};

static int dispatch(struct control_call *call)
{
	const char *op = text_of(call, "op");

	for (size_t i = 0; op && i < ARRAY_SIZE(operations); i++)
		if (strcmp(op, operations[i].op) == 0)
			return operations[i].answer(call);
	return error_set(&call->error, STATUS_UNUSABLE, "policyd does not know the request \"%s\"",
			 op ? op : "");
}

size_t request_body_length(const char *line, size_t length)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	struct json_fault fault;
	const json_value *bytes;
	uint64_t count;

	document = json_document_parse(line, length, &fault);
	bytes = document ? json_member(json_root(document), "body_bytes") : NULL;
	if (!bytes)
		return 0;
	return json_as_unsigned(bytes, JSON_BYTES_MAX, &count) ? (size_t)count : SIZE_MAX;
}

void request_answer(struct control_subject *subject, const struct request_bytes *bytes,
		    uint64_t *followed, struct json_writer *answer)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	struct control_call call = {
		.subject = subject, .bytes = bytes, .followed = followed, .answer = answer};
	struct json_fault fault;

	document = json_document_parse(bytes->line, bytes->length, &fault);
	if (!document) {
		request_refuse(STATUS_UNUSABLE, fault.message, answer);
		return;
	}
	call.request = json_root(document);
	json_open_object(answer);
	json_key_boolean(answer, "ok", true);
	if (dispatch(&call) < 0) {
		*followed = 0;
		request_refuse(call.error.status, call.error.text, answer);
		return;
	}
	json_close_object(answer);
	json_newline(answer);
}
