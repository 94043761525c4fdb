/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PostgreSQL brings along, judged once: which of its functions, operators and types a
 * statement may use without a grant of its own. The tables are made from a real server's catalog by
 * tools/gen-sql-builtins.py and reviewed; what is not in them is not harmless.
 */
#ifndef AGENTPOL_SQL_BUILTINS_H
#define AGENTPOL_SQL_BUILTINS_H

#include <stdbool.h>

#include "policy/policy.h"

/* A function or aggregate of pg_catalog, by its name, whatever its arguments: harmless only if all
 * of that name are. Where it is not, *why (may be NULL) is a phrase for the denial ("reads
 * settings"), or NULL where no such function is known. */
bool sql_function_is_harmless(const char *name, const char **why);
/* An operator of pg_catalog by its sign. */
bool sql_operator_is_harmless(const char *sign);
/* A type of pg_catalog that may be cast to or named: no input function of it looks anything up. */
bool sql_type_is_harmless(const char *name);

/* The columns of a relation of pg_catalog or information_schema that a manifest's "catalog" opens;
 * NULL where it does not open the relation. Ended by NULL. */
const char *const *sql_catalog_columns(enum sql_catalog_level level, const char *schema,
				       const char *relation);
/* May this function of pg_catalog be called where "catalog" has this level, although it is not
 * harmless (pg_get_expr, pg_table_is_visible ... for psql's \d)? */
bool sql_catalog_opens_function(enum sql_catalog_level level, const char *name);
/* May be cast to a type of pg_catalog that looks names up (regclass ... for psql's \d)? */
bool sql_catalog_opens_type(enum sql_catalog_level level, const char *name);

#endif
