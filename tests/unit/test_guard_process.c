// SPDX-License-Identifier: Apache-2.0
/* A child of the guard: what it is given, what it may say, and that it is never waited for. The
 * child is this program, started again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "policyd/guard_process.h"

#define DESCRIPTOR 3

static const struct guard_program program = {"/proc/self/exe", "sql-guard-child", 12345, "/empty",
					     false};

static void start_program(struct guard_process *process, const char *child, bool soon)
{
	struct guard_program what = program;
	struct error error;
	int pair[2];

	what.child = child;
	what.soon = soon;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(guard_process_start(process, &what, pair[1], pair[0], &error), 0);
}

static void start(struct guard_process *process, const char *child)
{
	start_program(process, child, false);
}

/* The next message, which must come. */
static int receive(struct guard_process *process, struct guard_message *head, char *tail)
{
	int result = 0;

	for (int tries = 0; result == 0 && tries < 2000; tries++) {
		result = guard_process_receive(process, head, tail);
		if (result == 0)
			(void)usleep(1000);
	}
	return result;
}

static void a_child_gets_its_link_and_its_words_and_nothing_else(void **state)
{
	static char tail[GUARD_TAIL_MAX + 1];
	struct guard_process process;
	struct guard_message head;

	(void)state;
	guard_process_init(&process);
	assert_true(guard_process_is_due(&process));
	start(&process, "says");
	assert_int_equal(receive(&process, &head, tail), 1);
	assert_string_equal(tail, "says --uid 12345 --root /empty; no descriptor 4");
	guard_process_end(&process);
	assert_int_equal(process.pid, 0);
}

static void messages_arrive_whole_and_in_order_with_their_descriptors(void **state)
{
	static char tail[GUARD_TAIL_MAX + 1], big[GUARD_TAIL_MAX];
	struct guard_process process;
	struct guard_message head = {.type = GUARD_LISTENER};
	int null = STDIN_FILENO;

	(void)state;
	guard_process_init(&process);
	start(&process, "echoes");
	/* More than the socket holds: what is left waits. */
	for (uint64_t i = 0; i < 200; i++) {
		head = (struct guard_message){GUARD_LISTENER, sizeof(big), i, 0};
		guard_process_send(&process, &head, big, &null, 1);
	}
	assert_true(process.queued > 0);
	for (uint64_t i = 0; i < 200; i++) {
		assert_int_equal(receive(&process, &head, tail), 1);
		assert_int_equal(head.ref, i);
		assert_int_equal(head.value, 1); /* descriptors that came with it */
		guard_process_flush(&process);
	}
	assert_int_equal(process.queued, 0);
	guard_process_end(&process);
}

static void a_child_that_does_not_read_is_ended(void **state)
{
	static const char big[GUARD_TAIL_MAX];
	const struct guard_message head = {GUARD_POLICY, sizeof(big), 1, 0};
	struct guard_process process;

	(void)state;
	guard_process_init(&process);
	start(&process, "sleeps");
	for (int i = 0; i < GUARD_QUEUE_MAX + 1000 && !process.overflowed; i++)
		guard_process_send(&process, &head, big, NULL, 0);
	assert_true(process.overflowed);
	assert_true(guard_process_has_ended(&process));
	assert_int_equal(process.pid, 0);
	assert_int_equal(process.queued, 0);
}

static void a_message_that_is_none_is_told(void **state)
{
	static char tail[GUARD_TAIL_MAX + 1];
	static const char *const children[] = {"lies", "cuts", "gives"};
	struct guard_process process;
	struct guard_message head;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		guard_process_init(&process);
		start(&process, children[i]);
		assert_int_equal(receive(&process, &head, tail), -EPROTO);
		guard_process_end(&process);
	}
}

