/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The beginning of a TLS connection, as its client sends it (RFC 8446): a ClientHello, whole, and
 * the one server name in it. Pure, but for tls_copy(), which the includer defines:
 *   static int tls_copy(void *to, const void *from, __u32 length)
 * copies up to MESSAGE_PIECE bytes between two messages; 0 or negative.
 */
#ifndef AGENTPOL_BPF_TLS_H
#define AGENTPOL_BPF_TLS_H

#include "bpf/message.h"

#define TLS_RECORD_HEADER  5
#define TLS_RECORD_MAX	   MESSAGE_PIECE
#define TLS_HELLO_MAX	   MESSAGE_PIECE
#define TLS_RECORDS_MAX	   16
#define TLS_EXTENSIONS_MAX 64
#define TLS_CCS_BYTES	   (TLS_RECORD_HEADER + 1)
/* Of a flight that has one hello in as many records as are followed. */
#define TLS_FLIGHT_MAX (TLS_HELLO_MAX + TLS_RECORDS_MAX * TLS_RECORD_HEADER + TLS_CCS_BYTES)

#define TLS_TYPE_CCS	   20
#define TLS_TYPE_ALERT	   21
#define TLS_TYPE_HANDSHAKE 22
#define TLS_CLIENT_HELLO   1

#define TLS_EXTENSION_SERVER_NAME 0
#define TLS_EXTENSION_EARLY_DATA  42
#define TLS_EXTENSION_ECH	  0xfe0d
#define TLS_EXTENSION_ESNI	  0xffce

enum tls_flight {
	TLS_FLIGHT_BAD = 0,	/* no TLS, no hello, or one that can't be followed */
	TLS_FLIGHT_MORE = 1,	/* so far the beginning of one */
	TLS_FLIGHT_HELLO = 2,	/* one whole hello, and nothing behind it */
	TLS_FLIGHT_OTHER = 3,	/* of a later flight: no hello any more */
	TLS_FLIGHT_NOTHING = 4, /* of a later flight: what a hello may still come behind */
};

/* A hello's message may begin in one record and end in another: is it whole? */
static __always_inline enum tls_flight tls_judge_pieces(const struct message *message, bool at_end)
{
	__u32 wanted;

	if (message->length < 4)
		return TLS_FLIGHT_MORE;
	wanted = 4 + ((__u32)message_byte(message, 1) << 16 | message_be16(message, 2));
	if (wanted > TLS_HELLO_MAX || message->length > wanted)
		return TLS_FLIGHT_BAD;
	if (message->length < wanted)
		return TLS_FLIGHT_MORE;
	return at_end ? TLS_FLIGHT_HELLO : TLS_FLIGHT_BAD;
}

/*
 * Puts the pieces of a hello, from the records that *raw has, together in *message; with
 * TLS_FLIGHT_MORE what is there of it. `later`: the flight that answers the server's first one.
 * There a second hello may come (after a HelloRetryRequest, RFC 8446 4.1.4), behind
 * ChangeCipherSpecs (D.4) or alerts or nothing.
 */
VERIFIED_ONCE int tls_collect(const struct message *raw, __u32 later, struct message *message,
			      struct cursor *cursor)
{
	volatile struct cursor *walk = cursor;
	__u32 i;

	if (!raw || !message || !walk)
		return TLS_FLIGHT_BAD;
	message->length = 0;
	walk->at = 0;
	walk->count = 0;
	NO_UNROLL
	for (i = 0; i < TLS_RECORDS_MAX; i++) {
		__u32 at = walk->at, used = walk->count, length, there;
		enum tls_flight flight;
		__u8 type;

		if (at + TLS_RECORD_HEADER + 1 > raw->length)
			return TLS_FLIGHT_MORE;
		type = message_byte(raw, at);
		length = message_be16(raw, at + 3);
		if (later && used == 0 && (type == TLS_TYPE_CCS || type == TLS_TYPE_ALERT)) {
			at += TLS_RECORD_HEADER + length;
			walk->at = at;
			if (at > raw->length)
				return TLS_FLIGHT_MORE;
			if (at == raw->length)
				return TLS_FLIGHT_NOTHING;
			continue;
		}
		if (type != TLS_TYPE_HANDSHAKE)
			return later && used == 0 ? TLS_FLIGHT_OTHER : TLS_FLIGHT_BAD;
		if (message_byte(raw, at + 1) != 3 || length == 0 || length > TLS_RECORD_MAX)
			return TLS_FLIGHT_BAD;
		at += TLS_RECORD_HEADER;
		if (used == 0 && message_byte(raw, at) != TLS_CLIENT_HELLO)
			return later ? TLS_FLIGHT_OTHER : TLS_FLIGHT_BAD;
		there = raw->length - at < length ? raw->length - at : length;
		if (used >= TLS_HELLO_MAX || at >= MESSAGE_ROOM - MESSAGE_PIECE ||
		    tls_copy(message->bytes + index_bound(used, MESSAGE_PIECE),
			     raw->bytes + index_bound(at, MESSAGE_PIECE), there) < 0)
			return TLS_FLIGHT_BAD;
		used += there;
		at += there;
		walk->at = at;
		walk->count = used;
		message->length = used;
		if (there < length)
			return TLS_FLIGHT_MORE;
		flight = tls_judge_pieces(message, at == raw->length);
		if (flight != TLS_FLIGHT_MORE || at == raw->length)
			return flight;
	}
	return TLS_FLIGHT_BAD;
}

