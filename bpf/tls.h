/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The beginning of a TLS connection, as its client sends it (RFC 8446): a ClientHello, whole, and
 * the one server name in it. Pure, but for tls_load(), which the includer defines:
 *   static int tls_load(TLS_PACKET *packet, __u32 offset, void *to, __u32 length)
 * copies bytes of the packet, 0 or negative.
 */
#ifndef AGENTPOL_BPF_TLS_H
#define AGENTPOL_BPF_TLS_H

#include "bpf/message.h"

#define TLS_RECORD_HEADER    5
#define TLS_RECORD_MAX	     MESSAGE_PIECE
#define TLS_HELLO_MAX	     MESSAGE_PIECE
#define TLS_RECORDS_MAX	     16
#define TLS_EXTENSIONS_MAX   64
#define TLS_CCS_BYTES	     (TLS_RECORD_HEADER + 1)
/* Of a flight that has one hello in as many records as are followed. */
#define TLS_FLIGHT_MAX (TLS_HELLO_MAX + TLS_RECORDS_MAX * TLS_RECORD_HEADER + TLS_CCS_BYTES)

#define TLS_TYPE_CCS	   20
#define TLS_TYPE_HANDSHAKE 22
#define TLS_CLIENT_HELLO   1

#define TLS_EXTENSION_SERVER_NAME 0
#define TLS_EXTENSION_EARLY_DATA  42
#define TLS_EXTENSION_ECH	  0xfe0d
#define TLS_EXTENSION_ESNI	  0xffce

enum tls_flight {
	TLS_FLIGHT_BAD = 0,   /* no TLS, no hello, or one that can't be followed */
	TLS_FLIGHT_MORE = 1,  /* so far the beginning of one */
	TLS_FLIGHT_HELLO = 2, /* one whole hello, and nothing behind it */
	TLS_FLIGHT_OTHER = 3, /* of a later flight: no hello any more */
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
 * Puts the pieces of a hello, from the records between `at` and `end`, together in *message.
 * `later`: the flight that answers the server's first one. There a second hello may come (after a
 * HelloRetryRequest, RFC 8446 4.1.4), behind a ChangeCipherSpec of one byte (D.4) or not.
 */
static __always_inline enum tls_flight tls_collect(TLS_PACKET *packet, __u32 at, __u32 end,
						   bool later, struct message *message)
{
	__u8 header[TLS_RECORD_HEADER + 1];
	__u32 used = 0, i;

	message->length = 0;
NO_UNROLL
	for (i = 0; i < TLS_RECORDS_MAX; i++) {
		enum tls_flight flight;
		__u32 length;

		if (at + sizeof(header) > end)
			return TLS_FLIGHT_MORE;
		if (tls_load(packet, at, header, sizeof(header)) < 0)
			return TLS_FLIGHT_BAD;
		length = (__u32)header[3] << 8 | header[4];
		if (later && header[0] == TLS_TYPE_CCS && length == 1 && used == 0) {
			at += TLS_CCS_BYTES;
			if (at == end)
				return TLS_FLIGHT_OTHER;
			continue;
		}
		if (header[0] != TLS_TYPE_HANDSHAKE)
			return later && used == 0 ? TLS_FLIGHT_OTHER : TLS_FLIGHT_BAD;
		if (header[1] != 3 || length == 0 || length > TLS_RECORD_MAX)
			return TLS_FLIGHT_BAD;
		if (used == 0 && header[5] != TLS_CLIENT_HELLO)
			return later ? TLS_FLIGHT_OTHER : TLS_FLIGHT_BAD;
		at += TLS_RECORD_HEADER;
		if (at + length > end)
			return TLS_FLIGHT_MORE;
		if (used >= TLS_HELLO_MAX ||
		    tls_load(packet, at, message->bytes + (used & (MESSAGE_PIECE - 1)), length) < 0)
			return TLS_FLIGHT_BAD;
		used += length;
		at += length;
		message->length = used;
		flight = tls_judge_pieces(message, at == end);
		if (flight != TLS_FLIGHT_MORE || at == end)
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

/* Where the extensions of a whole hello begin, in *walk; 0 where lengths don't fit. */
static __always_inline int tls_find_extensions(const struct message *message,
					       volatile struct cursor *walk)
{
	__u32 at = 4 + 2 + 32, end = message->length;

	if (end > TLS_HELLO_MAX || at + 1 > end)
		return 0;
	at += 1 + message_byte(message, at); /* session */
	if (at + 2 > end)
		return 0;
	at += 2 + message_be16(message, at); /* cipher suites */
	if (at + 1 > end)
		return 0;
	at += 1 + message_byte(message, at); /* compression */
	if (at + 2 > end || at + 2 + message_be16(message, at) != end)
		return 0;
	walk->at = at + 2;
	walk->found = 0;
	return 1;
}

/*
 * The server name of a whole ClientHello: 1, or 0 where there is not exactly one, where lengths
 * don't fit, and where the hello has a part that can't be read: an encrypted one (ECH) or early
 * data, behind which another hello could follow unseen. What was read of the name stays for the log.
 */
VERIFIED_ONCE int tls_read_server_name(const struct message *message, struct name *name, __u64 key,
				    struct cursor *cursor)
{
	volatile struct cursor *walk = cursor;
	__u32 i;

	if (!message || !name || !walk)
		return 0;
	name_clear(name);
	name->hash = 0;
	if (!tls_find_extensions(message, walk))
		return 0;
	NO_UNROLL
	for (i = 0; i < TLS_EXTENSIONS_MAX; i++) {
		__u32 at = walk->at, type, length;

		if (at == message->length)
			return walk->found;
		if (at + 4 > message->length)
			return 0;
		type = message_be16(message, at);
		length = message_be16(message, at + 2);
		at += 4;
		if (at + length > message->length)
			return 0;
		if (type == TLS_EXTENSION_ECH || type == TLS_EXTENSION_ESNI ||
		    type == TLS_EXTENSION_EARLY_DATA)
			return 0;
		if (type == TLS_EXTENSION_SERVER_NAME) {
			if (walk->found || !tls_read_name(message, at, at + length, key, name))
				return 0;
			walk->found = 1;
		}
		walk->at = at + length;
	}
	return walk->at == message->length && walk->found;
}

#endif
