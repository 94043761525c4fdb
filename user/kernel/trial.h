/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel does when it is asked to enforce: the programs are loaded and tried in a cgroup
 * that goes away again, beside a policyd that may run. For `agentpol doctor`; some 0.5 s.
 */
#ifndef AGENTPOL_KERNEL_TRIAL_H
#define AGENTPOL_KERNEL_TRIAL_H

#include "compile/mechanisms.h"
#include "kernel/enforcer.h"

struct proof {
	const char *what; /* "a connection that is not granted is refused" */
	bool proved;
	struct error error; /* where it was not */
};

#define PROOFS_MAX 4

struct trial {
	unsigned has; /* of enum need, those that loading tells and no proof contradicts */
	struct proof proofs[PROOFS_MAX];
	size_t proof_count;
};

void trial_make(struct trial *trial);

#endif
