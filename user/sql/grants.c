// SPDX-License-Identifier: Apache-2.0
/* Accesses against what the policy grants; the verdict's words, its rule and its edit. */
#include <string.h>

#include "sql/analysis.h"
#include "sql/builtins.h"
#include "sql/literal_name.h"

bool policy_only_reads(const struct sql_policy *policy)
{
	if (policy->read_only >= 0)
		return policy->read_only;
	for (size_t i = 0; i < policy->grant_count; i++)
		if (policy->grants[i].verb != SQL_SELECT && policy->grants[i].table_count)
			return false;
	return true;
}

static void set_rule(struct analysis *analysis, const char *rest)
{
	struct verdict *verdict = &analysis->decision->verdict;

	(void)snprintf(verdict->rule, sizeof(verdict->rule), "%s%s", analysis->subject->pointer,
		       rest);
}

/* Half an edit is none. */
static void hint(struct analysis *analysis, const char *path, const char *value)
{
	struct verdict *verdict = &analysis->decision->verdict;
	const int path_length = snprintf(verdict->hint_path, sizeof(verdict->hint_path), "%s%s",
					 analysis->subject->pointer, path);
	const int value_length =
		value ? snprintf(verdict->hint_value, sizeof(verdict->hint_value), "%s", value)
		      : VERDICT_TEXT_MAX;

	if (path_length >= VERDICT_TEXT_MAX || value_length >= VERDICT_TEXT_MAX)
		verdict->hint_path[0] = verdict->hint_value[0] = '\0';
	else
		(void)snprintf(verdict->hint_op, sizeof(verdict->hint_op), "add");
}

/* ---- relations ---- */

static const char *const verb_names[] = {
	[SQL_SELECT] = "select",
	[SQL_INSERT] = "insert",
	[SQL_UPDATE] = "update",
	[SQL_DELETE] = "delete",
};

static enum sql_verb verb_of(enum sql_use use)
{
	switch (use) {
	case SQL_USE_INSERT:
		return SQL_INSERT;
	case SQL_USE_UPDATE:
	case SQL_USE_LOCK:
		return SQL_UPDATE;
	case SQL_USE_DELETE:
		return SQL_DELETE;
	default:
		return SQL_SELECT;
	}
}

/* What the grants say of one table and one verb. */
struct granted {
	bool any, whole;
	size_t rule;	       /* the first grant that names it */
	struct strings *lists; /* the columns of those that name some */
	size_t list_count;
};

static void collect(struct analysis *analysis, const struct table *table, enum sql_verb verb,
		    struct granted *granted)
{
	const struct sql_policy *policy = analysis->subject->policy;
	size_t room = 0;

	*granted = (struct granted){0};
	for (size_t i = 0; i < policy->grant_count; i++)
		room += policy->grants[i].table_count;
	granted->lists = arena_new_array(analysis->arena, struct strings, room + 1);
	if (!granted->lists) {
		analysis_no_memory(analysis);
		return;
	}
	for (size_t i = 0; i < policy->grant_count; i++)
		for (size_t j = 0; j < policy->grants[i].table_count; j++) {
			const struct sql_table *named = &policy->grants[i].tables[j];

			if (policy->grants[i].verb != verb ||
			    !scope_same_table(analysis, table, named->schema, named->name))
				continue;
			if (!granted->any || (!named->has_columns && !granted->whole))
				granted->rule = i;
			granted->any = true;
			if (named->has_columns)
				granted->lists[granted->list_count++] = named->columns;
			else
				granted->whole = true;
		}
}

static bool column_is_granted(const struct granted *granted, const char *column)
{
	for (size_t i = 0; i < granted->list_count; i++)
		for (size_t j = 0; j < granted->lists[i].count; j++)
			if (strcmp(granted->lists[i].items[j], column) == 0)
				return true;
	return granted->whole;
}

