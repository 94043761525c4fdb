// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/limits.h"
#include "tests/unit/sql_session_feed.h"

/* The token of the last denied text that the server was sent. */
static void token(const struct wire *wire, char *text, size_t room)
{
	const char *at = NULL, *next = (const char *)buffer_bytes(&wire->server);
	size_t left = wire->server.length;

	while ((next = memmem(next, left, "\"agentpol-denied-", 17))) {
		at = next++;
		left = wire->server.length -
		       (size_t)(next - (const char *)buffer_bytes(&wire->server));
	}
	assert_non_null(at);
	(void)snprintf(text, room, "syntax error at or near \"%s\"", at);
}

static void the_client_sees_its_own_key_and_ready_once(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_true(wire_open(&wire));
	feed(&wire, true, wire_client_start, sizeof(wire_client_start) - 1);
	session_server_ready(wire.session);
	assert_true(has(&wire.server, "standard_conforming_strings"));
	buffer_clear(&wire.server);
	feed(&wire, false, wire_server_start, sizeof(wire_server_start) - 1);
	assert_string_equal(types(&wire.client), "RSSKZ");
	assert_true(has(&wire.client, "K"));
	assert_memory_equal(buffer_bytes(&wire.client) + wire.client.length - 6 - 8,
			    "\0\0\0\x4d\0\0\0\x58", 8);
	assert_string_equal(types(&wire.server), "Q");
	assert_string_equal(wire.catalog, "{}");
	assert_string_equal(session_user(wire.session), "agent");
	wire_close(&wire);
}

