// SPDX-License-Identifier: Apache-2.0
/* Messages of JSON-RPC and the lines they come in: what is taken, and what is refused how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "call/lines.h"
#include "call/message.h"

#define HEAD "{\"jsonrpc\":\"2.0\","

static void a_message_is_what_it_says(void **state)
{
	static const struct {
		const char *text, *id;
		enum message_kind kind;
	} cases[] = {
		{HEAD "\"id\":1,\"method\":\"ping\"}", "1", MESSAGE_REQUEST},
		{HEAD "\"id\":\"a\",\"method\":\"ping\",\"params\":{}}", "\"a\"", MESSAGE_REQUEST},
		{HEAD "\"method\":\"notifications/initialized\"}", "", MESSAGE_NOTIFICATION},
		{HEAD "\"id\":1,\"result\":{}}\r", "1", MESSAGE_RESPONSE},
		{HEAD "\"id\":null,\"error\":{\"code\":-1}}", "null", MESSAGE_ERROR},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message message;
		struct message_fault fault;

		assert_int_equal(
			message_read(cases[i].text, strlen(cases[i].text), &message, &fault), 0);
		assert_int_equal(message.kind, cases[i].kind);
		assert_string_equal(message.id, cases[i].id);
		message_clear(&message);
	}
}

static void what_two_readers_could_take_for_two_things_is_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *id;
	} cases[] = {
		{"", RPC_PARSE_ERROR, "null"},
		{"x", RPC_PARSE_ERROR, "null"},
		{HEAD "\"id\":1,\"method\":\"a\"", RPC_PARSE_ERROR, "null"},
		{HEAD "\"id\":1,\"method\":\"\xff\"}", RPC_PARSE_ERROR, "null"},
		{HEAD "\"id\":1,\"method\":\"a\\u0000\"}", RPC_PARSE_ERROR, "null"},
		{"\xef\xbb\xbf" HEAD "\"id\":1,\"method\":\"a\"}", RPC_PARSE_ERROR, "null"},
		{HEAD "\"id\":1,\"method\":\"a\"}{}", RPC_PARSE_ERROR, "null"},
		/* Python's text streams end a line there, and see a call of their own. */
		{HEAD "\"method\":\"a\",\"params\":{\"x\":[\r" HEAD
		      "\"id\":1,\"method\":\"tools/call\"}\r]}}",
		 RPC_PARSE_ERROR, "null"},
		{"[" HEAD "\"id\":1,\"method\":\"a\"}]", RPC_INVALID_REQUEST, "null"},
		{"[]", RPC_INVALID_REQUEST, "null"},
		{"7", RPC_INVALID_REQUEST, "null"},
		{HEAD "\"id\":1,\"method\":\"a\",\"method\":\"b\"}", RPC_INVALID_REQUEST, "null"},
		{HEAD "\"id\":1,\"method\":\"a\",\"params\":{\"n\":1,\"\\u006e\":2}}",
		 RPC_INVALID_REQUEST, "null"},
		{HEAD "\"id\":1,\"method\":\"a\",\"Method\":\"b\"}", RPC_INVALID_REQUEST, "null"},
		{HEAD "\"id\":1,\"method\":\"a\",\"param\xc5\xbf\":{}}", RPC_INVALID_REQUEST,
		 "null"},
		{HEAD "\"id\":1,\"method\":7}", RPC_INVALID_REQUEST, "1"},
		{HEAD "\"id\":1,\"method\":\"a\",\"params\":[]}", RPC_INVALID_REQUEST, "1"},
		{HEAD "\"id\":1,\"method\":\"a\",\"result\":1}", RPC_INVALID_REQUEST, "1"},
		{HEAD "\"id\":1}", RPC_INVALID_REQUEST, "1"},
		{HEAD "\"result\":{}}", RPC_INVALID_REQUEST, "null"},
		{HEAD "\"id\":null,\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
		{HEAD "\"id\":[1],\"method\":\"a\"}", RPC_INVALID_REQUEST, "null"},
		{"{\"id\":1,\"method\":\"a\"}", RPC_INVALID_REQUEST, "1"},
		{"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"a\"}", RPC_INVALID_REQUEST, "1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message message;
		struct message_fault fault;

		if (message_read(cases[i].text, strlen(cases[i].text), &message, &fault) == 0)
			fail_msg("taken: %s", cases[i].text);
		if (fault.code != cases[i].code)
			fail_msg("%s: %d", cases[i].text, fault.code);
		assert_string_equal(fault.id, cases[i].id);
		message_clear(&message);
	}
}

static void deep_nesting_is_refused(void **state)
{
	char text[4096] = HEAD "\"id\":1,\"method\":\"a\",\"params\":{\"x\":";
	struct message message;
	struct message_fault fault;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		(void)strcat(text, "[");
	assert_int_equal(message_read(text, strlen(text), &message, &fault), -1);
	assert_int_equal(fault.code, RPC_PARSE_ERROR);
	message_clear(&message);
}

/* ---- lines ---- */

struct heard {
	char text[256];
};

static void hear(const char *text, size_t length, void *context)
{
	struct heard *heard = context;

	(void)strncat(heard->text, text ? text : "(too long)", text ? length : 10);
	(void)strcat(heard->text, "|");
}

static void lines_come_whole_however_the_bytes_come(void **state)
{
	static const char stream[] = "one\n\ntwo\r\nfar too long\nthree\nfour";

	(void)state;
	for (size_t step = 1; step <= sizeof(stream); step++) {
		struct lines lines = {.limit = 5};
		struct heard heard = {""};

		for (size_t at = 0; at < strlen(stream); at += step) {
			const size_t left = strlen(stream) - at;

			assert_int_equal(lines_push(&lines, stream + at, step < left ? step : left,
						    hear, &heard),
					 0);
		}
		assert_string_equal(heard.text, "one||two\r|(too long)|three|");
		lines_free(&lines);
	}
}

static void a_line_that_is_too_long_is_one_line(void **state)
{
	struct lines lines = {.limit = 20000};
	struct heard heard = {""};
	char bytes[1000];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(lines_push(&lines, bytes, sizeof(bytes), hear, &heard), 0);
	assert_true(lines.room <= 32768);
	assert_int_equal(lines_push(&lines, "\nnext\n", 6, hear, &heard), 0);
	assert_string_equal(heard.text, "(too long)|next|");
	lines_free(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_what_it_says),
		cmocka_unit_test(what_two_readers_could_take_for_two_things_is_refused),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(lines_come_whole_however_the_bytes_come),
		cmocka_unit_test(a_line_that_is_too_long_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
