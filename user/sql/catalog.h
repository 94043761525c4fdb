/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server has, as far as a decision needs it: the relations that bear a granted name, with
 * their columns, and what outside pg_catalog could be taken for one of PostgreSQL's own functions
 * or operators. The guard takes one at the start of each session; `agentpol sql snapshot` writes
 * one to a file, which `agentpol decide --schema` reads.
 */
#ifndef AGENTPOL_SQL_CATALOG_H
#define AGENTPOL_SQL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "policy/policy.h"

struct sql_column {
	const char *name;
	const char *const *fields; /* of a composite type: its attributes; NULL: no composite */
	size_t field_count;
};

struct sql_relation {
	const char *schema;
	const char *name;
	char kind; /* pg_class.relkind: 'r', 'v', 'm', 'p', 'f' */
	const struct sql_column *columns;
	size_t column_count;
};

/* A function (its name) or an operator (its sign) outside pg_catalog that stands where a bare name
 * is looked for, and could be chosen in place of PostgreSQL's own. */
enum sql_overload_kind { SQL_OVERLOAD_FUNCTION, SQL_OVERLOAD_OPERATOR };
struct sql_overload {
	enum sql_overload_kind kind;
	const char *schema;
	const char *name;
};

struct sql_catalog {
	struct arena *arena;		      /* owned; holds the catalog too */
	const struct sql_relation *relations; /* by name, then schema */
	size_t relation_count;
	const struct sql_overload *overloads; /* by kind, then name */
	size_t overload_count;
};

/* The relation, or NULL. */
const struct sql_relation *sql_catalog_relation(const struct sql_catalog *catalog,
						const char *schema, const char *name);
/* The column, or NULL. */
const struct sql_column *sql_relation_column(const struct sql_relation *relation, const char *name);
/* Could a bare call of that name reach something else than PostgreSQL's own? */
bool sql_catalog_overloads(const struct sql_catalog *catalog, enum sql_overload_kind kind,
			   const char *name);

/*
 * The one statement that asks a server for a snapshot for this policy; one row, one column: the
 * text that sql_catalog_read takes. Safe under any search_path; runs as any role. Lives in `arena`;
 * NULL when out of memory.
 */
const char *sql_catalog_query(const struct sql_policy *policy, struct arena *arena) MUST_USE;

/* Reads a snapshot's text (JSON); STATUS_UNUSABLE where it is none. The caller's to free. */
struct sql_catalog *sql_catalog_read(const char *text, size_t length, struct error *error) MUST_USE;
/* Accepts NULL. */
void sql_catalog_free(struct sql_catalog *catalog);
static inline void cleanup_sql_catalog_free(struct sql_catalog **catalog)
{
	sql_catalog_free(*catalog);
}
#define _cleanup_sql_catalog_ __attribute__((cleanup(cleanup_sql_catalog_free)))

#endif
