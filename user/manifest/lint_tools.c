// SPDX-License-Identifier: Apache-2.0
/* Findings about a tool's effect, confirmation and SQL. */
#include <string.h>

#include "call/schema.h"

#include "manifest/lint_rules.h"

/* Keys of a JSON Schema that say more of a string than that it is one. */
static const char *const limiting_keys[] = {"enum", "const", "pattern", "$ref"};

static bool is_free_text(const json_value *property)
{
	const char *type = json_as_string(json_member(property, "type"));

	if (!type || strcmp(type, "string") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(limiting_keys); i++)
		if (json_member(property, limiting_keys[i]))
			return false;
	return true;
}

/* The first property that may be any text, or NULL. */
static const json_value *find_free_text(const json_value *schema)
{
	json_for_each (property, json_member(schema, "properties"))
		if (is_free_text(property))
			return property;
	return NULL;
}

static bool changes_rows(const struct sql_policy *sql)
{
	for (size_t i = 0; i < sql->grant_count; i++)
		if (sql->grants[i].verb != SQL_SELECT)
			return true;
	return false;
}

static bool is_local(const struct sql_policy *sql)
{
	struct ip_address address;

	if (!sql->server_host || strcmp(sql->server_host, "localhost") == 0)
		return true;
	return address_parse(sql->server_host, &address) && address_is_loopback(&address);
}

/* What a name begins with, for families of functions. */
static const char *const undoing_prefixes[] = {
	"pg_read_",	"pg_ls_",	   "pg_file_",	   "lo_",	    "dblink",
	"query_to_xml", "cursor_to_xml",   "table_to_xml", "schema_to_xml", "database_to_xml",
	"pg_logical_",	"pg_replication_", "pg_create_",   "pg_drop_",
};
static const char *const undoing_names[] = {
	"currtid2",
	"lowrite",
	"loread",
	"pg_cancel_backend",
	"pg_execute_server_program",
	"pg_import_system_collations",
	"pg_promote",
	"pg_reload_conf",
	"pg_rotate_logfile",
	"pg_stat_file",
	"pg_terminate_backend",
	"set_config",
	"ts_rewrite",
	"ts_stat",
	"xpath_table",
};

static bool undoes_grants(const char *function)
{
	const char *dot = strchr(function, '.');
	const char *name = dot ? dot + 1 : function;

	for (size_t i = 0; i < ARRAY_SIZE(undoing_prefixes); i++)
		if (strncmp(name, undoing_prefixes[i], strlen(undoing_prefixes[i])) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(undoing_names); i++)
		if (strcmp(name, undoing_names[i]) == 0)
			return true;
	return false;
}

static void lint_sql_functions(struct linter *linter, const struct tool *tool,
			       const json_value *list)
{
	const json_value *item = json_first(list);

	for (size_t i = 0; i < tool->sql->functions.count && item; i++, item = json_next(item))
		if (undoes_grants(tool->sql->functions.items[i]))
			lint_find(linter, LINT_SQL_FUNCTION, item, tool->sql->functions.items[i],
				  tool->scope.pointer, "/sql/functions/%zu", i);
}

static void lint_sql_path(struct linter *linter, const struct tool *tool, const json_value *list)
{
	const json_value *item = json_first(list);

	for (size_t i = 0; i < tool->sql->search_path.count && item; i++, item = json_next(item))
		if (i > 0 && strcmp(tool->sql->search_path.items[i], "pg_catalog") == 0)
			lint_find(linter, LINT_SQL_PATH, item, NULL, tool->scope.pointer,
				  "/sql/search_path/%zu", i);
}

static void lint_sql(struct linter *linter, const struct tool *tool, const json_value *value)
{
	const json_value *sql = json_member(value, "sql");
	const json_value *free_text = find_free_text(json_member(value, "inputSchema"));
	const char *pointer = tool->scope.pointer;

	if (!tool->sql->argument && free_text)
		lint_find(linter, LINT_SQL_UNCHECKED, sql, json_key_of(free_text), pointer,
			  "/sql/argument");
	if (tool->effect == EFFECT_READ && changes_rows(tool->sql))
		lint_find(linter, LINT_SQL_EFFECT, json_member(value, "effect"), NULL, pointer,
			  "/effect");
	if (!is_local(tool->sql) &&
	    (tool->sql->tls == TLS_DISABLE || tool->sql->tls == TLS_REQUIRE))
		lint_find(linter, LINT_SQL_PLAIN, json_member(sql, "tls"), NULL, pointer,
			  "/sql/tls");
	lint_sql_functions(linter, tool, json_member(sql, "functions"));
	lint_sql_path(linter, tool, json_member(sql, "search_path"));
}

static void lint_ignored(struct linter *linter, const struct tool *tool, const json_value *value)
{
	struct schema_fault fault;
	struct schema *schema =
		schema_compile(tool->input_schema, strlen(tool->input_schema), &fault);

	if (schema && schema_find_ignored(schema, &fault))
		lint_find(linter, LINT_IGNORED_LIMIT, value, fault.keyword, tool->scope.pointer,
			  "/inputSchema%s", fault.pointer);
	schema_free(schema);
}

void lint_tool(struct linter *linter, const struct tool *tool, const json_value *value)
{
	const json_value *effect = json_member(value, "effect");

	if (!tool->ask && (tool->effect == EFFECT_DESTRUCTIVE || tool->effect == EFFECT_EXTERNAL))
		lint_find(linter, LINT_UNCONFIRMED, effect ? effect : value,
			  effect ? NULL : "no effect is stated, which counts as \"destructive\"",
			  tool->scope.pointer, "/confirm");
	if (tool->sql)
		lint_sql(linter, tool, value);
	if (tool->input_schema)
		lint_ignored(linter, tool, json_member(value, "inputSchema"));
}
