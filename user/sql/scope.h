/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which table a name in a statement means, and which column, as PostgreSQL's parser looks them up
 * (parse_relation.c): levels of queries, from the inside out; in each what FROM brings into view,
 * and the names that WITH gives.
 */
#ifndef AGENTPOL_SQL_SCOPE_H
#define AGENTPOL_SQL_SCOPE_H

#include "sql/catalog.h"
#include "sql/tree.h"

struct analysis;

/* A relation of the server. */
struct table {
	const char *schema; /* NULL: the one that search_path leads to, not known which */
	const char *name;
	const struct sql_relation *known; /* in the snapshot; NULL: there is none, or not in it */
};

/* A column of a range or a result. */
struct column {
	const char *name;
	const struct table *table; /* reading it reads this table; NULL: nothing more is read */
	const char *origin;	   /* its name there; NULL: not known, so all may be it */
	const struct row *row;	   /* its value is a row of these columns, or NULL */
	const char *const *fields; /* its type is composite, with these fields; or NULL */
	size_t field_count;
};

/* Columns in a row, and what may be among them besides. */
struct row {
	struct column *columns;
	size_t count, room;
	const struct table **tables; /* whose rows are in it whole: "*" reads all of them */
	size_t table_count;
	const struct table **open_tables; /* of these not all columns are known (offline) */
	size_t open_count;
	const struct table **locks; /* what FOR UPDATE locks in it */
	size_t lock_count;
	bool open; /* of a function whose columns are not known */
};

/* What a FROM clause brings into view: a table, a subquery, a function, a join. */
struct range {
	const char *name;	   /* NULL: none to call it by */
	const struct table *table; /* that it is, where no alias hides its schema; else NULL */
	struct row row;
	bool base;     /* it is a table itself, with system columns */
	bool function; /* as a whole it may be no row */
};

struct entry {
	struct range *range;
	bool names;   /* as in name.column */
	bool columns; /* as bare columns */
	bool lateral; /* seen by LATERAL items alone, until FROM is read */
};

/* A name that WITH gives. */
enum cte_state { CTE_UNREAD, CTE_READING, CTE_READ };
struct cte {
	const char *name;
	const struct tree_value *body; /* CommonTableExpr */
	struct level *around;	       /* what its query sees */
	enum cte_state state;
	bool row_known; /* while it is being read: the non-recursive part has been */
	struct row row;
};

struct level {
	struct level *outer;
	struct entry *entries;
	size_t first, count, room; /* `first`: an ON clause sees the two sides of its join alone */
	bool lateral_active;
	struct cte *ctes;
	size_t cte_count; /* those that can be seen */
};

struct entry *level_add(struct analysis *analysis, struct level *level, struct range *range);

/* The name of a table in a statement or a grant, by search_path. NULL when out of memory. */
const struct table *scope_table(struct analysis *analysis, const char *schema, const char *name);
/* The same table? A grant's bare name is one that search_path leads to. */
bool scope_same_table(const struct analysis *analysis, const struct table *table,
		      const char *schema, const char *name);
/* All columns of a table; `aliases` (a list of Strings, or NULL) rename the first ones. */
struct row scope_table_row(struct analysis *analysis, const struct table *table);
void scope_rename(struct analysis *analysis, struct row *row, const struct tree_value *aliases);

/* The CTE that a bare name means, or NULL. */
struct cte *scope_cte(struct analysis *analysis, struct level *level, const char *name);
/* The range that is called so, innermost level first, or NULL. */
struct range *scope_range(struct analysis *analysis, struct level *level, const char *schema,
			  const char *name);
/* Can the entry be seen from where the walk is? */
bool scope_sees(const struct level *level, const struct entry *entry);

/* Rows grow in the arena. */
bool row_add(struct analysis *analysis, struct row *row, const struct column *column);
bool row_append(struct analysis *analysis, struct row *row, const struct row *more);
void row_add_table(struct analysis *analysis, struct row *row, const struct table *table,
		   bool open);
void row_add_lock(struct analysis *analysis, struct row *row, const struct table *table);
/* A result's columns as a range of its own: reading them reads nothing more. */
void row_detach(struct row *row);
const struct column *row_find(struct analysis *analysis, const struct row *row, const char *name);
/* "*": everything in it is read. */
void row_read_all(struct analysis *analysis, const struct row *row);
void column_read(struct analysis *analysis, const struct column *column);

#endif
