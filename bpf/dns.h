/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DNS messages (RFC 1035, RFC 6891, RFC 9460), as far as an enforcer needs them: is this one plain
 * question, and for which name; which addresses does this answer give for it. What is not
 * understood whole is no question, and opens nothing. Pure; see message.h.
 */
#ifndef AGENTPOL_BPF_DNS_H
#define AGENTPOL_BPF_DNS_H

#include "bpf/message.h"

#define DNS_HEADER_BYTES 12
/* RFC 1035, 3.1: labels, their lengths and the root. */
#define DNS_NAME_BYTES_MAX 255
/* A name in an answer: its labels, and as many pointers as any server makes. */
#define DNS_NAME_STEPS_MAX    144
#define DNS_EDNS_OPTIONS_MAX  4
#define DNS_SVCB_PARAMS_MAX   8
#define DNS_COOKIE_BYTES_MAX  40 /* RFC 7873 */
#define DNS_PADDING_BYTES_MAX 468

#define DNS_CLASS_IN	     1
#define DNS_TYPE_A	     1
#define DNS_TYPE_CNAME	     5
#define DNS_TYPE_AAAA	     28
#define DNS_TYPE_OPT	     41
#define DNS_TYPE_SVCB	     64
#define DNS_TYPE_HTTPS	     65
#define DNS_TYPE_IXFR	     251
#define DNS_TYPE_AXFR	     252
#define DNS_SVCB_IPV4	     4
#define DNS_SVCB_IPV6	     6
#define DNS_OPTION_NSID	     3
#define DNS_OPTION_COOKIE    10
#define DNS_OPTION_KEEPALIVE 11
#define DNS_OPTION_PADDING   12

/* In the header's second word. */
#define DNS_FLAG_ANSWER	   0x8000U
#define DNS_MASK_OPCODE	   0x7800U
#define DNS_FLAG_TRUNCATED 0x0200U
#define DNS_MASK_RCODE	   0x000fU

struct dns_question {
	__u32 id;
	__u32 type;
	__u32 end; /* offset of what follows it */
};

/* A walk over the answer section. */
struct dns_walk {
	__u64 key;   /* for hashes of names */
	__u64 chain; /* the name whose addresses are looked for: what was asked, or its alias */
	__u32 at;    /* offset of the next record */
	__u32 records_left;
	__u32 hint_at; /* addresses in a record that holds several */
	__u32 hints_left;
	__u32 hint_bytes; /* 4 or 16 */
	__u32 params_at;  /* what such a record has besides */
	__u32 params_end;
	__u32 ttl;
	__u32 spare;
};

/* A name in an answer, by its hash; also where its reading has come to, see struct cursor. */
struct dns_owner {
	__u64 key;
	__u64 hash;
	__u32 at;     /* where it begins; behind it, afterwards */
	__u32 behind; /* the first pointer; 0: there was none */
	__u32 lowest; /* where the part that is read began */
	__u32 next;   /* what is read next */
};

struct dns_address {
	__u8 bytes[16]; /* IPv4 is IPv4-mapped */
	__u32 ttl;
};

/* Labels without compression to text; the offset behind them, or 0. The root is no host. */
VERIFIED_ONCE int dns_read_plain_name(const struct message *message, __u32 begin, __u64 key,
				      struct name *read)
{
	volatile struct name *name = read;
	__u32 i;

	if (!message || !name)
		return 0;
	name_clear(read);
	name->cursor.at = begin;
	name->cursor.left = 0;
	name->hash = key;
	name->spelling = key;
	NO_UNROLL
	for (i = 0; i < DNS_NAME_BYTES_MAX; i++) {
		__u32 at = name->cursor.at;
		__u8 byte, host;

		if (at >= message->length)
			return 0;
		byte = message_byte(message, at);
		host = host_bytes[byte];
		name->cursor.at = at + 1;
		if (name->cursor.left) {
			if (!host)
				return 0;
			name->cursor.left--;
		} else if (byte == 0) {
			name->hash = name_hash_end(name->hash);
			name->spelling = name_hash_end(name->spelling);
			return name->length ? (int)at + 1 : 0;
		} else if (byte > 63) {
			return 0;
		} else {
			name->cursor.left = byte;
			if (!name->length)
				continue;
			byte = host = '.';
		}
		name->spelling = name_hash_byte(name->spelling, byte);
		name->hash = name_hash_byte(name->hash, host);
		name->text[name->length & (NAME_TEXT_BYTES - 1)] = (char)host;
		name->length++;
	}
	return 0;
}

/* One label's bytes into the hash. Those that no host has count as 0: a dot within a label does not
 * look like the end of one. */
VERIFIED_ONCE __u64 dns_hash_label(const struct message *message, __u32 at, __u32 length,
				   __u64 hash)
{
	__u32 i;

	if (!message)
		return 0;
	NO_UNROLL
	for (i = 0; i < 63; i++) {
		if (i >= length)
			break;
		hash = name_hash_byte(hash, host_bytes[message_byte(message, at + i)]);
	}
	return hash;
}

