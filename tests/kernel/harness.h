/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world of its own for a kernel test: a network namespace whose every address is routed onto a
 * wire with nobody at its end, a cgroup that the test process lives in, an enforcer with its own
 * pins. Two tests at once don't meet.
 */
#ifndef AGENTPOL_TESTS_KERNEL_HARNESS_H
#define AGENTPOL_TESTS_KERNEL_HARNESS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "compile/image.h"
#include "kernel/enforcer.h"
#include "policy/policy.h"

struct world {
	struct enforcer *enforcer;
	char cgroup[PATH_MAX];
	char pins[PATH_MAX];
	uint64_t cgroup_id;
};

/* cmocka's group set-up and tear-down; *state becomes the world. They fail the test, loudly. */
int world_set_up(void **state);
int world_tear_down(void **state);
/* False, with the reason printed as TAP, where this machine can't run kernel tests. */
bool world_is_possible(void);
/* Set by it. */
extern bool world_judges_unix, world_judges_tasks;

/* So many of a long loop's turns as AGENTPOL_TEST_SHARE (percent) asks for; all of them without it. */
unsigned world_turns(unsigned all);

/* A manifest's text to a policy; fails the test where it is not usable. */
struct policy *world_read(const char *manifest);
/* Loads the policy and puts the world's cgroup under it (enrols or swaps); its id. */
uint64_t world_put_under(struct world *world, const struct policy *policy);
/* The same with the grants of that tool. */
uint64_t world_put_under_tool(struct world *world, const struct policy *policy, const char *tool);

/* What the kernel says to one attempt of the process that calls: 0, or an errno. EPERM is a denial;
 * any other errno comes after the verdict. */
int attempt_connect(const struct ip_address *address, uint16_t port, int type);
int attempt_sendto(const struct ip_address *address, uint16_t port);
int attempt_bind(const struct ip_address *address, uint16_t port, int type);
/* A whole IPv4 packet through a raw socket: no socket call's hook sees it, the packet hook does. */
int attempt_raw_packet(const struct ip_address *address, uint16_t port, uint8_t protocol);

#endif
