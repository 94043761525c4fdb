/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One allow-list, written for both who can enforce it: a manifest, and an nftables chain as an
 * administrator would write it by hand. The two servers of wire.h come first; the rest is others'.
 */
#ifndef AGENTPOL_TOOLS_ALLOW_LIST_H
#define AGENTPOL_TOOLS_ALLOW_LIST_H

#include <stddef.h>

enum allow_shape {
	ALLOW_PREFIXES,	 /* 11.0.1.0/24, ports 8000 to 8100: an interval set */
	ALLOW_ADDRESSES, /* 11.0.1.7, port 443: a hash set, the quickest of nftables */
};

/* JSON; the caller frees it. */
char *allow_list_manifest(enum allow_shape shape, size_t rules, size_t *length);

/* Puts the list in force for what is sent from the cgroup, in the caller's network namespace. NULL,
 * or the first line of what nft says, or why it could not be asked. */
const char *allow_list_load(enum allow_shape shape, size_t rules, const char *cgroup);
void allow_list_unload(void);

#endif
