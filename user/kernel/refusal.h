/* SPDX-License-Identifier: Apache-2.0 */
/* An answer to a DNS query that was not let out. */
#ifndef AGENTPOL_KERNEL_REFUSAL_H
#define AGENTPOL_KERNEL_REFUSAL_H

#include "kernel/sockets.h"

/*
 * Puts a datagram "no such name" (NXDOMAIN) into the asker's network namespace, as from the
 * resolver that was asked: some resolvers (musl's) take no notice of EPERM and wait for seconds,
 * nor of REFUSED; glibc and c-ares have given up already, and get nothing, since nobody reads there
 * any more. It has the header alone: what was asked is not on its way anywhere. `flow` is the
 * query's; 0, or -errno: -ENOENT where nobody waits.
 */
int refusal_send(const struct socket_flow *flow, uint16_t id) MUST_USE;

#endif