static void an_allowed_query_passes_as_it_is(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	query(&wire, "select 1");
	assert_int_equal(wire.server.length, 5 + 9);
	assert_memory_equal(buffer_bytes(&wire.server), "Q\0\0\0\x0dselect 1", 14);
	SERVER("C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "CZ");
	wire_close(&wire);
}

static void a_denied_query_never_reaches_the_server(void **state)
{
	struct wire wire = {0};
	char text[128];

	(void)state;
	start(&wire);
	query(&wire, "select deny");
	assert_false(has(&wire.server, "deny "));
	assert_false(has(&wire.server, "select"));
	assert_string_equal(types(&wire.server), "Q");
	token(&wire, text, sizeof(text));
	server_says_error(&wire, "42601", text);
	SERVER("Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "EZ");
	assert_true(has(&wire.client, "C42501"));
	assert_true(has(&wire.client, "Mselect deny"));
	assert_true(has(&wire.client, "/tools/q/sql/allow"));
	assert_false(has(&wire.client, "agentpol-denied"));
	assert_int_equal(wire.records, 1);
	wire_close(&wire);
}

static void an_error_of_the_servers_own_passes(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	query(&wire, "select 1");
	query(&wire, "select deny");
	server_says_error(&wire, "22012", "division by zero");
	assert_true(has(&wire.client, "division by zero"));
	wire_close(&wire);
}

/* A denied Parse between two allowed ones: up to the Sync nothing of the client's gets through, as
 * the server would skip it. */
static void a_denied_parse_in_a_pipeline_is_answered_in_its_place(void **state)
{
	struct wire wire = {0};
	char text[128];

	(void)state;
	start(&wire);
	parse(&wire, "", "select 1");
	CLIENT("B\0\0\0\x0c\0\0\0\0\0\0\0\0E\0\0\0\x09\0\0\0\0\0");
	parse(&wire, "two", "select deny");
	CLIENT("B\0\0\0\x0c\0\0\0\0\0\0\0\0E\0\0\0\x09\0\0\0\0\0");
	parse(&wire, "", "wait for nobody");
	parse(&wire, "", "deny again");
	CLIENT("S\0\0\0\x04");
	assert_string_equal(types(&wire.server), "PBEPS");
	assert_string_equal(wire.asked, "");
	token(&wire, text, sizeof(text));
	SERVER("1\0\0\0\x04"
	       "2\0\0\0\x04"
	       "C\0\0\0\x0dSELECT 1\0");
	server_says_error(&wire, "42601", text);
	SERVER("Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "12CEZ");
	assert_true(has(&wire.client, "Mselect deny"));
	forget(&wire);
	parse(&wire, "", "select 2");
	assert_string_equal(types(&wire.server), "P");
	wire_close(&wire);
}

/* What the server skips after an error before it is no answer to anything that comes later. */
static void a_denial_that_the_server_skips_is_forgotten(void **state)
{
	struct wire wire = {0};
	char text[128];

	(void)state;
	start(&wire);
	parse(&wire, "", "select broken");
	parse(&wire, "", "deny first");
	CLIENT("S\0\0\0\x04");
	server_says_error(&wire, "42703", "no such column");
	SERVER("Z\0\0\0\x05I");
	forget(&wire);
	query(&wire, "deny second");
	token(&wire, text, sizeof(text));
	server_says_error(&wire, "42601", text);
	assert_true(has(&wire.client, "Mdeny second"));
	wire_close(&wire);
}

static void messages_behind_a_question_wait_for_it(void **state)
{
	struct wire wire = {0};
	size_t taken;

	(void)state;
	start(&wire);
	taken = query(&wire, "select wait");
	assert_int_equal(taken, 5 + 12);
	assert_false(session_reads_client(wire.session));
	assert_int_equal(CLIENT("S\0\0\0\x04"), 0);
	assert_int_equal(wire.server.length, 0);
	session_judged(wire.session, wire_verdict("select 1"));
	assert_memory_equal(buffer_bytes(&wire.server) + 5, "select wait", 12);
	assert_int_equal(CLIENT("S\0\0\0\x04"), 5);
	assert_string_equal(types(&wire.server), "QS");
	query(&wire, "wait once more");
	session_judged(wire.session, wire_verdict("deny"));
	assert_string_equal(types(&wire.server), "QSQ");
	assert_false(has(&wire.server, "once"));
	assert_int_equal(wire.budget.used, 0);
	wire_close(&wire);
}

static void malformed_statements_are_refused(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	client_says(&wire, 'Q', "select\0 deny", 13);
	client_says(&wire, 'Q', "select", 6);
	client_says(&wire, 'Q', "", 0);
	assert_string_equal(types(&wire.server), "QQQ");
	assert_false(has(&wire.server, "select"));
	client_says(&wire, 'P', "\0select\0\0\x01", 10);
	assert_string_equal(types(&wire.server), "QQQP");
	assert_false(has(&wire.server, "select"));
	wire_close(&wire);
}

static void parameters_of_a_type_that_looks_names_up_are_denied(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	client_says(&wire, 'P', "\0select $1\0\0\x01\0\0\x08\x9d", 17); /* regclass */
	assert_false(has(&wire.server, "select"));
	CLIENT("S\0\0\0\x04");
	client_says(&wire, 'P', "\0select $1\0\0\x01\0\0\0\x17", 17); /* int4 */
	assert_true(has(&wire.server, "select"));
	wire_close(&wire);
}

static void a_text_that_is_too_long_is_skipped(void **state)
{
	struct wire wire = {.budget = {.limit = 8U << 20}};
	const size_t length = 16U << 20;
	char *text = malloc(length);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', length - 1);
	text[length - 1] = '\0';
	start(&wire);
	client_says(&wire, 'Q', text, length);
	assert_string_equal(types(&wire.server), "Q");
	assert_true(wire.server.length < 100);
	assert_int_equal(wire.budget.used, 0);
	query(&wire, "select 1");
	assert_string_equal(types(&wire.server), "QQ");
	free(text);
	wire_close(&wire);
}

static void long_texts_share_a_budget(void **state)
{
	struct wire wire = {.budget = {.limit = 100000}};
	static char text[90000];
	struct message_head head = {0};
	const uint8_t begin[] = {'Q', 0, 1, 0x5f, 0x94};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	start(&wire);
	assert_true(message_head_read(begin, &head));
	assert_int_equal(head.body, sizeof(text));
	feed(&wire, true, begin, sizeof(begin));
	feed(&wire, true, text, sizeof(text) / 2);
	assert_int_equal(wire.budget.used, sizeof(text));
	assert_int_equal(wire.server.length, 0);
	feed(&wire, true, text + sizeof(text) / 2, sizeof(text) / 2);
	assert_int_equal(wire.server.length, 5 + sizeof(text));
	assert_int_equal(wire.budget.used, 0);
	wire.budget.used = 50000; /* others have it */
	forget(&wire);
	feed(&wire, true, begin, sizeof(begin));
	feed(&wire, true, text, sizeof(text) / 2);
	assert_true(wire.server.length > 0);
	assert_false(has(&wire.server, "xxx"));
	feed(&wire, true, text + sizeof(text) / 2, sizeof(text) / 2);
	wire.budget.used = 0;
	assert_false(session_is_over(wire.session));
	wire_close(&wire);
}

static void lengths_and_types_that_can_not_be_end_the_session(void **state)
{
	static const char *const bad[] = {"Q\0\0\0\x03", "Q\xff\xff\xff\xff", "B\x7f\xff\xff\xff",
					  "z\0\0\0\x04", "p\0\0\0\x04",	      "R\0\0\0\x04"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct wire wire = {0};

		start(&wire);
		feed(&wire, true, bad[i], 5);
		assert_true(session_is_over(wire.session));
		assert_true(has(&wire.client, "SFATAL"));
		assert_true(has(&wire.client, "C08P01"));
		assert_int_equal(wire.server.length, 0);
		wire_close(&wire);
	}
}

static void a_function_call_is_denied(void **state)
{
	struct wire wire = {0};
	char text[128];

	(void)state;
	start(&wire);
	client_says(&wire, 'F', "\0\0\x02\xcb\0\0\0\0\0\0", 10);
	assert_string_equal(types(&wire.server), "Q");
	token(&wire, text, sizeof(text));
	server_says_error(&wire, "42601", text);
	SERVER("Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "EZ");
	assert_true(has(&wire.client, "function call"));
	wire_close(&wire);
}

static void copy_data_goes_only_where_a_copy_was_approved(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	client_says(&wire, 'd', "1\n", 2);
	client_says(&wire, 'c', "", 0);
	assert_int_equal(wire.server.length, 0);
	query(&wire, "copy t from stdin");
	SERVER("G\0\0\0\x07\0\0\0");
	client_says(&wire, 'd', "1\n", 2);
	client_says(&wire, 'c', "", 0);
	assert_string_equal(types(&wire.server), "Qdc");
	SERVER("C\0\0\0\x0b"
	       "COPY 1\0Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "GCZ");
	wire_close(&wire);
}

static void too_many_denials_at_once_hold_the_client_up(void **state)
{
	struct wire wire = {0};
	char text[128];
	int i;

	(void)state;
	start(&wire);
	for (i = 0; i < 64; i++)
		assert_true(query(&wire, "deny") > 0);
	assert_false(session_reads_client(wire.session));
	assert_int_equal(query(&wire, "deny"), 0);
	token(&wire, text, sizeof(text));
	server_says_error(&wire, "42601", text);
	assert_true(session_reads_client(wire.session));
	assert_int_equal(wire.records, 7); /* 1, 2, 4 ... 64 */
	assert_int_equal(wire.last_count, 64);
	wire_close(&wire);
}

#define ROW "D\0\0\0\x06\0\0"

static void rows_past_the_limit_are_dropped_and_the_query_cancelled(void **state)
{
	struct wire wire = {.policy = {.max_rows = 2}};
	int i;

	(void)state;
	start(&wire);
	query(&wire, "select 1");
	SERVER(ROW ROW);
	assert_int_equal(wire.cancels_own, 0);
	for (i = 0; i < 8; i++)
		SERVER(ROW);
	assert_int_equal(wire.cancels_own, 1);
	assert_string_equal(types(&wire.client), "DD");
	server_says_error(&wire, "57014", "canceling statement due to user request");
	SERVER("Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "DDEZ");
	assert_true(has(&wire.client, "C54000"));
	assert_false(session_is_over(wire.session));
	forget(&wire);
	query(&wire, "select 1");
	SERVER(ROW ROW "C\0\0\0\x0dSELECT 2\0Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "DDCZ");
	wire_close(&wire);
}

static void a_command_that_ends_by_itself_past_the_limit_is_an_error_too(void **state)
{
	struct wire wire = {.policy = {.max_rows = 2}};
	const size_t whole = step;
	int i;

	(void)state;
	if (step < 8)
		step = 1U << 30; /* it is about what comes at once */
	start(&wire);
	query(&wire, "select 1");
	SERVER(ROW ROW ROW "C\0\0\0\x0dSELECT 3\0Z\0\0\0\x05I");
	assert_string_equal(types(&wire.client), "DDEZ");
	assert_int_equal(wire.cancels_own, 0);
	/* With a cancel on its way nothing may come behind it. */
	forget(&wire);
	query(&wire, "select 1");
	for (i = 0; i < 10; i++)
		SERVER(ROW);
	assert_int_equal(wire.cancels_own, 1);
	SERVER("C\0\0\0\x0dSELECT 3\0");
	assert_true(session_is_over(wire.session));
	step = whole;
	wire_close(&wire);
}

static void settings_that_change_how_texts_are_read_end_the_session(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	SERVER("S\0\0\0\x24standard_conforming_strings\0off\0");
	assert_true(session_is_over(wire.session));
	assert_true(has(&wire.client, "standard_conforming_strings"));
	wire_close(&wire);
	wire = (struct wire){0};
	start(&wire);
	SERVER("S\0\0\0\x19"
	       "client_encoding\0SJIS\0");
	assert_true(session_is_over(wire.session));
	wire_close(&wire);
}

/* The server folds names in its own encoding, and the parser in none. */
static void only_a_server_in_utf8_gets_names_beyond_ascii(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	query(&wire, "select \"\xc3\xa9\"");
	assert_false(has(&wire.server, "select"));
	assert_true(wire.records == 1);
	wire_close(&wire);
	wire = (struct wire){0};
	start(&wire);
	SERVER("S\0\0\0\x19"
	       "server_encoding\0UTF8\0");
	query(&wire, "select \"\xc3\xa9\"");
	assert_true(has(&wire.server, "select"));
	wire_close(&wire);
}

/* Its rest would go on as the client's own once the session is open. */
static void a_password_message_that_is_cut_by_its_acceptance_ends_the_session(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_true(wire_open(&wire));
	feed(&wire, true, wire_client_start, sizeof(wire_client_start) - 1);
	session_server_ready(wire.session);
	CLIENT("p\0\0\x10\0");
	feed(&wire, false, wire_server_start, sizeof(wire_server_start) - 1);
	assert_true(session_is_over(wire.session));
	assert_string_equal(wire.catalog, "");
	wire_close(&wire);
}

static void channel_binding_is_not_offered(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_true(wire_open(&wire));
	feed(&wire, true, wire_client_start, sizeof(wire_client_start) - 1);
	session_server_ready(wire.session);
	SERVER("R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
	assert_string_equal(types(&wire.client), "R");
	assert_true(has(&wire.client, "SCRAM-SHA-256"));
	assert_false(has(&wire.client, "PLUS"));
	wire_close(&wire);
}

static void encryption_is_declined_and_bytes_behind_it_close(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_true(wire_open(&wire));
	CLIENT("\0\0\0\x08\x04\xd2\x16\x2f");
	CLIENT("\0\0\0\x08\x04\xd2\x16\x30");
	assert_int_equal(wire.client.length, 2);
	assert_memory_equal(buffer_bytes(&wire.client), "NN", 2);
	assert_false(session_is_over(wire.session));
	CLIENT("\0\0\0\x08\x04\xd2\x16\x2f");
	assert_true(session_is_over(wire.session));
	wire_close(&wire);
	if (step < 9)
		return; /* it is about what comes at once */
	wire = (struct wire){0};
	assert_true(wire_open(&wire));
	CLIENT("\0\0\0\x08\x04\xd2\x16\x2f\0");
	assert_true(session_is_over(wire.session));
	wire_close(&wire);
}

static void a_cancel_request_is_told_and_the_session_is_over(void **state)
{
	struct wire wire = {0};

	(void)state;
	assert_true(wire_open(&wire));
	CLIENT("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x4d\0\0\0\x58");
	assert_int_equal(wire.cancels_other, 1);
	assert_true(session_is_over(wire.session));
	assert_int_equal(wire.client.length, 0);
	wire_close(&wire);
}

static void in_audit_mode_all_passes_and_is_told(void **state)
{
	struct wire wire = {.rules = {.audit = true}};
	const char *const texts[JUDGEMENT_TEXTS] = {0};

	(void)state;
	start(&wire);
	query(&wire, "wait");
	session_judged(wire.session, judgement_new(VERDICT_WOULD_DENY, SQL_STATEMENT_OTHER, texts));
	client_says(&wire, 'F', "\0\0\x02\xcb\0\0\0\0\0\0", 10);
	assert_string_equal(types(&wire.server), "QF");
	assert_int_equal(wire.records, 2);
	wire_close(&wire);
}

static void the_end_is_said_between_messages_alone(void **state)
{
	struct wire wire = {0};

	(void)state;
	start(&wire);
	SERVER("D\0\0\x01\0\0\x01");
	forget(&wire);
	session_end(wire.session, "57P01", "enough");
	if (step >= 7)
		assert_int_equal(wire.client.length, 0);
	wire_close(&wire);
	wire = (struct wire){0};
	start(&wire);
	session_end(wire.session, "57P01", "enough");
	assert_true(has(&wire.client, "Menough"));
	wire_close(&wire);
}

/* Each test thrice: what comes is cut in pieces as `setup` says. */
#define SESSION_TESTS(setup)                                                                       \
	cmocka_unit_test_setup(the_client_sees_its_own_key_and_ready_once, setup),                 \
		cmocka_unit_test_setup(an_allowed_query_passes_as_it_is, setup),                   \
		cmocka_unit_test_setup(only_a_server_in_utf8_gets_names_beyond_ascii, setup),      \
		cmocka_unit_test_setup(a_denied_query_never_reaches_the_server, setup),            \
		cmocka_unit_test_setup(an_error_of_the_servers_own_passes, setup),                 \
		cmocka_unit_test_setup(a_denied_parse_in_a_pipeline_is_answered_in_its_place,      \
				       setup),                                                     \
		cmocka_unit_test_setup(a_denial_that_the_server_skips_is_forgotten, setup),        \
		cmocka_unit_test_setup(malformed_statements_are_refused, setup),                   \
		cmocka_unit_test_setup(messages_behind_a_question_wait_for_it, setup),             \
		cmocka_unit_test_setup(parameters_of_a_type_that_looks_names_up_are_denied,        \
				       setup),                                                     \
		cmocka_unit_test_setup(long_texts_share_a_budget, setup),                          \
		cmocka_unit_test_setup(lengths_and_types_that_can_not_be_end_the_session, setup),  \
		cmocka_unit_test_setup(a_function_call_is_denied, setup),                          \
		cmocka_unit_test_setup(copy_data_goes_only_where_a_copy_was_approved, setup),      \
		cmocka_unit_test_setup(rows_past_the_limit_are_dropped_and_the_query_cancelled,    \
				       setup),                                                     \
		cmocka_unit_test_setup(                                                            \
			a_command_that_ends_by_itself_past_the_limit_is_an_error_too, setup),      \
		cmocka_unit_test_setup(settings_that_change_how_texts_are_read_end_the_session,    \
				       setup),                                                     \
		cmocka_unit_test_setup(                                                            \
			a_password_message_that_is_cut_by_its_acceptance_ends_the_session, setup), \
		cmocka_unit_test_setup(channel_binding_is_not_offered, setup),                     \
		cmocka_unit_test_setup(encryption_is_declined_and_bytes_behind_it_close, setup),   \
		cmocka_unit_test_setup(a_cancel_request_is_told_and_the_session_is_over, setup),   \
		cmocka_unit_test_setup(in_audit_mode_all_passes_and_is_told, setup),               \
		cmocka_unit_test_setup(the_end_is_said_between_messages_alone, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SESSION_TESTS(in_whole_messages),
		SESSION_TESTS(in_single_bytes),
		SESSION_TESTS(in_sevens),
		cmocka_unit_test_setup(a_text_that_is_too_long_is_skipped, in_whole_messages),
		cmocka_unit_test_setup(too_many_denials_at_once_hold_the_client_up,
				       in_whole_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
