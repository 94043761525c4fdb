/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of tools, and where the guard listens for them, in the kernel's tables. */
#ifndef AGENTPOL_KERNEL_SERVER_TABLES_H
#define AGENTPOL_KERNEL_SERVER_TABLES_H

#include "compile/image.h"
#include "kernel/enforcer.h"

int server_tables_load(struct enforcer *enforcer, uint32_t policy_id, const struct image *image,
		       struct error *error) MUST_USE;
/* Takes out a policy's servers, and where the guard listens for it. */
void server_tables_unload(struct enforcer *enforcer, uint32_t policy_id);
/* Calls `visit` with the policy of each entry, several times perhaps. -ENOMEM where it fails. */
int server_tables_each(const struct enforcer *enforcer,
		       int (*visit)(uint32_t policy_id, void *context), void *context) MUST_USE;

/* The low half of the network namespace's cookie, as the kernel's programs know it, by a socket in
 * it; -errno. */
int guard_space_of(int socket, uint32_t *space) MUST_USE;
/* From now on connections to the servers of that policy's own tool, in that namespace, go there. */
int guard_open(struct enforcer *enforcer, uint32_t policy_id, uint32_t space,
	       const struct guard_ports *ports, struct error *error) MUST_USE;
/* Nothing goes to the policy's servers there until it is opened anew. */
void guard_close(struct enforcer *enforcer, uint32_t policy_id, uint32_t space);
/* What goes to the guard under the old policy does under the new one, too. */
void guard_carry_over(struct enforcer *enforcer, uint32_t old_policy, uint32_t new_policy);
/* The listener's port is nobody's to connect to but by way of guard_open, which leads to that very
 * listener. -errno. */
int guard_keep_port(struct enforcer *enforcer, uint32_t space, uint16_t port,
		    int listener) MUST_USE;
void guard_give_port(struct enforcer *enforcer, uint32_t space, uint16_t port);
/* No listener of a predecessor's is there any more. */
void guard_close_all(struct enforcer *enforcer);

/* The same for a server behind a Unix socket: connections go to that abstract name. */
int guard_open_name(struct enforcer *enforcer, uint32_t policy_id, uint32_t space,
		    const struct guard_name *name, struct error *error) MUST_USE;
/* Which path has that process connected to? -ENOENT as below. */
int guard_take_path(struct enforcer *enforcer, const struct steered_path_key *key,
		    struct steered_path *path) MUST_USE;

/* Who has connected from there: told once. -ENOENT where nobody has been turned to the guard from
 * there. */
int guard_take_peer(struct enforcer *enforcer, const struct steered_key *key,
		    struct steered *peer) MUST_USE;

#endif
