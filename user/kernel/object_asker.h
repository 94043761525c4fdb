/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the kernel what an open file is, as programs in the kernel see it; for objects.c. */
#ifndef AGENTPOL_KERNEL_OBJECT_ASKER_H
#define AGENTPOL_KERNEL_OBJECT_ASKER_H

#include "base/error.h"
#include "bpf/abi.h"

struct object_asker;

/* For the thread that calls; as long as it is there each system call of the machine costs a
 * little. */
struct object_asker *object_asker_new(struct error *error) MUST_USE;
/* Accepts NULL. */
void object_asker_free(struct object_asker *asker);
static inline void cleanup_object_asker(struct object_asker **asker)
{
	object_asker_free(*asker);
}
#define _cleanup_asker_ __attribute__((cleanup(cleanup_object_asker)))

/* `fd` may be O_PATH. The policy id is 0. */
int object_ask(const struct object_asker *asker, int fd, struct object_key *object,
	       struct error *error) MUST_USE;

#endif
