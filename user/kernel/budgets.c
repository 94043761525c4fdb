// SPDX-License-Identifier: Apache-2.0
#include "kernel/budgets.h"

#include <bpf/bpf.h>
#include <stdlib.h>

uint32_t *budgets_places(const struct enforcer *enforcer, uint32_t policy_id, size_t *count)
{
	const uint32_t bound = enforcer_map_bound(enforcer, MAP_BUDGETS);
	uint32_t *places = calloc(bound, sizeof(*places));
	struct budget budget;

	*count = 0;
	for (uint32_t i = 1; i < bound && places; i++)
		if (budgets_read(enforcer, i, &budget) && budget.policy_id == policy_id)
			places[(*count)++] = i;
	return places;
}

bool budgets_read(const struct enforcer *enforcer, uint32_t place, struct budget *budget)
{
	return bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_BUDGETS), &place, budget) == 0;
}

void budgets_write(const struct enforcer *enforcer, uint32_t place, const struct budget *budget)
{
	(void)bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_BUDGETS), &place, budget,
				  BPF_EXIST);
}