/* The first column that is wanted and not granted; "*" for all of them; NULL where none is. */
static const char *missing_column(const struct sql_access *access, const struct table *table,
				  const struct granted *granted)
{
	/* LOCK TABLE and DELETE want the table's right itself. */
	const bool table_right = access->use == SQL_USE_LOCK || access->use == SQL_USE_DELETE;

	if (granted->whole)
		return NULL;
	if (access->all_columns && (!table->known || table_right))
		return "*";
	for (size_t i = 0; access->all_columns && i < table->known->column_count; i++)
		if (!column_is_granted(granted, table->known->columns[i].name))
			return "*";
	for (size_t i = 0; i < access->columns.count; i++)
		if (!column_is_granted(granted, access->columns.items[i]))
			return access->columns.items[i];
	return NULL;
}

/* As one writes it in the manifest: bare where that is the same table. */
static const char *written_name(struct analysis *analysis, const struct table *table)
{
	const bool bare = scope_same_table(analysis, table, NULL, table->name);
	const char *name = manifest_name(analysis->arena, bare ? NULL : table->schema, table->name);

	if (!name)
		analysis_no_memory(analysis);
	return name ? name : "";
}

static void hint_table(struct analysis *analysis, enum sql_verb verb, const char *table,
		       const char *column)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	const char *quoted = column ? manifest_name(analysis->arena, NULL, column) : NULL;
	const char *entry = quoted ? arena_printf(analysis->arena, "%s(%s)", table, quoted) : table;

	json_open_object(&writer);
	json_key(&writer, verb_names[verb]);
	json_open_array(&writer);
	json_string(&writer, entry);
	json_close_array(&writer);
	json_close_object(&writer);
	if (entry)
		hint(analysis, "/allow/-", json_writer_text(&writer));
}

static void deny_table(struct analysis *analysis, const struct sql_access *access,
		       const struct table *table, const struct granted *granted, const char *column)
{
	const enum sql_verb verb = verb_of(access->use);
	const char *name = written_name(analysis, table);
	const bool lock = access->use == SQL_USE_LOCK;
	const bool one = column && strcmp(column, "*") != 0;
	char rule[48] = "/allow";

	if (!granted->any) {
		analysis_deny(analysis, lock ? "sql-lock" : "sql-relation",
			      lock ? "%s on %s, which a lock takes, is not granted"
				   : "%s on %s is not granted",
			      verb_names[verb], name);
	} else {
		(void)snprintf(rule, sizeof(rule), "/allow/%zu", granted->rule);
		analysis_deny(analysis, lock ? "sql-lock" : "sql-column",
			      "%s on %s%s%s%s is not granted", verb_names[verb],
			      one ? "column " : "all of ", one ? column : name, one ? " of " : "",
			      one ? name : "");
	}
	set_rule(analysis, rule);
	hint_table(analysis, verb, name, one ? column : NULL);
}

/* A system catalog that "catalog" opens, so far as these columns. */
static bool is_opened(const char *const *opened, const char *column)
{
	for (; *opened; opened++)
		if (strcmp(*opened, column) == 0)
			return true;
	return false;
}

static bool catalog_opens(enum sql_catalog_level level, const struct sql_access *access,
			  const struct sql_relation *known)
{
	const char *const *opened =
		access->schema && access->use == SQL_USE_READ
			? sql_catalog_columns(level, access->schema, access->name)
			: NULL;

	if (!opened || (access->all_columns && !known))
		return false;
	for (size_t i = 0; access->all_columns && i < known->column_count; i++)
		if (!is_opened(opened, known->columns[i].name))
			return false;
	for (size_t i = 0; i < access->columns.count; i++)
		if (!is_opened(opened, access->columns.items[i]))
			return false;
	return true;
}

static bool is_system_schema(const char *schema)
{
	return schema &&
	       (strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0);
}

static void deny_catalog(struct analysis *analysis, const struct sql_access *access)
{
	analysis_deny(analysis, "sql-relation", "reading %s.%s is not granted", access->schema,
		      access->name);
	set_rule(analysis, "/catalog");
	if (catalog_opens(CATALOG_TYPES, access, NULL))
		hint(analysis, "/catalog", "\"types\"");
	else if (catalog_opens(CATALOG_SCHEMA, access, NULL))
		hint(analysis, "/catalog", "\"schema\"");
}

