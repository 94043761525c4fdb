/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON text as one flat array of values: what libpg_query writes of a statement, and catalog
 * snapshots. Strict (RFC 8259, UTF-8), no
 * recursion, bounded depth. A value is followed by all that is inside of it, so that the next one
 * beside it is `span` places on.
 */
#ifndef AGENTPOL_SQL_TREE_H
#define AGENTPOL_SQL_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* Nested deeper, no statement is judged: walks over a tree may recurse this deep. */
#define TREE_DEPTH_MAX 1000

enum tree_kind { TREE_NULL, TREE_BOOLEAN, TREE_NUMBER, TREE_STRING, TREE_ARRAY, TREE_OBJECT };

struct tree_value {
	const char *key;  /* of a member of an object; NULL elsewhere */
	const char *text; /* string: decoded; number, "true", "false": as written; else NULL */
	uint32_t span;	  /* places to the next value beside it: 1 and what is inside */
	uint32_t count;	  /* values directly inside */
	enum tree_kind kind;
};

/* Why a text is no tree. */
enum tree_fault { TREE_FINE, TREE_MALFORMED, TREE_TOO_DEEP, TREE_NO_MEMORY };

/*
 * Reads all of the text; the values and their strings live in `arena`. NULL, with *fault set, where
 * it is no JSON. A string with U+0000 in it, a lone surrogate and a key that stands twice in one
 * object are faults too.
 */
const struct tree_value *tree_read(const char *text, size_t length, struct arena *arena,
				   enum tree_fault *fault) MUST_USE;

/* The member of an object, or NULL; also where `value` is NULL or no object. */
const struct tree_value *tree_member(const struct tree_value *value, const char *key);
/* The member's text where it is a string, or NULL. */
const char *tree_string(const struct tree_value *value, const char *key);
/* The member's number; 0 where there is none. */
long tree_number(const struct tree_value *value, const char *key);
/* Is the member there and true? */
bool tree_flag(const struct tree_value *value, const char *key);

/* The values directly inside of an array or object (none for NULL), in their order. */
#define tree_for_each(item, container)                                                            \
	for (const struct tree_value *item = (container) ? (container) + 1 : NULL,                \
				     *item##_end = item ? (container) + (container)->span : NULL; \
	     item != item##_end; item += item->span)

#endif
