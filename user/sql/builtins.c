// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "sql/builtins.h"
#include "sql/builtins_table.h"

/* What a level opens. */
struct opened {
	const struct builtin_names *functions;
	const struct builtin_names *types;
	const struct builtin_relation *relations;
	size_t relation_count;
};

static bool names_have(const struct builtin_names *names, const char *name)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, names->items[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static const char *refusal_of(const char *name)
{
	for (size_t i = 0; i < builtin_refusal_count; i++)
		if (names_have(&builtin_refusals[i].functions, name))
			return builtin_refusals[i].why;
	return NULL;
}

bool sql_function_is_harmless(const char *name, const char **why)
{
	bool harmless = names_have(&builtin_harmless_functions, name);

	if (why)
		*why = harmless ? NULL : refusal_of(name);
	return harmless;
}

bool sql_operator_is_harmless(const char *sign)
{
	return names_have(&builtin_harmless_operators, sign);
}

bool sql_type_is_harmless(const char *name)
{
	return names_have(&builtin_harmless_types, name);
}

static bool level_opens(enum sql_catalog_level level, struct opened *opened)
{
	switch (level) {
	case CATALOG_TYPES:
		*opened = (struct opened){&builtin_types_functions, &builtin_types_types,
					  builtin_types_relations, builtin_types_relation_count};
		return true;
	case CATALOG_SCHEMA:
		*opened = (struct opened){&builtin_schema_functions, &builtin_schema_types,
					  builtin_schema_relations, builtin_schema_relation_count};
		return true;
	case CATALOG_NONE:
		break;
	}
	return false;
}

const struct builtin_relation *sql_catalog_relations(enum sql_catalog_level level, size_t *count)
{
	struct opened opened = {0};

	(void)level_opens(level, &opened);
	*count = opened.relation_count;
	return opened.relations;
}

const char *const *sql_catalog_columns(enum sql_catalog_level level, const char *schema,
				       const char *relation)
{
	struct opened opened;

	if (!level_opens(level, &opened))
		return NULL;
	for (size_t i = 0; i < opened.relation_count; i++)
		if (strcmp(opened.relations[i].name, relation) == 0 &&
		    strcmp(opened.relations[i].schema, schema) == 0)
			return opened.relations[i].columns;
	return NULL;
}

bool sql_catalog_opens_function(enum sql_catalog_level level, const char *name)
{
	struct opened opened;

	return level_opens(level, &opened) && names_have(opened.functions, name);
}

bool sql_catalog_opens_type(enum sql_catalog_level level, const char *name)
{
	struct opened opened;

	return level_opens(level, &opened) && names_have(opened.types, name);
}