/* A use by nextval and its kin; a snapshot has no sequences. */
static bool is_sequence(const struct sql_access *access)
{
	return access->use == SQL_USE_UPDATE && !access->all_columns && access->columns.count == 0;
}

/* The rules that granted relations so far. */
struct rules {
	size_t first;
	bool any, several;
};

static void judge_relation(struct analysis *analysis, const struct sql_access *access,
			   struct rules *rules)
{
	const enum sql_verb verb = verb_of(access->use);
	struct table table = {.schema = access->schema, .name = access->name};
	struct granted granted;
	const char *column;

	if (analysis->subject->catalog && access->schema)
		table.known = sql_catalog_relation(analysis->subject->catalog, access->schema,
						   access->name);
	if (catalog_opens(analysis->subject->policy->catalog, access, table.known))
		return;
	collect(analysis, &table, verb, &granted);
	if (analysis->failed)
		return;
	if (!granted.any && is_system_schema(access->schema)) {
		deny_catalog(analysis, access);
		return;
	}
	if (granted.any && analysis->subject->catalog && !table.known && !is_sequence(access)) {
		analysis_deny(analysis, "sql-relation",
			      "the server had no relation %s when the session began",
			      written_name(analysis, &table));
		return;
	}
	column = granted.any ? missing_column(access, &table, &granted) : NULL;
	if (!granted.any || column) {
		deny_table(analysis, access, &table, &granted, column);
		return;
	}
	rules->several |= rules->any && rules->first != granted.rule;
	rules->any = true;
	rules->first = granted.rule;
}

/* ---- functions, operators, types ---- */

static bool in_search_path(const struct analysis *analysis, const char *schema)
{
	const struct strings *path = &analysis->subject->policy->search_path;

	for (size_t i = 0; i < path->count; i++)
		if (strcmp(path->items[i], schema) == 0)
			return true;
	return false;
}

static bool is_pg_catalog(const char *schema)
{
	return schema && strcmp(schema, "pg_catalog") == 0;
}

/* May a bare call reach something beside PostgreSQL's own? */
static bool is_overloaded(const struct analysis *analysis, const char *schema, const char *name)
{
	const struct sql_catalog *catalog = analysis->subject->catalog;

	return !schema && catalog && sql_catalog_overloads(catalog, SQL_OVERLOAD_FUNCTION, name);
}

/* Does the entry "item" of "functions" cover a call of schema.name (schema NULL: bare)? */
static bool entry_covers(const struct analysis *analysis, const char *item, const char *schema,
			 const char *name)
{
	const struct strings *path = &analysis->subject->policy->search_path;
	const char *dot = strchr(item, '.'), *why = NULL;
	char granted_schema[64];

	if (strcmp(dot ? dot + 1 : item, name) != 0)
		return false;
	if (!dot)
		return !schema || is_pg_catalog(schema) || in_search_path(analysis, schema);
	if ((size_t)(dot - item) >= sizeof(granted_schema))
		return false;
	memcpy(granted_schema, item, (size_t)(dot - item));
	granted_schema[dot - item] = '\0';
	if (schema)
		return strcmp(schema, granted_schema) == 0;
	if (is_pg_catalog(granted_schema))
		return !is_overloaded(analysis, schema, name);
	/* A bare call finds this one alone, if nothing else is looked in and PostgreSQL has none.
	 */
	return path->count == 1 && strcmp(path->items[0], granted_schema) == 0 &&
	       !sql_function_is_harmless(name, &why) && !why;
}

bool grants_function(const struct analysis *analysis, const char *schema, const char *name)
{
	const struct strings *functions = &analysis->subject->policy->functions;

	for (size_t i = 0; i < functions->count; i++)
		if (entry_covers(analysis, functions->items[i], schema, name))
			return true;
	return false;
}

