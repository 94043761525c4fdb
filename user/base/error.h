/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error value of this project: what went wrong, as a sentence for a person, and the exit
 * code it leads to. Built where the knowledge is, wrapped with context on the way up, printed once
 * at the edge (agentpol's and policyd's main).
 */
#ifndef AGENTPOL_BASE_ERROR_H
#define AGENTPOL_BASE_ERROR_H

#include "base/cleanup.h"

/* Exit codes that people and scripts rely on; see the man page's section EXIT STATUS. */
enum exit_status {
	STATUS_DONE = 0,     /* done, nothing denied or found */
	STATUS_NO = 1,	     /* the answer is no: a finding, a denial, a difference */
	STATUS_UNUSABLE = 2, /* the command line, the manifest or an input is unusable */
	STATUS_SYSTEM = 3,   /* the system can't do it: permission, kernel feature, no daemon */
};

#define ERROR_TEXT_MAX 2048

struct error {
	enum exit_status status;
	char text[ERROR_TEXT_MAX];
};

/* Sets *error (never NULL) and returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error *error, enum exit_status status, const char *format, ...) FORMAT(3, 4);

/* As error_set, with ": " and strerror(errno_value) appended. */
int error_set_errno(struct error *error, enum exit_status status, int errno_value,
		    const char *format, ...) FORMAT(4, 5);

/* Puts "context: " in front of the sentence that is there; returns -1. */
int error_wrap(struct error *error, const char *format, ...) FORMAT(2, 3);

#endif
