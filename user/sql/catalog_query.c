// SPDX-License-Identifier: Apache-2.0
/*
 * The statement that asks a server for a snapshot. Whoever may create objects in the database must
 * not be able to have a say in it: every function, operator and type is qualified, so no schema of
 * the search_path is looked at; IN, BETWEEN, LIKE, CASE x WHEN, USING and their kin, which look
 * their operators up by bare name, are not used; text is written as E'' strings, which
 * standard_conforming_strings does not change. Runs on PostgreSQL 12 to 18.
 */
#include "sql/catalog.h"

#include <string.h>

#include "sql/builtins.h"
#include "sql/builtins_table.h"

/* pg_catalog's own number, and those of pg_proc, pg_operator and the language C, are fixed
 * (pg_namespace.dat, pg_proc.h, pg_operator.h, pg_language.dat). */
#define PG_CATALOG  "11::pg_catalog.oid"
#define PG_PROC	    "1255::pg_catalog.oid"
#define PG_OPERATOR "2617::pg_catalog.oid"
#define LANGUAGE_C  "13::pg_catalog.oid"
#define EQUALS	    " OPERATOR(pg_catalog.=) "
#define DIFFERS	    " OPERATOR(pg_catalog.<>) "

/* Names of types in attribute notation: columns that are composite bring their attributes along. */
static const char relations_head[] =
	"SELECT pg_catalog.json_build_object('version', 1, 'relations', COALESCE((SELECT "
	"pg_catalog.json_agg(pg_catalog.json_build_object("
	"'schema', n.nspname::pg_catalog.text, 'name', c.relname::pg_catalog.text, "
	"'kind', c.relkind::pg_catalog.text, 'columns', COALESCE((SELECT pg_catalog.json_agg("
	"CASE WHEN t.typtype" EQUALS "'c'::pg_catalog.\"char\" THEN pg_catalog.json_build_object("
	"'name', a.attname::pg_catalog.text, 'fields', COALESCE((SELECT "
	"pg_catalog.json_agg(f.attname::pg_catalog.text ORDER BY f.attnum) "
	"FROM pg_catalog.pg_attribute f WHERE f.attrelid" EQUALS "t.typrelid "
	"AND f.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT f.attisdropped), "
	"'[]'::pg_catalog.json)) ELSE pg_catalog.to_json(a.attname::pg_catalog.text) END "
	"ORDER BY a.attnum) FROM pg_catalog.pg_attribute a "
	"LEFT JOIN pg_catalog.pg_type t ON t.oid" EQUALS "a.atttypid "
	"WHERE a.attrelid" EQUALS "c.oid AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 "
	"AND NOT a.attisdropped), '[]'::pg_catalog.json)) ORDER BY c.relname, n.nspname) "
	"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid" EQUALS
	"c.relnamespace "
	/* A schema that the role may not use is passed over where a bare name is looked up. */
	"WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND c.relname" EQUALS "ANY (";

/* All functions that a bare name could reach: which of those on the list of harmless ones this
 * server has itself depends on its version. Subqueries that are looked at for few rows are scalar
 * ones: the planner hashes what stands in EXISTS, and reads all of pg_depend for it. What an
 * extension brings is its administrator's choice. Of its functions, what takes types of its own and
 * computes but its arguments can't be meant by a statement over PostgreSQL's types. Of its
 * operators, those that compute but their arguments do no harm whatever they take, nor do those in
 * C that depend on a setting (pg_trgm's "%"). They are left out, so that PostGIS, citext, intarray
 * and pg_trgm do not close "=", "+" and "%". */
static const char functions_head[] =
	"), '[]'::pg_catalog.json), 'functions', COALESCE((SELECT pg_catalog.json_agg("
	"pg_catalog.json_build_object('schema', s.nspname::pg_catalog.text, "
	"'name', s.proname::pg_catalog.text) ORDER BY s.proname, s.nspname) FROM ("
	"SELECT n.nspname, p.proname FROM pg_catalog.pg_proc p "
	"JOIN pg_catalog.pg_namespace n ON n.oid" EQUALS "p.pronamespace "
	"WHERE p.pronamespace" DIFFERS PG_CATALOG " AND (";
static const char functions_name[] =
	" OR (NOT (p.provolatile" EQUALS "'i'::pg_catalog.\"char\""
	" AND COALESCE((SELECT true FROM pg_catalog.pg_depend d WHERE d.classid" EQUALS PG_PROC
	" AND d.objid" EQUALS "p.oid AND d.deptype" EQUALS
	"'e'::pg_catalog.\"char\" LIMIT 1), false)"
	" AND EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes) u (type) "
	"JOIN pg_catalog.pg_type t ON t.oid" EQUALS "u.type "
	"WHERE t.typnamespace" DIFFERS PG_CATALOG ")))) AND n.nspname" EQUALS "ANY (";