static void who_fails_is_started_at_once_and_then_later(void **state)
{
	struct guard_process process;

	(void)state;
	guard_process_init(&process);
	start(&process, "dies");
	while (!guard_process_has_ended(&process))
		(void)usleep(1000);
	assert_true(guard_process_is_due(&process));
	start(&process, "dies");
	while (!guard_process_has_ended(&process))
		(void)usleep(1000);
	assert_false(guard_process_is_due(&process));
	guard_process_forgive(&process);
	assert_true(guard_process_is_due(&process));
}

static void who_is_wanted_soon_is_not_waited_for_long(void **state)
{
	struct guard_process process;

	(void)state;
	guard_process_init(&process);
	for (int i = 0; i < 20; i++) {
		start_program(&process, "dies", true);
		while (!guard_process_has_ended(&process))
			(void)usleep(1000);
		assert_in_range(guard_process_wait_ms(&process), 0, i ? 500 : 0);
	}
	assert_in_range(guard_process_wait_ms(&process), 400, 500);
	assert_false(guard_process_is_due(&process));
}

/* ---- the child ---- */

static int echo(void)
{
	static struct {
		struct guard_message head;
		char tail[GUARD_TAIL_MAX];
	} packet;
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;

	for (;;) {
		struct iovec part = {&packet, sizeof(packet)};
		struct msghdr message = {.msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = sizeof(control)};
		int fd = -1;

		if (recvmsg(DESCRIPTOR, &message, 0) <= 0)
			return 0;
		if (CMSG_FIRSTHDR(&message))
			memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		packet.head.value = fd > DESCRIPTOR;
		packet.head.length = 0;
		(void)close(fd);
		if (send(DESCRIPTOR, &packet, sizeof(packet.head), MSG_NOSIGNAL) < 0)
			return 1;
	}
}

static int say(char **argv)
{
	char text[256];
	struct guard_message head = {.type = GUARD_READY};
	struct iovec parts[] = {{&head, sizeof(head)}, {text, 0}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	(void)snprintf(text, sizeof(text), "%s %s %s %s %s; %s descriptor 4", argv[1], argv[2],
		       argv[3], argv[4], argv[5], dup2(4, 4) < 0 ? "no" : "a");
	parts[1].iov_len = head.length = (uint32_t)strlen(text);
	return sendmsg(DESCRIPTOR, &message, 0) < 0;
}

static int give(void)
{
	struct guard_message head = {.type = GUARD_READY};
	struct iovec part = {&head, sizeof(head)};
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.align = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	const struct msghdr message = {.msg_iov = &part,
				       .msg_iovlen = 1,
				       .msg_control = &control,
				       .msg_controllen = sizeof(control)};
	const int fd = STDIN_FILENO;

	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return sendmsg(DESCRIPTOR, &message, 0) < 0;
}

static int be_child(char **argv)
{
	const struct guard_message lie = {GUARD_READY, 5, 0, 0};

	if (strcmp(argv[1], "echoes") == 0)
		return echo();
	if (strcmp(argv[1], "says") == 0)
		(void)say(argv);
	if (strcmp(argv[1], "lies") == 0)
		(void)!send(DESCRIPTOR, &lie, sizeof(lie), 0);
	if (strcmp(argv[1], "cuts") == 0)
		(void)!send(DESCRIPTOR, &lie, sizeof(lie) - 1, 0);
	if (strcmp(argv[1], "gives") == 0)
		(void)give();
	if (strcmp(argv[1], "dies") != 0)
		(void)sleep(60);
	return 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_gets_its_link_and_its_words_and_nothing_else),
		cmocka_unit_test(messages_arrive_whole_and_in_order_with_their_descriptors),
		cmocka_unit_test(a_child_that_does_not_read_is_ended),
		cmocka_unit_test(a_message_that_is_none_is_told),
		cmocka_unit_test(who_fails_is_started_at_once_and_then_later),
		cmocka_unit_test(who_is_wanted_soon_is_not_waited_for_long),
	};

	if (argc > 1)
		return be_child(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
