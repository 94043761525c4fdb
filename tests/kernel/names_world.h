/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The harness's world with somebody in it, outside the policy: a resolver that answers what the
 * test wants, and servers that take what comes.
 */
#ifndef AGENTPOL_TESTS_KERNEL_NAMES_WORLD_H
#define AGENTPOL_TESTS_KERNEL_NAMES_WORLD_H

#include "harness.h"

#define RESOLVER	"127.0.0.1"
#define ASKED_NAMES	8
#define ASKED_ADDRESSES 8
#define ANSWERS_EACH	4

extern const char *const asked_names[ASKED_NAMES];
extern const char *const asked_addresses[ASKED_ADDRESSES];
struct ip_address asked_address(size_t index);

/* What the resolver says of each name; both processes see it. */
struct answers {
	uint8_t count[ASKED_NAMES];
	uint8_t addresses[ASKED_NAMES][ANSWERS_EACH]; /* into asked_addresses */
	bool by_alias[ASKED_NAMES];
};

struct names_world {
	struct world *world;
	struct answers *answers;
};

/* cmocka's group set-up and tear-down; *state becomes the struct names_world. */
int names_world_set_up(void **state);
int names_world_tear_down(void **state);

/* Asks for a name's addresses of one family and waits for the answer: 0, or EPERM. */
int ask_resolver(size_t name, bool six);
/* As attempt_sendto(), by connect(2) and send(2). */
int attempt_connected_send(const struct ip_address *address, uint16_t port);
/* Is there a server at the address and port? */
bool is_served(size_t address, uint16_t port);
/* Connects there and sends a ClientHello for the server name: 0 where it left, EPERM where the
 * kernel holds it back. */
int greet(size_t address, uint16_t port, const char *server);

#endif