/*
 * A name with compression (RFC 1035, 4.1.4) to its hash, the same as of its text; *owner->at is
 * moved behind it. A pointer leads strictly back from where its part of the name began, so that
 * none runs in circles. 1, or 0 where it is malformed.
 */
VERIFIED_ONCE int dns_hash_name(const struct message *message, struct dns_owner *name)
{
	volatile struct dns_owner *owner = name;
	__u32 i;

	if (!message || !owner)
		return 0;
	owner->next = owner->at;
	owner->lowest = owner->at;
	owner->behind = 0;
	owner->hash = owner->key;
	NO_UNROLL
	for (i = 0; i < DNS_NAME_STEPS_MAX; i++) {
		__u32 at = owner->next, target;
		__u8 byte;

		if (at >= message->length)
			return 0;
		byte = message_byte(message, at);
		if (byte == 0) {
			owner->at = owner->behind ? owner->behind : at + 1;
			owner->hash = name_hash_end(owner->hash);
			return 1;
		}
		if (byte < 64) {
			if (at + 1 + byte > message->length)
				return 0;
			if (owner->hash != owner->key)
				owner->hash = name_hash_byte(owner->hash, '.');
			owner->hash = dns_hash_label(message, at + 1, byte, owner->hash);
			owner->next = at + 1 + byte;
			continue;
		}
		target = (__u32)(byte & 0x3f) << 8 | message_byte(message, at + 1);
		if (byte < 0xc0 || target >= owner->lowest || at + 2 > message->length)
			return 0;
		if (!owner->behind)
			owner->behind = at + 2;
		owner->lowest = target;
		owner->next = target;
	}
	return 0;
}

/* The header's question and the counts that a message has to have. */
static __always_inline bool dns_read_question(const struct message *message, bool answer, __u64 key,
					      struct name *name, struct dns_question *question)
{
	__u32 flags, at;

	if (message->length < DNS_HEADER_BYTES)
		return false;
	flags = message_be16(message, 2);
	if (!(flags & DNS_FLAG_ANSWER) == answer || (flags & DNS_MASK_OPCODE))
		return false;
	if (message_be16(message, 4) != 1)
		return false;
	at = (__u32)dns_read_plain_name(message, DNS_HEADER_BYTES, key, name);
	if (!at || at + 4 > message->length)
		return false;
	if (message_be16(message, at + 2) != DNS_CLASS_IN)
		return false;
	question->id = message_be16(message, 0);
	question->type = message_be16(message, at);
	question->end = at + 4;
	return true;
}

/* Options that tell the resolver alone something, and no more than their standards let them. What
 * it would pass on (a client's subnet), or nobody knows, is not let through. */
static __always_inline bool dns_option_is_plain(__u32 code, __u32 length)
{
	switch (code) {
	case DNS_OPTION_NSID:
		return length == 0;
	case DNS_OPTION_COOKIE:
		return length <= DNS_COOKIE_BYTES_MAX;
	case DNS_OPTION_KEEPALIVE:
		return length <= 2;
	case DNS_OPTION_PADDING:
		return length <= DNS_PADDING_BYTES_MAX;
	default:
		return false;
	}
}

/* One OPT record (RFC 6891) that ends with the message. */
VERIFIED_ONCE int dns_opt_is_plain(const struct message *message, __u32 at)
{
	__u32 end, i;

	if (!message)
		return false;
	if (at + 11 > message->length || message_byte(message, at) != 0 ||
	    message_be16(message, at + 1) != DNS_TYPE_OPT)
		return false;
	/* Extended code and version: 0 in a question. Of the flags only DNSSEC's means anything. */
	if (message_be16(message, at + 5) != 0 || (message_be16(message, at + 7) & 0x7fff))
		return false;
	end = at + 11 + message_be16(message, at + 9);
	if (end != message->length)
		return false;
	at += 11;
	NO_UNROLL
	for (i = 0; i < DNS_EDNS_OPTIONS_MAX; i++) {
		__u32 length;

		if (at == end)
			return true;
		if (at + 4 > end)
			return false;
		length = message_be16(message, at + 2);
		if (!dns_option_is_plain(message_be16(message, at), length))
			return false;
		at += 4 + length;
	}
	return at == end;
}

/*
 * Is the message one plain question and nothing else? Then *name and *question are what it asks.
 * *name is set, too, where the name could be read and something else is not plain: for the log.
 */
static __always_inline bool dns_read_query(const struct message *message, __u64 key,
					   struct name *name, struct dns_question *question)
{
	__u32 additional;

	if (!dns_read_question(message, false, key, name, question))
		return false;
	if (message_be16(message, 2) & (DNS_FLAG_TRUNCATED | DNS_MASK_RCODE))
		return false;
	/* A zone transfer is no question for a name. */
	if (question->type == DNS_TYPE_AXFR || question->type == DNS_TYPE_IXFR)
		return false;
	if (message_be16(message, 6) || message_be16(message, 8))
		return false;
	additional = message_be16(message, 10);
	if (additional == 0)
		return question->end == message->length;
	return additional == 1 && dns_opt_is_plain(message, question->end);
}

