/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target's own resolvers and search domains, from its /etc/resolv.conf: once, when a cgroup
 * gets its first policy. Never again while it has one: an agent that may write the file could name
 * a server of its own, whose answers would open any address.
 */
#ifndef AGENTPOL_POLICYD_RESOLVERS_H
#define AGENTPOL_POLICYD_RESOLVERS_H

#include "base/error.h"
#include "policy/address.h"

/* More than the three and six that resolv.conf(5) reads. */
#define RESOLVERS_MAX	   8
#define SEARCH_DOMAINS_MAX 6
#define RESOLV_NAME_ROOM   256

struct resolvers {
	bool known;
	struct ip_address addresses[RESOLVERS_MAX];
	size_t count;
	char search[SEARCH_DOMAINS_MAX][RESOLV_NAME_ROOM]; /* lower case, no dot at the end */
	size_t search_count;
};

/*
 * Reads the file as a process of the cgroup sees it (its root, links resolved below that), or,
 * where no process is in it, as this one does. A file that is missing or names no server means the
 * server on this host, 127.0.0.1, as it does for the C library. STATUS_SYSTEM where it can't be
 * read.
 */
int resolvers_read(const char *cgroup_path, struct resolvers *resolvers,
		   struct error *error) MUST_USE;

/* The text of a resolv.conf(5); lines that it does not know are passed over, as the C library does.
 */
void resolvers_parse(const char *text, struct resolvers *resolvers);

#endif
