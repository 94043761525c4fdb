// SPDX-License-Identifier: Apache-2.0
#include "compile/globs.h"

#include <stddef.h>
#include <stdint.h>

static void set_place(__u64 *words, uint32_t place)
{
	words[place / 64] |= 1ULL << (place % 64);
}

static void add_byte(struct glob *glob, unsigned char byte)
{
	for (unsigned bit = 0; bit < 8; bit++)
		if (byte >> bit & 1)
			set_place(glob->bytes[bit], glob->length);
	glob->length++;
}

/* The star or stars at `at`, in front of the next place; the bytes that they are. Read as
 * path_matches() reads them. */
static size_t add_star(struct glob *glob, const char *pattern, const char *at)
{
	const bool opens = at == pattern || at[-1] == '/';

	if (at[1] != '*') {
		set_place(glob->within, glob->length);
		return 1;
	}
	if (opens && at[2] == '/') {
		set_place(glob->components, glob->length);
		return 3;
	}
	set_place(glob->across, glob->length);
	return 2;
}

bool glob_compile(const char *pattern, bool literal, struct glob *glob)
{
	*glob = (struct glob){0};
	for (const char *at = pattern; *at;) {
		if (!literal && *at == '*') {
			at += add_star(glob, pattern, at);
			continue;
		}
		if (glob->length == GLOB_TEXT_BYTES)
			return false;
		/* What waits for any byte waits for NUL, which no path has. */
		if (!literal && *at == '?')
			set_place(glob->one, glob->length++);
		else
			add_byte(glob, (unsigned char)*at);
		at++;
	}
	return true;
}
