/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that wait: appended behind, taken from the front. Memory is taken when the first byte comes
 * and given back when the last one has gone, so that an idle session has none. Used for what a
 * socket would not take yet, and for messages that have not come whole.
 */
#ifndef AGENTPOL_SQL_BUFFER_H
#define AGENTPOL_SQL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct buffer {
	uint8_t *bytes; /* owned */
	size_t start, length, room;
	bool failed; /* out of memory at some point: bytes are missing */
};

/* Sets `failed` where memory runs out; what is written later is lost too. */
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
/* Takes `length` bytes off the front. */
void buffer_take(struct buffer *buffer, size_t length);
/* Gives the memory back; the buffer is empty and may be used again. */
void buffer_clear(struct buffer *buffer);
#define _cleanup_buffer_ __attribute__((cleanup(buffer_clear)))

/* NULL where it is empty. */
static inline const uint8_t *buffer_bytes(const struct buffer *buffer)
{
	return buffer->bytes ? buffer->bytes + buffer->start : NULL;
}

#endif
