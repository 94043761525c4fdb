// SPDX-License-Identifier: Apache-2.0
#include "policyd/leases.h"

#include <string.h>
#include <time.h>

#include "kernel/learnt.h"
#include "kernel/tables.h"
#include "policyd/lease_budgets.h"
#include "policyd/prepare.h"

#define NS_PER_SECOND 1000000000ULL

/* A tool whose calls are under way. */
struct open_tool {
	struct open_tool *next;
	const struct tool *tool; /* of the agent's policy */
	unsigned calls;
};

/* A set of tools, loaded. */
struct lease_set {
	struct lease_set *next;
	struct agent shown; /* the agent as events are explained by; its policy is owned */
	struct lease_buckets buckets;
};

struct lease {
	struct lease *next;
	uint64_t cgroup;
	uint64_t base; /* the agent's own policy, as long as which this holds */
	struct open_tool *open;
	struct lease_set *sets;
	size_t set_count;
	const struct lease_set *in_force; /* NULL: the agent's own policy */
	struct lease_ledger ledger;
	struct lease_buckets own_buckets; /* of the agent's own policy */
	uint64_t until_ns;
};

struct leases {
	struct enforcer *enforcer;
	struct agents *agents;
	struct lease *first;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

struct leases *leases_new(struct enforcer *enforcer, struct agents *agents, struct error *error)
{
	struct leases *leases = calloc(1, sizeof(*leases));

	if (!leases) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	leases->enforcer = enforcer;
	leases->agents = agents;
	return leases;
}

static void forget_calls(struct lease *lease)
{
	while (lease->open) {
		struct open_tool *open = lease->open;

		lease->open = open->next;
		free(open);
	}
}

static void free_set(struct leases *leases, struct lease_set *set)
{
	tables_retire(leases->enforcer, set->shown.loaded);
	policy_free(set->shown.policy);
	lease_buckets_free(&set->buckets);
	free(set);
}

static void free_lease(struct leases *leases, struct lease *lease)
{
	forget_calls(lease);
	while (lease->sets) {
		struct lease_set *set = lease->sets;

		lease->sets = set->next;
		free_set(leases, set);
	}
	lease_buckets_free(&lease->own_buckets);
	lease_ledger_free(&lease->ledger);
	free(lease);
}

static struct lease *find_lease(const struct leases *leases, uint64_t cgroup)
{
	struct lease *lease = leases->first;

	while (lease && lease->cgroup != cgroup)
		lease = lease->next;
	return lease;
}

/* The agent's, made where there is none; what was loaded for a policy of before is forgotten. */
static struct lease *take_lease(struct leases *leases, const struct agent *agent,
				struct error *error)
{
	struct lease *lease = find_lease(leases, agent->cgroup);

	if (lease && lease->base == agent->loaded)
		return lease;
	if (lease)
		leases_drop(leases, agent->cgroup);
	lease = calloc(1, sizeof(*lease));
	if (!lease) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	if (lease_buckets_find(leases->enforcer, agent, &lease->ledger, &lease->own_buckets,
			       error) < 0) {
		lease_ledger_free(&lease->ledger);
		free(lease);
		return NULL;
	}
	lease->cgroup = agent->cgroup;
	lease->base = agent->loaded;
	lease->next = leases->first;
	leases->first = lease;
	return lease;
}

/* ---- sets ---- */

/* "SCOPE+a+b": the agent's own scope, and the tools whose calls are under way, in the manifest's
 * order; `more` is one of them, too. */
static int set_name(const struct agent *agent, const struct lease *lease, const struct tool *more,
		    char *name, struct error *error)
{
	size_t length = (size_t)snprintf(name, SCOPE_NAME_MAX + 1, "%s", agent->tool);

	for (size_t i = 0; i < agent->policy->tool_count; i++) {
		const struct tool *tool = &agent->policy->tools[i];
		const struct open_tool *open = lease->open;

		while (open && open->tool != tool)
			open = open->next;
		if (!open && tool != more)
			continue;
		if (length + strlen(tool->name) + 1 > SCOPE_NAME_MAX)
			return error_set(error, STATUS_SYSTEM,
					 "calls of too many tools are under way at once");
		length += (size_t)snprintf(name + length, SCOPE_NAME_MAX + 1 - length, "%s%s",
					   length ? "+" : "", tool->name);
	}
	return 0;
}

static const struct lease_set *find_set(const struct lease *lease, const char *name)
{
	const struct lease_set *set = lease->sets;

	while (set && strcmp(set->shown.tool, name) != 0)
		set = set->next;
	return set;
}

static int load_set(struct leases *leases, const struct agent *agent, const char *name,
		    struct prepared *prepared, struct error *error)
{
	const struct agent_request request = {
		.cgroup_path = agent->cgroup_path,
		.manifest_path = agent->manifest_path,
		.manifest_text = agent->manifest_text,
		.manifest_length = agent->manifest_length,
		.tool = name,
		.tier = agent->tier,
		.allow_degraded = agent->allow_degraded,
	};

