/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers of tools ("sql": "server"): what the guard alone speaks to. No rule of egress opens one;
 * the scope of its own tool reaches it through the guard.
 */
#ifndef AGENTPOL_POLICY_SERVERS_H
#define AGENTPOL_POLICY_SERVERS_H

#include "policy/policy.h"

enum server_kind {
	SERVER_NONE,
	SERVER_ADDRESS,
	SERVER_LOOPBACK, /* who serves on one address of loopback may serve on any */
	SERVER_NAME,
	SERVER_UNIX,
};

/* Where a tool's server is; *address is set for SERVER_ADDRESS and SERVER_LOOPBACK (then it is
 * 127.0.0.1). `tool` may have none. */
enum server_kind server_kind_of(const struct tool *tool, struct ip_address *address);

/* The tool whose server that is; `own` (NULL: none) before others. `name`, in any case, is what the
 * address was learnt under, or NULL. NULL where it is none's. */
const struct tool *servers_find(const struct policy *policy, const struct tool *own,
				const struct ip_address *address, uint16_t port, const char *name);
/* As servers_find, of those by name. */
const struct tool *servers_find_name(const struct policy *policy, const struct tool *own,
				     const char *name);
/* As servers_find, of Unix sockets: a path in normal form, DIRECTORY/.s.PGSQL.WHATEVER. */
const struct tool *servers_find_path(const struct policy *policy, const struct tool *own,
				     const char *path);

/* What matches those of a tool's server behind Unix sockets, as path_matches() reads it; false
 * where it does not fit. */
bool server_pattern(const struct tool *tool, char *pattern, size_t room) MUST_USE;

/* Does any tool have a server? */
bool servers_any(const struct policy *policy);
/* Does any tool have one behind a Unix socket? Then no Unix socket is open that is not listed: a
 * link would be a way around the guard. */
bool servers_any_unix(const struct policy *policy);

#endif
