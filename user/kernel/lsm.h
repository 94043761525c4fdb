/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the kernel heed BPF programs at the hooks of its LSM? Where "bpf" is not among the active
 * LSMs such programs load and attach without an error, and nothing asks them.
 */
#ifndef AGENTPOL_KERNEL_LSM_H
#define AGENTPOL_KERNEL_LSM_H

#include <stdbool.h>
#include <stddef.h>

#define LSM_LIST_MAX 256

/* The kernel's list of active LSMs, "capability,landlock,bpf"; "" where it can't be read. */
void lsm_read_list(char list[LSM_LIST_MAX]);
/* What the kernel keeps even root from: "none", "integrity" or "confidentiality"; "" where it can't
 * be read, or is no LSM here. */
void lsm_read_lockdown(char level[LSM_LIST_MAX]);
/* Is that one in the list? */
bool lsm_list_has(const char *list, const char *name);
/* Is BPF among the active ones? */
bool lsm_is_active(void);

#endif
