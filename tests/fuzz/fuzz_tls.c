// SPDX-License-Identifier: Apache-2.0
/*
 * The beginning of a TLS connection as the kernel's programs read it (bpf/tls.h, the same code):
 * any bytes, whole and cut off anywhere, as a first flight and as a later one. What is let out
 * while a hello is not whole yet must never be what the whole one would not be let out for, or
 * under another name.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/message.h"

static int tls_copy(void *to, const void *from, __u32 length)
{
	if (length == 0 || length > MESSAGE_PIECE)
		return -1;
	memcpy(to, from, length);
	return 0;
}
#include "bpf/tls.h"

#define KEY 0x5eedULL

static struct message raw, message;
static struct cursor cursor;

struct reading {
	enum tls_flight flight;
	enum tls_name found;
	struct name name;
};

static void require(int condition)
{
	if (!condition)
		abort();
}

static void read_first(const uint8_t *data, size_t size, bool later, struct reading *reading)
{
	memcpy(raw.bytes, data, size);
	raw.length = (uint32_t)size;
	reading->found = TLS_NAME_BAD;
	reading->flight = (enum tls_flight)tls_collect(&raw, later, &message, &cursor);
	require(message.length <= MESSAGE_ROOM);
	if (reading->flight != TLS_FLIGHT_HELLO && reading->flight != TLS_FLIGHT_MORE)
		return;
	reading->found =
		(enum tls_name)tls_read_server_name(&message, &reading->name, KEY, &cursor);
	if (reading->found == TLS_NAME_WHOLE || reading->found == TLS_NAME_SO_FAR) {
		require(reading->name.length > 0 && reading->name.length <= 253);
		require(strlen(reading->name.text) == reading->name.length);
		require(reading->name.text[reading->name.length - 1] != '.');
	}
}

static void check(const uint8_t *data, size_t size, bool later, size_t cut)
{
	static struct reading whole, part;

	read_first(data, size, later, &whole);
	read_first(data, cut, later, &part);
	if (whole.flight == TLS_FLIGHT_HELLO && whole.found == TLS_NAME_WHOLE && cut < size) {
		/* A good hello has only good beginnings. */
		require(part.flight == TLS_FLIGHT_MORE || part.flight == TLS_FLIGHT_NOTHING);
		if (part.flight == TLS_FLIGHT_MORE && part.found == TLS_NAME_SO_FAR)
			require(part.name.hash == whole.name.hash);
		require(part.flight != TLS_FLIGHT_MORE || part.found != TLS_NAME_WHOLE);
	}
	/* What went out under one name is not whole under another. */
	if (part.flight == TLS_FLIGHT_MORE && part.found == TLS_NAME_SO_FAR &&
	    whole.flight == TLS_FLIGHT_HELLO && whole.found == TLS_NAME_WHOLE)
		require(part.name.hash == whole.name.hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut;

	if (size < 4 || size - 3 > TLS_FLIGHT_MAX)
		return 0;
	cut = ((size_t)data[1] << 8 | data[2]) % (size - 3 + 1);
	check(data + 3, size - 3, data[0] & 1, cut);
	return 0;
}
