/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The egress inventory: what an agent has reached, or has tried to, added up from the log's records
 * of the kinds "connect", "traffic" and "dns". One destination is an agent's name or address, port
 * and protocol; a name that was asked for and then not reached is one, too.
 */
#ifndef AGENTPOL_AUDIT_INVENTORY_H
#define AGENTPOL_AUDIT_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/record.h"
#include "base/cleanup.h"

struct cJSON;

/* Different destinations that are listed: with the bounds below at most some 40 MiB. */
#define DESTINATIONS_MAX    8192
#define INVENTORY_ADDRESSES 16
#define INVENTORY_PROCESSES 8
#define INVENTORY_TEXT_MAX  255 /* bytes of a name or path that are kept */
#define INVENTORY_VALUE_MAX 1023

/* Different texts in the order in which they came. */
struct texts {
	char **items; /* owned, each too */
	size_t count;
	bool more; /* than are kept */
};

enum inventory_verdict {
	INVENTORY_ALLOW,
	INVENTORY_WOULD_DENY,
	INVENTORY_DENY,
	INVENTORY_VERDICTS
};
/* As records have them. */
extern const char *const inventory_verdict_names[INVENTORY_VERDICTS];

struct destination {
	char *agent, *proto; /* owned, as all texts are; proto "dns": a name that was asked for */
	char *name;	     /* NULL: none is known */
	uint16_t port;	     /* 0: none */
	struct texts addresses, processes;
	uint64_t bytes, packets;	       /* that left, headers too */
	uint64_t connects[INVENTORY_VERDICTS]; /* or questions for the name */
	char first[AUDIT_TIME_ROOM], last[AUDIT_TIME_ROOM];
	/* Of the last record. */
	enum inventory_verdict verdict;
	char *rule;				/* NULL: none */
	char *hint_op, *hint_path, *hint_value; /* NULL: none */
};

struct inventory_total {
	uint64_t destinations, bytes, packets;
	uint64_t connects[INVENTORY_VERDICTS];
	uint64_t not_listed; /* records of destinations past the bound; in the sums they are */
};

struct inventory;

/* NULL when out of memory. `bound` is DESTINATIONS_MAX, or less. */
struct inventory *inventory_new(size_t bound) MUST_USE;
/* Accepts NULL. */
void inventory_free(struct inventory *inventory);
static inline void cleanup_inventory_free(struct inventory **inventory)
{
	inventory_free(*inventory);
}
#define _cleanup_inventory_ __attribute__((cleanup(cleanup_inventory_free)))

/* Takes a record of the log into account. False when out of memory. */
bool inventory_add(struct inventory *inventory, const struct cJSON *record) MUST_USE;

/* Once, behind the last record: sorts by agent and bytes, and leaves out names that were reached
 * after they were asked for, and UDP sockets that were let connect and have sent nothing. */
void inventory_finish(struct inventory *inventory);
/* NULL past the last. */
const struct destination *inventory_at(const struct inventory *inventory, size_t index);
const struct inventory_total *inventory_total(const struct inventory *inventory);

#endif
