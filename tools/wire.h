/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A veth pair from the caller's network namespace to one of its own, and who listens at the far
 * end, on the second CPU: iperf3 for TCP, a sink that counts for UDP. All of it ends with the
 * caller.
 */
#ifndef AGENTPOL_TOOLS_WIRE_H
#define AGENTPOL_TOOLS_WIRE_H

#include <netinet/in.h>
#include <stdint.h>

/* The far end has several addresses; it listens on all. */
#define WIRE_SERVER   "10.77.0.2"
#define WIRE_SERVER_2 "10.77.0.3"
#define WIRE_OTHER    "10.77.0.4" /* granted by nobody */
#define WIRE_PORT     7001	  /* both TCP and UDP */

struct wire {
	volatile uint64_t *arrived; /* datagrams at the sink */
};

/* Exits where it can't; says which program is missing. */
void wire_up(struct wire *wire);

/* WIRE_PORT at one of the addresses. */
struct sockaddr_in wire_address(const char *address);

#endif