/* The list of one host name (RFC 6066, 3); 1, or 0. A name is no address, and has no dot at its
 * end. */
VERIFIED_ONCE int tls_read_name(const struct message *message, __u32 at, __u32 end, __u64 key,
				struct name *read)
{
	volatile struct name *name = read;
	__u32 length, i;

	if (!message || !name)
		return 0;
	if (at + 5 > end || message_be16(message, at) != end - at - 2 ||
	    message_byte(message, at + 2) != 0)
		return 0;
	length = message_be16(message, at + 3);
	at += 5;
	if (length == 0 || length > 253 || at + length != end)
		return 0;
	name_clear(read);
	name->cursor.at = at;
	name->cursor.left = length;
	name->hash = key;
	NO_UNROLL
	for (i = 0; i < NAME_TEXT_BYTES; i++) {
		__u8 byte, host;

		if (!name->cursor.left)
			break;
		byte = message_byte(message, name->cursor.at);
		host = byte == '.' ? byte : host_bytes[byte];
		if (!host)
			return 0;
		name->hash = name_hash_byte(name->hash, host);
		name->text[i & (NAME_TEXT_BYTES - 1)] = (char)host;
		name->cursor.at++;
		name->cursor.left--;
		name->length++;
	}
	if (name->text[(name->length - 1) & (NAME_TEXT_BYTES - 1)] == '.')
		return 0;
	name->hash = name_hash_end(name->hash);
	name->spelling = 0;
	return 1;
}

enum tls_name {
	TLS_NAME_BAD = 0, /* none, several, lengths that don't fit, or a part that can't be read */
	TLS_NAME_WHOLE = 1,   /* one, in a whole hello */
	TLS_NAME_SO_FAR = 2,  /* one, in what is there of a hello */
	TLS_NAME_NOT_YET = 3, /* none so far */
};

/* What there is to say when the next bytes are not there yet, or never will be. */
static __always_inline enum tls_name tls_name_cut(const struct message *message, __u32 whole,
						  __u32 found)
{
	if (message->length >= whole)
		return TLS_NAME_BAD;
	return found ? TLS_NAME_SO_FAR : TLS_NAME_NOT_YET;
}

/* Where the extensions of a hello begin, in walk->at; TLS_NAME_WHOLE where it could be found. */
static __always_inline enum tls_name tls_find_extensions(const struct message *message, __u32 whole,
							 volatile struct cursor *walk)
{
	__u32 at = 4 + 2 + 32;

	if (at + 1 > message->length)
		return tls_name_cut(message, whole, 0);
	at += 1 + message_byte(message, at); /* session */
	if (at + 2 > message->length)
		return tls_name_cut(message, whole, 0);
	at += 2 + message_be16(message, at); /* cipher suites */
	if (at + 1 > message->length)
		return tls_name_cut(message, whole, 0);
	at += 1 + message_byte(message, at); /* compression */
	if (at + 2 > message->length)
		return tls_name_cut(message, whole, 0);
	if (at + 2 + message_be16(message, at) != whole)
		return TLS_NAME_BAD;
	walk->at = at + 2;
	return TLS_NAME_WHOLE;
}

/*
 * The server name of a ClientHello, which may be cut off behind message->length. A part that can't
 * be read is an encrypted one (ECH), or early data, behind which another hello could follow unseen.
 * What was read of the name stays for the log.
 */
VERIFIED_ONCE int tls_read_server_name(const struct message *message, struct name *name, __u64 key,
				       struct cursor *cursor)
{
	volatile struct cursor *walk = cursor;
	enum tls_name begin;
	__u32 i;

	if (!message || !name || !walk)
		return TLS_NAME_BAD;
	name_clear(name);
	name->hash = 0;
	walk->found = 0;
	if (message->length < 4)
		return TLS_NAME_NOT_YET;
	walk->left = 4 + ((__u32)message_byte(message, 1) << 16 | message_be16(message, 2));
	if (walk->left > TLS_HELLO_MAX || message->length > walk->left)
		return TLS_NAME_BAD;
	begin = tls_find_extensions(message, walk->left, walk);
	if (begin != TLS_NAME_WHOLE)
		return begin;
	NO_UNROLL
	for (i = 0; i < TLS_EXTENSIONS_MAX; i++) {
		__u32 at = walk->at, type, length;

		if (at == walk->left)
			return walk->found ? TLS_NAME_WHOLE : TLS_NAME_BAD;
		if (at + 4 > message->length)
			return tls_name_cut(message, walk->left, walk->found);
		type = message_be16(message, at);
		length = message_be16(message, at + 2);
		at += 4;
		if (type == TLS_EXTENSION_ECH || type == TLS_EXTENSION_ESNI ||
		    type == TLS_EXTENSION_EARLY_DATA || at + length > walk->left)
			return TLS_NAME_BAD;
		if (at + length > message->length)
			return tls_name_cut(message, walk->left, walk->found);
		if (type == TLS_EXTENSION_SERVER_NAME) {
			if (walk->found || !tls_read_name(message, at, at + length, key, name))
				return TLS_NAME_BAD;
			walk->found = 1;
		}
		walk->at = at + length;
	}
	return TLS_NAME_BAD;
}

#endif
