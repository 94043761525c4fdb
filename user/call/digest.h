/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON value as 16 bytes: what a session remembers of arguments and results, so that it holds no
 * secret of an agent. Equal values, whatever the order of their keys or the way a number is
 * written, have equal digests (SHA-256, cut). A string and a number are never equal.
 */
#ifndef AGENTPOL_CALL_DIGEST_H
#define AGENTPOL_CALL_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"
#include "json/json.h"

struct digest {
	uint8_t bytes[16]; /* all zero: no value, which equals nothing */
};

struct digest digest_of(const json_value *value);
/* The value that an RFC 6901 pointer leads to, or NULL. */
const json_value *digest_find(const json_value *root, const char *pointer);
/* As 32 hexadecimal digits; false where the value is none. */
void digest_write(struct json_writer *writer, const struct digest *digest);
bool digest_read(const json_value *value, struct digest *digest);
static inline bool digest_is_set(const struct digest *digest)
{
	for (unsigned i = 0; i < sizeof(digest->bytes); i++)
		if (digest->bytes[i])
			return true;
	return false;
}

#endif
