/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables behind sql/builtins.h, as tools/gen-sql-builtins.py makes them from a server's
 * catalog. Lists of names are sorted by strcmp(3).
 */
#ifndef AGENTPOL_SQL_BUILTINS_TABLE_H
#define AGENTPOL_SQL_BUILTINS_TABLE_H

#include <stddef.h>

#include "policy/policy.h"

struct builtin_names {
	const char *const *items;
	size_t count;
};

/* Functions that are not harmless, and the phrase that says why. */
struct builtin_refusal {
	const char *why;
	struct builtin_names functions;
};

/* A relation that a level of "catalog" opens, with its columns; ended by NULL. */
struct builtin_relation {
	const char *schema;
	const char *name;
	const char *const *columns;
};

extern const struct builtin_names builtin_harmless_functions;
/* Those among them that PostgreSQL 15 has not got. */
extern const struct builtin_names builtin_newer_functions;
extern const struct builtin_names builtin_harmless_operators;
extern const struct builtin_names builtin_harmless_types;
/* What the levels "types" and "schema" open beyond that. */
extern const struct builtin_names builtin_types_functions, builtin_schema_functions;
extern const struct builtin_names builtin_types_types, builtin_schema_types;

extern const struct builtin_refusal builtin_refusals[];
extern const size_t builtin_refusal_count;

extern const struct builtin_relation builtin_types_relations[];
extern const size_t builtin_types_relation_count;
extern const struct builtin_relation builtin_schema_relations[];
extern const size_t builtin_schema_relation_count;

/* All relations that a level opens. */
const struct builtin_relation *sql_catalog_relations(enum sql_catalog_level level, size_t *count);

#endif
