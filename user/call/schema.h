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

/* A tool's schema has some KiB; a larger one is a mistake or an attempt. */
#define SCHEMA_BYTES_MAX (1U << 20)
/* Schemas within one schema. */
#define SCHEMA_NODES_MAX 16384
/* What one judgement may cost: about one step for each schema that meets a value, each comparison
 * and each item of a pattern that is tried. A call of the largest size (4 MiB of arguments) under a
 * plain schema stays below; it is some 50 ms of work. */
#define SCHEMA_STEPS_MAX (1U << 22)

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

/* True, and *fault tells which, where a keyword that limits something is ignored as draft-07 has
 * it: beside a "$ref". */
bool schema_find_ignored(const struct schema *schema, struct schema_fault *fault);

/* Judges a value; *fault is set unless it is accepted: the first fault that was found. */
enum schema_answer schema_judge(const struct schema *schema, const json_value *value,
				struct schema_fault *fault);

#endif