	if (!agent->manifest_text)
		return error_set(error, STATUS_SYSTEM, "the agent's manifest is not at hand");
	prepared->resolvers = agent->resolvers;
	if (prepare(leases->enforcer, &request, prepared, error) < 0)
		return -1;
	if (enforcer_lease_prepare(leases->enforcer, agent->cgroup, prepared->loaded, error) == 0)
		return 0;
	tables_retire(leases->enforcer, prepared->loaded);
	policy_free(prepared->policy);
	return -1;
}

static const struct lease_set *take_set(struct leases *leases, struct lease *lease,
					const struct agent *agent, const char *name,
					struct error *error)
{
	const struct lease_set *there = find_set(lease, name);
	struct prepared prepared = {0};
	struct lease_set *set;

	if (there)
		return there;
	if (lease->set_count == LEASE_SETS_MAX) {
		(void)error_set(error, STATUS_SYSTEM,
				"more than %d sets of tools have had calls under way at once",
				LEASE_SETS_MAX);
		return NULL;
	}
	if (load_set(leases, agent, name, &prepared, error) < 0)
		return NULL;
	set = calloc(1, sizeof(*set));
	if (!set) {
		tables_retire(leases->enforcer, prepared.loaded);
		policy_free(prepared.policy);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	set->shown = *agent;
	set->shown.next = NULL;
	set->shown.sql = NULL;
	set->shown.manifest_text = NULL;
	set->shown.policy = prepared.policy;
	set->shown.loaded = prepared.loaded;
	(void)snprintf(set->shown.tool, sizeof(set->shown.tool), "%s", name);
	if (lease_buckets_find(leases->enforcer, &set->shown, &lease->ledger, &set->buckets,
			       error) < 0) {
		free_set(leases, set);
		return NULL;
	}
	set->next = lease->sets;
	lease->sets = set;
	lease->set_count++;
	return set;
}

/* What names have opened stays open under the other policy where it grants them, too. Not looked
 * for again after the change, as a reload does, since a call waits for it: an answer that comes in
 * between opens nothing, and is asked for again. */
static void carry_names(const struct leases *leases, uint64_t from, uint64_t to)
{
	if (POLICY_FLAGS(from & to) & POLICY_NAMES)
		learnt_carry_over(leases->enforcer, POLICY_ID(from), POLICY_ID(to));
}

/* No set: the agent's own policy. */
static void store(const struct leases *leases, struct lease *lease, const struct lease_set *set)
{
	const struct lease_set *before = lease->in_force;
	const uint64_t from = before ? before->shown.loaded : lease->base;
	const uint64_t to = set ? set->shown.loaded : lease->base;

	if (set != before) {
		carry_names(leases, from, to);
		lease_buckets_leave(leases->enforcer, &lease->ledger,
				    before ? &before->buckets : &lease->own_buckets);
		lease_buckets_enter(leases->enforcer, &lease->ledger,
				    set ? &set->buckets : &lease->own_buckets);
	}
	enforcer_lease(leases->enforcer, lease->cgroup, set ? to : 0, lease->until_ns);
	lease->in_force = set;
}

/* What was taken of budgets is not forgotten with the lease. */
static void end(const struct leases *leases, struct lease *lease)
{
	const struct agent *agent = agents_find(leases->agents, lease->cgroup);

	if (agent && agent->loaded == lease->base)
		store(leases, lease, NULL);
	else
		enforcer_lease(leases->enforcer, lease->cgroup, 0, 0);
}

void leases_free(struct leases *leases)
{
	if (!leases)
		return;
	while (leases->first)
		leases_drop(leases, leases->first->cgroup);
	free(leases);
}

void leases_drop(struct leases *leases, uint64_t cgroup)
{
	for (struct lease **at = &leases->first; *at; at = &(*at)->next) {
		struct lease *lease = *at;

		if (lease->cgroup != cgroup)
			continue;
		end(leases, lease);
		*at = lease->next;
		free_lease(leases, lease);
		return;
	}
}

/* What is under way now, in the kernel. */
static int put_in_force(struct leases *leases, struct lease *lease, const struct agent *agent,
			const struct tool *more, struct error *error)
{
	const struct lease_set *set = NULL;
	char name[SCOPE_NAME_MAX + 1];

	if (lease->open || more) {
		if (set_name(agent, lease, more, name, error) < 0)
			return -1;
		set = take_set(leases, lease, agent, name, error);
		if (!set)
			return -1;
	}
	store(leases, lease, set);
	return 0;
}

/* ---- calls ---- */

static const struct agent *find_agent(const struct leases *leases, uint64_t cgroup,
				      struct error *error)
{
	const struct agent *agent = agents_find(leases->agents, cgroup);

