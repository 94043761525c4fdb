// SPDX-License-Identifier: Apache-2.0
#include "sql/buffer.h"

#include <string.h>

#define ROOM_FIRST 256

static bool make_room(struct buffer *buffer, size_t length)
{
	size_t wanted = buffer->room ? buffer->room : ROOM_FIRST, needed;
	uint8_t *more;

	if (buffer->room - buffer->start - buffer->length >= length)
		return true;
	if (buffer->start) {
		memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->length);
		buffer->start = 0;
	}
	if (__builtin_add_overflow(buffer->length, length, &needed) || needed > SIZE_MAX / 2)
		return false;
	while (wanted < needed)
		wanted *= 2;
	if (wanted == buffer->room)
		return true;
	more = realloc(buffer->bytes, wanted);
	if (!more)
		return false;
	buffer->bytes = more;
	buffer->room = wanted;
	return true;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	if (length == 0 || buffer->failed)
		return;
	if (!make_room(buffer, length)) {
		buffer->failed = true;
		return;
	}
	memcpy(buffer->bytes + buffer->start + buffer->length, bytes, length);
	buffer->length += length;
}

void buffer_take(struct buffer *buffer, size_t length)
{
	if (length >= buffer->length) {
		bool failed = buffer->failed;

		buffer_clear(buffer);
		buffer->failed = failed;
		return;
	}
	buffer->start += length;
	buffer->length -= length;
}

void buffer_clear(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){0};
}
