// SPDX-License-Identifier: Apache-2.0
#include "random_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* xorshift */
static uint64_t seed = 0x9e3779b97f4a7c15ULL;

void seed_from_environment(void)
{
	const char *wanted = getenv("AGENTPOL_SEED");

	if (wanted)
		seed = strtoull(wanted, NULL, 0) | 1;
}

size_t pick(size_t count)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % count);
}

void add(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text->length += (size_t)vsnprintf(text->bytes + text->length,
					  sizeof(text->bytes) - text->length, format, arguments);
	va_end(arguments);
	assert_true(text->length < sizeof(text->bytes));
}
