/* SPDX-License-Identifier: Apache-2.0 */
/* Port sets by number, equal sets having one number, and their unions remembered; image.c uses it
 * so that a million prefixes cost a table lookup each. */
#ifndef AGENTPOL_COMPILE_PORT_TABLE_H
#define AGENTPOL_COMPILE_PORT_TABLE_H

#include "policy/ports.h"

struct port_table;

/* Sets that it makes live in `arena`. NULL when out of memory. */
struct port_table *port_table_new(struct arena *arena) MUST_USE;
/* Accepts NULL. */
void port_table_free(struct port_table *table);

/* Numbers count from 1; PORT_SET_NONE is the empty set, PORT_SET_ALL the full one. False when out
 * of memory. */
bool port_table_number(struct port_table *table, const struct port_set *set,
		       uint32_t *number) MUST_USE;
bool port_table_union(struct port_table *table, uint32_t a, uint32_t b, uint32_t *number) MUST_USE;
/* The set of a number that is neither PORT_SET_NONE nor PORT_SET_ALL. */
const struct port_set *port_table_set(const struct port_table *table, uint32_t number);
size_t port_table_count(const struct port_table *table);

#endif
