// SPDX-License-Identifier: Apache-2.0
/* Records on their way to the log: bounded, counted where they are lost, in valid UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sql/gateway_internal.h"
#include "sql/record.h"

static char text[GUARD_TAIL_MAX + 1];
static struct gateway gateway;
static struct guarded one = {.gateway = &gateway, .ref = 1};
static struct guarded two = {.gateway = &gateway, .ref = 2};

static void on_received(void *context, struct packet *packet)
{
	(void)context;
	(void)packet;
}

static void on_lost(void *context)
{
	(void)context;
}

static void on_sent(void *context, const struct guard_message *head)
{
	if (head->type == GUARD_RECORD)
		gateway_record_sent(context, head);
}

static const struct packets_host host = {on_received, on_lost, on_sent};

static void records_are_bounded_and_the_lost_ones_counted(void **state)
{
	const struct guard_message ended = {.type = GUARD_ENDED, .ref = 9};
	uint64_t read = 0, ends = 0, told = 0, sent = 0, of_two = 0;
	struct packet packet;
	int pair[2], last = -1;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	gateway.base = event_base_new();
	gateway.relays = calloc(RELAYS_MAX, sizeof(struct relay *));
	gateway.link = packets_new(gateway.base, pair[0], &host, &gateway);
	gateway.policies = &one;
	one.next = &two;
	assert_non_null(gateway.link);
	for (; sent < 2000; sent++)
		gateway_record(&one, 5, text, GUARD_TAIL_MAX);
	assert_true(one.held_up && one.records_lost > 0);
	assert_true(gateway.record_bytes <= RECORD_BYTES_MAX / 2);
	gateway_record(&two, 6, text, GUARD_TAIL_MAX);
	assert_int_equal(two.records_lost, 0);
	gateway_tell(&gateway, &ended, NULL);
	assert_false(gateway.lost);
	while (last != GUARD_LOST || gateway.record_bytes) {
		(void)event_base_loop(gateway.base, EVLOOP_NONBLOCK);
		if (packet_receive(pair[1], &packet, text, MSG_DONTWAIT) != 1)
			break;
		last = (int)packet.head.type;
		read += last == GUARD_RECORD && packet.head.value == 1;
		of_two += last == GUARD_RECORD && packet.head.value == 2;
		ends += last == GUARD_ENDED;
		told += last == GUARD_LOST ? packet.head.value : 0;
	}
	assert_int_equal(read + told, sent);
	assert_int_equal(of_two, 1);
	assert_int_equal(ends, 1);
	assert_false(one.held_up);
	assert_int_equal(packets_queued(gateway.link), 0);
	packets_free(gateway.link);
	event_base_free(gateway.base);
	free(gateway.relays);
	(void)close(pair[1]);
}

static void a_text_that_is_not_utf8_is_told_with_marks(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	const struct record_subject subject = {.database = "d", .user = "u", .literals = true};
	struct judgement *judgement = judgement_plain(VERDICT_DENY, "42501", "sql", "", "no");
	struct session_record record = {
		.judgement = judgement, .text = "a\xff\xc3", .text_length = 3};
	char longer[3003];
	size_t i;

	(void)state;
	record_write(&record, &subject, &writer);
	assert_non_null(strstr(json_writer_text(&writer), "\"a\xef\xbf\xbd\xef\xbf\xbd\""));
	/* 3,000 is in the middle of a character. */
	longer[0] = 'a';
	for (i = 1; i + 1 < sizeof(longer); i += 2)
		memcpy(longer + i, "\xc3\xa9", 2);
	record.text = longer;
	record.text_length = sizeof(longer) - 2;
	json_writer_reset(&writer);
	record_write(&record, &subject, &writer);
	assert_non_null(strstr(json_writer_text(&writer), "\xc3\xa9\""));
	assert_null(strstr(json_writer_text(&writer), "\xef\xbf\xbd\",\"cut"));
	assert_non_null(strstr(json_writer_text(&writer), "\"cut\":true"));
	judgement_release(judgement);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_bounded_and_the_lost_ones_counted),
		cmocka_unit_test(a_text_that_is_not_utf8_is_told_with_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
