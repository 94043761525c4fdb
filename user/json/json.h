/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as a security tool must read it: cJSON for the tree, and what cJSON lacks: strict RFC 8259,
 * UTF-8 validity, no key twice, bounded depth and size, the line and column of every value.
 * Manifests, policyd's configuration, requests and control messages are all read through this.
 */
#ifndef AGENTPOL_JSON_JSON_H
#define AGENTPOL_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define JSON_BYTES_MAX (8U << 20)
#define JSON_DEPTH_MAX 64

struct json_document; /* owns the tree */
struct cJSON;
typedef struct cJSON json_value; /* opaque outside json/ */

struct json_position {
	size_t line, column; /* both from 1; column counts bytes */
};

/* What can be wrong with a text; manifest/codes.h has the others, and what each means. */
#define CODE_SYNTAX    "M001"
#define CODE_ENCODING  "M002"
#define CODE_KEY_TWICE "M003"
#define CODE_LIMIT     "M004"
#define CODE_SYSTEM    "M025"

/* Where and why a text is no JSON of ours. */
struct json_fault {
	struct json_position position;
	const char *code; /* CODE_*, static */
	char message[256];
};

/* NULL, with *fault filled, where the text is not acceptable. Free with json_document_free. */
struct json_document *json_document_parse(const char *text, size_t length,
					  struct json_fault *fault) MUST_USE;
/* Accepts NULL. */
void json_document_free(struct json_document *document);
static inline void cleanup_json_document(struct json_document **document)
{
	json_document_free(*document);
}
#define _cleanup_json_document_ __attribute__((cleanup(cleanup_json_document)))

const json_value *json_root(const struct json_document *document);
struct json_position json_position_of(const struct json_document *document,
				      const json_value *value);
/* Where the member's key stands; that of the value itself where it is no member. */
struct json_position json_key_position_of(const struct json_document *document,
					  const json_value *member);

/* A value as it stands in `text`, which the document was parsed from; not NUL-terminated. */
const char *json_text_of(const struct json_document *document, const char *text,
			 const json_value *value, size_t *length);

/* Members; NULL where absent or where `object` is NULL or no object. */
const json_value *json_member(const json_value *object, const char *key);
const json_value *json_first(const json_value *container);
const json_value *json_next(const json_value *value);
size_t json_count(const json_value *container);
/* The key of a member of an object. */
const char *json_key_of(const json_value *member);
#define json_for_each(value, container) \
	for (const json_value *value = json_first(container); value; value = json_next(value))

bool json_is_object(const json_value *value);
bool json_is_array(const json_value *value);
bool json_is_string(const json_value *value);
bool json_is_number(const json_value *value);
bool json_is_boolean(const json_value *value);
bool json_is_null(const json_value *value);
/* NULL where it is no string; owned by the document. */
const char *json_as_string(const json_value *value);
double json_as_number(const json_value *value);
bool json_as_boolean(const json_value *value);
/* True, and *number set, where it is a whole number of 0 to `limit`. */
bool json_as_unsigned(const json_value *value, uint64_t limit, uint64_t *number);
/* "object", "string", ... for messages. */
const char *json_type_name(const json_value *value);
/* The value as compact JSON text; owned by the caller (free); NULL when out of memory. */
char *json_print(const json_value *value) MUST_USE;
/* The key of a member of an object, quoted as json_print does. */
char *json_print_key(const json_value *member) MUST_USE;

#endif
