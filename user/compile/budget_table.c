// SPDX-License-Identifier: Apache-2.0
#include "compile/budget_table.h"

#include <string.h>

struct budget_table {
	struct image_budget *budgets;
	const struct egress_rule **rules; /* whose each is */
	size_t budget_count, budget_room;
	struct budget_list *lists;
	size_t list_count, list_room;
	bool overflowed;
};

struct budget_table *budget_table_new(void)
{
	return calloc(1, sizeof(struct budget_table));
}

void budget_table_free(struct budget_table *table)
{
	if (!table)
		return;
	free(table->budgets);
	free(table->rules);
	free(table->lists);
	free(table);
}

static bool grow_budgets(struct budget_table *table)
{
	const size_t room = table->budget_room ? 2 * table->budget_room : 16;
	struct image_budget *budgets = reallocarray(table->budgets, room, sizeof(*budgets));
	const struct egress_rule **rules;

	if (!budgets)
		return false;
	table->budgets = budgets;
	rules = reallocarray(table->rules, room, sizeof(*rules));
	if (!rules)
		return false;
	table->rules = rules;
	table->budget_room = room;
	return true;
}

/* The number of an equal list, which is added where there is none. */
static bool find_list(struct budget_table *table, const struct budget_list *wanted, uint32_t *list)
{
	struct budget_list *lists;
	size_t room;

	for (size_t i = 0; i < table->list_count; i++) {
		if (memcmp(&table->lists[i], wanted, sizeof(*wanted)) != 0)
			continue;
		*list = (uint32_t)i + 1;
		return true;
	}
	if (table->list_count == table->list_room) {
		room = table->list_room ? 2 * table->list_room : 16;
		lists = reallocarray(table->lists, room, sizeof(*lists));
		if (!lists)
			return false;
		table->lists = lists;
		table->list_room = room;
	}
	table->lists[table->list_count++] = *wanted;
	*list = (uint32_t)table->list_count;
	return true;
}

static bool number_rule(struct budget_table *table, const struct scope *scope,
			const struct egress_rule *rule, uint32_t *number)
{
	/* Rules come one after the other. */
	if (table->budget_count && table->rules[table->budget_count - 1] == rule) {
		*number = (uint32_t)table->budget_count;
		return true;
	}
	for (size_t i = 0; i < table->budget_count; i++) {
		if (table->rules[i] != rule)
			continue;
		*number = (uint32_t)i + 1;
		return true;
	}
	if (table->budget_count == table->budget_room && !grow_budgets(table))
		return false;
	table->rules[table->budget_count] = rule;
	table->budgets[table->budget_count] = (struct image_budget){
		.rule = (uint32_t)rule->index | (scope->tool ? BUDGET_OF_TOOL : 0),
		.connects = rule->connects,
		.bytes = rule->bytes,
	};
	*number = (uint32_t)++table->budget_count;
	return true;
}

bool budget_table_add(struct budget_table *table, const struct scope *scope,
		      const struct egress_rule *rule, const struct address_grant *grant,
		      uint32_t *list)
{
	struct budget_list single = {.count = 1};

	if (!number_rule(table, scope, rule, &single.items[0].budget))
		return false;
	single.items[0].tcp_ports = grant->tcp_ports;
	single.items[0].udp_ports = grant->udp_ports;
	single.items[0].flags = grant->flags;
	return find_list(table, &single, list);
}

bool budget_table_union(struct budget_table *table, uint32_t a, uint32_t b, uint32_t *list)
{
	struct budget_list both, other;

	*list = a ? a : b;
	if (!a || !b || a == b)
		return true;
	both = table->lists[a - 1];
	other = table->lists[b - 1];
	for (uint32_t i = 0; i < other.count; i++) {
		uint32_t at = 0;

		while (at < both.count && both.items[at].budget < other.items[i].budget)
			at++;
		if (at < both.count && both.items[at].budget == other.items[i].budget)
			continue;
		if (both.count == BUDGETS_EACH_MAX) {
			table->overflowed = true;
			return true;
		}
		memmove(&both.items[at + 1], &both.items[at],
			(both.count - at) * sizeof(both.items[0]));
		both.items[at] = other.items[i];
		both.count++;
	}
	return find_list(table, &both, list);
}

bool budget_table_overflowed(const struct budget_table *table)
{
	return table->overflowed;
}

const struct image_budget *budget_table_budgets(const struct budget_table *table, size_t *count)
{
	*count = table->budget_count;
	return table->budgets;
}

struct budget_list *budget_table_lists(struct budget_table *table, size_t *count)
{
	*count = table->list_count;
	return table->lists;
}
