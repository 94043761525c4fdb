// SPDX-License-Identifier: Apache-2.0
#include "policyd/agents_internal.h"

#include <string.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "kernel/learnt.h"
#include "kernel/server_tables.h"
#include "kernel/tables.h"
#include "json/json.h"
#include "policy/paths.h"
#include "policyd/leases.h"
#include "policyd/prepare.h"
#include "policyd/state.h"

/* A cgroup that is gone stays policed for so long: the kernel goes on trying to send what its
 * sockets have left, for 100 s or so (tcp_orphan_retries), and would, once there is no policy. */
#define LINGER_SECONDS 180
/* What names have opened is looked through this often. */
#define LEARNT_SWEEP_SECONDS 60
/* Replaced policies are taken out at the latest when so many have come together. */
#define RETIRED_MAX 64

struct agents *agents_new(struct enforcer *enforcer, const char *state_folder, struct error *error)
{
	struct agents *agents = calloc(1, sizeof(*agents));

	if (!agents) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	agents->enforcer = enforcer;
	agents->leases = leases_new(enforcer, agents, error);
	if (!agents->leases) {
		agents_free(agents);
		return NULL;
	}
	if (!state_folder)
		return agents;
	agents->state_folder = strdup(state_folder);
	if (!agents->state_folder)
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
	else if (file_make_directories(state_folder, 0700, error) == 0)
		return agents;
	agents_free(agents);
	return NULL;
}

void agent_free(struct agent *agent)
{
	policy_free(agent->policy);
	agent_sql_free(agent->sql);
	free(agent->manifest_text);
	free(agent);
}

static void drop_lingering(struct agents *agents)
{
	struct lingering *gone, *next;

	for (gone = agents->lingering; gone; gone = next) {
		next = gone->next;
		free(gone);
	}
	agents->lingering = NULL;
}

static void drop_past(struct agents *agents)
{
	struct past_policy *past, *next;

	for (past = agents->past; past; past = next) {
		next = past->next;
		policy_free(past->policy);
		free(past);
	}
	agents->past = NULL;
}

void agents_free(struct agents *agents)
{
	struct agent *agent, *next;

	if (!agents)
		return;
	leases_free(agents->leases);
	for (agent = agents->first; agent; agent = next) {
		next = agent->next;
		agent_free(agent);
	}
	drop_past(agents);
	drop_lingering(agents);
	free(agents->state_folder);
	free(agents);
}

struct leases *agents_leases(const struct agents *agents)
{
	return agents->leases;
}

const struct agent *agents_first(const struct agents *agents)
{
	return agents->first;
}

static struct agent *find(const struct agents *agents, uint64_t cgroup)
{
	struct agent *agent;

	for (agent = agents->first; agent; agent = agent->next)
		if (agent->cgroup == cgroup)
			return agent;
	return NULL;
}

const struct agent *agents_find(const struct agents *agents, uint64_t cgroup)
{
	return find(agents, cgroup);
}

const struct policy *agents_find_policy(const struct agents *agents, uint32_t policy_id,
					const struct agent **agent)
{
	const struct past_policy *past;

	for (*agent = agents->first; *agent; *agent = (*agent)->next)
		if (POLICY_ID((*agent)->loaded) == policy_id)
			return (*agent)->policy;
	for (past = agents->past; past; past = past->next)
		if (POLICY_ID(past->loaded) == policy_id) {
			*agent = find(agents, past->cgroup);
			return past->policy;
		}
	return leases_find_policy(agents->leases, policy_id, agent);
}

void agents_each_past(const struct agents *agents, void (*visit)(uint32_t policy_id, void *context),
		      void *context)
{
	for (const struct past_policy *past = agents->past; past; past = past->next)
		visit(POLICY_ID(past->loaded), context);
}

static struct agent *agent_new(const struct agent_request *request, uint64_t cgroup,
			       struct error *error)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	agent->cgroup = cgroup;
	(void)snprintf(agent->cgroup_path, sizeof(agent->cgroup_path), "%s", request->cgroup_path);
	if (!cgroup_container_id(request->cgroup_path, agent->container))
		agent->container[0] = '\0';
	return agent;
}

/* The scope by its shortest name: of several of which one grants anything, that one's. */
static const char *scope_name(const struct policy *policy, const char *name)
{
	const struct tool *tool = name && name[0] ? policy_find_tool(policy, name) : NULL;

	return tool ? tool->name : "";
}

void agent_keep_manifest(struct agent *agent, const char *text, size_t length)
{
	agent->manifest_text = NULL;
	for (size_t i = 0; i < agent->policy->tool_count && !agent->manifest_text; i++)
		if (agent->policy->tools[i].call_scope)
			agent->manifest_text = strndup(text, length);
	agent->manifest_length = length;
}

static void take_request(struct agent *agent, const struct agent_request *request,
			 const struct prepared *prepared)
{
	const char *tool = scope_name(prepared->policy, request->tool);

	agent->policy = prepared->policy;
	agent->sql = prepared->sql;
	agent->resolvers = prepared->resolvers;
	agent->loaded = prepared->loaded;
	agent->tier = request->tier;
	agent->allow_degraded = request->allow_degraded;
	(void)snprintf(agent->tool, sizeof(agent->tool), "%s", tool);
	(void)snprintf(agent->manifest_path, sizeof(agent->manifest_path), "%s",
		       request->manifest_path);
	agent_keep_manifest(agent, request->manifest_text, request->manifest_length);
}

