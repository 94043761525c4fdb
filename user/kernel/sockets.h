/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inet sockets that are open: those of a cgroup and those that its processes hold, in every
 * network namespace that they reach; and the end of one of them. policyd asks when it takes a live
 * cgroup, and when a connection is to end whose grant has ended.
 */
#ifndef AGENTPOL_KERNEL_SOCKETS_H
#define AGENTPOL_KERNEL_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "policy/address.h"

/* Not in every libc's headers. */
#define PROTOCOL_UDPLITE 136

enum open_state {
	SOCKET_UNCONNECTED, /* UDP, UDP-Lite or raw without a peer */
	SOCKET_CONNECTED,   /* has a peer, or asks for one */
	SOCKET_LISTENING,
};

struct open_socket {
	struct ip_address local, remote;  /* remote: any address where there is no peer */
	uint16_t local_port, remote_port; /* host order; a raw socket has its protocol here */
	uint32_t protocol; /* IPPROTO_TCP (MPTCP's subflows too), _UDP, _RAW or PROTOCOL_UDPLITE */
	enum open_state state;
	int family; /* of the socket: AF_INET6 may well have IPv4 addresses */
	uint32_t interface;
	uint32_t inode;	 /* 0: no process has it (not accepted yet, or closed already) */
	uint64_t cookie; /* the kernel's name for it, never used twice */
	uint64_t cgroup; /* the one it was made in; 0: the kernel does not say */
	uint64_t space;	 /* inode of its network namespace */
	bool foreign;	 /* made outside: the hooks of that cgroup don't judge it */
	/* A process of the cgroup that holds it; 0: none does. */
	pid_t pid, task;
	int descriptor;
	bool listed; /* sock_diag knows it; else it is a raw one, and `foreign` a guess */
};

/* Whose sockets. */
struct socket_scope {
	const char *cgroup_path; /* and all below it */
	/* Cgroups below that are somebody else's to judge, with all below them; NULL: none. */
	bool (*is_apart)(uint64_t cgroup, const void *context);
	const void *context;
	bool here; /* also in the caller's own namespace, though none of its processes be left there
		    */
};

struct sockets; /* one listing */

/*
 * Lists them; what can't be seen whole is an error (STATUS_SYSTEM). A socket that is neither bound
 * nor connected is known to no table of the kernel and is not listed, but for raw ones.
 */
struct sockets *sockets_list(const struct socket_scope *scope, struct error *error) MUST_USE;
/* Accepts NULL. */
void sockets_free(struct sockets *sockets);
static inline void cleanup_sockets_free(struct sockets **sockets)
{
	sockets_free(*sockets);
}
#define _cleanup_sockets_ __attribute__((cleanup(cleanup_sockets_free)))

size_t sockets_count(const struct sockets *sockets);
const struct open_socket *sockets_at(const struct sockets *sockets, size_t index);

/*
 * Destroys one of the listing: a TCP peer gets a reset, who holds the socket ECONNABORTED. A
 * datagram socket loses its peer and stays its process's. 0; -ENOENT where it has gone meanwhile;
 * -EOPNOTSUPP where this kernel can't (it was built without CONFIG_INET_DIAG_DESTROY, or without
 * the diag of that protocol, and no process of the cgroup holds the socket); or another -errno.
 */
int sockets_destroy(const struct sockets *sockets, const struct open_socket *socket) MUST_USE;

/* A descriptor of our own for a socket that a process of the cgroup holds; -errno where it is no
 * more that socket. */
int sockets_take(const struct open_socket *socket) MUST_USE;

/*
 * When a cgroup's processes have ended, before its policy does: destroys what they have left of
 * connections in the caller's own network namespace. The kernel goes on trying to send what a
 * policy has held back, and would, once there is none.
 */
void sockets_destroy_left(const char *cgroup_path);

/* One connection, as a packet of it tells. */
struct socket_flow {
	pid_t pid;		 /* a process in its network namespace; 0: not known */
	const char *cgroup_path; /* whose processes are asked else; NULL: none */
	unsigned protocol;	 /* IPPROTO_TCP or _UDP */
	struct ip_address local, remote;
	uint16_t local_port, remote_port; /* host order */
	uint64_t cookie;		  /* the one socket that is meant; 0: any */
};

/*
 * Destroys the socket that has exactly these two ends, and never a listener nor, where the flow has
 * a cookie, another socket than that: in another namespace a stranger's may have the same ends. For
 * an event loop: a bounded number of namespaces is asked (well below a millisecond for one), and a
 * process that is gone is no wait. 0; -ENOENT where there is no such connection; -ESRCH where
 * nobody is left whose namespace could be asked; -EOPNOTSUPP as above; or another -errno.
 */
int sockets_destroy_flow(const struct socket_flow *flow) MUST_USE;

#endif
