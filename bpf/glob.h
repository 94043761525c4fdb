/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path patterns: does this one match that text, and what is a path's normal form? Pure: the same
 * code runs in the kernel and in the unit tests, which hold it against policy/paths.c.
 */
#ifndef AGENTPOL_BPF_GLOB_H
#define AGENTPOL_BPF_GLOB_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/abi.h"
#include "bpf/step.h"
#include "bpf/verifier.h"

/* A power of two, so that a mask shows the verifier that an index is in bounds. */
#define GLOB_TEXT_ROOM 128

/* Needs no NUL: an abstract name may hold any bytes. */
struct glob_text {
	__u32 length; /* GLOB_TEXT_BYTES at most */
	__u8 bytes[GLOB_TEXT_ROOM];
};

/* A component has two bytes at least, its slash too. */
#define PATH_COMPONENTS_MAX 64

/* Where path_normal() has come to. */
struct path_walk {
	__u32 used;  /* bytes of the result */
	__u32 start; /* where its last component begins, with the slash */
	__u32 dots;  /* in that component */
	__u32 depth; /* components in front of it */
	__u8 starts[PATH_COMPONENTS_MAX];
};

struct glob_places {
	__u64 words[GLOB_WORDS];
};

struct glob_match {
	const struct glob *glob;
	const struct glob_text *text;
	struct glob_places at;	 /* where the pattern may stand */
	struct glob_places seen; /* whole-component stars that were reached: behind any slash their
				  * places are open again */
};

/* The places that wait for this byte. */
static __always_inline __u64 glob_waiting(const struct glob *glob, __u32 word, __u8 byte)
{
	__u64 waiting = ~0ULL;
	__u32 bit;

	for (bit = 0; bit < 8; bit++)
		waiting &= ~(glob->bytes[bit][word] ^ -(__u64)(byte >> bit & 1));
	return byte == '/' ? waiting : waiting | glob->one[word];
}

/* One byte of the text. */
static int glob_step(__u32 i, void *context)
{
	struct glob_match *match = context;
	const struct glob *glob = match->glob;
	__u64 carry = 0, open = 0;
	__u32 word;
	__u8 byte;

	if (i >= match->text->length)
		return STEP_LAST;
	byte = match->text->bytes[i & (GLOB_TEXT_ROOM - 1)];
	for (word = 0; word < GLOB_WORDS; word++) {
		__u64 here = match->at.words[word];
		__u64 taken = here & glob_waiting(glob, word, byte);
		__u64 next = taken << 1 | carry | (here & glob->across[word]);

		carry = taken >> 63;
		match->seen.words[word] |= here & glob->components[word];
		next |= byte == '/' ? match->seen.words[word] : here & glob->within[word];
		match->at.words[word] = next;
		open |= next | match->seen.words[word];
	}
	return open ? STEP_ON : STEP_LAST;
}

VERIFIED_ONCE int glob_matches(const struct glob *glob, const struct glob_text *text)
{
	struct glob_match match = {.at = {{1}}};
	__u32 place;

	if (!glob || !text)
		return 0;
	match.glob = glob;
	match.text = text;
	repeat_step(GLOB_TEXT_BYTES, glob_step, &match);
	place = glob->length;
	return (place < 64 ? match.at.words[0] : match.at.words[1]) >> (place & 63) & 1;
}

/* The component that was read has ended: "." goes, ".." goes with the one in front of it. */
static __always_inline void path_end_component(struct path_walk *walk)
{
	__u32 length = walk->used - walk->start, depth = walk->depth;

	if (length == 2 && walk->dots == 1) {
		walk->used = walk->start;
	} else if (length == 3 && walk->dots == 2) {
		walk->used = walk->start;
		if (depth) {
			walk->depth = depth - 1;
			walk->used = walk->starts[(depth - 1) & (PATH_COMPONENTS_MAX - 1)];
		}
	} else if (length) {
		walk->starts[depth & (PATH_COMPONENTS_MAX - 1)] = (__u8)walk->start;
		walk->depth = depth + 1;
	}
	walk->start = walk->used;
	walk->dots = 0;
}

struct path_reading {
	const struct glob_text *path;
	struct glob_text *normal;
	struct path_walk *walk;
};

static int path_step(__u32 i, void *context)
{
	const struct path_reading *reading = context;
	struct path_walk *walk = reading->walk;
	__u8 byte;

	if (i >= reading->path->length)
		return STEP_LAST;
	byte = reading->path->bytes[i & (GLOB_TEXT_ROOM - 1)];
	if (byte == '/') {
		path_end_component(walk);
		return STEP_ON;
	}
	if (walk->used == walk->start) {
		reading->normal->bytes[walk->used & (GLOB_TEXT_ROOM - 1)] = '/';
		walk->used++;
	}
	reading->normal->bytes[walk->used & (GLOB_TEXT_ROOM - 1)] = byte;
	walk->used++;
	walk->dots += byte == '.';
	return STEP_ON;
}

/* As path_normalise() in policy/paths.c, with a relative path as one below the root. Always 0. */
VERIFIED_ONCE int path_normal(const struct glob_text *path, struct glob_text *normal,
			      struct path_walk *walk)
{
	struct path_reading reading = {.path = path, .normal = normal, .walk = walk};

	if (!path || !normal || !walk)
		return 0;
	walk->used = walk->start = walk->dots = walk->depth = 0;
	repeat_step(GLOB_TEXT_BYTES, path_step, &reading);
	path_end_component(walk);
	if (!walk->used) {
		normal->bytes[0] = '/';
		walk->used = 1;
	}
	normal->length = walk->used;
	return 0;
}

#endif
