// SPDX-License-Identifier: Apache-2.0
/* A message that grows. An attempt that does not fit is a mistake in the test: it ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"

void bytes_put(struct bytes *bytes, const void *data, size_t length)
{
	if (length > sizeof(bytes->at) - bytes->length) {
		(void)fprintf(stderr, "evade: a message of more than %d bytes\n", BYTES_MAX);
		exit(2);
	}
	memcpy(bytes->at + bytes->length, data, length);
	bytes->length += length;
}

void bytes_put8(struct bytes *bytes, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	bytes_put(bytes, &byte, 1);
}

void bytes_put16(struct bytes *bytes, unsigned value)
{
	bytes_put8(bytes, value >> 8);
	bytes_put8(bytes, value);
}

void bytes_put24(struct bytes *bytes, unsigned value)
{
	bytes_put8(bytes, value >> 16);
	bytes_put16(bytes, value);
}

void bytes_put_text(struct bytes *bytes, const char *text)
{
	bytes_put(bytes, text, strlen(text));
}

void bytes_fill(struct bytes *bytes, uint8_t value, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes_put8(bytes, value);
}

size_t bytes_open(struct bytes *bytes, size_t width)
{
	const size_t at = bytes->length;

	bytes_fill(bytes, 0, width);
	return at;
}

void bytes_close(struct bytes *bytes, size_t at, size_t width)
{
	size_t counted = bytes->length - at - width;

	for (size_t i = width; i > 0; i--, counted >>= 8)
		bytes->at[at + i - 1] = (uint8_t)counted;
}
