/* SPDX-License-Identifier: Apache-2.0 */
/* The argument of --since: a time, or how long ago. */
#ifndef AGENTPOL_AUDIT_SINCE_H
#define AGENTPOL_AUDIT_SINCE_H

#include "audit/record.h"

/*
 * "30min", "2h", "7d" (before now), or a time in UTC from its year on: "2026-11-23",
 * "2026-11-23T09:20". Writes what records' times are compared with. False where it is neither.
 */
bool since_parse(const char *text, uint64_t now_ns, char time[AUDIT_TIME_ROOM]) MUST_USE;

#endif
