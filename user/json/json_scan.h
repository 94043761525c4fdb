/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict half of json.c: is this text RFC 8259 JSON within our bounds, and where does each of
 * its values stand? Called by json.c alone, before cJSON sees a byte.
 */
#ifndef AGENTPOL_JSON_JSON_SCAN_H
#define AGENTPOL_JSON_JSON_SCAN_H

#include "json/json.h"

/* Offsets into the text (JSON_BYTES_MAX keeps them within 32 bits). */
struct json_place {
	uint32_t value;
	uint32_t key; /* of the member's key; of the value itself where it is no member */
};

/* What a scan yields: a place for each value in document order, and where the lines start. */
struct json_places {
	struct json_place *items; /* owned */
	size_t count, room;
	uint32_t *lines; /* owned; offset of the first byte of each line */
	size_t line_count, line_room;
	size_t length; /* of the text */
};

void json_places_free(struct json_places *places);
/* 0, or -1 with *fault filled. */
int json_scan(const char *text, size_t length, struct json_places *places,
	      struct json_fault *fault) MUST_USE;
struct json_position json_places_position(const struct json_places *places, size_t offset);
/* Fills *fault with a sentence; returns -1. */
int json_fault_set(struct json_fault *fault, const char *code, struct json_position position,
		   const char *format, ...) FORMAT(4, 5);

#endif
