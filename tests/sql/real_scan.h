/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement's shape as PostgreSQL's own scanner has it, to hold sql/shape.h against: for the
 * differential test and the fuzz target. Reads the protobuf of pg_query_scan by hand: two message
 * types of numbers.
 */
#ifndef AGENTPOL_TESTS_REAL_SCAN_H
#define AGENTPOL_TESTS_REAL_SCAN_H

#include <pg_query.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* enum Token of pg_query.proto */
enum {
	REAL_UIDENT = 259,
	REAL_FCONST = 260,
	REAL_SCONST = 261,
	REAL_USCONST = 262,
	REAL_BCONST = 263,
	REAL_XCONST = 264,
	REAL_ICONST = 266,
	REAL_SQL_COMMENT = 275,
	REAL_C_COMMENT = 276,
};

struct protobuf {
	const uint8_t *at, *end;
};

static inline uint64_t protobuf_number(struct protobuf *message)
{
	uint64_t number = 0;

	for (unsigned shift = 0; message->at < message->end && shift < 64; shift += 7) {
		uint8_t byte = *message->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return number;
}

/* A field that is a message. */
static inline struct protobuf protobuf_inner(struct protobuf *message)
{
	size_t length = (size_t)protobuf_number(message);
	struct protobuf inner = {message->at, message->at + length};

	message->at += length;
	return inner;
}

/*
 * Writes the shape of `text` (with a NUL behind it and none within) to `shape`, which has as many
 * bytes as the text. False where the scanner refuses the text, or *plain is false: it has a token
 * in it that sql_shape must not take.
 */
static inline bool real_shape(const char *text, size_t length, char *shape, size_t *shape_length,
			      bool *plain)
{
	PgQueryScanResult result = pg_query_scan(text);
	bool scanned = result.error == NULL;
	struct protobuf scan = {0};
	size_t copied = 0;

	if (scanned) {
		scan.at = (const uint8_t *)result.pbuf.data;
		scan.end = scan.at + result.pbuf.len;
	}

	*plain = true;
	*shape_length = 0;
	while (scanned && scan.at < scan.end) {
		uint64_t key = protobuf_number(&scan), start = 0, end = 0, token = 0;
		struct protobuf inner;

		if (key != (2 << 3 | 2)) {
			(void)protobuf_number(&scan);
			continue;
		}
		inner = protobuf_inner(&scan);
		while (inner.at < inner.end) {
			uint64_t field = protobuf_number(&inner) >> 3;
			uint64_t value = protobuf_number(&inner);

			if (field == 1)
				start = value;
			else if (field == 2)
				end = value;
			else if (field == 4)
				token = value;
		}
		switch (token) {
		case REAL_UIDENT:
		case REAL_USCONST:
		case REAL_BCONST:
		case REAL_XCONST:
		case REAL_SQL_COMMENT:
		case REAL_C_COMMENT:
			*plain = false;
			break;
		case REAL_SCONST:
		case REAL_ICONST:
		case REAL_FCONST:
			memcpy(shape + *shape_length, text + copied, start - copied);
			*shape_length += start - copied;
			shape[(*shape_length)++] = token == REAL_SCONST ? '\x01' : '\x02';
			copied = end;
			break;
		default:
			break;
		}
	}
	if (scanned) {
		memcpy(shape + *shape_length, text + copied, length - copied);
		*shape_length += length - copied;
	}
	pg_query_free_scan_result(result);
	return scanned;
}

#endif
