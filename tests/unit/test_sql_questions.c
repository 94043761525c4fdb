// SPDX-License-Identifier: Apache-2.0
/* Whose question is the next, and who waits for whom. The parser is this program. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "sql/packets.h"
#include "sql/parser_link.h"
#include "sql/questions.h"

#define POLICIES 8

struct world {
	struct event_base *base;
	struct questions *questions;
	int parser; /* our end of its link; -1: none */
	/* What was answered, one after the other: "text=verdict " ("!": it failed the parser). */
	char said[4096];
	unsigned answers, undecided;
	unsigned asks_again; /* at its answer a text is asked again so often */
};

static void ask(struct world *world, uint64_t policy, const char *text)
{
	const struct question question = {.policy = policy, .catalog = 1, .view = policy};

	assert_int_equal(questions_ask(world->questions, &question, text, strlen(text)), 0);
}

static void on_answered(void *context, uint64_t view, uint64_t relay, const char *text,
			size_t length, struct judgement *judgement, bool parser_failed)
{
	struct world *world = context;
	size_t used = strlen(world->said);

	(void)relay;
	assert_non_null(judgement);
	assert_int_equal(strlen(text), length);
	world->answers++;
	world->undecided += judgement->kind == VERDICT_UNDECIDED;
	(void)snprintf(world->said + used, sizeof(world->said) - used, "%.16s%s%s ", text,
		       judgement->kind == VERDICT_UNDECIDED ? "?" : "", parser_failed ? "!" : "");
	judgement_release(judgement);
	if (world->asks_again && world->asks_again--)
		ask(world, view, text);
}

static void on_renewed(void *context)
{
	(void)context;
}

static const struct questions_host host = {.answered = on_answered, .renewed = on_renewed};

static void turn(struct world *world)
{
	(void)event_base_loop(world->base, EVLOOP_NONBLOCK);
}

static void ticks(struct world *world, unsigned count)
{
	while (count--) {
		questions_tick(world->questions);
		turn(world);
	}
}

static void give_parser(struct world *world)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	world->parser = pair[1];
	questions_set_parser(world->questions, pair[0]);
	turn(world);
}

static void kill_parser(struct world *world)
{
	(void)close(world->parser);
	world->parser = -1;
	turn(world);
}

/* The next question's text into `text` and its number; false where the parser has none. */
static bool next(const struct world *world, char text[32], uint64_t *id)
{
	static char room[GUARD_TAIL_MAX + 1];
	struct packet packet;

	if (packet_receive(world->parser, &packet, room, MSG_DONTWAIT) <= 0)
		return false;
	assert_int_equal(packet.head.type, PARSER_QUESTION);
	(void)snprintf(text, 32, "%s",
		       packet.fds[0] >= 0 ? "long" : room + sizeof(struct parser_question));
	*id = packet.head.ref;
	packet_close_fds(&packet);
	return true;
}

static void allow(const struct world *world, uint64_t id)
{
	struct {
		struct parser_answer answer;
		char texts[JUDGEMENT_TEXTS];
	} tail = {.answer = {.kind = VERDICT_ALLOW}};
	const struct guard_message head = {.type = PARSER_ANSWER,
					   .length = offsetof(__typeof__(tail), texts) +
						     JUDGEMENT_TEXTS,
					   .ref = id};

	assert_int_equal(packet_send(world->parser, &head, &tail, NULL, 0), 0);
}

/* Takes one question and answers it. */
static bool serve_one(struct world *world)
{
	char text[32];
	uint64_t id;

	if (!next(world, text, &id))
		return false;
	allow(world, id);
	turn(world);
	return true;
}

static void expect_said(struct world *world, const char *said)
{
	assert_string_equal(world->said, said);
	world->said[0] = '\0';
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->base = event_base_new();
	assert_non_null(world->base);
	world->questions = questions_new(world->base, &host, world);
	assert_non_null(world->questions);
	world->parser = -1;
	give_parser(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	questions_free(world->questions);
	event_base_free(world->base);
	if (world->parser >= 0)
		(void)close(world->parser);
	free(world);
	return 0;
}

/* ---- order ---- */

static void policies_take_turns(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 5; i++)
		ask(world, 1, "a");
	ask(world, 2, "b");
	ask(world, 2, "b");
	ask(world, 3, "c");
	while (serve_one(world))
		;
	/* Two were with the parser before others came. */
	expect_said(world, "a a b c a b a a ");
}

static void who_asks_again_and_again_is_the_last_each_time(void **state)
{
	struct world *world = *state;

	world->asks_again = 6;
	ask(world, 1, "a");
	ask(world, 2, "b");
	ask(world, 3, "c");
	ask(world, 4, "d");
	while (serve_one(world))
		;
	expect_said(world, "a b c d a b c d a b ");
}

static void few_are_in_flight(void **state)
{
	struct world *world = *state;
	char text[32];
	uint64_t id;

	for (uint64_t policy = 1; policy <= POLICIES; policy++)
		ask(world, policy, "x");
	for (unsigned i = 0; i < QUESTIONS_IN_FLIGHT; i++)
		assert_true(next(world, text, &id));
	assert_false(next(world, text, &id));
}

/* ---- patience ---- */

