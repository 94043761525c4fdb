/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on their way to a descriptor that may not take them at once. */
#ifndef AGENTPOL_AGENTPOL_OUTBOX_H
#define AGENTPOL_AGENTPOL_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct outbox {
	int fd;	     /* not owned; -1: what is put in is dropped */
	char *bytes; /* owned */
	size_t start, length, room;
};

/* Past so much no more should be read that could lead to more. */
#define OUTBOX_FULL (1U << 20)

void outbox_free(struct outbox *outbox);
static inline size_t outbox_left(const struct outbox *outbox)
{
	return outbox->length - outbox->start;
}
/* A line and its end. -ENOMEM. */
int outbox_put(struct outbox *outbox, const char *line, size_t length) MUST_USE;
/* Writes what the descriptor takes now. -errno where it takes no more ever. */
int outbox_flush(struct outbox *outbox) MUST_USE;

#endif
