/* SPDX-License-Identifier: Apache-2.0 */
/* `agentpol log stats`: how many records, and how much that they tell of, by agent, kind, verdict
 * and reason. */
#ifndef AGENTPOL_AUDIT_COUNTS_REPORT_H
#define AGENTPOL_AUDIT_COUNTS_REPORT_H

#include "audit/query.h"

/* Reads the log and writes the whole report. Errors as of audit_query. */
int counts_report(const char *folder, const struct audit_filter *filter, bool json, FILE *out,
		  struct error *error) MUST_USE;

#endif