static int save(const struct agents *agents, const struct agent *agent,
		const struct agent_request *request, struct error *error)
{
	if (!agents->state_folder)
		return 0;
	return state_save(agents->state_folder, agent, request->manifest_text,
			  request->manifest_length, error);
}

static struct limits limits_of(const struct agent *agent)
{
	return policy_limits(agent->policy,
			     agent->tool[0] ? policy_find_tool(agent->policy, agent->tool) : NULL);
}

/* What the cgroup had is kept before it is lost: whoever is killed in between has a successor. */
static int save_and_set_limits(const struct agents *agents, struct agent *agent,
			       const struct agent_request *request, struct error *error)
{
	const struct limits limits = limits_of(agent);

	if (limits_prepare(agent->cgroup_path, &limits, &agent->limits_before, error) < 0 ||
	    save(agents, agent, request, error) < 0)
		return -1;
	return limits_set(agent->cgroup_path, &limits, &agent->limits_before, error);
}

static int enrol_new(struct agents *agents, const struct agent_request *request, uint64_t cgroup,
		     const struct prepared *prepared, struct error *error)
{
	struct agent *agent = agent_new(request, cgroup, error);

	if (!agent)
		return -1;
	take_request(agent, request, prepared);
	/* The state first: a successor that finds it without an enrolment drops it; one that finds
	 * an enrolment without it could not say whose it is. */
	if (save_and_set_limits(agents, agent, request, error) < 0 ||
	    enforcer_enrol(agents->enforcer, agent->cgroup_path, agent->loaded, error) < 0) {
		limits_put_back(agent->cgroup_path, &agent->limits_before);
		if (agents->state_folder)
			state_remove(agents->state_folder, cgroup);
		free(agent->manifest_text);
		free(agent);
		return -1;
	}
	agent->next = agents->first;
	agents->first = agent;
	return 0;
}

/* After a swap that failed: the old policy's limits and state, as far as they can be had. */
static void restore(const struct agents *agents, const struct agent *agent, const char *manifest,
		    size_t length)
{
	const struct limits limits = limits_of(agent);
	struct error ignored;

	(void)!limits_set(agent->cgroup_path, &limits, &agent->limits_before, &ignored);
	if (manifest)
		(void)!state_save(agents->state_folder, agent, manifest, length, &ignored);
}

static int replace(struct agents *agents, struct agent *agent, const struct agent_request *request,
		   const struct prepared *prepared, struct error *error)
{
	struct past_policy *past = calloc(1, sizeof(*past));
	const uint64_t loaded = prepared->loaded;
	struct agent before = *agent;
	_cleanup_free_ char *kept = NULL; /* the old manifest */
	size_t kept_length = 0;
	struct error ignored;

	if (!past)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (agents->state_folder)
		(void)!state_load_manifest(agents->state_folder, agent->cgroup, &kept, &kept_length,
					   &ignored);
	take_request(agent, request, prepared);
	learnt_carry_over(agents->enforcer, POLICY_ID(before.loaded), POLICY_ID(loaded));
	/* Until the guard is told: it refuses who comes under a policy that it does not know. */
	if (before.sql && agent->sql)
		guard_carry_over(agents->enforcer, POLICY_ID(before.loaded), POLICY_ID(loaded));
	if (save_and_set_limits(agents, agent, request, error) < 0 ||
	    enforcer_swap(agents->enforcer, agent->cgroup, loaded, error) < 0) {
		/* What was there first is the same for both. */
		before.limits_before = agent->limits_before;
		free(agent->manifest_text);
		*agent = before;
		restore(agents, agent, kept, kept_length);
		free(past);
		return -1;
	}
	/* What was learnt while the first look went on. */
	learnt_carry_over(agents->enforcer, POLICY_ID(before.loaded), POLICY_ID(loaded));
	tables_retire(agents->enforcer, before.loaded);
	agent_sql_free(before.sql);
	free(before.manifest_text);
	leases_drop(agents->leases, agent->cgroup);
	past->policy = before.policy;
	past->loaded = before.loaded;
	past->cgroup = before.cgroup;
	past->next = agents->past;
	agents->past = past;
	return 0;
}

/* A policy on a cgroup that holds the enforcer too, or the whole machine, is a slip of the pen. */
static int refuse_own_cgroup(const char *path, struct error *error)
{
	char mount[PATH_MAX], own[PATH_MAX];

	if (cgroup_find_mount(mount, error) < 0 || cgroup_of_pid(getpid(), own, error) < 0)
		return -1;
	if (strcmp(path, mount) == 0)
		return error_set(error, STATUS_UNUSABLE,
				 "%s is the root cgroup: a policy there would hold for the whole "
				 "machine; move the agent into a cgroup of its own",
				 path);
	if (path_is_below(path, own))
		return error_set(error, STATUS_UNUSABLE,
				 "%s holds the enforcer itself; name the agent's own cgroup", path);
	return 0;
}

