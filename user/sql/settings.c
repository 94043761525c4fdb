// SPDX-License-Identifier: Apache-2.0
/* SET, RESET and SHOW of what only concerns the client; modes of transactions. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/analysis.h"

enum setting_kind {
	SETTING_SHOWN,	  /* SHOW alone */
	SETTING_FREE,	  /* any value */
	SETTING_ENCODING, /* UTF8 */
	SETTING_TIMEOUT,  /* not off, and no longer than the policy's */
};

static const struct setting {
	const char *name;
	enum setting_kind kind;
} settings[] = {
	{"application_name", SETTING_FREE},
	{"bytea_output", SETTING_FREE},
	{"client_encoding", SETTING_ENCODING},
	{"client_min_messages", SETTING_FREE},
	{"datestyle", SETTING_FREE},
	{"default_transaction_isolation", SETTING_SHOWN},
	{"default_transaction_read_only", SETTING_SHOWN},
	{"extra_float_digits", SETTING_FREE},
	{"idle_in_transaction_session_timeout", SETTING_TIMEOUT},
	{"idle_session_timeout", SETTING_TIMEOUT},
	{"integer_datetimes", SETTING_SHOWN},
	{"intervalstyle", SETTING_FREE},
	{"is_superuser", SETTING_SHOWN},
	{"lc_collate", SETTING_SHOWN},
	{"lc_ctype", SETTING_SHOWN},
	{"lc_messages", SETTING_SHOWN},
	{"lc_monetary", SETTING_SHOWN},
	{"lc_numeric", SETTING_SHOWN},
	{"lc_time", SETTING_SHOWN},
	{"lock_timeout", SETTING_TIMEOUT},
	{"max_identifier_length", SETTING_SHOWN},
	{"search_path", SETTING_SHOWN},
	{"server_encoding", SETTING_SHOWN},
	{"server_version", SETTING_SHOWN},
	{"server_version_num", SETTING_SHOWN},
	{"session_authorization", SETTING_SHOWN},
	{"standard_conforming_strings", SETTING_SHOWN},
	{"statement_timeout", SETTING_TIMEOUT},
	{"timezone", SETTING_FREE},
	{"transaction_isolation", SETTING_SHOWN},
	{"transaction_read_only", SETTING_SHOWN},
};