static void a_parser_that_answers_is_kept_however_long_it_takes(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 3; i++)
		ask(world, 1, "a");
	for (unsigned i = 0; i < 3; i++) {
		ticks(world, 10);
		assert_true(serve_one(world));
	}
	expect_said(world, "a a a ");
}

static void what_waits_too_long_harms_no_parser(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 10; i++)
		ask(world, 1, "a");
	ticks(world, 10);
	assert_true(serve_one(world));
	ticks(world, 10);
	expect_said(world, "a a? a? a? a? a? a? a? ");
	while (serve_one(world))
		;
	expect_said(world, "a a ");
}

static void a_silent_parser_is_let_go(void **state)
{
	struct world *world = *state;

	ask(world, 1, "a");
	ask(world, 2, "b");
	ask(world, 3, "c");
	ticks(world, QUESTIONS_SILENCE_SECONDS);
	expect_said(world, "");
	ticks(world, 1);
	expect_said(world, "a? c? ");
	(void)close(world->parser);
	give_parser(world);
	assert_true(serve_one(world));
	expect_said(world, "b ");
}

static void an_idle_parser_is_not_silent(void **state)
{
	struct world *world = *state;

	ticks(world, 100);
	ask(world, 1, "a");
	ticks(world, 10);
	assert_true(serve_one(world));
	expect_said(world, "a ");
}

static void without_a_parser_all_are_undecided_in_time(void **state)
{
	struct world *world = *state;

	kill_parser(world);
	ask(world, 1, "a");
	ask(world, 2, "b");
	ticks(world, QUESTIONS_WAIT_SECONDS);
	assert_int_equal(world->answers, 0);
	ticks(world, 1);
	assert_int_equal(world->undecided, 2);
}

/* ---- penalty ---- */

static void who_ends_a_parser_waits_and_others_do_not(void **state)
{
	struct world *world = *state;

	ask(world, 1, "kill");
	ask(world, 1, "a");
	ask(world, 2, "b");
	kill_parser(world);
	expect_said(world, "kill?! ");
	give_parser(world);
	assert_true(serve_one(world));
	assert_false(serve_one(world));
	expect_said(world, "b ");
	ticks(world, QUESTIONS_PAUSE_FIRST - 1);
	assert_false(serve_one(world));
	ticks(world, 1);
	assert_true(serve_one(world));
	expect_said(world, "a ");
}

static void the_pause_grows_and_ends(void **state)
{
	static const unsigned pauses[] = {2, 4, 8, 8, 8};
	struct world *world = *state;

	for (unsigned i = 0; i < 5; i++) {
		ask(world, 1, "kill");
		kill_parser(world);
		expect_said(world, "kill?! ");
		give_parser(world);
		ask(world, 1, "a");
		ticks(world, pauses[i] - 1);
		assert_false(serve_one(world));
		ticks(world, 1);
		assert_true(serve_one(world));
		expect_said(world, "a ");
	}
	ticks(world, QUESTIONS_FORGIVEN_SECONDS);
	ask(world, 1, "kill");
	kill_parser(world);
	give_parser(world);
	ask(world, 1, "a");
	ticks(world, QUESTIONS_PAUSE_FIRST);
	assert_true(serve_one(world));
	expect_said(world, "kill?! a ");
}

/* The next parser may be there before the end of the last one is seen. */
static void what_was_answered_is_not_blamed(void **state)
{
	struct world *world = *state;
	char text[32];
	uint64_t id;

	ask(world, 1, "a");
	ask(world, 2, "kill");
	ask(world, 3, "c");
	assert_true(next(world, text, &id));
	allow(world, id);
	(void)close(world->parser);
	give_parser(world);
	expect_said(world, "a kill?! ");
	assert_true(serve_one(world));
	expect_said(world, "c ");
}

/* ---- bounds ---- */

static void what_waits_is_bounded_for_each_policy(void **state)
{
	static char text[1 << 20];
	const struct question question = {.policy = 1, .catalog = 1, .view = 1};
	struct world *world = *state;
	unsigned asked = 0;
	int result;

	memset(text, 'x', sizeof(text));
	while ((result = questions_ask(world->questions, &question, text, sizeof(text))) == 0)
		asked++;
	assert_int_equal(result, -ENOBUFS);
	assert_in_range(asked, 7, 7 + QUESTIONS_IN_FLIGHT);
	ask(world, 2, "b");
	for (unsigned i = 0; i <= QUESTIONS_IN_FLIGHT; i++)
		assert_true(serve_one(world));
	assert_non_null(strstr(world->said, "b "));
	assert_int_equal(questions_ask(world->questions, &question, text, sizeof(text)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(policies_take_turns),
		TEST(who_asks_again_and_again_is_the_last_each_time),
		TEST(few_are_in_flight),
		TEST(a_parser_that_answers_is_kept_however_long_it_takes),
		TEST(what_waits_too_long_harms_no_parser),
		TEST(a_silent_parser_is_let_go),
		TEST(an_idle_parser_is_not_silent),
		TEST(without_a_parser_all_are_undecided_in_time),
		TEST(who_ends_a_parser_waits_and_others_do_not),
		TEST(the_pause_grows_and_ends),
		TEST(what_was_answered_is_not_blamed),
		TEST(what_waits_is_bounded_for_each_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
