/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel event as a question to the decision core, and the answer as an audit record. */
#ifndef AGENTPOL_POLICYD_EXPLAIN_H
#define AGENTPOL_POLICYD_EXPLAIN_H

#include "audit/record.h"
#include "bpf/abi.h"
#include "policy/decide.h"

#define SUBJECT_ROOM 256

/* What a record points into. */
struct explanation {
	struct verdict verdict;
	char subject[SUBJECT_ROOM];
	char exe[4096];
};

/* Fills kind, verdict, reason, rule, subject, message, hint, pid, exe, count of `record`. */
void explain_event(const struct event *event, const struct policy *policy, const char *tool,
		   struct explanation *explanation, struct audit_record *record);

#endif
