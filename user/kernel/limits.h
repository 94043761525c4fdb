/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.limits of a manifest as limits of a cgroup v2: pids.max, memory.max (with no swap
 * besides) and cpu.max. What was there before is kept, to be put back when the policy goes.
 */
#ifndef AGENTPOL_KERNEL_LIMITS_H
#define AGENTPOL_KERNEL_LIMITS_H

#include "base/error.h"
#include "compile/tiers.h"

/* pids.max, memory.max, memory.swap.max, cpu.max */
#define LIMIT_FILES    4
#define LIMIT_TEXT_MAX 64

/* The text of each file as it was; "": it was not touched. */
struct limits_before {
	char texts[LIMIT_FILES][LIMIT_TEXT_MAX];
};
/* Their names, for who keeps them. */
extern const char *const limit_files[LIMIT_FILES];

/* Controllers (enum controller) that cgroups v2 can have on this machine. */
unsigned limits_controllers(void);

/*
 * Enables the controllers that `limits` asks for on the way down from the mount, and reads what it
 * will replace into *before, where that has no text yet. Whoever keeps *before for a successor does
 * so now: nothing has changed. A controller that the kernel does not have in cgroup v2 is passed
 * over: compile/tiers.h names it as a gap.
 */
int limits_prepare(const char *cgroup, const struct limits *limits, struct limits_before *before,
		   struct error *error) MUST_USE;
/* Then sets what `limits` asks for; what it does not ask for gets its text of before back. */
int limits_set(const char *cgroup, const struct limits *limits, const struct limits_before *before,
	       struct error *error) MUST_USE;
/* Puts back what was there; what fails is gone with its cgroup. */
void limits_put_back(const char *cgroup, const struct limits_before *before);

#endif
