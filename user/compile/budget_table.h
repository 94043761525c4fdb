/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of rules by number, and the lists of them that grant one destination, equal lists having
 * one number; what port_table.h is for ports. */
#ifndef AGENTPOL_COMPILE_BUDGET_TABLE_H
#define AGENTPOL_COMPILE_BUDGET_TABLE_H

#include "bpf/abi.h"
#include "policy/policy.h"

/* One rule with "connects" or "bytes". */
struct image_budget {
	uint32_t rule; /* as in struct budget: its index, and BUDGET_OF_TOOL */
	struct rate connects, bytes;
};

struct budget_table;

/* NULL when out of memory. */
struct budget_table *budget_table_new(void) MUST_USE;
/* Accepts NULL. */
void budget_table_free(struct budget_table *table);

/* The list of one rule alone, which grants `grant` (its `budgets` is not read). Numbers of lists
 * and of budgets count from 1; list 0 is empty. False when out of memory. */
bool budget_table_add(struct budget_table *table, const struct scope *scope,
		      const struct egress_rule *rule, const struct address_grant *grant,
		      uint32_t *list) MUST_USE;
bool budget_table_union(struct budget_table *table, uint32_t a, uint32_t b,
			uint32_t *list) MUST_USE;
/* Was there a list of more than BUDGETS_EACH_MAX rules? It is cut off, and must not be used. */
bool budget_table_overflowed(const struct budget_table *table);

/* Budget n is [n - 1], list n is [n - 1]. */
const struct image_budget *budget_table_budgets(const struct budget_table *table, size_t *count);
struct budget_list *budget_table_lists(struct budget_table *table, size_t *count);

#endif
