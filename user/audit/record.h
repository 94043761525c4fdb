/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit record: one JSON object a line, in the form that the manual page agentpol-log(1)
 * describes. Whoever judges fills one; the store numbers and writes it; log, follow and the
 * messages of `run` read it.
 */
#ifndef AGENTPOL_AUDIT_RECORD_H
#define AGENTPOL_AUDIT_RECORD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/json_write.h"

/* Strings are not owned; NULL is written as null, or left out where the comment says so. */
struct audit_record {
	uint64_t seq;	  /* the store's to set */
	uint64_t time_ns; /* since 1970, UTC */
	const char *agent;
	const char *scope; /* a tool's name; NULL: the agent's own */
	uint64_t cgroup;
	const char *container;
	pid_t pid; /* 0: not known */
	const char *exe;
	const char *kind; /* "connect", "listen", "socket", "agent", "lost", ... */
	const char
		*verdict; /* "allow", "deny", "would-deny", or "noted" for what was no question */
	const char *reason;
	const char *rule;    /* JSON pointer */
	const char *subject; /* JSON text; NULL: null */
	uint64_t count;
	const char *policy;  /* the manifest's digest */
	const char *message; /* a sentence */
	const char *hint_op; /* JSON Patch; NULL or "": no hint */
	const char *hint_path;
	const char *hint_value; /* JSON text; NULL or "": none */
};

/* The words that records are filtered by; ended by NULL. */
extern const char *const audit_kinds[];
extern const char *const audit_verdicts[];

/* Writes the object and a newline. */
void audit_record_write(const struct audit_record *record, struct json_writer *writer);

/* "2026-11-23T09:20:35.123456789Z"; 31 bytes with the NUL. */
#define AUDIT_TIME_ROOM 32
void audit_time_format(uint64_t time_ns, char *text);
uint64_t audit_time_now(void);

#endif
