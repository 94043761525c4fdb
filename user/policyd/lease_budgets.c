// SPDX-License-Identifier: Apache-2.0
#include "policyd/lease_budgets.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/budgets.h"
#include "policy/joined.h"

/* A tool's name, escaped, and what is around it. */
#define RULE_POINTER_MAX (2 * TOOL_NAME_MAX + 64)

struct ledger_entry {
	char pointer[RULE_POINTER_MAX]; /* of the rule, in the manifest */
	struct budget taken;
};

void lease_ledger_free(struct lease_ledger *ledger)
{
	free(ledger->entries);
	*ledger = (struct lease_ledger){0};
}

void lease_buckets_free(struct lease_buckets *buckets)
{
	free(buckets->places);
	free(buckets->entries);
	*buckets = (struct lease_buckets){0};
}

static bool has_budgets(const struct network *network)
{
	for (size_t i = 0; i < network->egress_count; i++)
		if (network->egress[i].connects.seconds || network->egress[i].bytes.seconds)
			return true;
	return false;
}

static const struct tool *tool_of(const struct agent *agent)
{
	return agent->tool[0] ? policy_find_tool(agent->policy, agent->tool) : NULL;
}

static void rule_pointer(const struct agent *agent, uint32_t rule, char *pointer)
{
	const struct tool *tool = rule & BUDGET_OF_TOOL ? tool_of(agent) : NULL;

	if (tool)
		policy_egress_pointer(tool, rule & ~BUDGET_OF_TOOL, pointer, RULE_POINTER_MAX);
	else
		(void)snprintf(pointer, RULE_POINTER_MAX, "/network/egress/%u",
			       rule & ~BUDGET_OF_TOOL);
}

/* The entry's number, or SIZE_MAX when out of memory. */
static size_t take_entry(struct lease_ledger *ledger, const char *pointer)
{
	struct ledger_entry *entries;

	for (size_t i = 0; i < ledger->count; i++)
		if (strcmp(ledger->entries[i].pointer, pointer) == 0)
			return i;
	entries = reallocarray(ledger->entries, ledger->count + 1, sizeof(*entries));
	if (!entries)
		return SIZE_MAX;
	ledger->entries = entries;
	entries[ledger->count] = (struct ledger_entry){.taken = {0}};
	(void)snprintf(entries[ledger->count].pointer, RULE_POINTER_MAX, "%s", pointer);
	return ledger->count++;
}

static bool find_entries(const struct enforcer *enforcer, const struct agent *agent,
			 struct lease_ledger *ledger, struct lease_buckets *buckets)
{
	char pointer[RULE_POINTER_MAX];
	struct budget budget;

	buckets->places = budgets_places(enforcer, POLICY_ID(agent->loaded), &buckets->count);
	buckets->entries = calloc(buckets->count + 1, sizeof(*buckets->entries));
	if (!buckets->places || !buckets->entries)
		return false;
	for (size_t i = 0; i < buckets->count; i++) {
		if (!budgets_read(enforcer, buckets->places[i], &budget))
			return false;
		rule_pointer(agent, budget.rule, pointer);
		buckets->entries[i] = take_entry(ledger, pointer);
		if (buckets->entries[i] == SIZE_MAX)
			return false;
	}
	return true;
}

int lease_buckets_find(const struct enforcer *enforcer, const struct agent *agent,
		       struct lease_ledger *ledger, struct lease_buckets *buckets,
		       struct error *error)
{
	const struct tool *tool = tool_of(agent);

	*buckets = (struct lease_buckets){0};
	if (!has_budgets(&agent->policy->agent.network) &&
	    !(tool && has_budgets(&tool->scope.network)))
		return 0;
	if (find_entries(enforcer, agent, ledger, buckets))
		return 0;
	lease_buckets_free(buckets);
	return error_set(error, STATUS_SYSTEM, "the budgets' buckets can't be read");
}

static uint64_t later(uint64_t left, uint64_t right)
{
	return left > right ? left : right;
}

/* A bucket's clock only goes on: the later one has less left. */
static void add_taken(struct budget *to, const struct budget *from)
{
	to->connects_at = later(to->connects_at, from->connects_at);
	to->bytes_at = later(to->bytes_at, from->bytes_at);
	to->connects = later(to->connects, from->connects);
	to->bytes = later(to->bytes, from->bytes);
	to->denied = later(to->denied, from->denied);
}

void lease_buckets_leave(const struct enforcer *enforcer, struct lease_ledger *ledger,
			 const struct lease_buckets *buckets)
{
	struct budget budget;

	for (size_t i = 0; i < buckets->count; i++)
		if (budgets_read(enforcer, buckets->places[i], &budget))
			add_taken(&ledger->entries[buckets->entries[i]].taken, &budget);
}

void lease_buckets_enter(const struct enforcer *enforcer, const struct lease_ledger *ledger,
			 const struct lease_buckets *buckets)
{
	struct budget budget;

	for (size_t i = 0; i < buckets->count; i++) {
		if (!budgets_read(enforcer, buckets->places[i], &budget))
			continue;
		add_taken(&budget, &ledger->entries[buckets->entries[i]].taken);
		budgets_write(enforcer, buckets->places[i], &budget);
	}
}
