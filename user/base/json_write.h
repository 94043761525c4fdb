/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON: a growable text buffer that knows where a comma belongs. Everything that prints
 * JSON (verdicts, audit records, reports, control messages) uses it; reading is json/json.h.
 * An allocation failure is sticky: write on, and look at json_writer_text once at the end.
 */
#ifndef AGENTPOL_BASE_JSON_WRITE_H
#define AGENTPOL_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct json_writer {
	char *text; /* owned; NUL-terminated once anything was written */
	size_t length;
	size_t room;
	bool comma;  /* the next value or key needs one in front */
	bool failed; /* out of memory at some point: the text is not to be used */
};

/* A writer is zero-initialised: `struct json_writer writer = {0};`. */
void json_writer_free(struct json_writer *writer);
#define _cleanup_json_writer_ __attribute__((cleanup(json_writer_free)))

/* The text so far, or NULL when memory ran out; owned by the writer. */
const char *json_writer_text(const struct json_writer *writer) MUST_USE;
/* Empties it for the next document; keeps the memory. */
void json_writer_reset(struct json_writer *writer);

void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);

/* Bytes that are not UTF-8 are written as U+FFFD, control characters as \u00XX. NULL is null. */
void json_string(struct json_writer *writer, const char *value);
void json_unsigned(struct json_writer *writer, uint64_t value);
void json_boolean(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
/* Text that is JSON already (a hint's value, an echoed id); not checked. */
void json_verbatim(struct json_writer *writer, const char *json);
/* Ends a line of a stream of objects. */
void json_newline(struct json_writer *writer);

/* Key and value at once. */
void json_key_string(struct json_writer *writer, const char *key, const char *value);
void json_key_unsigned(struct json_writer *writer, const char *key, uint64_t value);
void json_key_boolean(struct json_writer *writer, const char *key, bool value);

#endif
