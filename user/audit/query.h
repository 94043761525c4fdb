/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the audit log: filters, and a record as a line for people. */
#ifndef AGENTPOL_AUDIT_QUERY_H
#define AGENTPOL_AUDIT_QUERY_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* NULL: any. */
struct audit_filter {
	const char *agent;
	const char *kind;
	const char *verdict;
	const char *since; /* a time as records have it, or its beginning: of then and later */
};

/* Calls `visit` with each record (its line without the newline) that the filter takes. */
typedef int (*audit_visit)(const char *line, void *context);

/*
 * Reads FOLDER/audit.jsonl from byte *offset on to its last whole line, and sets *offset behind it:
 * called again, it goes on (follow). A visit that returns other than 0 ends it. 0; -1 with *error
 * where the log can't be read or a line is no record (STATUS_NO: the log is damaged).
 */
int audit_query(const char *folder, const struct audit_filter *filter, size_t *offset,
		audit_visit visit, void *context, struct error *error) MUST_USE;

/* A record's line as a line for people; `colour` marks verdicts. False if it is no record. */
bool audit_print_line(const char *line, bool colour, FILE *out) MUST_USE;

/* "to allow: add /network/egress/- {...}"; `value` may be NULL. */
void audit_print_edit(const char *op, const char *path, const char *value, FILE *out);

/* A text that an agent may have named, without what a terminal obeys; the number of characters. */
size_t audit_print_safely(const char *text, FILE *out);

#endif