static const char operators_head[] =
	") GROUP BY n.nspname, p.proname) s), '[]'::pg_catalog.json), 'operators', "
	"COALESCE((SELECT "
	"pg_catalog.json_agg(pg_catalog.json_build_object('schema', s.nspname::pg_catalog.text, "
	"'name', s.oprname::pg_catalog.text) ORDER BY s.oprname, s.nspname) FROM ("
	"SELECT n.nspname, o.oprname FROM pg_catalog.pg_operator o "
	"JOIN pg_catalog.pg_namespace n ON n.oid" EQUALS "o.oprnamespace "
	"WHERE o.oprnamespace" DIFFERS PG_CATALOG " AND NOT ("
	"COALESCE((SELECT p.provolatile" EQUALS "'i'::pg_catalog.\"char\""
	" OR (p.provolatile" EQUALS "'s'::pg_catalog.\"char\" AND p.prolang" EQUALS LANGUAGE_C
	") FROM pg_catalog.pg_proc p "
	"WHERE p.oid" EQUALS "o.oprcode::pg_catalog.oid), false)"
	" AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid" EQUALS PG_OPERATOR
	" AND d.objid" EQUALS "o.oid AND d.deptype" EQUALS "'e'::pg_catalog.\"char\")"
	") AND n.nspname" EQUALS "ANY (";
static const char query_tail[] =
	") GROUP BY n.nspname, o.oprname) s), '[]'::pg_catalog.json))::pg_catalog.text";

static void put_literal(FILE *file, const char *text)
{
	(void)fputs("E'", file);
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			(void)fputc(*text, file);
		(void)fputc(*text, file);
	}
	(void)fputc('\'', file);
}

/* A list of names; the first call opens it. */
static void put_name(FILE *file, const char *name, bool *first)
{
	(void)fputs(*first ? "ARRAY[" : ", ", file);
	*first = false;
	put_literal(file, name);
}

static void close_names(FILE *file, bool first)
{
	(void)fputs(first ? "ARRAY[]::pg_catalog.name[]" : "]::pg_catalog.name[]", file);
}

static void put_relation_names(FILE *file, const struct sql_policy *policy)
{
	bool first = true;
	size_t count;
	const struct builtin_relation *opened = sql_catalog_relations(policy->catalog, &count);

	for (size_t i = 0; i < policy->grant_count; i++)
		for (size_t j = 0; j < policy->grants[i].table_count; j++)
			put_name(file, policy->grants[i].tables[j].name, &first);
	for (size_t i = 0; i < count; i++)
		put_name(file, opened[i].name, &first);
	close_names(file, first);
}

/* Where granted names may be, and where a bare name may lead instead: pg_catalog comes first. */
static void put_relation_schemas(FILE *file, const struct sql_policy *policy)
{
	bool first = true;

	put_name(file, "pg_catalog", &first);
	if (policy->catalog == CATALOG_SCHEMA)
		put_name(file, "information_schema", &first);
	for (size_t i = 0; i < policy->search_path.count; i++)
		put_name(file, policy->search_path.items[i], &first);
	for (size_t i = 0; i < policy->grant_count; i++)
		for (size_t j = 0; j < policy->grants[i].table_count; j++)
			if (policy->grants[i].tables[j].schema)
				put_name(file, policy->grants[i].tables[j].schema, &first);
	close_names(file, first);
}

/* Functions that are granted, and those that this server may not have in pg_catalog although they
 * are on the list of harmless ones. */
static void put_function_names(FILE *file, const struct sql_policy *policy)
{
	bool first = true;

	for (size_t i = 0; i < policy->functions.count; i++) {
		const char *dot = strrchr(policy->functions.items[i], '.');

		put_name(file, dot ? dot + 1 : policy->functions.items[i], &first);
	}
	for (size_t i = 0; i < builtin_newer_functions.count; i++)
		put_name(file, builtin_newer_functions.items[i], &first);
	close_names(file, first);
}

static void put_search_path(FILE *file, const struct sql_policy *policy)
{
	bool first = true;

	for (size_t i = 0; i < policy->search_path.count; i++)
		put_name(file, policy->search_path.items[i], &first);
	close_names(file, first);
}

const char *sql_catalog_query(const struct sql_policy *policy, struct arena *arena)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return NULL;
	(void)fputs(relations_head, file);
	put_relation_names(file, policy);
	(void)fputs(") AND n.nspname" EQUALS "ANY (", file);
	put_relation_schemas(file, policy);
	(void)fputs(")", file);
	(void)fputs(functions_head, file);
	(void)fputs("p.proname" EQUALS "ANY (", file);
	put_function_names(file, policy);
	(void)fputs(")", file);
	(void)fputs(functions_name, file);
	put_search_path(file, policy);
	(void)fputs(operators_head, file);
	put_search_path(file, policy);
	(void)fputs(query_tail, file);
	if (fclose(file) != 0 || !text)
		return NULL;
	return arena_copy(arena, text, length);
}
