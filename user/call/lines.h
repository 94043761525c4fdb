/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes as lines: how MCP frames messages on standard input and output. What is longer
 * than the bound is skipped to its end, and told. Memory: one line.
 */
#ifndef AGENTPOL_CALL_LINES_H
#define AGENTPOL_CALL_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* A line without its end; NULL: one that was too long. Valid during the call alone. */
typedef void (*line_handler)(const char *text, size_t length, void *context);

/* Zero-initialised but for limit. */
struct lines {
	size_t limit;	     /* longest line */
	char *held;	     /* owned: the beginning of a line */
	size_t length, room; /* of it */
	bool skipping;
};

void lines_free(struct lines *lines);
/* Hands out each line that ends in these bytes, and keeps the rest. -ENOMEM. */
int lines_push(struct lines *lines, const char *bytes, size_t length, line_handler handle,
	       void *context) MUST_USE;

#endif
