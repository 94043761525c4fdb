/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tool's schema on its way into a manifest: kept as it is, but closed where it is silent about
 * further members, and with a length for each free string. Called by import.c.
 */
#ifndef AGENTPOL_MANIFEST_IMPORT_SCHEMA_H
#define AGENTPOL_MANIFEST_IMPORT_SCHEMA_H

#include "base/json_write.h"
#include "manifest/import_findings.h"

/* Writes the narrower schema and adds findings; the reader's pointer is the schema's. */
void import_schema(struct reader *reader, const json_value *schema, struct json_writer *writer);

#endif
