/* SPDX-License-Identifier: Apache-2.0 */
/* Going through the log record by record: what show, follow and stats have in common. */
#ifndef AGENTPOL_AUDIT_SCAN_H
#define AGENTPOL_AUDIT_SCAN_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "audit/query.h"

/* One record: its line without the newline, and the same parsed. Other than 0 ends the scan. */
typedef int (*audit_take)(const char *line, const cJSON *record, void *context);

/* As audit_query, for the other files of this room. */
int audit_scan(const char *folder, const struct audit_filter *filter, size_t *offset,
	       audit_take take, void *context, struct error *error) MUST_USE;

/* A member's text, NULL where it has none; `record` may be NULL. */
const char *scan_text(const cJSON *record, const char *key);
/* A member's number; 0 where it has none, or one that is no count. */
uint64_t scan_number(const cJSON *record, const char *key);

/*
 * How many of its kind a record adds to a sum. Its "count" is how many there have been so far; the
 * 1st, 2nd, 4th, 8th ... are told, and the last: so the one that was told before was half of it, or
 * the greatest power of two below.
 */
uint64_t scan_added(const cJSON *record);

#endif
