/* SPDX-License-Identifier: Apache-2.0 */
/* Names that stand in string literals, as regclass's input takes them apart; and names as a
 * manifest writes them. */
#ifndef AGENTPOL_SQL_LITERAL_NAME_H
#define AGENTPOL_SQL_LITERAL_NAME_H

#include <stdbool.h>

#include "base/arena.h"

/* 'name' or 'schema.name', quoted or not; false for numbers and whatever else. */
bool literal_name(struct arena *arena, const char *text, const char **schema, const char **name);
/* As a manifest has it: bare, or in quotation marks; NULL when out of memory. */
const char *manifest_name(struct arena *arena, const char *schema, const char *name);

#endif
