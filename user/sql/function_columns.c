// SPDX-License-Identifier: Apache-2.0
#include "sql/function_columns.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define COLUMNS_MAX 3

/* From pg_proc of PostgreSQL 15: what is not here, or returns what its arguments say (unnest,
 * json_populate_record), is not known. */
static const struct {
	const char *name;
	const char *columns[COLUMNS_MAX];
} functions[] = {
	{"generate_series", {NULL}},
	{"generate_subscripts", {NULL}},
	{"json_array_elements", {"value"}},
	{"json_array_elements_text", {"value"}},
	{"json_each", {"key", "value"}},
	{"json_each_text", {"key", "value"}},
	{"json_object_keys", {NULL}},
	{"jsonb_array_elements", {"value"}},
	{"jsonb_array_elements_text", {"value"}},
	{"jsonb_each", {"key", "value"}},
	{"jsonb_each_text", {"key", "value"}},
	{"jsonb_object_keys", {NULL}},
	{"jsonb_path_query", {NULL}},
	{"regexp_matches", {NULL}},
	{"regexp_split_to_table", {NULL}},
	{"string_to_table", {NULL}},
};

const char *const *function_columns(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return functions[i].columns;
	return NULL;
}
