/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A loop whose body the verifier looks at once, not once a turn: bpf_loop(), from Linux 5.17 on, so
 * only for objects that need a later kernel anyway. Elsewhere a plain loop.
 */
#ifndef AGENTPOL_BPF_STEP_H
#define AGENTPOL_BPF_STEP_H

#include <linux/types.h>

/* A step goes on to the next one, or is the last. */
#define STEP_ON	  0
#define STEP_LAST 1

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define repeat_step(turns, step, context) bpf_loop(turns, step, context, 0)
#else
static inline void repeat_step(__u32 turns, int (*step)(__u32 turn, void *context), void *context)
{
	for (__u32 turn = 0; turn < turns; turn++)
		if (step(turn, context) == STEP_LAST)
			return;
}
#endif

#endif
