/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock's system calls: the kernel's version, and making a domain of rules. */
#ifndef AGENTPOL_KERNEL_LANDLOCK_H
#define AGENTPOL_KERNEL_LANDLOCK_H

#include "compile/landlock.h"

/* The version that this kernel offers (landlock_create_ruleset(2)); 0 where it has none. */
int landlock_abi(void);

/* A new rule set for the domain: a descriptor, or -1 with errno. */
int landlock_new(const struct landlock_domain *domain) MUST_USE;
/* Gives rights below an O_PATH descriptor; on a file those that files can have. 0, or -1 with
 * errno. */
int landlock_allow(int rules, int fd, bool folder, uint64_t rights) MUST_USE;
/* Puts the calling thread into the domain, for good; needs no_new_privs. 0, or -1 with errno. */
int landlock_enter(int rules) MUST_USE;

#endif
