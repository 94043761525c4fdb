/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enforces each grant kind, at launch and on a live cgroup, and what of the kernel it takes:
 * the table that `agentpol doctor` prints. What a manifest loses by it is in compile/tiers.h.
 */
#ifndef AGENTPOL_COMPILE_MECHANISMS_H
#define AGENTPOL_COMPILE_MECHANISMS_H

#include <stdbool.h>
#include <stddef.h>

/* What a kernel may have; bits. */
enum need {
	NEED_BPF = 1,		  /* cgroup programs that load and are heeded: Linux 5.15 */
	NEED_UNIX_HOOKS = 2,	  /* cgroup programs for Unix sockets: Linux 6.7 */
	NEED_LSM = 4,		  /* BPF among the active LSMs */
	NEED_WATCH = 8,		  /* tracepoints that may kill */
	NEED_SECCOMP = 16,	  /* filters */
	NEED_LANDLOCK = 32,	  /* any version */
	NEED_LANDLOCK_FILES = 64, /* one that judges truncate(2): Linux 6.2 */
	NEED_PIDS = 128,	  /* these controllers in cgroup v2 */
	NEED_MEMORY = 256,
	NEED_CPU = 512,
};

struct way {
	unsigned needs; /* of enum need, all of them, and NEED_BPF */
	const char *by; /* NULL: the end of the list */
	bool partly;	/* less than the manifest says: it takes --allow-degraded */
};

/* The best first, and one that ends the list. */
#define WAYS_MAX 4

struct mechanism {
	const char *grant; /* "inet egress by address", ... */
	struct way launch[WAYS_MAX];
	struct way attach[WAYS_MAX];
};
extern const struct mechanism mechanisms[];
extern const size_t mechanism_count;

/* The best of the ways with what is there; NULL: none. Without NEED_BPF there is none: neither
 * `run` nor `attach` starts anything then. */
const struct way *way_find(const struct way ways[WAYS_MAX], unsigned has);

#endif
