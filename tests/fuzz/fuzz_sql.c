// SPDX-License-Identifier: Apache-2.0
/* libFuzzer: whatever the text, judging it ends, in bounds, with and without a catalog. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sql/decision.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *part[] = {"id", "name"};
static const char *path[] = {"public"};
static struct sql_table granted[] = {
	{.name = "orders"},
	{.name = "customers", .has_columns = true, .columns = {part, 2}},
};
static struct sql_grant grants[] = {{SQL_SELECT, granted, 2}, {SQL_UPDATE, granted, 1}};
static const struct sql_policy policy = {
	.engine = "postgresql",
	.grants = grants,
	.grant_count = 2,
	.search_path = {path, 1},
	.read_only = -1,
};
static const struct sql_column orders[] = {{.name = "id"}, {.name = "total"}};
static const struct sql_column customers[] = {{.name = "id"}, {.name = "name"}, {.name = "ssn"}};
static const struct sql_relation relations[] = {
	{"public", "customers", 'r', customers, 3},
	{"public", "orders", 'r', orders, 2},
};
static const struct sql_catalog catalog = {.relations = relations, .relation_count = 2};

static void judge(const struct sql_catalog *known, const char *text, size_t size)
{
	const struct sql_subject subject = {
		.policy = &policy, .pointer = "/tools/t/sql", .catalog = known};
	struct json_writer writer = {0};
	struct arena *arena = arena_new();
	struct sql_decision decision;

	if (!arena)
		return;
	sql_decide(&subject, text, size, arena, &decision);
	sql_accesses_write(&decision, &writer);
	/* A denial says why; an allow has no reason. */
	if ((decision.verdict.kind == VERDICT_ALLOW) != (decision.verdict.reason == NULL))
		__builtin_trap();
	for (size_t i = 0; decision.verdict.kind == VERDICT_ALLOW && i < decision.access_count;
	     i++) {
		const struct sql_access *access = &decision.accesses[i];

		/* The hidden column, and any table but the two, are never allowed. */
		if (access->kind != SQL_ACCESS_RELATION || strcmp(access->schema, "public") != 0)
			continue;
		if (strcmp(access->name, "customers") == 0 && access->all_columns)
			__builtin_trap();
		for (size_t j = 0; j < access->columns.count; j++)
			if (strcmp(access->name, "customers") == 0 &&
			    strcmp(access->columns.items[j], "ssn") == 0)
				__builtin_trap();
	}
	json_writer_free(&writer);
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	/* A text has no NUL within. */
	size = strlen(text);
	judge(NULL, text, size);
	judge(&catalog, text, size);
	free(text);
	return 0;
}
