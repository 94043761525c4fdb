/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup's processes: which sockets they hold, and which network namespaces they reach. For
 * sockets.c alone. */
#ifndef AGENTPOL_KERNEL_HOLDERS_H
#define AGENTPOL_KERNEL_HOLDERS_H

#include "kernel/sockets.h"

/* A descriptor that is a socket, of whatever family. */
struct holder {
	uint32_t inode;
	pid_t pid;
	pid_t task; /* pid, but for a thread with descriptors of its own */
	int descriptor;
};

/* A network namespace. */
struct space {
	uint64_t inode;
	int fd;	  /* owned: the namespace */
	int diag; /* owned: see diag_open; -1: not opened yet */
};

struct holders {
	uint64_t *cgroups; /* sorted ids of the scope's */
	size_t cgroup_count, cgroup_room;
	struct holder *items; /* sorted by inode */
	size_t count, room;
	struct space *spaces;
	size_t space_count, space_room;
};

/* Fills *holders, which holders_free empties, also after an error. */
int holders_find(const struct socket_scope *scope, struct holders *holders,
		 struct error *error) MUST_USE;
void holders_free(struct holders *holders);

/* The first holder of a socket, or NULL. */
const struct holder *holders_of(const struct holders *holders, uint32_t inode);
bool holders_have_cgroup(const struct holders *holders, uint64_t cgroup);
/* Adds the namespace that `fd` is, which is taken over; -errno. */
int holders_add_space(struct holders *holders, int fd) MUST_USE;
/* A duplicate of the descriptor; -errno. What it is now is the caller's to check. */
int holder_take(const struct holder *holder) MUST_USE;

/* Calls `visit` with each task of a cgroup and of those below, but for those apart. A negative
 * answer ends it. */
int holders_each_process(const struct socket_scope *scope, int (*visit)(pid_t pid, void *context),
			 void *context) MUST_USE;

#endif
