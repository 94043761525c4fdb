/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets that policyd makes for the SQL guard, in the network namespace of who is to be
 * guarded: listeners on loopback, and connections to servers. `space` is an open /proc/PID/ns/net.
 */
#ifndef AGENTPOL_KERNEL_GUARD_SOCKETS_H
#define AGENTPOL_KERNEL_GUARD_SOCKETS_H

#include <stdbool.h>

#include "kernel/sockets.h"

/* Listens on 127.0.0.1 or ::1, at a port of the kernel's choice; nonblocking. -errno. */
int guard_socket_listen(int space, int family, uint16_t *port) MUST_USE;
/* Listens at an abstract name of `size` bytes, its first NUL too. -errno. */
int guard_socket_listen_name(int space, const void *name, size_t size) MUST_USE;
/* Connected to the socket at that path as the process has it: below its own root, and as that user,
 * so that permissions and the server's `peer` authentication are the client's own. -errno. */
int guard_socket_connect_path(pid_t pid, uid_t uid, const char *path) MUST_USE;
/* A nonblocking socket that is connected, or about to be (*connecting). -errno. */
int guard_socket_connect(int space, const struct ip_address *address, uint16_t port,
			 bool *connecting) MUST_USE;
/* Is that connection there, from the client's end, and is it the socket with that cookie? */
bool guard_socket_is(int space, const struct socket_flow *flow);

#endif
