// SPDX-License-Identifier: Apache-2.0
/* What carries messages of MCP over HTTP: headers that contradict, and streams of events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "call/http_checks.h"
#include "call/http_events.h"

static void who_is_not_of_this_machine_does_not_speak(void **state)
{
	static const struct {
		const char *host, *origin;
		bool local;
	} cases[] = {
		{"127.0.0.1:80", NULL, true},
		{"localhost", "http://localhost:3000", true},
		{"[::1]:1", "https://[::1]", true},
		{NULL, NULL, false},
		{"127.0.0.1.evil.example", NULL, false},
		{"127.0.0.1:80@evil.example", NULL, false},
		{"localhost:", NULL, false},
		{"localhost", "null", false},
		{"localhost", "file://localhost", false},
		{"localhost", "http://localhost.evil.example", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct http_claims claims = {.host = cases[i].host,
						   .origin = cases[i].origin};

		assert_int_equal(http_is_local(&claims), cases[i].local);
	}
}

static void a_body_that_the_server_would_decode_otherwise_is_no_json(void **state)
{
	static const char *const good[] = {"application/json", "Application/JSON ",
					   "application/json; charset=UTF-8",
					   "application/json;charset=\"utf-8\""};
	static const char *const bad[] = {"text/plain",
					  "application/jsonp",
					  "application/json; charset=utf-7",
					  "application/json; charset=utf-16le",
					  "application/json; x=1; charset=utf-7",
					  "application/json; charset=utf-8; charset=utf-7",
					  "application/json, text/plain"};

	(void)state;
	assert_false(http_is_json(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(http_is_json(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(http_is_json(bad[i]));
}

static bool agrees(const char *method, const char *name, const char *protocol, const char *text)
{
	const struct http_claims claims = {.method = method, .name = name, .protocol = protocol};
	struct message message;
	struct message_fault fault;
	bool agree;

	assert_int_equal(message_read(text, strlen(text), &message, &fault), 0);
	agree = http_mismatch(&claims, &message) == NULL;
	message_clear(&message);
	return agree;
}

static void headers_say_what_the_message_says(void **state)
{
	static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
				   "\"params\":{\"name\":\"abc\"}}";
	static const char answer[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}";

	(void)state;
	assert_true(agrees(NULL, NULL, NULL, call));
	assert_true(agrees("tools/call", "abc", "2026-07-28", call));
	assert_true(agrees("tools/call", "=?base64?YWJj?=", "2026-07-28", call));
	assert_false(agrees("tools/list", NULL, NULL, call));
	assert_false(agrees(NULL, "abd", NULL, call));
	assert_false(agrees(NULL, "=?base64?YWJk?=", NULL, call));
	assert_false(agrees(NULL, "=?base64?YWJj?= ", NULL, call));
	assert_false(agrees(NULL,
			    "=?base64?"
			    "?=",
			    NULL, call));
	assert_false(agrees(NULL, "=?base64?====?=", NULL, call));
	assert_false(agrees(NULL, "=?base64?    ?=", NULL, call));
	assert_false(agrees(NULL, "abc", "2026-07-28", call));
	assert_false(agrees("tools/call", NULL, "2026-07-28", call));
	assert_false(agrees("tools/call", NULL, NULL, answer));
}

/* ---- streams ---- */

static void write_down(const struct http_event *event, void *context)
{
	char *seen = context;
	const size_t length = strlen(seen);

	(void)snprintf(seen + length, 512 - length, "[%s|%s|%s|%s%s]", event->type, event->id,
		       event->retry, event->too_long ? "LONG" : event->data,
		       event->has_data ? "" : "-");
}

/* As it comes in pieces of `piece` bytes. */
static void assert_events(const char *text, size_t piece, const char *expected)
{
	struct http_events events = {0};
	char seen[512] = "";
	const size_t length = strlen(text);

	http_events_start(&events, write_down, seen);
	for (size_t at = 0; at < length; at += piece)
		assert_int_equal(http_events_push(&events, text + at,
						  length - at < piece ? length - at : piece),
				 0);
	http_events_free(&events);
	assert_string_equal(seen, expected);
}

static void events_are_what_the_standard_says(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"data: a\n\n", "[|||a]"},
		{"data:a\r\ndata:  b\r\n\r\n", "[|||a\n b]"},
		{": ping\n\ndata: a\n\n", "[|||a]"},
		{"event: message\nid: 7\nretry: 10\ndata: a\n\n", "[message|7|10|a]"},
		{"id: 7\ndata:\n\n", "[|7||]"},
		{"id: 7\n\n", "[|7||-]"},
		{"data: a\n", ""},
		{"data\n\n", "[|||]"},
		/* A carriage return ends a line: no words of a field hide another field. */
		{"id: 5\rdata: evil\n\n", "[|5||evil]"},
		{"event: message\r\rdata: evil\n\n", "[message|||-][|||evil]"},
		{"retry: 5\rdata: evil\r\n\r\n", "[||5|evil]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t piece = 1; piece < 9; piece++)
			assert_events(cases[i].text, piece, cases[i].expected);
}

static void an_event_that_is_too_long_is_told_and_the_next_is_read(void **state)
{
	const size_t length = HTTP_EVENT_LINE_MAX + 100;
	struct http_events events = {0};
	char *text = malloc(length);
	char seen[512] = "";

	(void)state;
	assert_non_null(text);
	memset(text, 'x', length);
	memcpy(text, "data: ", 6);
	http_events_start(&events, write_down, seen);
	assert_int_equal(http_events_push(&events, text, length), 0);
	assert_int_equal(http_events_push(&events, "\n\ndata: a\n\n", 11), 0);
	http_events_free(&events);
	free(text);
	assert_string_equal(seen, "[|||LONG-][|||a]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_not_of_this_machine_does_not_speak),
		cmocka_unit_test(a_body_that_the_server_would_decode_otherwise_is_no_json),
		cmocka_unit_test(headers_say_what_the_message_says),
		cmocka_unit_test(events_are_what_the_standard_says),
		cmocka_unit_test(an_event_that_is_too_long_is_told_and_the_next_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
