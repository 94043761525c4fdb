/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells: events from the ring, and the counts behind equal denials. */
#ifndef AGENTPOL_KERNEL_RING_H
#define AGENTPOL_KERNEL_RING_H

#include "kernel/enforcer.h"

struct ring;

/* Called for each event, in the kernel's order; `name` is the text of the name that it is about, ""
 * where there is none or it is not known. Both are valid during the call alone. */
typedef void (*ring_callback)(const struct event *event, const char *name, void *context);
/* Called for what user space is asked to do. */
typedef void (*errand_callback)(const struct errand *errand, void *context);

struct ring *ring_new(struct enforcer *enforcer, ring_callback callback, errand_callback errand,
		      void *context, struct error *error) MUST_USE;
/* Accepts NULL. */
void ring_free(struct ring *ring);
/* Readable when there are events; for poll(2). */
int ring_fd(const struct ring *ring);
/* Takes what is there, without waiting; the number of events, or -errno. */
int ring_consume(struct ring *ring);

/*
 * Ends the counting of a policy's denials: calls back once for each kind whose count went on since
 * its last event (which had it at a power of two), with the count of now, and forgets the kinds.
 * `policy_id` 0 is every policy that no cgroup has.
 */
void ring_settle_counts(const struct ring *ring, uint32_t policy_id);

#endif
