// SPDX-License-Identifier: Apache-2.0
#include "compile/image_servers.h"

#include <limits.h>
#include <string.h>

#include "compile/globs.h"
#include "policy/servers.h"

/* Several tools may have one: that of the scope's own counts. */
static void add_server(struct image *image, const struct image_server *server)
{
	struct image_server *there = image->servers, *end = there + image->server_count;

	while (there < end && (there->port != server->port ||
			       memcmp(&there->address, &server->address, ADDRESS_BYTES) != 0))
		there++;
	if (there == end)
		image->server_count++;
	if (there == end || there->server < server->server)
		*there = *server;
}

/* What no socket's path is long enough for is left out. */
static void add_path(struct image *image, const struct tool *tool, bool own)
{
	struct glob *glob = own ? &image->own_paths[image->own_path_count]
				: &image->other_paths[image->other_path_count];
	char pattern[PATH_MAX + 16];

	if (!server_pattern(tool, pattern, sizeof(pattern)) || !glob_compile(pattern, false, glob))
		return;
	if (own)
		image->own_path_count++;
	else
		image->other_path_count++;
}

int image_add_servers(struct image *image, const struct policy *policy, const struct tool *own,
		      struct names_source *names, struct error *error)
{
	struct named_server *named =
		arena_new_array(image->arena, struct named_server, policy->tool_count + 1);

	image->servers = arena_new_array(image->arena, struct image_server, policy->tool_count + 1);
	image->own_paths = arena_new_array(image->arena, struct glob, policy->tool_count + 1);
	image->other_paths = arena_new_array(image->arena, struct glob, policy->tool_count + 1);
	if (!named || !image->servers || !image->own_paths || !image->other_paths)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (size_t i = 0; i < policy->tool_count; i++) {
		const struct tool *tool = &policy->tools[i];
		const uint32_t server = (uint32_t)(i + 1) | (tool == own ? SERVER_OWN : 0);
		struct ip_address address;

		switch (server_kind_of(tool, &address)) {
		case SERVER_ADDRESS:
		case SERVER_LOOPBACK:
			add_server(image,
				   &(struct image_server){address, tool->sql->server_port, server});
			break;
		case SERVER_NAME:
			named[names->server_count++] = (struct named_server){
				tool->sql->server_host, tool->sql->server_port, server};
			break;
		case SERVER_UNIX:
			add_path(image, tool, tool == own);
			break;
		case SERVER_NONE:
			break;
		}
	}
	names->servers = named;
	return 0;
}
