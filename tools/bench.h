/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks share: a place of one's own on the machine (cgroups, pins, a network
 * namespace) that is gone afterwards however the run ends, turns in a process of their own, and
 * the middle of many values. Errors end the run; every function that can fail says so and exits.
 */
#ifndef AGENTPOL_TOOLS_BENCH_H
#define AGENTPOL_TOOLS_BENCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "kernel/enforcer.h"

struct bench {
	const char *name;	   /* "bench-egress", in front of what it says */
	char cgroup[PATH_MAX];	   /* all cgroups of the run are below it */
	char pins[PATH_MAX];	   /* pin_root */
	struct enforcer *enforcer; /* opened for `run` */
};

/* Another enforcer with tables of its own, for comparisons of what is in them. One at a time; the
 * caller closes it or leaves it to the end of the run. */
struct enforcer *bench_open_second(const struct bench *bench, bool without_names);

/* Calls `run` in a child whose network namespace is new, and waits. When the child has ended, also
 * where it failed or a signal came, its cgroups and pins are removed. The exit status. */
int bench_main(const char *name, int (*run)(struct bench *bench));

/* Says what failed and ends the run; `error` may be NULL: then errno is the reason. */
_Noreturn void bench_die(const struct error *error, const char *format, ...) FORMAT(2, 3);
/* A shell command that must succeed. */
void bench_command(const char *format, ...) FORMAT(1, 2);
/* Overwritten by the next; on a terminal alone. "" takes it away. */
void bench_progress(const char *format, ...) FORMAT(1, 2);

double bench_now_ns(void);
/* Sorts the values. `share` of them are below what is returned: 0.5 is the median. */
double bench_quantile(double *values, size_t count, double share);

/* Makes a cgroup below bench->cgroup; PATH_MAX bytes of room for its path. */
void bench_make_cgroup(const struct bench *bench, const char *name, char *path);
/* From a manifest's text to tables in force; its milliseconds. */
double bench_load(struct bench *bench, const char *text, size_t length, uint64_t *policy);
void bench_enrol(struct bench *bench, const char *cgroup, uint64_t policy);
void bench_release(struct bench *bench, const char *cgroup);
/* What the kernel charges for a map; "memlock:" of its fdinfo. */
double bench_map_bytes(const struct bench *bench, enum enforcer_map map);

/* Keeps the calling process on one of the CPUs that it may use: 0 is the first, 1 the second. */
void bench_pin_cpu(unsigned nth);
/* Runs `turn` in a process of its own on the first CPU and takes over the `size` bytes of `result`
 * that it wrote. */
void bench_turn(void (*turn)(void *context, void *result), void *context, void *result,
		size_t size);

#endif
