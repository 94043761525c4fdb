// SPDX-License-Identifier: Apache-2.0
/* DNS messages as the kernel's programs read them: what is a question, and what an answer opens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bpf/dns.h"

#define KEY 0x1234567ULL

static struct message message;
static struct name name;

/* ---- writing messages ---- */

static void begin(unsigned flags, unsigned questions, unsigned answers, unsigned additional)
{
	const unsigned words[] = {0xabcd, flags, questions, answers, 0, additional};

	message.length = 0;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		message.bytes[message.length++] = (uint8_t)(words[i] >> 8);
		message.bytes[message.length++] = (uint8_t)words[i];
	}
}

static void put(const void *bytes, size_t length)
{
	memcpy(message.bytes + message.length, bytes, length);
	message.length += (uint32_t)length;
}

static void put16(unsigned value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put(bytes, sizeof(bytes));
}

static void put_name(const char *text)
{
	while (*text) {
		const size_t length = strcspn(text, ".");
		const uint8_t byte = (uint8_t)length;

		put(&byte, 1);
		put(text, length);
		text += length + (text[length] == '.');
	}
	put("", 1);
}

static void put_question(const char *text, unsigned type)
{
	put_name(text);
	put16(type);
	put16(DNS_CLASS_IN);
}

/* Type, class, time to live and length of a record; its owner is there. */
static void put_record(unsigned type, unsigned ttl, unsigned length)
{
	put16(type);
	put16(DNS_CLASS_IN);
	put16(ttl >> 16);
	put16(ttl & 0xffff);
	put16(length);
}

static void put_address(unsigned last)
{
	const uint8_t bytes[] = {203, 0, 113, (uint8_t)last};

	put_record(DNS_TYPE_A, 300, sizeof(bytes));
	put(bytes, sizeof(bytes));
}

/* ---- reading them ---- */

static bool is_query(void)
{
	struct dns_question question;

	return dns_read_query(&message, KEY, &name, &question);
}

/* The last bytes of the addresses that the answer gives; how many. */
static size_t walk(uint8_t *found, size_t room)
{
	struct dns_question question;
	struct dns_address address;
	struct dns_walk at;
	size_t count = 0;
	int step;

	if (!dns_read_question(&message, true, KEY, &name, &question))
		return 0;
	dns_walk_begin(&message, &name, &question, KEY, &at);
	while ((step = dns_walk_step(&message, &at, &address)) != DNS_STEP_END)
		if (step == DNS_STEP_ADDRESS && count < room)
			found[count++] = address.bytes[15];
	return count;
}

static void a_plain_question_is_one(void **state)
{
	(void)state;
	begin(0x0100, 1, 0, 0);
	put_question("Api.Example-1.com", DNS_TYPE_A);
	assert_true(is_query());
	assert_string_equal(name.text, "api.example-1.com");
	assert_int_equal(name.length, strlen(name.text));
}

static void case_changes_the_spelling_alone(void **state)
{
	uint64_t hash, spelling;

	(void)state;
	begin(0x0100, 1, 0, 0);
	put_question("a.example", DNS_TYPE_A);
	assert_true(is_query());
	hash = name.hash;
	spelling = name.spelling;
	begin(0x0100, 1, 0, 0);
	put_question("A.example", DNS_TYPE_A);
	assert_true(is_query());
	assert_true(name.hash == hash);
	assert_true(name.spelling != spelling);
}

