/* SPDX-License-Identifier: Apache-2.0 */
/* What DNS answers have opened, as user space keeps house of it. The kernel programs fill it. */
#ifndef AGENTPOL_KERNEL_LEARNT_H
#define AGENTPOL_KERNEL_LEARNT_H

#include "kernel/enforcer.h"

/* The text of a name's hash; "" where it is not known (any more). `text` has NAME_TEXT_BYTES. */
void learnt_name_text(const struct enforcer *enforcer, uint64_t hash, char *text);

/* The same of the name that led to an address last, as far as that policy knows; `space` as in
 * struct learnt_key. */
void learnt_text_of_address(const struct enforcer *enforcer, uint32_t policy_id, uint32_t space,
			    const uint8_t *address, char *text);

/*
 * Opens under the new policy what its rules grant of the names that were learnt under the old one,
 * for the time that they have left: so that a swap closes no connection that both policies grant.
 * Called before the swap and once more after it.
 */
void learnt_carry_over(const struct enforcer *enforcer, uint32_t old_policy, uint32_t new_policy);

/* Takes out what has run out for so long that no connection should need it, what belongs to
 * policies that no cgroup has, and texts that nothing refers to. Once a minute. */
void learnt_sweep(const struct enforcer *enforcer);

#endif
