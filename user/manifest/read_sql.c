// SPDX-License-Identifier: Apache-2.0
/* A tool's "sql": which statements a call may run, and on which server. */
#include "manifest/reader.h"

#include <string.h>

#define MAX_ROWS_MAX (1ULL << 31)

static void read_tables(struct reader *reader, const json_value *list, struct sql_grant *grant)
{
	size_t index = 0;

	if (!reader_not_empty(reader, list, "name tables, e.g. [\"orders\"]"))
		return;
	grant->tables = reader_new_array(reader, struct sql_table, json_count(list));
	if (!grant->tables)
		return;
	json_for_each (item, list) {
		size_t before = reader_push_index(reader, index++);

		if (read_sql_table(reader, item, grant->verb, &grant->tables[grant->table_count]))
			grant->table_count++;
		reader_pop(reader, before);
	}
}

#define VERB(name, number)                                                                    \
	static void read_##name(struct reader *reader, const json_value *value, void *target) \
	{                                                                                     \
		struct sql_grant *grant = target;                                             \
                                                                                              \
		grant->verb = number;                                                         \
		read_tables(reader, value, grant);                                            \
	}
VERB(select, SQL_SELECT)
VERB(insert, SQL_INSERT)
VERB(update, SQL_UPDATE)
VERB(delete, SQL_DELETE)

static const struct key_spec grant_keys[] = {
	{"select", KIND_LIST, read_select, NULL},
	{"insert", KIND_LIST, read_insert, NULL},
	{"update", KIND_LIST, read_update, NULL},
	{"delete", KIND_LIST, read_delete, NULL},
};

static void read_allow(struct reader *reader, const json_value *value, void *target)
{
	struct sql_policy *sql = target;

	if (!reader_not_empty(reader, value, "write e.g. [{\"select\": [\"orders\"]}]"))
		return;
	sql->grants = reader_new_array(reader, struct sql_grant, json_count(value));
	if (!sql->grants)
		return;
	json_for_each (item, value) {
		size_t before = reader_push_index(reader, sql->grant_count);
		struct sql_grant *grant = &sql->grants[sql->grant_count++];

		if (reader_object(reader, item, grant_keys, ARRAY_SIZE(grant_keys), grant) &&
		    json_count(item) != 1)
			reader_error(reader, item,
				     json_count(item) ? CODE_CONTRADICTION : CODE_EMPTY,
				     "a grant has one verb: write one object for each of select, "
				     "insert, update and delete");
		reader_pop(reader, before);
	}
}

static void read_engine(struct reader *reader, const json_value *value, void *target)
{
	struct sql_policy *sql = target;
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX];

	if (strcmp(text, "postgresql") == 0)
		sql->engine = reader_copy(reader, text);
	else
		reader_error(reader, value, CODE_UNSUPPORTED,
			     "\"%s\" can't be guarded; \"postgresql\" is the only engine so far",
			     reader_show(shown, text));
}

static bool parse_server_port(const char *text, uint16_t *port)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long number;

	if (digits == 0 || digits > 5 || text[digits] != '\0' || text[0] == '0')
		return false;
	number = strtoul(text, NULL, 10);
	*port = (uint16_t)number;
	return number <= UINT16_MAX;
}

/* "host:5432", "10.0.0.1:5432", "[::1]:5432" */
static void read_host_and_port(struct reader *reader, const json_value *value,
			       struct sql_policy *sql)
{
	const char *text = json_as_string(value);
	const char *colon = strrchr(text, ':');
	struct ip_address address;
	size_t host_length;
	char *host;

	if (!colon || colon == text || !parse_server_port(colon + 1, &sql->server_port)) {
		reader_error(reader, value, CODE_TARGET,
			     "must be \"host:port\", e.g. \"db.internal:5432\", or the absolute "
			     "path of a Unix socket's directory");
		return;
	}
	host_length = (size_t)(colon - text);
	if (text[0] == '[' && host_length > 2 && colon[-1] == ']') {
		text++;
		host_length -= 2;
	}
	host = arena_copy(reader->arena, text, host_length);
	if (!host)
		reader_out_of_memory(reader);
	else if (address_parse(host, &address) || strcmp(host, "localhost") == 0)
		sql->server_host = host;
	else
		sql->server_host = reader_host_name(reader, value, host);
}

static void read_server(struct reader *reader, const json_value *value, void *target)
{
	struct sql_policy *sql = target;

	if (json_as_string(value)[0] == '/')
		sql->server_path = reader_path(reader, value);
	else
		read_host_and_port(reader, value, sql);
}

/* Names that a client sends at start: not folded, any bytes but none too many. */
static const char *read_session_name(struct reader *reader, const json_value *value)
{
	const char *text = json_as_string(value);

	if (text[0] != '\0' && strlen(text) <= SQL_IDENTIFIER_MAX)
		return reader_copy(reader, text);
	reader_error(reader, value, CODE_SQL, "a name has 1 to %d bytes", SQL_IDENTIFIER_MAX);
	return NULL;
}

