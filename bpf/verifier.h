/* SPDX-License-Identifier: GPL-2.0-only */
/* Words for what the kernel's verifier is to be shown; elsewhere they mean nothing. */
#ifndef AGENTPOL_BPF_VERIFIER_H
#define AGENTPOL_BPF_VERIFIER_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
/* In the kernel: a global function, which is verified once, whoever calls it, and has a stack of
 * its own. Elsewhere any function. */
#ifdef __bpf__
#define VERIFIED_ONCE __attribute__((noinline))
#else
#define VERIFIED_ONCE static inline
#endif

/* In front of a loop: the verifier follows its turns, the compiler need not write them all out. */
#ifdef __clang__
#define NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define NO_UNROLL
#endif

/* A number below `most` (a power of two), so that the verifier sees it, too: the compiler must not
 * know that the mask changes nothing. */
static __always_inline __u32 index_bound(__u32 index, __u32 most)
{
#ifdef __bpf__
	asm volatile("" : "+r"(index));
#endif
	return index & (most - 1);
}

/* The same of a length from 1 to `most`. */
static __always_inline __u32 length_bound(__u32 length, __u32 most)
{
	return index_bound(length - 1, most) + 1;
}

#endif
