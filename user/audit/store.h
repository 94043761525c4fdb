/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log on disk: FOLDER/audit.jsonl, appended to, one record a line, `seq` from 1 on
 * without gaps. Several writers (policyd, and each `agentpol run` without it) may share it: each
 * takes the file's lock for a record and looks for the last number where the file has grown.
 */
#ifndef AGENTPOL_AUDIT_STORE_H
#define AGENTPOL_AUDIT_STORE_H

#include "audit/record.h"
#include "base/error.h"

#define AUDIT_FOLDER_DEFAULT "/var/log/agentpol"
#define AUDIT_LOG_NAME	     "audit.jsonl"
/* Longest line that is written or read; names and paths in a record are bounded far below. */
#define AUDIT_LINE_MAX 65536

struct audit_store;

/*
 * Opens or makes it (folder 0700, file 0600). A last line that was cut by a crash is cut off, and
 * a record of kind "lost" says so.
 */
struct audit_store *audit_store_open(const char *folder, struct error *error) MUST_USE;
/* Flushes to disk. Accepts NULL. */
void audit_store_close(struct audit_store *store);

/*
 * Numbers the record (record->seq) and appends it. Where the disk refuses it, the loss is counted
 * and told as a record of kind "lost" as soon as writing works again; -errno then.
 */
int audit_store_append(struct audit_store *store, struct audit_record *record) MUST_USE;
/* Counts records that were lost before they came here (a full event ring). */
void audit_store_add_lost(struct audit_store *store, uint64_t count);
/* Writes the "lost" record that is owed, if any, and syncs to disk. */
void audit_store_flush(struct audit_store *store);

#endif