/* Begins a walk over what answers `question`. */
static __always_inline void dns_walk_begin(const struct message *message, const struct name *name,
					   const struct dns_question *question, __u64 key,
					   struct dns_walk *walk)
{
	walk->key = key;
	walk->chain = name->hash;
	walk->at = question->end;
	walk->records_left = message_be16(message, 6);
	walk->hints_left = 0;
	walk->params_at = 0;
	walk->params_end = 0;
}

static __always_inline void dns_take_address(const struct message *message, __u32 at, __u32 bytes,
					     __u32 ttl, struct dns_address *address)
{
	__u32 i;

	__builtin_memset(address->bytes, 0, sizeof(address->bytes));
	address->ttl = ttl;
	if (bytes == 4) {
		address->bytes[10] = 0xff;
		address->bytes[11] = 0xff;
		for (i = 0; i < 4; i++)
			address->bytes[12 + i] = message_byte(message, at + i);
		return;
	}
	for (i = 0; i < 16; i++)
		address->bytes[i] = message_byte(message, at + i);
}

/* SVCB and HTTPS (RFC 9460): the next list of addresses among the parameters, if there is one. */
VERIFIED_ONCE int dns_find_hints(const struct message *message, struct dns_walk *found)
{
	volatile struct dns_walk *walk = found;
	__u32 i;

	if (!message || !walk)
		return 0;
	NO_UNROLL
	for (i = 0; i < DNS_SVCB_PARAMS_MAX; i++) {
		__u32 at = walk->params_at, code, length;

		if (at + 4 > walk->params_end)
			break;
		code = message_be16(message, at);
		length = message_be16(message, at + 2);
		at += 4;
		if (at + length > walk->params_end)
			break;
		walk->params_at = at + length;
		if (code != DNS_SVCB_IPV4 && code != DNS_SVCB_IPV6)
			continue;
		walk->hint_bytes = code == DNS_SVCB_IPV4 ? 4 : 16;
		walk->hint_at = at;
		walk->hints_left = length / walk->hint_bytes;
		return 1;
	}
	walk->params_end = 0;
	return 0;
}

enum dns_step { DNS_STEP_END = 0, DNS_STEP_NOTHING = 1, DNS_STEP_ADDRESS = 2 };

/*
 * One step: an address of the chain's end (DNS_STEP_ADDRESS, in *address), or a record that gives
 * none. A CNAME of the chain moves it on; a DNAME comes with the CNAME that follows from it
 * (RFC 6672, 3.1). Records of owners outside the chain are passed over.
 */
VERIFIED_ONCE int dns_walk_step(const struct message *message, struct dns_walk *walk,
				struct dns_address *address)
{
	struct dns_owner owner;
	__u32 type, length, at;

	if (!message || !walk || !address)
		return DNS_STEP_END;
	if (walk->hints_left) {
		walk->hints_left--;
		at = walk->hint_at;
		walk->hint_at = at + walk->hint_bytes;
		dns_take_address(message, at, walk->hint_bytes, walk->ttl, address);
		return DNS_STEP_ADDRESS;
	}
	if (walk->params_end) {
		(void)dns_find_hints(message, walk);
		return DNS_STEP_NOTHING;
	}
	if (!walk->records_left)
		return DNS_STEP_END;
	walk->records_left--;
	__builtin_memset(&owner, 0, sizeof(owner));
	owner.key = walk->key;
	owner.at = walk->at;
	if (!dns_hash_name(message, &owner))
		return DNS_STEP_END;
	at = owner.at;
	if (at + 10 > message->length)
		return DNS_STEP_END;
	type = message_be16(message, at);
	walk->ttl = message_be32(message, at + 4);
	length = message_be16(message, at + 8);
	if (at + 10 + length > message->length)
		return DNS_STEP_END;
	walk->at = at + 10 + length;
	if (owner.hash != walk->chain || message_be16(message, at + 2) != DNS_CLASS_IN)
		return DNS_STEP_NOTHING;
	at += 10;
	if ((type == DNS_TYPE_A && length == 4) || (type == DNS_TYPE_AAAA && length == 16)) {
		dns_take_address(message, at, length, walk->ttl, address);
		return DNS_STEP_ADDRESS;
	}
	if (type != DNS_TYPE_CNAME && type != DNS_TYPE_SVCB && type != DNS_TYPE_HTTPS)
		return DNS_STEP_NOTHING;
	/* The alias, or (behind its priority) the target of a service. */
	owner.at = type == DNS_TYPE_CNAME ? at : at + 2;
	if (!dns_hash_name(message, &owner) || owner.at > at + length)
		return DNS_STEP_END;
	if (type == DNS_TYPE_CNAME) {
		walk->chain = owner.hash;
		return DNS_STEP_NOTHING;
	}
	walk->params_at = owner.at;
	walk->params_end = at + length;
	return DNS_STEP_NOTHING;
}

#endif
