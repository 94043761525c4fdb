/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel event as a question to the decision core, and the answer as an audit record. */
#ifndef AGENTPOL_POLICYD_EXPLAIN_H
#define AGENTPOL_POLICYD_EXPLAIN_H

#include "audit/record.h"
#include "bpf/abi.h"
#include "policy/decide.h"

#define SUBJECT_ROOM 4096 /* a path may be all escapes */
#define EXE_ROOM     4096

/* What a record points into. */
struct explanation {
	struct verdict verdict;
	char subject[SUBJECT_ROOM];
	char exe[EXE_ROOM];
};

/* Fills kind, verdict, reason, rule, subject, message, hint, pid, exe, count of `record`. `name` is
 * what the event is about, or the one under which its address was learnt; "" where there is none.
 */
void explain_event(const struct event *event, const char *name, const struct policy *policy,
		   const char *tool, struct explanation *explanation, struct audit_record *record);

/* The members "address", "port", "proto" and "name" of an object that is open. */
void explain_destination(const struct denial_key *what, const char *name,
			 struct json_writer *writer);

/* What a process runs, into EXE_ROOM bytes. Best effort, for people: of one that has ended the name
 * alone is left, as the kernel knew it when it asked ("[curl]"); "" where not even that. */
void explain_exe(pid_t pid, const char *command, char *exe);

#endif