static bool is_listed(const struct strings *functions, const char *schema, const char *name)
{
	const size_t length = strlen(schema);

	for (size_t i = 0; i < functions->count; i++) {
		const char *item = functions->items[i];

		if (strncmp(item, schema, length) == 0 && item[length] == '.' &&
		    strcmp(item + length + 1, name) == 0)
			return true;
	}
	return false;
}

/* Is each function that could be taken for PostgreSQL's own granted by its full name? */
static bool overloads_are_granted(const struct analysis *analysis, const char *name)
{
	const struct sql_catalog *catalog = analysis->subject->catalog;

	for (size_t i = 0; i < catalog->overload_count; i++) {
		const struct sql_overload *overload = &catalog->overloads[i];

		if (overload->kind == SQL_OVERLOAD_FUNCTION && strcmp(overload->name, name) == 0 &&
		    !is_listed(&analysis->subject->policy->functions, overload->schema, name))
			return false;
	}
	return true;
}

static void hint_function(struct analysis *analysis, const char *schema, const char *name)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	const bool some = analysis->subject->policy->functions.count > 0;
	const char *written = manifest_name(analysis->arena, schema, name);

	set_rule(analysis, "/functions");
	/* A dot within a name can't be written there. */
	if (!written || strchr(name, '.') || (schema && strchr(schema, '.')))
		return;
	if (!some)
		json_open_array(&writer);
	json_string(&writer, written);
	if (!some)
		json_close_array(&writer);
	hint(analysis, some ? "/functions/-" : "/functions", json_writer_text(&writer));
}

static void judge_function(struct analysis *analysis, const struct sql_access *access)
{
	const enum sql_catalog_level level = analysis->subject->policy->catalog;
	const bool own_place = !access->schema || is_pg_catalog(access->schema);
	const bool overloaded = is_overloaded(analysis, access->schema, access->name);
	const char *why = NULL;
	bool own = false;

	if (own_place)
		own = sql_function_is_harmless(access->name, &why) ||
		      sql_catalog_opens_function(level, access->name);
	if (own && (!overloaded || overloads_are_granted(analysis, access->name)))
		return;
	if (grants_function(analysis, access->schema, access->name))
		return;
	if (own)
		why = "another one of that name could be called in place of PostgreSQL's own";
	analysis_deny(analysis, "sql-function", "function %s%s%s is not granted%s%s%s",
		      access->schema ? access->schema : "", access->schema ? "." : "", access->name,
		      why ? " (" : "", why ? why : "", why ? ")" : "");
	hint_function(analysis, access->schema, access->name);
}

static void judge_type(struct analysis *analysis, const struct sql_access *access)
{
	if (grants_function(analysis, access->schema, access->name))
		return;
	analysis_deny(analysis, "sql-type", "type %s%s%s is not granted",
		      access->schema ? access->schema : "", access->schema ? "." : "",
		      access->name);
	hint_function(analysis, access->schema, access->name);
}

static void judge_operator(struct analysis *analysis, const struct sql_access *access)
{
	analysis_deny(
		analysis, "sql-operator", "operator %s%s%s is not PostgreSQL's own, or may not be",
		access->schema ? access->schema : "", access->schema ? "." : "", access->name);
}

/* ---- */

void grants_judge(struct analysis *analysis)
{
	struct rules rules = {0};
	char rule[48];

	for (size_t i = 0; i < analysis->access_count && !analysis->failed; i++) {
		const struct sql_access *access = &analysis->accesses[i];

		switch (access->kind) {
		case SQL_ACCESS_RELATION:
			judge_relation(analysis, access, &rules);
			break;
		case SQL_ACCESS_FUNCTION:
			judge_function(analysis, access);
			break;
		case SQL_ACCESS_OPERATOR:
			judge_operator(analysis, access);
			break;
		case SQL_ACCESS_TYPE:
			judge_type(analysis, access);
			break;
		case SQL_ACCESS_SETTING:
			break; /* settings.c has judged it */
		}
	}
	if (analysis->failed || !rules.any)
		return;
	(void)snprintf(rule, sizeof(rule), "/allow/%zu", rules.first);
	set_rule(analysis, rules.several ? "/allow" : rule);
}
