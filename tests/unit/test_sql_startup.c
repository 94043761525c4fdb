// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/protocol.h"
#include "sql/startup.h"

static const char *shop[] = {"shop"};
static const char *path[] = {"public", "a\"b"};
static struct sql_grant selects[] = {{.verb = SQL_SELECT}};
static struct sql_policy policy = {
	.databases = {shop, 1},
	.grants = selects,
	.grant_count = 1,
	.search_path = {path, 2},
	.read_only = -1,
	.statement_timeout_ms = 5000,
};

/* Reads a packet with these pairs behind user and database. */
#define READ(pairs, startup)                                                                       \
	startup_read(&policy, (const uint8_t *)"\0\3\0\0user\0agent\0database\0shop\0" pairs "\0", \
		     sizeof("\0\3\0\0user\0agent\0database\0shop\0" pairs "\0") - 1, (startup))

static void what_is_inert_passes_and_the_rest_is_the_manifests(void **state)
{
	_cleanup_startup_ struct startup startup;
	_cleanup_buffer_ struct buffer packet = {0};
	const char *bytes;

	(void)state;
	READ("application_name\0psql\0datestyle\0ISO\0client_encoding\0'utf-8'\0"
	     "options\0-c extra_float_digits=3 --intervalstyle=iso\\ 8601\0",
	     &startup);
	assert_int_equal(startup.kind, STARTUP_SESSION);
	assert_false(startup.negotiate);
	startup_build(&startup, &policy, &packet);
	assert_int_equal(protocol_get32(buffer_bytes(&packet)), packet.length);
	assert_int_equal(protocol_get32(buffer_bytes(&packet) + 4), PROTOCOL_VERSION_3_0);
	bytes = (const char *)buffer_bytes(&packet);
#define HAS(pair) assert_non_null(memmem(bytes, packet.length, pair, sizeof(pair)))
	HAS("user\0agent");
	HAS("database\0shop");
	HAS("DateStyle\0ISO");
	HAS("extra_float_digits\0003");
	HAS("IntervalStyle\0iso 8601");
	HAS("client_encoding\0UTF8");
	HAS("standard_conforming_strings\0on");
	HAS("search_path\0\"public\", \"a\"\"b\"");
	HAS("statement_timeout\0005000");
	HAS("default_transaction_read_only\0on");
	assert_null(memmem(bytes, packet.length, "options", 7));
}

static void what_is_not_inert_is_refused(void **state)
{
	struct startup startup;

	(void)state;
#define REFUSED(pairs)                                           \
	do {                                                     \
		READ(pairs, &startup);                           \
		assert_int_equal(startup.kind, STARTUP_REFUSED); \
		startup_clear(&startup);                         \
	} while (0)
	REFUSED("role\0postgres\0");
	REFUSED("search_path\0x\0");
	REFUSED("replication\0database\0");
	REFUSED("replication\0true\0");
	REFUSED("standard_conforming_strings\0off\0");
	REFUSED("client_encoding\0SJIS\0");
	REFUSED("client_encoding\0\0");
	REFUSED("options\0-c search_path=x\0");
	REFUSED("options\0-csearch-path=x\0");
	REFUSED("options\0--role=postgres\0");
	REFUSED("options\0-c DateStyle=ISO -c role=x\0");
	REFUSED("options\0-c\0");
	REFUSED("options\0-E\0");
	REFUSED("options\0-c DateStyle\0");
	REFUSED("statement_timeout\0006000\0");
	REFUSED("statement_timeout\0000\0");
	REFUSED("statement_timeout\0001h\0");
	REFUSED("database\0other\0");
	REFUSED("user\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0");
	READ("replication\0off\0statement_timeout\000200\0", &startup);
	assert_int_equal(startup.kind, STARTUP_SESSION);
	startup_clear(&startup);
}

/* A name in another value is none. */
static void a_lower_timeout_stands_and_no_name_can_take_its_place(void **state)
{
	struct startup startup;
	struct buffer packet = {0};

	(void)state;
	READ("application_name\0statement_timeout\0", &startup);
	startup_build(&startup, &policy, &packet);
	assert_non_null(memmem(buffer_bytes(&packet), packet.length, "statement_timeout\0005000",
			       sizeof("statement_timeout\0005000")));
	buffer_clear(&packet);
	startup_clear(&startup);
	READ("statement_timeout\000100\0", &startup);
	startup_build(&startup, &policy, &packet);
	assert_null(memmem(buffer_bytes(&packet), packet.length, "5000", 5));
	buffer_clear(&packet);
	startup_clear(&startup);
}

static void newer_versions_and_options_are_negotiated(void **state)
{
	_cleanup_startup_ struct startup startup;
	_cleanup_buffer_ struct buffer message = {0};
	static const uint8_t packet[] = "\0\3\0\2user\0agent\0database\0shop\0_pq_.x\0y\0";

	(void)state;
	startup_read(&policy, packet, sizeof(packet), &startup);
	assert_int_equal(startup.kind, STARTUP_SESSION);
	assert_true(startup.negotiate);
	startup_build_negotiate(&startup, &message);
	assert_memory_equal(buffer_bytes(&message), "v\0\0\0\x13\0\3\0\0\0\0\0\1_pq_.x", 20);
}

static void packets_that_are_none_are_closed_or_refused(void **state)
{
	struct startup startup;

	(void)state;
	startup_read(&policy, (const uint8_t *)"\0\2\0\0", 4, &startup);
	assert_int_equal(startup.kind, STARTUP_REFUSED);
	startup_clear(&startup);
	startup_read(&policy, (const uint8_t *)"\0\3\0\0user\0agent", 14, &startup);
	assert_int_equal(startup.kind, STARTUP_REFUSED);
	startup_clear(&startup);
	startup_read(&policy, (const uint8_t *)"\0\3\0\0\0x", 6, &startup);
	assert_int_equal(startup.kind, STARTUP_REFUSED);
	startup_clear(&startup);
	startup_read(&policy, (const uint8_t *)"\x04\xd2\x16\x2e\0\0\0\1\0\0\0", 11, &startup);
	assert_int_equal(startup.kind, STARTUP_CLOSED);
	startup_clear(&startup);
	startup_read(&policy, (const uint8_t *)"\x04\xd2\x16\x2f\0", 5, &startup);
	assert_int_equal(startup.kind, STARTUP_CLOSED);
	startup_clear(&startup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_inert_passes_and_the_rest_is_the_manifests),
		cmocka_unit_test(what_is_not_inert_is_refused),
		cmocka_unit_test(a_lower_timeout_stands_and_no_name_can_take_its_place),
		cmocka_unit_test(newer_versions_and_options_are_negotiated),
		cmocka_unit_test(packets_that_are_none_are_closed_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
