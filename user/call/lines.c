// SPDX-License-Identifier: Apache-2.0
#include "call/lines.h"

#include <errno.h>
#include <string.h>

#define FIRST_ROOM 4096U

void lines_free(struct lines *lines)
{
	free(lines->held);
	*lines = (struct lines){.limit = lines->limit};
}

static int hold(struct lines *lines, const char *bytes, size_t length)
{
	size_t room = lines->room ? lines->room : FIRST_ROOM;
	char *more;

	while (room < lines->length + length)
		room *= 2;
	if (room > lines->room) {
		more = realloc(lines->held, room);
		if (!more)
			return -ENOMEM;
		lines->held = more;
		lines->room = room;
	}
	memcpy(lines->held + lines->length, bytes, length);
	lines->length += length;
	return 0;
}

/* After a long line its memory is given back. */
static void forget(struct lines *lines)
{
	if (lines->room > FIRST_ROOM) {
		free(lines->held);
		lines->held = NULL;
		lines->room = 0;
	}
	lines->length = 0;
}

static int take(struct lines *lines, const char *bytes, size_t length, bool ends)
{
	if (lines->skipping)
		return 0;
	if (length > lines->limit - lines->length) {
		forget(lines);
		lines->skipping = true;
		return 0;
	}
	/* What is whole as it came is not copied. */
	return ends && lines->length == 0 ? 0 : hold(lines, bytes, length);
}

int lines_push(struct lines *lines, const char *bytes, size_t length, line_handler handle,
	       void *context)
{
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		const size_t part = end ? (size_t)(end - bytes) : length;

		if (take(lines, bytes, part, end != NULL) < 0)
			return -ENOMEM;
		if (!end)
			return 0;
		if (lines->skipping)
			handle(NULL, 0, context);
		else if (lines->length)
			handle(lines->held, lines->length, context);
		else
			handle(bytes, part, context);
		lines->skipping = false;
		forget(lines);
		bytes += part + 1;
		length -= part + 1;
	}
	return 0;
}
