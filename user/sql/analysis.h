/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over a statement's tree: what decision.c starts, and what its rooms (query.c, with.c,
 * from.c, expression.c, call.c, change.c, utility.c) share. It collects accesses, and the first
 * fault: a thing that no grant opens, or that is not understood. Whether the accesses are granted
 * is told afterwards, by grants.c.
 */
#ifndef AGENTPOL_SQL_ANALYSIS_H
#define AGENTPOL_SQL_ANALYSIS_H

#include "sql/decision.h"
#include "sql/scope.h"
#include "sql/tree.h"

/* Accesses, and columns of one access, beyond which no statement is judged: lists are searched. */
#define ANALYSIS_LIST_MAX 2000
/* Columns of all ranges and results together: "*" of "*" of "*" grows without end. */
#define ANALYSIS_COLUMNS_MAX 200000

/* Names that are compared: some 50 ms. Lists are searched from end to end, and a text could make
 * both the lists and the searches many. */
#define ANALYSIS_WORK_MAX 10000000
/* Of queries, FROM items and expressions inside of each other. The tree's own depth does not bound
 * it: with WITH RECURSIVE a query is read where it is first named. */
#define ANALYSIS_DEPTH_MAX TREE_DEPTH_MAX

struct analysis {
	const struct sql_subject *subject;
	struct arena *arena;
	struct sql_decision *decision; /* its verdict is VERDICT_ALLOW until there is a fault */
	struct sql_access *accesses;
	size_t access_count, access_room;
	size_t columns; /* of ANALYSIS_COLUMNS_MAX */
	size_t work;	/* of ANALYSIS_WORK_MAX */
	size_t depth;	/* of ANALYSIS_DEPTH_MAX */
	bool alone;	/* the next expression's type does not become that of another value */
	bool failed;	/* a fault was found, or memory ran out: what follows does not matter */
};

/* ---- faults: the first one counts ---- */
void analysis_deny(struct analysis *analysis, const char *reason, const char *format, ...)
	FORMAT(3, 4);
void analysis_undecided(struct analysis *analysis, const char *reason, const char *format, ...)
	FORMAT(3, 4);
void analysis_no_memory(struct analysis *analysis);
/* So many names are to be compared; false, with a fault, where that is too much in all. */
bool analysis_work(struct analysis *analysis, size_t names);
/* Goes one level down; false, with a fault, where that is too deep. Each has its analysis_leave. */
bool analysis_enter(struct analysis *analysis);
void analysis_leave(struct analysis *analysis);
/* A node or a member of it that is not on the list. */
void analysis_unknown_node(struct analysis *analysis, const char *kind, const char *member);

/* ---- accesses.c ---- */
/* The access, made where it is not there yet; NULL when out of memory or past the bounds. */
struct sql_access *access_note(struct analysis *analysis, enum sql_access_kind kind,
			       enum sql_use use, const char *schema, const char *name);
void access_add_column(struct analysis *analysis, struct sql_access *access, const char *column);
/* A column of a table is read, or with `column` NULL all of them. */
void access_read(struct analysis *analysis, const struct table *table, const char *column);
void analysis_assume(struct analysis *analysis, const char *format, ...) FORMAT(2, 3);

/* ---- nodes.c ---- */
struct node {
	const char *kind; /* "SelectStmt"; NULL: no node */
	const struct tree_value *body;
};
/* A node as it stands in a list or a member: {"Kind": {...}}. An empty object, and NULL, are no
 * node. Its kind and each of its members are known, or that is a fault and the answer no node. */
struct node node_read(struct analysis *analysis, const struct tree_value *value);
/* The same where the kind stands in no wrapper ("relation" of an InsertStmt). */
bool node_check(struct analysis *analysis, const char *kind, const struct tree_value *body);
bool node_is(struct node node, const char *kind);
/* The text of {"String": {"sval": ...}}, or NULL. */
const char *node_name(const struct tree_value *value);
/* A list of Strings as schema and name; false, with a fault of `reason`, where it has more or fewer
 * parts. */
bool node_qualified(struct analysis *analysis, const char *reason, const struct tree_value *list,
		    const char **schema, const char **name);
/* What a statement is called: "DROP TABLE". */
const char *node_statement_words(struct arena *arena, struct node node);

