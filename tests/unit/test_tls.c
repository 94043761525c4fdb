// SPDX-License-Identifier: Apache-2.0
/* The beginning of a TLS connection as the kernel's programs read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bpf/message.h"

static int tls_copy(void *to, const void *from, __u32 length)
{
	if (length == 0 || length > MESSAGE_PIECE)
		return -1;
	memcpy(to, from, length);
	return 0;
}
#include "bpf/tls.h"

#define KEY 0x1234567ULL

struct bytes {
	uint8_t at[TLS_FLIGHT_MAX];
	size_t length;
};

static struct message raw, message;
static struct name name;
static struct cursor cursor;

/* ---- writing hellos ---- */

static void put(struct bytes *out, const void *bytes, size_t length)
{
	memcpy(out->at + out->length, bytes, length);
	out->length += length;
}

static void put16(struct bytes *out, size_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(out, bytes, sizeof(bytes));
}

static void put_server_name(struct bytes *out, const char *host)
{
	const size_t length = strlen(host);

	put16(out, TLS_EXTENSION_SERVER_NAME);
	put16(out, length + 5);
	put16(out, length + 3);
	put(out, "", 1);
	put16(out, length);
	put(out, host, length);
}

static void put_extension(struct bytes *out, unsigned type, size_t length)
{
	static const uint8_t zeros[TLS_HELLO_MAX];

	put16(out, type);
	put16(out, length);
	put(out, zeros, length);
}

/* The handshake message with these extensions. */
static void make_hello(struct bytes *out, const struct bytes *extensions)
{
	static const uint8_t start[34] = {3, 3};
	const size_t length = 34 + 1 + 4 + 2 + 2 + extensions->length;
	const uint8_t head[] = {TLS_CLIENT_HELLO, 0, (uint8_t)(length >> 8), (uint8_t)length};

	out->length = 0;
	put(out, head, sizeof(head));
	put(out, start, sizeof(start));
	put(out, "", 1);	     /* session */
	put(out, "\0\2\x13\x01", 4); /* cipher suites */
	put(out, "\1\0", 2);	     /* compression */
	put16(out, extensions->length);
	put(out, extensions->at, extensions->length);
}

/* In records of `size` bytes, into `raw`. */
static void send_in_records(const struct bytes *hello, size_t size)
{
	static struct bytes records;

	records.length = 0;
	for (size_t at = 0; at < hello->length; at += size) {
		const size_t part = hello->length - at < size ? hello->length - at : size;

		put(&records, "\x16\3\1", 3);
		put16(&records, part);
		put(&records, hello->at + at, part);
	}
	memcpy(raw.bytes, records.at, records.length);
	raw.length = (uint32_t)records.length;
}

static void make_named(struct bytes *hello, const char *host, size_t padding)
{
	static struct bytes extensions;

	extensions.length = 0;
	put_server_name(&extensions, host);
	put_extension(&extensions, 21, padding);
	make_hello(hello, &extensions);
}

/* ---- reading them ---- */

static int read_name(void)
{
	return tls_read_server_name(&message, &name, KEY, &cursor);
}

static void a_whole_hello_gives_its_name(void **state)
{
	static struct bytes hello;

	(void)state;
	make_named(&hello, "Api.Example.com", 100);
	send_in_records(&hello, 16384);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_HELLO);
	assert_int_equal(read_name(), TLS_NAME_WHOLE);
	assert_string_equal(name.text, "api.example.com");
}

static void every_part_of_one_waits_for_the_rest(void **state)
{
	static struct bytes hello;
	bool named = false;

	(void)state;
	make_named(&hello, "a.example", 400);
	send_in_records(&hello, 100);
	for (uint32_t whole = raw.length, length = 0; length < whole; length++) {
		int found;

		raw.length = length;
		assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_MORE);
		found = read_name();
		assert_true(found == (named ? TLS_NAME_SO_FAR : TLS_NAME_NOT_YET) ||
			    found == TLS_NAME_SO_FAR);
		named = found == TLS_NAME_SO_FAR;
		raw.length = whole;
	}
	assert_true(named);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_HELLO);
	assert_int_equal(read_name(), TLS_NAME_WHOLE);
}

static void sixteen_kibibytes_in_sixteen_records_are_read(void **state)
{
	static struct bytes hello;

	(void)state;
	make_named(&hello, "a.example", 16000);
	send_in_records(&hello, 1100);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_HELLO);
	assert_int_equal(read_name(), TLS_NAME_WHOLE);
	send_in_records(&hello, 900);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_BAD);
}

