/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this SQL text be run? The one decision of the SQL guard: text to parse tree, tree to
 * accesses, accesses against what the manifest grants. Pure: the same policy, catalog and text have
 * the same answer. `agentpol decide`, `agentpol sql` and the guard's parser ask it.
 *
 * Parsing hostile text needs stack and time that text can choose: the guard asks in a process that
 * may die of it (see policyd/parser_child.c).
 */
#ifndef AGENTPOL_SQL_DECISION_H
#define AGENTPOL_SQL_DECISION_H

#include "base/json_write.h"
#include "policy/decide.h"
#include "sql/catalog.h"

/* What a statement is, as far as the wire has to know. */
enum sql_statement {
	SQL_STATEMENT_NONE,  /* no statement: empty, or only comments */
	SQL_STATEMENT_QUERY, /* SELECT, VALUES, TABLE */
	SQL_STATEMENT_INSERT,
	SQL_STATEMENT_UPDATE,
	SQL_STATEMENT_DELETE,
	SQL_STATEMENT_COPY_IN,
	SQL_STATEMENT_COPY_OUT,
	SQL_STATEMENT_EXPLAIN,
	SQL_STATEMENT_TRANSACTION,
	SQL_STATEMENT_PREPARED, /* PREPARE, EXECUTE, DEALLOCATE */
	SQL_STATEMENT_CURSOR,	/* DECLARE, FETCH, MOVE, CLOSE */
	SQL_STATEMENT_SETTING,	/* SET, RESET, SHOW */
	SQL_STATEMENT_OTHER,	/* understood by nobody here; never allowed */
};
/* "query", "insert", ..., for logs. */
const char *sql_statement_name(enum sql_statement statement);

enum sql_access_kind {
	SQL_ACCESS_RELATION,
	SQL_ACCESS_FUNCTION,
	SQL_ACCESS_OPERATOR, /* one that is not PostgreSQL's own, or may not be */
	SQL_ACCESS_TYPE,     /* a cast to a type that is not on the list of harmless ones */
	SQL_ACCESS_SETTING,
};
enum sql_use {
	SQL_USE_READ = 1,
	SQL_USE_INSERT = 2,
	SQL_USE_UPDATE = 4,
	SQL_USE_DELETE = 8,
	SQL_USE_LOCK = 16,
	SQL_USE_CALL = 32, /* functions, operators, types */
	SQL_USE_SET = 64,  /* settings; READ is SHOW */
};
/* "relation", ...; "read", ... */
const char *sql_access_kind_name(enum sql_access_kind kind);
const char *sql_use_name(enum sql_use use);

/* One thing that a statement touches; the same thing with the same use stands there once. */
struct sql_access {
	enum sql_access_kind kind;
	enum sql_use use;
	const char *schema; /* as resolved; NULL where it is not known */
	const char *name;
	bool all_columns;	/* "*", a whole row, or a use that names none (DELETE) */
	struct strings columns; /* those named */
};

/* Who asks. */
struct sql_subject {
	const struct sql_policy *policy; /* NULL: accesses are told, and not judged */
	const char *pointer;		 /* the policy's place in the manifest: "/tools/NAME/sql" */
	const struct sql_catalog *catalog; /* NULL: offline; what is assumed is listed */
	bool audit;			   /* deny becomes would-deny, undecided too */
};

struct sql_decision {
	/* reason: "sql-syntax", "sql-limit", "sql-stacked", "sql-statement", "sql-relation",
	 * "sql-column", "sql-function", "sql-operator", "sql-type", "sql-setting", "sql-lock",
	 * "sql-node" (undecided), "sql-parser" (undecided) */
	struct verdict verdict;
	enum sql_statement statement;
	const struct sql_access *accesses;
	size_t access_count;
	/* A literal took part in the decision (it names an object, or a setting's value), or the
	 * statement is of a kind for which that was not proven: the verdict holds for these bytes
	 * only. */
	bool literals_decide;
	struct strings assumes; /* offline: what is taken to exist */
};

/*
 * Judges one text, as a client sends it in one message. `text` has no NUL before `length` and one
 * behind it. What *decision points to lives in `arena`. Always sets *decision: out of memory is
 * undecided.
 */
void sql_decide(const struct sql_subject *subject, const char *text, size_t length,
		struct arena *arena, struct sql_decision *decision);

/* The accesses as JSON, an array: [{"kind": "relation", "use": "read", "schema": "public", "name":
 * "orders", "columns": ["id"]}]; all columns: "columns": "*". For logs and `agentpol sql`. */
void sql_accesses_write(const struct sql_decision *decision, struct json_writer *writer);

#endif
