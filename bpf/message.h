/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes that were taken out of a packet, and host names as they are read from them. Pure: the same
 * code runs in the kernel, in the unit tests and in the fuzzers.
 */
#ifndef AGENTPOL_BPF_MESSAGE_H
#define AGENTPOL_BPF_MESSAGE_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/abi.h"
#include "bpf/verifier.h"

/* A ClientHello of 16 KiB, and room for one more piece of as much behind it: what the verifier is
 * shown to be in bounds. A power of two, so that a mask is the bound. */
#define MESSAGE_ROOM  32768
#define MESSAGE_PIECE 16384

struct message {
	__u32 length;
	__u8 bytes[MESSAGE_ROOM];
};

/* Where a loop has come to. In memory, not in variables: of memory the verifier assumes nothing, so
 * that each turn looks alike to it, also to Linux 6.1, which tells states apart by every variable.
 */
struct cursor {
	__u32 at;
	__u32 left;
	__u32 count;
	__u32 found;
};

/* A host name in lower case: labels of letters, digits, "-" and "_". */
struct name {
	__u64 hash;	/* of the text */
	__u64 spelling; /* of the letters as they were sent */
	struct cursor cursor;
	__u32 length;
	__u32 spare;
	char text[NAME_TEXT_BYTES]; /* padded with NULs */
};

/* Callers compare `at` with the length before. */
static __always_inline __u8 message_byte(const struct message *message, __u32 at)
{
	return message->bytes[at & (MESSAGE_ROOM - 1)];
}

static __always_inline __u32 message_be16(const struct message *message, __u32 at)
{
	return (__u32)message_byte(message, at) << 8 | message_byte(message, at + 1);
}

static __always_inline __u32 message_be32(const struct message *message, __u32 at)
{
	return message_be16(message, at) << 16 | message_be16(message, at + 2);
}

/* Letters (in lower case), digits, "-" and, as service names have it, "_" (RFC 1123, RFC 2782); 0
 * for what else DNS could carry: that is no host. A table, since the verifier follows each branch.
 */
/* clang-format off */
static const __u8 host_bytes[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '-', 0, 0,
	'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 0, 0, 0, 0, 0, 0,
	0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, 0, 0, 0, '_',
	0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
	'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 0, 0, 0, 0, 0,
};
/* Each with a number of its own, to count different ones; what is no letter or digit has one. */
static const __u8 host_numbers[256] = {
	36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36,
	36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36,
	36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36,
	26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 36, 36, 36, 36, 36,
	36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36,
	36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36,
	36, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 36, 36, 36, 36, 36,
};
/* clang-format on */

static __always_inline __u64 name_hash_byte(__u64 hash, __u8 byte)
{
	hash = (hash ^ byte) * 0x100000001b3ULL;
	/* Else its low bits would depend on those of the secret key alone. */
	return hash ^ hash >> 32;
}

/* Never 0, which means no name. */
static __always_inline __u64 name_hash_end(__u64 hash)
{
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15ULL;
	return (hash ^ hash >> 29) | 1;
}

static __always_inline void name_clear(struct name *name)
{
	__builtin_memset(name->text, 0, sizeof(name->text));
	name->length = 0;
}

/* The key of a name in the trie: backwards, so that what a domain holds begins alike; a NUL ends a
 * whole name, a dot one that more labels stand in front of. A name that is too long for the key is
 * cut: then only a wildcard can match. Always 0. */
VERIFIED_ONCE int name_fill_key(const struct name *name, __u32 policy_id, struct name_key *key)
{
	__u32 i, bytes;

	if (!name || !key)
		return 0;
	__builtin_memset(key->name, 0, sizeof(key->name));
	NO_UNROLL
	for (i = 0; i < NAME_KEY_BYTES; i++) {
		if (i >= name->length)
			break;
		key->name[i] = (__u8)name->text[(name->length - 1 - i) & (NAME_TEXT_BYTES - 1)];
	}
	bytes = name->length < NAME_KEY_BYTES ? name->length + 1 : NAME_KEY_BYTES;
	key->prefix_bits = 8 * ((__u32)sizeof(key->policy_id) + bytes);
	key->policy_id = policy_id;
	return 0;
}

/* How many bits `bytes` characters out of `distinct` different ones can carry: an estimate from
 * above of what labels tell to whoever answers for them. */
static __always_inline __u32 label_bits(__u32 bytes, __u32 distinct)
{
	__u32 each = 0;

	/* ceil(log2(distinct)) */
	if (distinct > 1)
		each = 1;
	if (distinct > 2)
		each = 2;
	if (distinct > 4)
		each = 3;
	if (distinct > 8)
		each = 4;
	if (distinct > 16)
		each = 5;
	if (distinct > 32)
		each = 6;
	return bytes * each;
}

/*
 * What a new name under a wildcard costs, in bits, of which NAME_BITS_A_TOKEN are one of
 * NEW_NAMES_A_MINUTE: one, and what the labels in front may carry. `suffix` is the wildcard's part.
 */
VERIFIED_ONCE int name_cost(const struct name *name, __u32 suffix)
{
	__u64 seen = 0;
	__u32 front, i;

	if (!name)
		return NAME_BITS_A_TOKEN;
	front = name->length > suffix ? name->length - suffix : 0;
	NO_UNROLL
	for (i = 0; i < NAME_TEXT_BYTES; i++) {
		if (i + suffix >= name->length)
			break;
		seen |= 1ULL << (host_numbers[(__u8)name->text[i]] & 63);
	}
	/* And a bit each, where case was chosen. */
	return (int)(NAME_BITS_A_TOKEN + label_bits(front, (__u32)__builtin_popcountll(seen)) +
		     (name->spelling != name->hash ? front : 0));
}

#endif
