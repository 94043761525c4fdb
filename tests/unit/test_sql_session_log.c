// SPDX-License-Identifier: Apache-2.0
/* What the log is told of allowed statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sql_session_feed.h"

static void allowed_statements_are_logged_with_their_rows(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};

	(void)state;
	start(&wire);
	query(&wire, "select 17");
	SERVER("C\0\0\0\x0dSELECT 3\0Z\0\0\0\x05I");
	assert_int_equal(wire.records, 1);
	assert_true(wire.last_has_rows);
	assert_int_equal(wire.last_rows, 3);
	assert_string_equal(wire.last_shape, "select ?");
	parse(&wire, "s", "select 18");
	CLIENT("B\0\0\0\x0d\0s\0\0\0\0\0\0\0"
	       "E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04");
	SERVER("1\0\0\0\x04"
	       "2\0\0\0\x04"
	       "C\0\0\0\x0dSELECT 5\0Z\0\0\0\x05I");
	assert_int_equal(wire.records, 2);
	assert_int_equal(wire.last_rows, 5);
	wire_close(&wire);
}

/* A run of an allowed statement, as the log was told of it last. */
static void expect_record(const struct wire *wire, unsigned records, const char *shape,
			  uint64_t rows)
{
	assert_int_equal(wire->records, records);
	assert_string_equal(wire->last_shape, shape);
	assert_int_equal(wire->last_rows, rows);
}

#define EXECUTE "E\0\0\0\x09\0\0\0\0\0"
#define SYNC	"S\0\0\0\x04"
#define DONE	"C\0\0\0\x0dSELECT 3\0"
#define READY	"Z\0\0\0\x05I"

/* Else the one behind it would be told in the place of what was skipped, and itself never. */
static void what_the_server_skips_takes_no_record_of_what_it_runs(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};

	(void)state;
	start(&wire);
	parse(&wire, "a", "select 1");
	parse(&wire, "b", "select secret");
	CLIENT("B\0\0\0\x0d\0a\0\0\0\0\0\0\0" EXECUTE EXECUTE SYNC);
	CLIENT("B\0\0\0\x0d\0b\0\0\0\0\0\0\0" EXECUTE SYNC);
	SERVER("1\0\0\0\x04"
	       "1\0\0\0\x04"
	       "2\0\0\0\x04");
	server_says_error(&wire, "22012", "division by zero");
	SERVER(READY "2\0\0\0\x04" DONE READY);
	expect_record(&wire, 2, "select secret", 3);
	wire_close(&wire);
}

static void an_error_before_any_run_is_no_end_of_a_later_one(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};

	(void)state;
	start(&wire);
	CLIENT("B\0\0\0\x0d\0x\0\0\0\0\0\0\0" SYNC);
	query(&wire, "select secret");
	server_says_error(&wire, "26000", "no such statement");
	SERVER(READY DONE READY);
	expect_record(&wire, 1, "select secret", 3);
	wire_close(&wire);
}

/* The server skips a Query within a batch, too. */
static void a_query_that_the_server_skips_takes_no_place(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};

	(void)state;
	start(&wire);
	CLIENT("B\0\0\0\x0d\0x\0\0\0\0\0\0\0");
	query(&wire, "select 1");
	CLIENT(SYNC);
	server_says_error(&wire, "26000", "no such statement");
	SERVER(READY);
	query(&wire, "select secret");
	SERVER(DONE READY);
	expect_record(&wire, 1, "select secret", 3);
	wire_close(&wire);
}

static void an_error_too_long_to_be_looked_into_ends_its_run(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};
	static char text[20000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	start(&wire);
	query(&wire, "select 1");
	query(&wire, "select secret");
	server_says_error(&wire, "22P02", text);
	assert_int_equal(wire.records, 1);
	SERVER(READY DONE READY);
	expect_record(&wire, 2, "select secret", 3);
	wire_close(&wire);
}

