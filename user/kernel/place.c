// SPDX-License-Identifier: Apache-2.0
#include "kernel/place.h"

#include "kernel/landlock.h"
#include "kernel/limits.h"

void place_find(struct enforcer *enforcer, enum tier tier, const struct policy *policy,
		const struct tool *tool, struct place *place)
{
	*place = (struct place){
		.tier = tier,
		.unix_sockets = enforcer_judges_unix(enforcer),
		.lsm = enforcer_judges_tasks(enforcer),
		.watch = tier == TIER_ATTACH && tiers_ask_watch(policy, tool) &&
			 enforcer_can_watch(enforcer),
		.landlock_abi = landlock_abi(),
		.controllers = limits_controllers(),
	};
}
