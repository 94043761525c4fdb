/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON, read front to back by a caller who knows what has to come next: for the catalog's
 * snapshot. No recursion: how deep it goes is the caller's code, not the text's choice.
 *
 * The first fault stays (`fault`, `fault_at`); after it every call does nothing and says false, so
 * that a caller may look once at the end.
 */
#ifndef AGENTPOL_SQL_JSON_READ_H
#define AGENTPOL_SQL_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct json_cursor {
	const char *start, *at, *end;
	struct arena *arena;  /* strings are copied there */
	const char *fault;    /* NULL: none so far */
	const char *fault_at; /* within the text */
};

struct json_cursor json_cursor_of(const char *text, size_t length, struct arena *arena);
/* Notes a fault at the place that is read; returns false. */
bool json_cursor_fault(struct json_cursor *cursor, const char *fault);

/* The next byte that is no white space; '\0' at the end and after a fault. */
char json_peek(struct json_cursor *cursor);
/* Is it that one? Then goes past it; else it is a fault. */
bool json_take(struct json_cursor *cursor, char byte);
/* A string without NUL in it; NULL on a fault. */
const char *json_take_string(struct json_cursor *cursor);
/* A whole number of at most 9 digits. */
bool json_take_number(struct json_cursor *cursor, unsigned *number);
/* Nothing but white space is left, and there was no fault. */
bool json_at_end(struct json_cursor *cursor);

/*
 * for (json_take(c, '['), first = true; json_more(c, ']', &first);) ...: is there one more item?
 * Takes the comma or the closing bracket.
 */
bool json_more(struct json_cursor *cursor, char closing, bool *first);
/* A key and its colon; NULL on a fault. */
const char *json_take_key(struct json_cursor *cursor);

#endif