static void more_runs_than_are_followed_hold_the_client_up(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};
	int i;

	(void)state;
	start(&wire);
	parse(&wire, "", "select 1");
	CLIENT("B\0\0\0\x0c\0\0\0\0\0\0\0\0");
	for (i = 0; i < 100000 && session_reads_client(wire.session); i++)
		CLIENT(EXECUTE);
	assert_in_range(i, 1, 99999);
	SERVER("1\0\0\0\x04"
	       "2\0\0\0\x04");
	assert_int_equal(wire.records, 0);
	while (i--)
		SERVER(DONE);
	assert_true(session_reads_client(wire.session));
	CLIENT(SYNC);
	query(&wire, "select secret");
	SERVER(READY DONE READY);
	assert_string_equal(wire.last_shape, "select secret");
	wire_close(&wire);
}

#define BIND_X "B\0\0\0\x0d\0x\0\0\0\0\0\0\0"

/* The name stands for the first statement still. */
static void a_name_that_was_not_given_again_keeps_its_statement(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};

	(void)state;
	start(&wire);
	parse(&wire, "x", "select secret");
	CLIENT(SYNC);
	SERVER("1\0\0\0\x04" READY);
	parse(&wire, "x", "select 1");
	CLIENT(SYNC);
	server_says_error(&wire, "42P05", "there is one");
	SERVER(READY);
	CLIENT(BIND_X EXECUTE SYNC);
	SERVER("2\0\0\0\x04" DONE READY);
	expect_record(&wire, 1, "select secret", 3);
	wire_close(&wire);
}

/* Where there are more than are followed, the text is told when it is named. */
static void a_statement_without_a_place_is_told_at_once(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};
	char name[16];
	int i;

	(void)state;
	start(&wire);
	for (i = 0; i < 256; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		parse(&wire, name, "select 1");
		SERVER("1\0\0\0\x04");
	}
	assert_int_equal(wire.records, 0);
	parse(&wire, "x", "select secret");
	SERVER("1\0\0\0\x04");
	expect_record(&wire, 1, "select secret", 0);
	CLIENT(BIND_X EXECUTE SYNC);
	SERVER("2\0\0\0\x04" DONE READY);
	expect_record(&wire, 2, "", 3);
	wire_close(&wire);
}

/* Answers that fit nothing: from then on each text is told as it goes. */
static void where_the_count_is_lost_all_is_told(void **state)
{
	struct wire wire = {.rules = {.log_allowed = true}};

	(void)state;
	start(&wire);
	parse(&wire, "x", "select secret");
	SERVER("3\0\0\0\x04");
	expect_record(&wire, 1, "select secret", 0);
	query(&wire, "select more");
	expect_record(&wire, 2, "select more", 0);
	wire_close(&wire);
}

#define LOG_TESTS(setup)                                                                         \
	cmocka_unit_test_setup(allowed_statements_are_logged_with_their_rows, setup),            \
		cmocka_unit_test_setup(what_the_server_skips_takes_no_record_of_what_it_runs,    \
				       setup),                                                   \
		cmocka_unit_test_setup(an_error_before_any_run_is_no_end_of_a_later_one, setup), \
		cmocka_unit_test_setup(a_query_that_the_server_skips_takes_no_place, setup),     \
		cmocka_unit_test_setup(an_error_too_long_to_be_looked_into_ends_its_run, setup), \
		cmocka_unit_test_setup(a_name_that_was_not_given_again_keeps_its_statement,      \
				       setup),                                                   \
		cmocka_unit_test_setup(where_the_count_is_lost_all_is_told, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TESTS(in_whole_messages),
		LOG_TESTS(in_single_bytes),
		LOG_TESTS(in_sevens),
		cmocka_unit_test_setup(a_statement_without_a_place_is_told_at_once,
				       in_whole_messages),
		cmocka_unit_test_setup(more_runs_than_are_followed_hold_the_client_up,
				       in_whole_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
