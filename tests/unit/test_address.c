// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/address.h"

static struct ip_address address(const char *text)
{
	struct ip_address parsed;

	assert_true(address_parse(text, &parsed));
	return parsed;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix parsed;
	bool host_bits;

	assert_true(prefix_parse(text, &parsed, &host_bits));
	return parsed;
}

static bool covers(const char *rule, const char *destination)
{
	const struct ip_prefix parsed = prefix(rule);
	const struct ip_address asked = address(destination);

	return prefix_covers(&parsed, &asked);
}

static void an_address_is_written_as_it_is_read(void **state)
{
	static const char *const cases[][2] = {
		{"10.0.0.1", "10.0.0.1"},
		{"::ffff:10.0.0.1", "10.0.0.1"},
		{"2001:DB8:0:0::1", "2001:db8::1"},
		{"::", "::"},
		{"0.0.0.0", "0.0.0.0"},
	};
	char text[ADDRESS_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ip_address parsed = address(cases[i][0]);

		address_format(&parsed, text);
		assert_string_equal(text, cases[i][1]);
	}
}

static void a_prefix_is_written_as_it_is_read(void **state)
{
	static const char *const cases[][2] = {
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"::ffff:0:0/96", "0.0.0.0/0"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
		{"10.0.0.1/32", "10.0.0.1"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"::/0", "::/0"},
		{"::ffff:1.2.3.4/81", "::8000:0:0/81"},
		{"2001:db8::1/128", "2001:db8::1"},
	};
	char text[ADDRESS_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ip_prefix parsed = prefix(cases[i][0]);

		prefix_format(&parsed, text);
		assert_string_equal(text, cases[i][1]);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const cases[] = {"",		  "10.0.0",	 "10.0.0.1/33", "::1/129",
					    "10.0.0.1/",  "10.0.0.1/08", "::1%lo",	"010.0.0.1",
					    "1.2.3.4/-1", "1.2.3.4/+8",	 "1.2.3.4 /8",	"name",
					    "1.2.3.4/8/9"};
	struct ip_prefix parsed;
	bool host_bits;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_false(prefix_parse(cases[i], &parsed, &host_bits));
}

static void bits_behind_the_prefix_are_told(void **state)
{
	struct ip_prefix parsed;
	bool host_bits;

	(void)state;
	assert_true(prefix_parse("10.0.0.1/8", &parsed, &host_bits));
	assert_true(host_bits);
	assert_true(prefix_parse("10.0.0.0/8", &parsed, &host_bits));
	assert_false(host_bits);
}

static void a_reserved_address_is_covered_by_its_own_range_alone(void **state)
{
	(void)state;
	assert_false(covers("0.0.0.0/0", "169.254.169.254"));
	assert_false(covers("169.0.0.0/8", "169.254.169.254"));
	assert_true(covers("169.254.0.0/16", "169.254.169.254"));
	assert_true(covers("169.254.169.254", "169.254.169.254"));
	assert_true(covers("169.254.169.0/24", "169.254.169.254"));
	assert_false(covers("::/0", "fe80::1"));
	assert_false(covers("fe80::/9", "fe80::1"));
	assert_true(covers("fe80::/10", "fe80::1"));
	assert_false(covers("fd00::/8", "fd00:ec2::254"));
	assert_true(covers("fd00::/8", "fd00:ec2::253"));
	assert_true(covers("fd00:ec2::254", "fd00:ec2::254"));
	assert_false(covers("100.64.0.0/10", "100.100.100.200"));
	assert_false(covers("168.63.129.0/24", "168.63.129.16"));
	assert_false(covers("0.0.0.0/0", "::ffff:169.254.169.254"));
}

static void an_ipv6_prefix_covers_no_ipv4(void **state)
{
	(void)state;
	assert_false(covers("::/0", "10.0.0.1"));
	assert_false(covers("::/80", "10.0.0.1"));
	assert_true(covers("::/0", "2001:db8::1"));
	assert_true(covers("0.0.0.0/0", "10.0.0.1"));
	assert_false(covers("0.0.0.0/0", "2001:db8::1"));
}

static void any_address_as_a_destination_is_the_machine_itself(void **state)
{
	struct ip_address local = address_as_destination(address("0.0.0.0"));

	(void)state;
	assert_true(address_is_loopback(&local));
	assert_true(address_is_ipv4(&local));
	local = address_as_destination(address("::"));
	assert_true(address_is_loopback(&local));
	assert_false(address_is_ipv4(&local));
}

static void internal_addresses_are_known(void **state)
{
	static const char *const internal[] = {"10.1.2.3",    "172.31.0.1", "192.168.0.1",
					       "127.0.0.9",   "::1",	    "fd12::1",
					       "169.254.1.1", "fe80::1",    "100.100.100.200"};
	static const char *const outside[] = {"172.32.0.1", "8.8.8.8", "2001:db8::1", "::2"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(internal); i++) {
		const struct ip_address asked = address(internal[i]);

		assert_true(address_is_internal(&asked));
	}
	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		const struct ip_address asked = address(outside[i]);

		assert_false(address_is_internal(&asked));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_written_as_it_is_read),
		cmocka_unit_test(a_prefix_is_written_as_it_is_read),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(bits_behind_the_prefix_are_told),
		cmocka_unit_test(a_reserved_address_is_covered_by_its_own_range_alone),
		cmocka_unit_test(an_ipv6_prefix_covers_no_ipv4),
		cmocka_unit_test(any_address_as_a_destination_is_the_machine_itself),
		cmocka_unit_test(internal_addresses_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
