/* SPDX-License-Identifier: Apache-2.0 */
/* `agentpol log stats --egress`: the inventory of what was reached, for people and as JSON. */
#ifndef AGENTPOL_AUDIT_EGRESS_REPORT_H
#define AGENTPOL_AUDIT_EGRESS_REPORT_H

#include "audit/inventory.h"
#include "audit/query.h"

/* Reads the log and writes the whole report. Errors as of audit_query. */
int egress_report(const char *folder, const struct audit_filter *filter, bool json, FILE *out,
		  struct error *error) MUST_USE;

/* One line of JSON, and a table of 100 columns. */
void egress_report_json(const struct inventory *inventory, FILE *out);
void egress_report_text(const struct inventory *inventory, FILE *out);

#endif
