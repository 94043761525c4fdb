/* SPDX-License-Identifier: Apache-2.0 */
/* Proof that enforcement is real: the most common failure in the field is one that is silently off.
 */
#ifndef AGENTPOL_KERNEL_SELFTEST_H
#define AGENTPOL_KERNEL_SELFTEST_H

#include "kernel/enforcer.h"

/*
 * Makes a throw-away cgroup with a throw-away policy and connects from it, over loopback, to a
 * server that the policy grants and to one that it does not. 0 only where the first connects and
 * the second gets EPERM; otherwise the sentence says what happened instead. Some 5 ms. Where the
 * LSM heeds us, selftest_run_tasks() too.
 */
int selftest_run(struct enforcer *enforcer, struct error *error) MUST_USE;
/* The connections of it alone. */
int selftest_run_connections(struct enforcer *enforcer, struct error *error) MUST_USE;

/*
 * The same of what processes do: a system call that is denied must fail with EPERM where the LSM
 * heeds us, or else kill who makes it. For where enforcer_judges_tasks() or enforcer_can_watch();
 * the tracepoints of the latter are attached for as long as it takes.
 */
int selftest_run_tasks(struct enforcer *enforcer, struct error *error) MUST_USE;

#endif
