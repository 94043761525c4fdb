// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a statement: where sql_shape takes a text that PostgreSQL's scanner takes too, the
 * literals are at the same places and of the same kinds; and it keeps to its room.
 */
#include <stddef.h>

#include "sql/limits.h"
#include "sql/shape.h"
#include "tests/sql/real_scan.h"

#define TEXT_ROOM 4096

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TEXT_ROOM + 1], shape[TEXT_ROOM], real[TEXT_ROOM + 1];
	size_t length, real_length;
	bool plain;

	if (size > TEXT_ROOM)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	(void)sql_limits_exceeded(text, size);
	if (!sql_shape(text, size, shape, size, &length))
		return 0;
	require(length <= size && !memchr(text, '\0', size));
	if (!real_shape(text, size, real, &real_length, &plain))
		return 0;
	require(plain);
	require(length == real_length && memcmp(shape, real, length) == 0);
	return 0;
}
