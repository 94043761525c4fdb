/* SPDX-License-Identifier: Apache-2.0 */
/* sock_diag(7): the kernel's tables of inet sockets, one network namespace at a time. For sockets.c
 * and refusal.c alone. */
#ifndef AGENTPOL_KERNEL_DIAG_H
#define AGENTPOL_KERNEL_DIAG_H

#include "kernel/sockets.h"

/* Listed as a protocol of its own: what processes hold. Its subflows, which carry it, are TCP. */
#define PROTOCOL_MPTCP 262

/* A descriptor that speaks of the namespace behind `space` (an open /proc/PID/ns/net); the caller
 * stays where it is. -errno. */
int diag_open(int space) MUST_USE;
/* Any socket of that namespace, as socket(2) has it; waits a second at most. -errno. */
int space_socket(int space, int family, int type, int protocol) MUST_USE;

/* Calls `visit` for each socket of a family and protocol; inode, cookie, cgroup, ends and state are
 * filled. -ENOENT where this kernel does not list that protocol; a negative answer of `visit` ends
 * it. */
int diag_list(int diag, int family, uint32_t protocol,
	      int (*visit)(const struct open_socket *socket, void *context),
	      void *context) MUST_USE;

/* Finds the TCP or UDP socket that has exactly these two ends; -ENOENT. */
int diag_find(int diag, const struct socket_flow *flow, struct open_socket *found) MUST_USE;

/* Is there a socket that a packet from the remote end to the local one would come to? */
bool diag_has_reader(int diag, const struct socket_flow *flow);

/* Destroys what was listed or found; see sockets_destroy. */
int diag_destroy(int diag, const struct open_socket *socket) MUST_USE;

#endif
