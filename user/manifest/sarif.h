/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics as SARIF 2.1.0 (OASIS), which code-scanning services read. One log with one run:
 * sarif_begin (with agentpol's version), sarif_add for each manifest, sarif_end. Used by
 * `agentpol check`.
 */
#ifndef AGENTPOL_MANIFEST_SARIF_H
#define AGENTPOL_MANIFEST_SARIF_H

#include "base/json_write.h"
#include "manifest/diagnostics.h"

void sarif_begin(struct json_writer *writer, const char *version);
void sarif_add(struct json_writer *writer, const struct diagnostics *diagnostics);
void sarif_end(struct json_writer *writer);

#endif
