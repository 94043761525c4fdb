// SPDX-License-Identifier: Apache-2.0
#include "policy/servers.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/paths.h"

enum server_kind server_kind_of(const struct tool *tool, struct ip_address *address)
{
	static const char localhost[] = "127.0.0.1";
	const struct sql_policy *sql = tool->sql;

	if (!sql)
		return SERVER_NONE;
	if (!sql->server_host)
		return sql->server_path ? SERVER_UNIX : SERVER_NONE;
	if (strcmp(sql->server_host, "localhost") != 0) {
		if (!address_parse(sql->server_host, address))
			return SERVER_NAME;
		*address = address_as_destination(*address);
		if (!address_is_loopback(address))
			return SERVER_ADDRESS;
	}
	return address_parse(localhost, address) ? SERVER_LOOPBACK : SERVER_NONE;
}

static bool same_name(const char *written, const char *name)
{
	size_t length = strlen(name);

	/* The root's dot. */
	if (length > 0 && name[length - 1] == '.')
		length--;
	return strlen(written) == length && strncasecmp(written, name, length) == 0;
}

static bool is_server_of(const struct tool *tool, const struct ip_address *address, uint16_t port,
			 const char *name)
{
	struct ip_address server;

	switch (server_kind_of(tool, &server)) {
	case SERVER_ADDRESS:
		return tool->sql->server_port == port &&
		       memcmp(&server, address, sizeof(server)) == 0;
	case SERVER_LOOPBACK:
		return tool->sql->server_port == port && address_is_loopback(address);
	case SERVER_NAME:
		return tool->sql->server_port == port && name &&
		       same_name(tool->sql->server_host, name);
	case SERVER_NONE:
	case SERVER_UNIX:
		break;
	}
	return false;
}

const struct tool *servers_find(const struct policy *policy, const struct tool *own,
				const struct ip_address *address, uint16_t port, const char *name)
{
	if (own && is_server_of(own, address, port, name))
		return own;
	for (size_t i = 0; i < policy->tool_count; i++)
		if (is_server_of(&policy->tools[i], address, port, name))
			return &policy->tools[i];
	return NULL;
}

static bool is_named(const struct tool *tool, const char *name)
{
	struct ip_address ignored;

	return server_kind_of(tool, &ignored) == SERVER_NAME &&
	       same_name(tool->sql->server_host, name);
}

const struct tool *servers_find_name(const struct policy *policy, const struct tool *own,
				     const char *name)
{
	if (own && is_named(own, name))
		return own;
	for (size_t i = 0; i < policy->tool_count; i++)
		if (is_named(&policy->tools[i], name))
			return &policy->tools[i];
	return NULL;
}

/* What libpq makes of a directory and a port (UNIXSOCK_PATH in src/include/libpq/pqcomm.h). */
bool server_pattern(const struct tool *tool, char *pattern, size_t room)
{
	const char *directory = tool->sql->server_path;
	size_t length = strlen(directory);

	while (length > 0 && directory[length - 1] == '/')
		length--;
	return (size_t)snprintf(pattern, room, "%.*s/.s.PGSQL.*", (int)length, directory) < room;
}

static bool is_socket_of(const struct tool *tool, const char *path)
{
	char pattern[PATH_MAX + 16];
	struct ip_address ignored;

	return server_kind_of(tool, &ignored) == SERVER_UNIX &&
	       server_pattern(tool, pattern, sizeof(pattern)) && path_matches(pattern, path);
}

const struct tool *servers_find_path(const struct policy *policy, const struct tool *own,
				     const char *path)
{
	if (own && is_socket_of(own, path))
		return own;
	for (size_t i = 0; i < policy->tool_count; i++)
		if (is_socket_of(&policy->tools[i], path))
			return &policy->tools[i];
	return NULL;
}

bool servers_any(const struct policy *policy)
{
	for (size_t i = 0; i < policy->tool_count; i++)
		if (policy->tools[i].sql)
			return true;
	return false;
}

bool servers_any_unix(const struct policy *policy)
{
	for (size_t i = 0; i < policy->tool_count; i++)
		if (policy->tools[i].sql && policy->tools[i].sql->server_path)
			return true;
	return false;
}
