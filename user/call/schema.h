/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Schema, 2020-12 and draft-07, for the arguments of a tool call. Compiled once, when a
 * manifest is read, so that what is not supported is an error then and never ignored; judged with
 * a bound on the work. "format" and "content*" are annotations, as the drafts have them: they
 * limit nothing.
 */
#ifndef AGENTPOL_CALL_SCHEMA_H
#define AGENTPOL_CALL_SCHEMA_H

#include "json/json.h"

struct schema;

enum schema_answer {
	SCHEMA_ACCEPTS,
	SCHEMA_REFUSES,
	SCHEMA_UNDECIDED, /* the work that it may cost was not enough; acts as refuses */
};

/* What is wrong, and where. */
struct schema_fault {
	char pointer[512]; /* JSON pointer: into the schema (compile), into the value (judge) */
	char keyword[64];  /* that says so; "" where none does */
	char message[256]; /* a sentence without the place: "must be one of ..." */
};

/*
 * Compiles a schema's text. The dialect is its "$schema", 2020-12 where there is none. NULL, with
 * *fault: it is no JSON, no schema, has a keyword that is known and not supported, or one that is
 * not known. Free with schema_free.
 */
struct schema *schema_compile(const char *text, size_t length, struct schema_fault *fault) MUST_USE;
/* Accepts NULL. */
void schema_free(struct schema *schema);

/* Judges a value; *fault is set unless it is accepted: the first fault that was found. */
enum schema_answer schema_judge(const struct schema *schema, const json_value *value,
				struct schema_fault *fault);

#endif
