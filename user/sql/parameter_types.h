/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types that a Parse message may give its parameters, by OID. A parameter's type is a cast that
 * stands in no text: with 2205 (regclass) the server would look up any name that Bind brings, and a
 * user's own type may run code on input. Zero, "let the server infer", is what most drivers send.
 */
#ifndef AGENTPOL_SQL_PARAMETER_TYPES_H
#define AGENTPOL_SQL_PARAMETER_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* Is it a built-in type whose input function looks nothing up? OIDs below 10000 are fixed for all
 * versions of PostgreSQL (src/include/catalog/pg_type.dat). */
bool parameter_type_is_harmless(uint32_t oid);

#endif