static void read_databases(struct reader *reader, const json_value *value, void *target)
{
	reader_strings_or_error(reader, value, read_session_name, "leave it out for any database",
				&((struct sql_policy *)target)->databases);
}

static void read_users(struct reader *reader, const json_value *value, void *target)
{
	reader_strings_or_error(reader, value, read_session_name, "leave it out for any user",
				&((struct sql_policy *)target)->users);
}

static void read_search_path(struct reader *reader, const json_value *value, void *target)
{
	reader_strings_or_error(reader, value, read_sql_schema, "leave it out for [\"public\"]",
				&((struct sql_policy *)target)->search_path);
}

static void read_functions(struct reader *reader, const json_value *value, void *target)
{
	reader_strings(reader, value, read_sql_function, &((struct sql_policy *)target)->functions);
}

static void read_catalog(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {
		{"none", CATALOG_NONE}, {"types", CATALOG_TYPES}, {"schema", CATALOG_SCHEMA}};
	int catalog;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &catalog))
		((struct sql_policy *)target)->catalog = (enum sql_catalog_level)catalog;
}

static void read_argument(struct reader *reader, const json_value *value, void *target)
{
	const char *text = json_as_string(value);

	if (reader_json_pointer(reader, value, text))
		((struct sql_policy *)target)->argument = reader_copy(reader, text);
}

static void read_tls(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"disable", TLS_DISABLE},
					    {"require", TLS_REQUIRE},
					    {"verify-full", TLS_VERIFY_FULL}};
	int tls;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &tls))
		((struct sql_policy *)target)->tls = (enum sql_tls)tls;
}

static void read_ca(struct reader *reader, const json_value *value, void *target)
{
	((struct sql_policy *)target)->ca = reader_path(reader, value);
}

static void read_read_only(struct reader *reader, const json_value *value, void *target)
{
	(void)reader;
	((struct sql_policy *)target)->read_only = json_as_boolean(value);
}

static void read_statement_timeout(struct reader *reader, const json_value *value, void *target)
{
	struct sql_policy *sql = target;

	(void)reader_duration(reader, value, &sql->statement_timeout_ms);
}

static void read_max_rows(struct reader *reader, const json_value *value, void *target)
{
	struct sql_policy *sql = target;

	(void)reader_unsigned(reader, value, 1, MAX_ROWS_MAX, &sql->max_rows);
}

static const struct key_spec sql_keys[] = {
	{"engine", KIND_STRING, read_engine, "write \"engine\": \"postgresql\""},
	{"server", KIND_STRING, read_server, "write e.g. \"server\": \"db.internal:5432\""},
	{"databases", KIND_LIST, read_databases, NULL},
	{"users", KIND_LIST, read_users, NULL},
	{"allow", KIND_LIST, read_allow, "write e.g. \"allow\": [{\"select\": [\"orders\"]}]"},
	{"search_path", KIND_LIST, read_search_path, NULL},
	{"functions", KIND_LIST, read_functions, NULL},
	{"catalog", KIND_STRING, read_catalog, NULL},
	{"argument", KIND_STRING, read_argument, NULL},
	{"tls", KIND_STRING, read_tls, NULL},
	{"ca", KIND_STRING, read_ca, NULL},
	{"read_only", KIND_BOOLEAN, read_read_only, NULL},
	{"statement_timeout", KIND_STRING, read_statement_timeout, NULL},
	{"max_rows", KIND_NUMBER, read_max_rows, NULL},
};

static bool grants_writes(const struct sql_policy *sql)
{
	for (size_t i = 0; i < sql->grant_count; i++)
		if (sql->grants[i].verb != SQL_SELECT && sql->grants[i].table_count)
			return true;
	return false;
}

static void default_search_path(struct reader *reader, struct sql_policy *sql)
{
	const char **items = reader_new_array(reader, const char *, 1);

	if (!items)
		return;
	items[0] = reader_copy(reader, "public");
	sql->search_path = (struct strings){items, 1};
}

void read_sql(struct reader *reader, const json_value *value, void *target)
{
	struct tool *tool = target;
	struct sql_policy *sql = reader_new_array(reader, struct sql_policy, 1);

	if (!sql)
		return;
	sql->read_only = -1;
	tool->sql = sql;
	if (!reader_object(reader, value, sql_keys, ARRAY_SIZE(sql_keys), sql))
		return;
	if (!json_member(value, "search_path"))
		default_search_path(reader, sql);
	if (sql->read_only == 1 && grants_writes(sql))
		reader_error_at_key(reader, value, "read_only", CODE_CONTRADICTION,
				    "a session that only reads can't insert, update or delete, "
				    "which \"allow\" grants; remove one of the two");
	if (sql->ca && sql->tls == TLS_DISABLE)
		reader_error_at_key(reader, value, "ca", CODE_CONTRADICTION,
				    "is not used without TLS; remove it, or set \"tls\" to "
				    "\"verify-full\"");
}
