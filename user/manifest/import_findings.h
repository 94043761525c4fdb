/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tool list leaves open, a rule each: told by `agentpol import` beside the skeleton. Used by
 * the files of the importer alone.
 */
#ifndef AGENTPOL_MANIFEST_IMPORT_FINDINGS_H
#define AGENTPOL_MANIFEST_IMPORT_FINDINGS_H

#include "manifest/reader.h"

/* The order of import_rules: I001 is the first. */
enum import_rule_index {
	IMPORT_TEXT,
	IMPORT_PATH,
	IMPORT_URL,
	IMPORT_SQL,
	IMPORT_COMMAND,
	IMPORT_RECIPIENT,
	IMPORT_AMOUNT,
	IMPORT_SECRET,
	IMPORT_ANY_VALUE,
	IMPORT_OPEN_OBJECT,
	IMPORT_CLOSED_OBJECT,
	IMPORT_HOSTED,
	IMPORT_SCHEMA,
	IMPORT_HINTS,
	IMPORT_PARTIAL,
	IMPORT_RULES,
};

struct import_rule {
	const char *code; /* "I001": stable */
	enum severity severity;
	const char *summary; /* what is open */
	/* What would mend it: around the argument's pointer, and where no pointer names it. */
	const char *before, *after, *otherwise;
	unsigned max_length; /* what the skeleton allows such a string; 0: it is no string */
};
extern const struct import_rule import_rules[IMPORT_RULES];

/* The rule that a free string of this name and description (may be NULL) falls under. */
enum import_rule_index import_kind_of_string(const char *name, const char *description);
/* Does a number of this name count money or goods? */
bool import_is_amount(const char *name);

/* A finding at `value`, whose pointer is the reader's. `argument` is the JSON pointer into a call's
 * arguments, NULL where none names the value; `what` (may be NULL) stands in front. */
void import_find(struct reader *reader, enum import_rule_index rule, const json_value *value,
		 const char *argument, const char *what);

#endif