int agents_attach(struct agents *agents, const struct agent_request *request,
		  const struct agent **agent, struct error *error)
{
	struct prepared prepared = {0};
	struct agent *there;
	uint64_t cgroup;
	int result;

	if (refuse_own_cgroup(request->cgroup_path, error) < 0 ||
	    cgroup_id(request->cgroup_path, &cgroup, error) < 0)
		return -1;
	there = find(agents, cgroup);
	if (there)
		prepared.resolvers = there->resolvers;
	if (prepare(agents->enforcer, request, &prepared, error) < 0)
		return -1;
	result = there ? replace(agents, there, request, &prepared, error)
		       : enrol_new(agents, request, cgroup, &prepared, error);
	if (result < 0) {
		tables_retire(agents->enforcer, prepared.loaded);
		policy_free(prepared.policy);
		agent_sql_free(prepared.sql);
		return -1;
	}
	if (tables_retired_count(agents->enforcer) >= RETIRED_MAX)
		tables_sweep(agents->enforcer);
	if (agent)
		*agent = find(agents, cgroup);
	return 0;
}

static void forget(struct agents *agents, struct agent *gone)
{
	struct agent **at;

	for (at = &agents->first; *at != gone; at = &(*at)->next)
		;
	*at = gone->next;
	leases_drop(agents->leases, gone->cgroup);
	if (agents->state_folder)
		state_remove(agents->state_folder, gone->cgroup);
	agent_free(gone);
}

int agents_detach(struct agents *agents, uint64_t cgroup, struct error *error)
{
	struct agent *agent = find(agents, cgroup);

	if (!agent)
		return error_set(error, STATUS_UNUSABLE, "no agent has that cgroup");
	if (enforcer_release(agents->enforcer, cgroup, error) < 0)
		return -1;
	limits_put_back(agent->cgroup_path, &agent->limits_before);
	tables_retire(agents->enforcer, agent->loaded);
	forget(agents, agent);
	return 0;
}

int agents_reload(struct agents *agents, uint64_t cgroup, struct error *error)
{
	const struct agent *agent = find(agents, cgroup);
	_cleanup_free_ char *text = NULL;
	struct agent_request request;
	char path[PATH_MAX], tool[SCOPE_NAME_MAX + 1];
	size_t length;

	if (!agent)
		return error_set(error, STATUS_UNUSABLE, "no agent has that cgroup");
	if (!agent->manifest_path[0])
		return error_set(error, STATUS_UNUSABLE,
				 "%s: its manifest came from a pipe and can't be read again",
				 agent->policy->name);
	if (file_read_all(agent->manifest_path, JSON_BYTES_MAX, &text, &length, error) < 0)
		return -1;
	/* Copies: the agent's own are written while the request is read. */
	(void)snprintf(path, sizeof(path), "%s", agent->manifest_path);
	(void)snprintf(tool, sizeof(tool), "%s", agent->tool);
	request = (struct agent_request){
		.cgroup_path = agent->cgroup_path,
		.manifest_path = path,
		.manifest_text = text,
		.manifest_length = length,
		.tool = tool,
		.tier = agent->tier,
		.allow_degraded = agent->allow_degraded,
	};
	return agents_attach(agents, &request, NULL, error);
}

bool agent_still_is(const char *cgroup_path, uint64_t cgroup)
{
	struct error error;
	uint64_t now;

	return cgroup_id(cgroup_path, &now, &error) == 0 && now == cgroup;
}

/* Ends what has lingered long enough; once a second. */
static void end_lingering(struct agents *agents)
{
	struct lingering **at = &agents->lingering, *gone;
	struct error error;

	while ((gone = *at) != NULL) {
		if (gone->seconds-- > 0) {
			at = &gone->next;
			continue;
		}
		(void)!enforcer_release(agents->enforcer, gone->cgroup, &error);
		tables_retire(agents->enforcer, gone->loaded);
		*at = gone->next;
		free(gone);
	}
}

/* No agent any more, but policed still. */
static void linger(struct agents *agents, struct agent *agent)
{
	struct lingering *gone = calloc(1, sizeof(*gone));
	struct error error;

	if (!gone) {
		(void)!agents_detach(agents, agent->cgroup, &error);
		return;
	}
	*gone = (struct lingering){agents->lingering, agent->cgroup, agent->loaded, LINGER_SECONDS};
	agents->lingering = gone;
	forget(agents, agent);
}

void agents_tidy(struct agents *agents, void (*vanished)(const struct agent *agent, void *context),
		 void *context)
{
	struct agent *agent, *next;

	for (agent = agents->first; agent && vanished; agent = next) {
		next = agent->next;
		if (agent_still_is(agent->cgroup_path, agent->cgroup))
			continue;
		vanished(agent, context);
		linger(agents, agent);
	}
	end_lingering(agents);
	tables_sweep(agents->enforcer);
	drop_past(agents);
	if (++agents->tidied < LEARNT_SWEEP_SECONDS)
		return;
	agents->tidied = 0;
	learnt_sweep(agents->enforcer);
}
