/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a policy nothing enforces, at launch (`agentpol run`) or on a live cgroup (`agentpol
 * attach`). What a manifest asks for and nothing enforces is a reason to refuse it; what is missing
 * of the defaults is told by ps. Which mechanism enforces the rest is in compile/mechanisms.h.
 */
#ifndef AGENTPOL_COMPILE_TIERS_H
#define AGENTPOL_COMPILE_TIERS_H

#include <stdbool.h>

#include "policy/policy.h"

enum tier { TIER_LAUNCH, TIER_ATTACH };

/* Of cgroup v2. */
enum controller { CONTROLLER_PIDS = 1, CONTROLLER_MEMORY = 2, CONTROLLER_CPU = 4 };

/* Where a policy is to be enforced. */
struct place {
	enum tier tier;
	bool unix_sockets;    /* the kernel asks about them: Linux 6.7 and later */
	bool lsm;	      /* BPF LSM is active: its hooks are asked */
	bool watch;	      /* a live cgroup's processes can be killed for what they did */
	int landlock_abi;     /* Landlock's version; 0: none */
	unsigned controllers; /* of enum controller: limits that can be set there */
};

/* Does the manifest itself say what may be called or executed? That is worth watching a live cgroup
 * for where no LSM is asked; the format's defaults are not, since every task of the machine pays.
 */
bool tiers_ask_watch(const struct policy *policy, const struct tool *tool);

struct gap {
	char pointer[256];	   /* JSON pointer of what is not enforced */
	const char *what;	   /* static: a sentence without a full stop */
	bool explicit_in_manifest; /* false: a default of the format */
};

#define GAPS_MAX 64

struct gaps {
	struct gap items[GAPS_MAX];
	size_t count;
	size_t explicit_count; /* also those past the maximum */
};

/* Lists what `place` does not enforce of the policy (of one tool's scope joined, if not NULL). */
void tiers_find_gaps(const struct policy *policy, const struct tool *tool,
		     const struct place *place, struct gaps *gaps);

#endif