/* ---- expression.c ---- */
/* What is known of a value's type: the fields it has, if it is a row. */
struct value_type {
	const struct row *row;	   /* a whole row of a range; else NULL */
	const char *const *fields; /* of a composite type; else NULL */
	size_t field_count;
	bool tableoid; /* a table's own: it names the table that was read, or a part of it */
	/* A type that looks names and numbers up ("regclass"), of a value that was looked at. In
	 * ARRAY, COALESCE, UNION and their kin all values beside it would be looked up too. */
	const char *lookup;
};
struct value_type walk_expression(struct analysis *analysis, struct level *level,
				  const struct tree_value *node);
/* The same where the value's type stays its own: it may be one that looks names up. */
struct value_type walk_alone(struct analysis *analysis, struct level *level,
			     const struct tree_value *node);
void walk_list(struct analysis *analysis, struct level *level, const struct tree_value *list);
void walk_sort(struct analysis *analysis, struct level *level, const struct tree_value *sort);
void walk_window(struct analysis *analysis, struct level *level, const struct tree_value *window);
/* Subscripts and fields behind a column that is written to. */
void walk_target_indirection(struct analysis *analysis, struct level *level,
			     const struct tree_value *indirection);
/* The name that a result's column has which is given none; NULL: not known. */
const char *figure_name(const struct tree_value *value);

/* ---- call.c: functions, operators, types ---- */
struct value_type walk_call(struct analysis *analysis, struct level *level,
			    const struct tree_value *call);
void use_operator(struct analysis *analysis, const struct tree_value *names);
void use_operator_named(struct analysis *analysis, const char *schema, const char *sign);
void use_type(struct analysis *analysis, struct level *level, const struct tree_value *type);
/* The type if it looks names up, and is granted for this argument alone; else NULL. */
const char *use_cast(struct analysis *analysis, struct level *level, const struct tree_value *type,
		     const struct tree_value *argument, struct value_type argument_type);
void use_collation(struct analysis *analysis, const struct tree_value *names);

/* ---- query.c, with.c, from.c, change.c ---- */
/* SELECT, VALUES, INSERT ... inside of `outer` (NULL: on top); its result's columns. */
struct row walk_query(struct analysis *analysis, struct level *outer,
		      const struct tree_value *wrapped);
struct row walk_select(struct analysis *analysis, struct level *outer,
		       const struct tree_value *select);
bool is_set_operation(const struct tree_value *select);
/* The query of a CTE, which a set operation's right side may name: `cte` may be NULL. */
struct row walk_select_of(struct analysis *analysis, struct level *outer,
			  const struct tree_value *select, struct cte *cte);
/* Reads the query of a CTE, once. */
void cte_read(struct analysis *analysis, struct cte *cte);
/* What SEARCH and CYCLE add to its columns. */
void cte_add_columns(struct analysis *analysis, struct cte *cte);
void walk_with(struct analysis *analysis, struct level *level, const struct tree_value *with);
/* A list of ResTargets that make a result. */
struct row walk_targets(struct analysis *analysis, struct level *level,
			const struct tree_value *targets);
void walk_from(struct analysis *analysis, struct level *level, const struct tree_value *list);
/* A table by its name, in view of `level`; its row has it as its only table. NULL: a fault. */
struct range *walk_range_table(struct analysis *analysis, struct level *level,
			       const struct tree_value *body);
struct row walk_insert(struct analysis *analysis, struct level *outer,
		       const struct tree_value *body);
struct row walk_update(struct analysis *analysis, struct level *outer,
		       const struct tree_value *body);
struct row walk_delete(struct analysis *analysis, struct level *outer,
		       const struct tree_value *body);

/* ---- utility.c: a whole statement ---- */
void walk_statement(struct analysis *analysis, const struct tree_value *wrapped);
/* settings.c */
void walk_set(struct analysis *analysis, const struct tree_value *body);
void walk_show(struct analysis *analysis, const struct tree_value *body);
/* BEGIN's and SET TRANSACTION's modes. */
void walk_transaction_modes(struct analysis *analysis, const struct tree_value *options);

/* ---- grants.c ---- */
/* Does the policy grant all accesses? Writes the verdict. */
void grants_judge(struct analysis *analysis);
/* Is the function, or the type that is cast to, in "functions"? */
bool grants_function(const struct analysis *analysis, const char *schema, const char *name);
bool policy_only_reads(const struct sql_policy *policy);

#endif
