/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a manifest, or doubtful in it: one list, filled by the reader (errors, codes
 * M...) and the linter (findings, codes B... for blast radius), printed by `agentpol check` and by
 * whoever else reads a manifest.
 */
#ifndef AGENTPOL_MANIFEST_DIAGNOSTICS_H
#define AGENTPOL_MANIFEST_DIAGNOSTICS_H

#include <stdio.h>

#include "base/cleanup.h"
#include "base/json_write.h"
#include "json/json.h"

/* Nobody reads more about one manifest; a list may set another `limit`. */
#define DIAGNOSTICS_MAX 64

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

struct diagnostic {
	enum severity severity;
	const char *code;	       /* static: "M012", "B003" */
	struct json_position position; /* line 0: the file as a whole */
	char *pointer;		       /* owned: JSON pointer, "" for the whole */
	char *message;		       /* owned: what is wrong and what would mend it */
};

struct diagnostics {
	const char *file;	  /* as the person named it; not owned */
	struct diagnostic *items; /* owned */
	size_t count, room;
	size_t limit;
	size_t errors;	/* also those past the limit */
	size_t dropped; /* past the limit */
};

void diagnostics_init(struct diagnostics *diagnostics, const char *file);
void diagnostics_free(struct diagnostics *diagnostics);
#define _cleanup_diagnostics_ __attribute__((cleanup(diagnostics_free)))

void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *code,
		     struct json_position position, const char *pointer, const char *format, ...)
	FORMAT(6, 7);
const char *severity_name(enum severity severity);
/* One line each: FILE:LINE:COLUMN: error[M012]: POINTER: MESSAGE */
void diagnostics_print_text(const struct diagnostics *diagnostics, FILE *out);
/* The same as a list of objects, under the key "diagnostics". */
void diagnostics_write_json(const struct diagnostics *diagnostics, struct json_writer *writer);
/* Text that may hold a manifest's own strings: control characters are printed as "?", so that
 * nothing in a file reaches the reader's terminal as a command. */
void diagnostics_print_safe(FILE *out, const char *text);

#endif