	if (!agent)
		(void)error_set(error, STATUS_UNUSABLE, "no agent has that cgroup");
	return agent;
}

int leases_prepare(struct leases *leases, uint64_t cgroup, struct error *error)
{
	const struct agent *agent = find_agent(leases, cgroup, error);
	struct lease *lease = agent ? take_lease(leases, agent, error) : NULL;
	char name[SCOPE_NAME_MAX + 1];

	if (!lease)
		return -1;
	for (size_t i = 0; i < agent->policy->tool_count; i++) {
		const struct tool *tool = &agent->policy->tools[i];

		/* Of many the others are loaded when they are called. */
		if (!tool->call_scope || lease->set_count >= LEASE_SETS_MAX / 2)
			continue;
		if (set_name(agent, lease, tool, name, error) < 0 ||
		    !take_set(leases, lease, agent, name, error))
			return error_wrap(error, "the tool %s", tool->name);
	}
	return 0;
}

static struct open_tool *find_open(const struct lease *lease, const char *name)
{
	struct open_tool *open = lease->open;

	while (open && strcmp(open->tool->name, name) != 0)
		open = open->next;
	return open;
}

static int open_first(struct leases *leases, struct lease *lease, const struct agent *agent,
		      const char *name, struct error *error)
{
	const struct tool *tool = policy_find_tool(agent->policy, name);
	struct open_tool *open;

	if (!tool || !tool->call_scope)
		return error_set(error, STATUS_UNUSABLE,
				 "\"%.*s\" is no tool with \"scope\": \"call\"", TOOL_NAME_MAX,
				 name);
	open = calloc(1, sizeof(*open));
	if (!open)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (put_in_force(leases, lease, agent, tool, error) < 0) {
		free(open);
		return -1;
	}
	*open = (struct open_tool){lease->open, tool, 1};
	lease->open = open;
	return 0;
}

int leases_open(struct leases *leases, uint64_t cgroup, const char *tool, uint64_t ttl_ns,
		struct error *error)
{
	const struct agent *agent = find_agent(leases, cgroup, error);
	struct lease *lease = agent ? take_lease(leases, agent, error) : NULL;
	const uint64_t now = now_ns();
	struct open_tool *open;

	if (!lease)
		return -1;
	/* What nobody has renewed in time has ended, and comes not back with another call. */
	if (lease->open && now >= lease->until_ns) {
		forget_calls(lease);
		store(leases, lease, NULL);
	}
	if (!lease->open || lease->until_ns < now + ttl_ns)
		lease->until_ns = now + ttl_ns;
	open = find_open(lease, tool);
	if (!open)
		return open_first(leases, lease, agent, tool, error);
	open->calls++;
	return put_in_force(leases, lease, agent, NULL, error);
}

void leases_close(struct leases *leases, uint64_t cgroup, const char *tool)
{
	const struct agent *agent = agents_find(leases->agents, cgroup);
	struct lease *lease = find_lease(leases, cgroup);
	struct open_tool *open = lease ? find_open(lease, tool) : NULL;
	struct open_tool **at;
	struct error error;

	if (!open || --open->calls > 0)
		return;
	for (at = &lease->open; *at != open; at = &(*at)->next)
		;
	*at = open->next;
	free(open);
	/* What can't be narrowed is closed: the others' calls are denied. */
	if (!agent || lease->base != agent->loaded)
		leases_drop(leases, cgroup);
	else if (put_in_force(leases, lease, agent, NULL, &error) < 0)
		store(leases, lease, NULL);
}

void leases_renew(struct leases *leases, uint64_t cgroup, uint64_t ttl_ns)
{
	const struct agent *agent = agents_find(leases->agents, cgroup);
	struct lease *lease = find_lease(leases, cgroup);
	struct error error;

	if (!lease || !lease->open || !agent || lease->base != agent->loaded)
		return;
	lease->until_ns = now_ns() + ttl_ns;
	(void)!put_in_force(leases, lease, agent, NULL, &error);
}

const struct policy *leases_find_policy(const struct leases *leases, uint32_t policy_id,
					const struct agent **agent)
{
	for (const struct lease *lease = leases ? leases->first : NULL; lease; lease = lease->next)
		for (const struct lease_set *set = lease->sets; set; set = set->next)
			if (POLICY_ID(set->shown.loaded) == policy_id) {
				*agent = &set->shown;
				return set->shown.policy;
			}
	return NULL;
}
