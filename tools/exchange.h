/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program with names does, one turn of it, and what that costs: asking for a name,
 * connecting to its address, greeting there with a ClientHello, sending on. Both ends are sockets
 * of the process that calls, so that no scheduler stands between them; the far end's are made
 * outside the cgroup that is judged.
 */
#ifndef AGENTPOL_TOOLS_EXCHANGE_H
#define AGENTPOL_TOOLS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange {
	const char *cgroup;
	size_t names;	  /* that are spoken of, in turn */
	size_t addresses; /* that are spoken to, in turn */
	size_t start;	  /* where among them the turn begins */
	uint16_t port;
	bool by_address; /* to the one that a rule grants by its address */
};

enum exchange_kind {
	EXCHANGE_QUESTION, /* question and answer, each read */
	EXCHANGE_CONNECT,  /* connect(2) */
	EXCHANGE_HELLO,	   /* connect(2), and sending the hello */
	EXCHANGE_SEND,	   /* 64 bytes on a connection that has greeted: one packet */
	EXCHANGE_COUNT
};

/* ns of one exchange: the mean of the middle nine tenths of a turn's. For bench_turn(). */
double exchange_measure(enum exchange_kind kind, const struct exchange *exchange);

/* Asks for all names of a world once, and reads answers with all their addresses. */
void exchange_ask_all(const char *cgroup, size_t names, size_t addresses);

/* Ends the run where the cgroup's policy lets out what it should not: a connection to an address
 * that nothing opens, and a hello with the name of another address. */
void exchange_prove(const char *cgroup);

#endif