static const struct setting *find_setting(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(settings); i++)
		if (strcasecmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

static void deny(struct analysis *analysis, const char *verb, const char *name, const char *rest)
{
	analysis_deny(analysis, "sql-setting", "%s %s%s is not granted", verb, name, rest);
}

/* Milliseconds; 0 for what is none, is no time, or is longer than an int holds. */
static unsigned long parse_timeout(const char *text)
{
	static const struct {
		const char *unit;
		unsigned long factor;
	} units[] = {{"", 1},	     {"ms", 1},	     {"s", 1000},
		     {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
	unsigned long number;
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 16)
		return 0;
	/* "0" in front and "0x" are octal and hexadecimal to the server: told apart by nobody. */
	if (*text == '0')
		return 0;
	number = strtoul(text, &end, 10);
	end += strspn(end, " ");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(end, units[i].unit) == 0 && number <= INT_MAX / units[i].factor)
			return number * units[i].factor;
	return 0;
}

/* The one value of SET, as text; NULL where there are more, or another kind of one. */
static const char *only_value(struct analysis *analysis, const struct tree_value *arguments)
{
	const struct tree_value *constant;
	const char *text;

	if (!arguments || arguments->count != 1)
		return NULL;
	constant = tree_member(arguments + 1, "A_Const");
	text = tree_string(tree_member(constant, "sval"), "sval");
	if (!text && tree_member(constant, "ival"))
		text = arena_printf(analysis->arena, "%ld",
				    tree_number(tree_member(constant, "ival"), "ival"));
	return text;
}

static bool timeout_is_fine(const struct analysis *analysis, const struct setting *setting,
			    const char *value)
{
	const uint64_t most = analysis->subject->policy->statement_timeout_ms;
	const unsigned long wanted = value ? parse_timeout(value) : 0;

	if (wanted == 0)
		return false;
	return strcmp(setting->name, "statement_timeout") != 0 || most == 0 || wanted <= most;
}

static bool value_is_fine(struct analysis *analysis, const struct setting *setting,
			  const struct tree_value *body)
{
	const struct tree_value *arguments = tree_member(body, "args");
	const char *value = only_value(analysis, arguments);

	switch (setting->kind) {
	case SETTING_SHOWN:
		return false;
	case SETTING_FREE:
		/* SET TIME ZONE INTERVAL '...' is a cast of a constant. */
		tree_for_each(item, arguments)
		{
			struct node node = node_read(analysis, item);

			if (node_is(node, "TypeCast"))
				node = node_read(analysis, tree_member(node.body, "arg"));
			if (!node_is(node, "A_Const"))
				return false;
		}
		return true;
	case SETTING_ENCODING:
		return value &&
		       (strcasecmp(value, "utf8") == 0 || strcasecmp(value, "utf-8") == 0 ||
			strcasecmp(value, "unicode") == 0);
	case SETTING_TIMEOUT:
		return timeout_is_fine(analysis, setting, value);
	}
	return false;
}

/* ---- modes of transactions ---- */

static bool asks_read_write(const struct tree_value *definition)
{
	const struct tree_value *constant = tree_member(tree_member(definition, "arg"), "A_Const");

	return tree_number(tree_member(constant, "ival"), "ival") == 0;
}

void walk_transaction_modes(struct analysis *analysis, const struct tree_value *options)
{
	static const char *const harmless[] = {"transaction_isolation", "transaction_deferrable"};

	tree_for_each(item, options)
	{
		const struct node node = node_read(analysis, item);
		const char *name = tree_string(node.body, "defname");
		bool known = false;

		if (!node_is(node, "DefElem") || !name) {
			analysis_unknown_node(analysis, "TransactionStmt", "options");
			return;
		}
		for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
			known |= strcmp(harmless[i], name) == 0;
		if (strcmp(name, "transaction_read_only") == 0) {
			known = true;
			if (asks_read_write(node.body) &&
			    policy_only_reads(analysis->subject->policy))
				analysis_deny(analysis, "sql-setting",
					      "READ WRITE is not granted: only reads are");
		}
		if (!known)
			analysis_unknown_node(analysis, "TransactionStmt", name);
	}
}

/* ---- statements ---- */

static void walk_set_many(struct analysis *analysis, const char *name,
			  const struct tree_value *arguments)
{
	if (name &&
	    (strcmp(name, "TRANSACTION") == 0 || strcmp(name, "SESSION CHARACTERISTICS") == 0))
		walk_transaction_modes(analysis, arguments);
	else
		deny(analysis, "SET", name ? name : "of many", "");
}

static void note_setting(struct analysis *analysis, const char *name, enum sql_use use)
{
	(void)access_note(analysis, SQL_ACCESS_SETTING, use, NULL, name);
}

void walk_set(struct analysis *analysis, const struct tree_value *body)
{
	const char *kind = tree_string(body, "kind"), *name = tree_string(body, "name");
	const struct setting *setting = find_setting(name);

	if (!kind) {
		analysis_unknown_node(analysis, "VariableSetStmt", "kind");
		return;
	}
	/* Back to what the guard has set at the start of the session. */
	if (strcmp(kind, "VAR_RESET_ALL") == 0) {
		note_setting(analysis, "all", SQL_USE_SET);
		return;
	}
	if (strcmp(kind, "VAR_SET_MULTI") == 0) {
		walk_set_many(analysis, name, tree_member(body, "args"));
		return;
	}
	if (name)
		note_setting(analysis, setting ? setting->name : name, SQL_USE_SET);
	if (!setting || setting->kind == SETTING_SHOWN) {
		deny(analysis, strcmp(kind, "VAR_RESET") == 0 ? "RESET" : "SET", name ? name : "?",
		     "");
		return;
	}
	if (strcmp(kind, "VAR_RESET") == 0 || strcmp(kind, "VAR_SET_DEFAULT") == 0)
		return;
	if (strcmp(kind, "VAR_SET_VALUE") != 0 || !value_is_fine(analysis, setting, body))
		deny(analysis, "SET", setting->name,
		     setting->kind == SETTING_TIMEOUT	 ? " to a longer time, or to none,"
		     : setting->kind == SETTING_ENCODING ? " to anything but UTF8"
							 : " to that");
}

void walk_show(struct analysis *analysis, const struct tree_value *body)
{
	const char *name = tree_string(body, "name");
	const struct setting *setting = find_setting(name);

	if (name)
		note_setting(analysis, setting ? setting->name : name, SQL_USE_READ);
	if (!setting)
		deny(analysis, "SHOW", name ? name : "?", "");
}
