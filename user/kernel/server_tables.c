// SPDX-License-Identifier: Apache-2.0
#include "kernel/server_tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

int server_tables_load(struct enforcer *enforcer, uint32_t policy_id, const struct image *image,
		       struct error *error)
{
	const int fd = enforcer_map_fd(enforcer, MAP_SERVER_OF_ADDRESS);

	for (size_t i = 0; i < image->server_count; i++) {
		const struct image_server *server = &image->servers[i];
		struct server_key key = {.policy_id = policy_id, .port = server->port};

		memcpy(key.address, server->address.bytes, sizeof(key.address));
		if (bpf_map_update_elem(fd, &key, &server->server, BPF_ANY) < 0)
			return error_set_errno(error, STATUS_SYSTEM, errno,
					       errno == E2BIG || errno == ENOSPC
						       ? "the table of tools' servers is full"
						       : "server_of_address");
	}
	return 0;
}

/* All these tables' keys begin with the policy's id. */
static void drop_policy(int fd, void *key, void *next, size_t size, uint32_t policy_id)
{
	bool more = bpf_map_get_next_key(fd, NULL, key) == 0;

	while (more) {
		more = bpf_map_get_next_key(fd, key, next) == 0;
		if (memcmp(key, &policy_id, sizeof(policy_id)) == 0)
			(void)bpf_map_delete_elem(fd, key);
		memcpy(key, next, size);
	}
}

void server_tables_unload(struct enforcer *enforcer, uint32_t policy_id)
{
	struct server_key server, next_server = {0};
	struct guard_key guard, next_guard = {0};

	drop_policy(enforcer_map_fd(enforcer, MAP_SERVER_OF_ADDRESS), &server, &next_server,
		    sizeof(server), policy_id);
	drop_policy(enforcer_map_fd(enforcer, MAP_GUARD_OF_POLICY), &guard, &next_guard,
		    sizeof(guard), policy_id);
	drop_policy(enforcer_map_fd(enforcer, MAP_NAME_OF_GUARD), &guard, &next_guard,
		    sizeof(guard), policy_id);
}

int server_tables_each(const struct enforcer *enforcer,
		       int (*visit)(uint32_t policy_id, void *context), void *context)
{
	const int fd = enforcer_map_fd(enforcer, MAP_SERVER_OF_ADDRESS);
	struct server_key key, *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		previous = &key;
		if (visit(key.policy_id, context) < 0)
			return -ENOMEM;
	}
	return 0;
}

int guard_space_of(int socket, uint32_t *space)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	if (getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0)
		return -errno;
	*space = (uint32_t)cookie;
	return 0;
}

int guard_open(struct enforcer *enforcer, uint32_t policy_id, uint32_t space,
	       const struct guard_ports *ports, struct error *error)
{
	const struct guard_key key = {.policy_id = policy_id, .space = space};

	if (bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_GUARD_OF_POLICY), &key, ports,
				BPF_ANY) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "guard_of_policy");
	return 0;
}

void guard_close(struct enforcer *enforcer, uint32_t policy_id, uint32_t space)
{
	const struct guard_key key = {.policy_id = policy_id, .space = space};

	(void)bpf_map_delete_elem(enforcer_map_fd(enforcer, MAP_GUARD_OF_POLICY), &key);
	(void)bpf_map_delete_elem(enforcer_map_fd(enforcer, MAP_NAME_OF_GUARD), &key);
}

int guard_open_name(struct enforcer *enforcer, uint32_t policy_id, uint32_t space,
		    const struct guard_name *name, struct error *error)
{
	const struct guard_key key = {.policy_id = policy_id, .space = space};

	if (bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_NAME_OF_GUARD), &key, name, BPF_ANY) <
	    0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "name_of_guard");
	return 0;
}

int guard_take_path(struct enforcer *enforcer, const struct steered_path_key *key,
		    struct steered_path *path)
{
	const int fd = enforcer_map_fd(enforcer, MAP_STEERED_PATHS);

	if (bpf_map_lookup_elem(fd, key, path) < 0)
		return -errno;
	(void)bpf_map_delete_elem(fd, key);
	path->path[sizeof(path->path) - 1] = '\0';
	return 0;
}

static void carry_over(int fd, uint32_t old_policy, uint32_t new_policy, void *value)
{
	struct guard_key key, *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		const struct guard_key to = {.policy_id = new_policy, .space = key.space};

		previous = &key;
		if (key.policy_id == old_policy && bpf_map_lookup_elem(fd, &key, value) == 0)
			(void)bpf_map_update_elem(fd, &to, value, BPF_ANY);
	}
}

void guard_carry_over(struct enforcer *enforcer, uint32_t old_policy, uint32_t new_policy)
{
	struct guard_ports ports;
	struct guard_name name;

	carry_over(enforcer_map_fd(enforcer, MAP_GUARD_OF_POLICY), old_policy, new_policy, &ports);
	carry_over(enforcer_map_fd(enforcer, MAP_NAME_OF_GUARD), old_policy, new_policy, &name);
}

int guard_keep_port(struct enforcer *enforcer, uint32_t space, uint16_t port, int listener)
{
	const struct guard_port_key key = {.space = space, .port = port};
	const uint32_t kept = 1;

	if (bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_PORTS_OF_GUARD), &key, &kept,
				BPF_ANY) < 0 ||
	    bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_LISTENERS_OF_GUARD), &listener, &kept,
				BPF_ANY) < 0)
		return -errno;
	return 0;
}

void guard_give_port(struct enforcer *enforcer, uint32_t space, uint16_t port)
{
	const struct guard_port_key key = {.space = space, .port = port};

	(void)bpf_map_delete_elem(enforcer_map_fd(enforcer, MAP_PORTS_OF_GUARD), &key);
}

void guard_close_all(struct enforcer *enforcer)
{
	struct guard_key guard;
	struct guard_port_key port;
	int fd = enforcer_map_fd(enforcer, MAP_GUARD_OF_POLICY);

	while (bpf_map_get_next_key(fd, NULL, &guard) == 0 && bpf_map_delete_elem(fd, &guard) == 0)
		;
	fd = enforcer_map_fd(enforcer, MAP_NAME_OF_GUARD);
	while (bpf_map_get_next_key(fd, NULL, &guard) == 0 && bpf_map_delete_elem(fd, &guard) == 0)
		;
	fd = enforcer_map_fd(enforcer, MAP_PORTS_OF_GUARD);
	while (bpf_map_get_next_key(fd, NULL, &port) == 0 && bpf_map_delete_elem(fd, &port) == 0)
		;
}

int guard_take_peer(struct enforcer *enforcer, const struct steered_key *key, struct steered *peer)
{
	const int fd = enforcer_map_fd(enforcer, MAP_STEERED_PEERS);

	if (bpf_map_lookup_elem(fd, key, peer) < 0)
		return -errno;
	(void)bpf_map_delete_elem(fd, key);
	return 0;
}
