// SPDX-License-Identifier: Apache-2.0
/* Looking things up in a catalog; catalog_read.c makes one, catalog_query.c asks for one. */
#include "sql/catalog.h"

#include <string.h>

const struct sql_relation *sql_catalog_relation(const struct sql_catalog *catalog,
						const char *schema, const char *name)
{
	size_t low = 0, high = catalog->relation_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct sql_relation *relation = &catalog->relations[middle];
		int order = strcmp(name, relation->name);

		if (order == 0)
			order = strcmp(schema, relation->schema);
		if (order == 0)
			return relation;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* In the order of the table, by which "*" and positional lists go: looked through, not searched. */
const struct sql_column *sql_relation_column(const struct sql_relation *relation, const char *name)
{
	for (size_t i = 0; i < relation->column_count; i++)
		if (strcmp(relation->columns[i].name, name) == 0)
			return &relation->columns[i];
	return NULL;
}

bool sql_catalog_overloads(const struct sql_catalog *catalog, enum sql_overload_kind kind,
			   const char *name)
{
	size_t low = 0, high = catalog->overload_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct sql_overload *overload = &catalog->overloads[middle];
		int order = (int)kind - (int)overload->kind;

		if (order == 0)
			order = strcmp(name, overload->name);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

void sql_catalog_free(struct sql_catalog *catalog)
{
	if (catalog)
		arena_free(catalog->arena);
}
