/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOCK_SEQPACKET between processes: a packet is a struct guard_message, its tail, and descriptors
 * by SCM_RIGHTS. For the gateway, an end that waits in its event loop and queues what the other
 * side does not take yet; for the parser, plain calls that wait. Nobody but the guard's own
 * processes is at the other end, and it is checked all the same.
 */
#ifndef AGENTPOL_SQL_PACKETS_H
#define AGENTPOL_SQL_PACKETS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "sql/guard_link.h"

struct packet {
	struct guard_message head;
	const char *tail;	/* head.length bytes and a NUL */
	int fds[GUARD_FDS_MAX]; /* -1: none; whoever keeps one puts -1 in its place */
};

/* One packet, at once: 0 or -errno. */
int packet_send(int fd, const struct guard_message *head, const void *tail, const int *fds,
		size_t fd_count) MUST_USE;
/* One packet into *packet, whose tail is in `room` (GUARD_TAIL_MAX bytes and one): 1, 0 at the end
 * of the link, or -errno; -EPROTO where it is none. `flags` as for recvmsg. */
int packet_receive(int fd, struct packet *packet, char *room, int flags) MUST_USE;
void packet_close_fds(struct packet *packet);

struct packets;

struct packets_host {
	void (*received)(void *context, struct packet *packet);
	void (*lost)(void *context); /* the other end is gone */
	/* One that waited has gone; NULL: nobody asks. */
	void (*sent)(void *context, const struct guard_message *head);
};

/* Takes the descriptor over. NULL when out of memory. */
struct packets *packets_new(struct event_base *base, int fd, const struct packets_host *host,
			    void *context) MUST_USE;
/* May be called from its own callbacks. Accepts NULL. */
void packets_free(struct packets *packets);
/* 1: it is sent; 0: it waits; -errno: neither. Bounds are the caller's. Descriptors stay the
 * caller's. */
int packets_send(struct packets *packets, const struct guard_message *head, const void *tail,
		 const int *fds, size_t fd_count);
/* Takes what has come, before the loop would. Not from its own callbacks. */
void packets_take(struct packets *packets);
/* The memory that one takes while it waits, about. */
size_t packet_cost(const struct guard_message *head);
/* What all that wait take. */
size_t packets_queued(const struct packets *packets);

#endif