static void what_is_not_plain_is_none(void **state)
{
	static const struct {
		const char *what;
		unsigned flags, questions, answers, additional;
	} headers[] = {
		{"an answer", 0x8100, 1, 0, 0},		{"another opcode", 0x2100, 1, 0, 0},
		{"two questions", 0x0100, 2, 0, 0},	{"no question", 0x0100, 0, 0, 0},
		{"an answer section", 0x0100, 1, 1, 0}, {"a truncated question", 0x0300, 1, 0, 0},
		{"a response code", 0x0101, 1, 0, 0},	{"records behind it", 0x0100, 1, 0, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		begin(headers[i].flags, headers[i].questions, headers[i].answers,
		      headers[i].additional);
		put_question("a.example", DNS_TYPE_A);
		if (is_query())
			fail_msg("%s is taken for a plain question", headers[i].what);
	}
	begin(0x0100, 1, 0, 0);
	put_question("a.example", DNS_TYPE_A);
	put("x", 1);
	assert_false(is_query());
	begin(0x0100, 1, 0, 0);
	put_question("a.example", DNS_TYPE_AXFR);
	assert_false(is_query());
	begin(0x0100, 1, 0, 0);
	put_question("", DNS_TYPE_A);
	assert_false(is_query());
}

static void a_label_with_a_dot_in_it_is_no_host(void **state)
{
	(void)state;
	begin(0x0100, 1, 0, 0);
	put("\x09"
	    "a.example\0",
	    11);
	put16(DNS_TYPE_A);
	put16(DNS_CLASS_IN);
	assert_false(is_query());
}

static void options_that_go_no_further_are_let_through(void **state)
{
	static const struct {
		unsigned code, length;
		bool good;
	} options[] = {
		{DNS_OPTION_COOKIE, 8, true},
		{DNS_OPTION_COOKIE, 40, true},
		{DNS_OPTION_COOKIE, 41, false},
		{DNS_OPTION_NSID, 0, true},
		{DNS_OPTION_NSID, 1, false},
		{8, 8, false}, /* a client's subnet */
		{65001, 4, false},
	};
	static const uint8_t zeros[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		begin(0x0100, 1, 0, 1);
		put_question("a.example", DNS_TYPE_A);
		put("", 1);
		put16(DNS_TYPE_OPT);
		put16(1232);
		put(zeros, 4);
		put16(4 + options[i].length);
		put16(options[i].code);
		put16(options[i].length);
		put(zeros, options[i].length);
		if (is_query() != options[i].good)
			fail_msg("option %u of %u bytes", options[i].code, options[i].length);
	}
}

static void an_answer_opens_what_its_chain_ends_in(void **state)
{
	uint8_t found[8];
	uint32_t target;

	(void)state;
	begin(0x8180, 1, 4, 0);
	put_question("www.example", DNS_TYPE_A);
	put16(0xc00c);
	put_record(DNS_TYPE_CNAME, 60, 13);
	target = message.length;
	put_name("cdn.example");
	/* Somebody else's address, in between. */
	put_name("evil.test");
	put_address(66);
	put16(0xc000 | target);
	put_address(10);
	put16(0xc000 | target);
	put_address(11);
	assert_int_equal(walk(found, ARRAY_SIZE(found)), 2);
	assert_int_equal(found[0], 10);
	assert_int_equal(found[1], 11);
}

static void an_address_of_the_name_that_is_an_alias_opens_nothing(void **state)
{
	uint8_t found[8];

	(void)state;
	begin(0x8180, 1, 2, 0);
	put_question("www.example", DNS_TYPE_A);
	put16(0xc00c);
	put_record(DNS_TYPE_CNAME, 60, 13);
	put_name("cdn.example");
	put16(0xc00c);
	put_address(66);
	assert_int_equal(walk(found, ARRAY_SIZE(found)), 0);
}

static void hints_of_both_families_count(void **state)
{
	static const uint8_t hints[] = {0, 1,	0,  0, 4, 0, 8,	 203,  0, 113, 20,   203,
					0, 113, 21, 0, 6, 0, 16, 0x20, 1, 0xd, 0xb8, 0,
					0, 0,	0,  0, 0, 0, 0,	 0,    0, 0,   22};
	uint8_t found[8];

	(void)state;
	begin(0x8180, 1, 1, 0);
	put_question("www.example", DNS_TYPE_HTTPS);
	put16(0xc00c);
	put_record(DNS_TYPE_HTTPS, 60, sizeof(hints));
	put(hints, sizeof(hints));
	assert_int_equal(walk(found, ARRAY_SIZE(found)), 3);
	assert_int_equal(found[0], 20);
	assert_int_equal(found[1], 21);
	assert_int_equal(found[2], 22);
}

static void pointers_never_run_in_circles(void **state)
{
	uint8_t found[8];

	(void)state;
	begin(0x8180, 1, 1, 0);
	put_question("www.example", DNS_TYPE_A);
	/* To itself; then forward. */
	put16(0xc000 | message.length);
	put_address(66);
	assert_int_equal(walk(found, ARRAY_SIZE(found)), 0);
	begin(0x8180, 1, 1, 0);
	put_question("www.example", DNS_TYPE_A);
	put16(0xc000 | (message.length + 2));
	put_address(66);
	assert_int_equal(walk(found, ARRAY_SIZE(found)), 0);
}

static void a_record_that_is_cut_off_opens_nothing(void **state)
{
	uint8_t found[8];
	uint32_t whole;

	(void)state;
	begin(0x8180, 1, 1, 0);
	put_question("www.example", DNS_TYPE_A);
	put16(0xc00c);
	put_address(10);
	whole = message.length;
	for (message.length = 0; message.length < whole; message.length++)
		assert_int_equal(walk(found, ARRAY_SIZE(found)), 0);
	assert_int_equal(walk(found, ARRAY_SIZE(found)), 1);
}

static void a_name_costs_what_its_labels_can_tell(void **state)
{
	(void)state;
	begin(0x0100, 1, 0, 0);
	put_question("aaaa.w.example", DNS_TYPE_A);
	assert_true(is_query());
	assert_int_equal(name_cost(&name, strlen(".w.example")), NAME_BITS_A_TOKEN);
	begin(0x0100, 1, 0, 0);
	put_question("abcdefghijklmnopqrstuvwxyz012345.w.example", DNS_TYPE_A);
	assert_true(is_query());
	assert_int_equal(name_cost(&name, strlen(".w.example")), NAME_BITS_A_TOKEN + 32 * 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_question_is_one),
		cmocka_unit_test(case_changes_the_spelling_alone),
		cmocka_unit_test(what_is_not_plain_is_none),
		cmocka_unit_test(a_label_with_a_dot_in_it_is_no_host),
		cmocka_unit_test(options_that_go_no_further_are_let_through),
		cmocka_unit_test(an_answer_opens_what_its_chain_ends_in),
		cmocka_unit_test(an_address_of_the_name_that_is_an_alias_opens_nothing),
		cmocka_unit_test(hints_of_both_families_count),
		cmocka_unit_test(pointers_never_run_in_circles),
		cmocka_unit_test(a_record_that_is_cut_off_opens_nothing),
		cmocka_unit_test(a_name_costs_what_its_labels_can_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