static void bytes_behind_a_hello_are_refused(void **state)
{
	static struct bytes hello;

	(void)state;
	make_named(&hello, "a.example", 10);
	put(&hello, "x", 1);
	send_in_records(&hello, 16384);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_BAD);
	make_named(&hello, "a.example", 10);
	send_in_records(&hello, 16384);
	raw.bytes[raw.length++] = 23;
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_BAD);
}

static void what_is_no_tls_is_refused(void **state)
{
	static const char *const others[] = {"GET / HTTP/1.1\r\n", "\x80\x2e\1\3\1\0\x15\0\0\0\x10",
					     "\x17\3\3\0\x20xxxxxx", "\x16\2\0\0\x20\1xxxx",
					     "\x16\3\1\0\x20\2xxxx"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		memcpy(raw.bytes, others[i], 10);
		raw.length = 10;
		if (tls_collect(&raw, false, &message, &cursor) != TLS_FLIGHT_BAD)
			fail_msg("bytes %zu are not refused", i);
	}
}

static void a_second_hello_is_found_behind_what_may_stand_in_front(void **state)
{
	static struct bytes hello;
	static const uint8_t front[] = {20, 3, 3, 0, 1, 1, 21, 3, 3, 0, 2, 1, 0};

	(void)state;
	make_named(&hello, "b.example", 10);
	send_in_records(&hello, 16384);
	memmove(raw.bytes + sizeof(front), raw.bytes, raw.length);
	memcpy(raw.bytes, front, sizeof(front));
	raw.length += sizeof(front);
	assert_int_equal(tls_collect(&raw, true, &message, &cursor), TLS_FLIGHT_HELLO);
	assert_int_equal(read_name(), TLS_NAME_WHOLE);
	assert_string_equal(name.text, "b.example");
	/* In front alone nothing is decided, nor by the first flight. */
	raw.length = sizeof(front);
	assert_int_equal(tls_collect(&raw, true, &message, &cursor), TLS_FLIGHT_NOTHING);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_BAD);
	/* What is encrypted is the connection's own affair. */
	memcpy(raw.bytes, "\x17\3\3\0\x20xxxxxx", 11);
	raw.length = 11;
	assert_int_equal(tls_collect(&raw, true, &message, &cursor), TLS_FLIGHT_OTHER);
}

static void parts_that_cannot_be_read_are_refused(void **state)
{
	static const unsigned types[] = {TLS_EXTENSION_ECH, TLS_EXTENSION_ESNI,
					 TLS_EXTENSION_EARLY_DATA};
	static struct bytes extensions, hello;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		extensions.length = 0;
		put_server_name(&extensions, "a.example");
		put_extension(&extensions, types[i], 4);
		make_hello(&hello, &extensions);
		send_in_records(&hello, 16384);
		assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_HELLO);
		assert_int_equal(read_name(), TLS_NAME_BAD);
	}
}

static void there_is_one_name_or_none(void **state)
{
	static const char *const bad[] = {"a.example.", "a_b@c", "1.2.3.4/", ""};
	static struct bytes extensions, hello;

	(void)state;
	extensions.length = 0;
	put_server_name(&extensions, "a.example");
	put_server_name(&extensions, "b.example");
	make_hello(&hello, &extensions);
	send_in_records(&hello, 16384);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_HELLO);
	assert_int_equal(read_name(), TLS_NAME_BAD);
	extensions.length = 0;
	put_extension(&extensions, 21, 4);
	make_hello(&hello, &extensions);
	send_in_records(&hello, 16384);
	assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_HELLO);
	assert_int_equal(read_name(), TLS_NAME_BAD);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make_named(&hello, bad[i], 4);
		send_in_records(&hello, 16384);
		assert_int_equal(tls_collect(&raw, false, &message, &cursor), TLS_FLIGHT_HELLO);
		assert_int_equal(read_name(), TLS_NAME_BAD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_hello_gives_its_name),
		cmocka_unit_test(every_part_of_one_waits_for_the_rest),
		cmocka_unit_test(sixteen_kibibytes_in_sixteen_records_are_read),
		cmocka_unit_test(bytes_behind_a_hello_are_refused),
		cmocka_unit_test(what_is_no_tls_is_refused),
		cmocka_unit_test(a_second_hello_is_found_behind_what_may_stand_in_front),
		cmocka_unit_test(parts_that_cannot_be_read_are_refused),
		cmocka_unit_test(there_is_one_name_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
