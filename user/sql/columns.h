/* SPDX-License-Identifier: Apache-2.0 */
/* Columns as expressions name them; for expression.c and query.c. */
#ifndef AGENTPOL_SQL_COLUMNS_H
#define AGENTPOL_SQL_COLUMNS_H

#include "sql/analysis.h"

/* MAYBE: a table whose columns are not all known may have it; it counts as read there. */
enum column_found { COLUMN_NONE, COLUMN_MAYBE, COLUMN_FOUND };

/* A bare name among the ranges of one level alone. */
enum column_found column_local(struct analysis *analysis, struct level *level, const char *name,
			       struct value_type *type);
/* A bare name: a column of this level or one further out, or a range's whole row. */
struct value_type column_bare(struct analysis *analysis, struct level *level, const char *name);
/* A bare name that may be a result's: what else it may be is read. */
void column_perhaps(struct analysis *analysis, struct level *level, const char *name);

/* A ColumnRef taken apart. */
struct column_name {
	const char *schema; /* NULL: none */
	const char *range;  /* NULL: none */
	const char *column; /* NULL: the star */
	bool star;
};
bool column_name_read(struct analysis *analysis, const struct tree_value *body,
		      struct column_name *name);
/* The range; a fault where there is none. */
struct range *column_range(struct analysis *analysis, struct level *level, const char *schema,
			   const char *name);
/* A ColumnRef in an expression. */
struct value_type walk_column(struct analysis *analysis, struct level *level,
			      const struct tree_value *body);
/* (value).name */
struct value_type column_field(struct analysis *analysis, struct value_type type, const char *name);

#endif
