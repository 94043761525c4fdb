/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world of host names for benchmarks: which there are, at which addresses, the manifest that
 * grants them, and what is said about them: a DNS question, its answer, a ClientHello. Name n has
 * the addresses n, n + names, n + 2 * names and so on, so that the first ones are the same in a
 * small world and in a large one.
 */
#ifndef AGENTPOL_TOOLS_NAMED_H
#define AGENTPOL_TOOLS_NAMED_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define NAMED_RESOLVER	  "127.0.0.1"
#define NAMED_BY_ADDRESS  "11.255.255.1" /* granted by a rule of its own, whatever names do */
#define NAMED_NOWHERE	  "11.255.255.2" /* granted by nothing */
#define NAMED_HELLO_PORT  443		 /* names open it for TLS with their server name */
#define NAMED_FREE_PORT	  8443		 /* "sni": "ignore" */
#define NAMED_HELLO_BYTES 517		 /* as browsers pad it */

struct packet {
	uint16_t length;
	uint8_t bytes[NAMED_HELLO_BYTES];
};

/* Routes every address of a world to the loopback device of the caller's network namespace. */
void named_route(void);

/* JSON; the caller frees it. Two rules a name; no name: the rule for the address alone. */
char *named_manifest(size_t names, size_t *length);

struct in_addr named_address(size_t number);
void named_question(size_t name, uint16_t id, struct packet *packet);
/* With `count` of the name's addresses, in a world of so many names. */
void named_answer(const struct packet *question, size_t name, size_t names, size_t count,
		  struct packet *packet);
void named_hello(size_t name, struct packet *packet);

#endif
