/* SPDX-License-Identifier: Apache-2.0 */
/* A statement's record for the audit log, as guard_link.h has it. Called by the gateway's relays. */
#ifndef AGENTPOL_SQL_RECORD_H
#define AGENTPOL_SQL_RECORD_H

#include "base/json_write.h"
#include "sql/session.h"

struct record_subject {
	const char *database, *user;
	bool superuser;
	bool literals; /* the text may be told as it is */
};

/* Writes the object; at most GUARD_TAIL_MAX bytes, cut where it has to be. */
void record_write(const struct session_record *record, const struct record_subject *subject,
		  struct json_writer *writer);

#endif
