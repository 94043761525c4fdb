// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/ports.h"

static int set_up(void **state)
{
	*state = arena_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void ranges_that_touch_are_one(void **state)
{
	const struct port_range ranges[] = {{10, 20}, {443, 443}, {21, 30}, {15, 17}, {442, 442}};
	const struct port_set *set = port_set_new(*state, ranges, ARRAY_SIZE(ranges));
	char text[64];

	assert_non_null(set);
	assert_int_equal(set->count, 2);
	port_set_format(set, text, sizeof(text));
	assert_string_equal(text, "10-30, 442-443");
}

static void equal_sets_look_equal(void **state)
{
	const struct port_range one[] = {{1, 5}, {6, 9}}, other[] = {{6, 9}, {1, 7}};
	const struct port_set *a = port_set_new(*state, one, 2);
	const struct port_set *b = port_set_new(*state, other, 2);

	assert_true(port_set_equal(a, b));
	assert_int_equal(port_set_hash(a), port_set_hash(b));
	assert_true(port_set_equal(NULL, port_set_new(*state, one, 0)));
	assert_false(port_set_equal(a, NULL));
}

static void the_last_port_joins_nothing(void **state)
{
	const struct port_range ranges[] = {{65535, 65535}, {0, 0}, {65000, 65535}};
	const struct port_set *set = port_set_new(*state, ranges, ARRAY_SIZE(ranges));

	assert_int_equal(set->count, 2);
	assert_true(port_set_has(set, 65535));
	assert_true(port_set_has(set, 0));
	assert_false(port_set_has(set, 1));
}

static void a_union_has_what_either_has(void **state)
{
	const struct port_range one[] = {{80, 80}, {8000, 8100}}, other[] = {{81, 90}, {443, 443}};
	const struct port_set *a = port_set_new(*state, one, 2);
	const struct port_set *b = port_set_new(*state, other, 2);
	bool failed = false;
	const struct port_set *both = port_set_union(*state, a, b, &failed);
	uint32_t port;

	assert_false(failed);
	for (port = 0; port <= UINT16_MAX; port++)
		assert_int_equal(port_set_has(both, (uint16_t)port),
				 port_set_has(a, (uint16_t)port) ||
					 port_set_has(b, (uint16_t)port));
	assert_ptr_equal(port_set_union(*state, a, NULL, &failed), a);
	assert_ptr_equal(port_set_union(*state, NULL, b, &failed), b);
	assert_ptr_equal(port_set_union(*state, both, a, &failed), both);
	assert_null(port_set_union(*state, NULL, NULL, &failed));
}

static void no_set_has_no_port(void **state)
{
	(void)state;
	assert_false(port_set_has(NULL, 443));
}

static void a_list_that_does_not_fit_is_cut(void **state)
{
	const struct port_range ranges[] = {{1, 1}, {10, 20}, {30, 40}};
	const struct port_set *set = port_set_new(*state, ranges, ARRAY_SIZE(ranges));
	char text[15];

	port_set_format(set, text, sizeof(text));
	assert_string_equal(text, "1, 10-20, ...");
	port_set_format(set, text, 4);
	assert_true(strlen(text) < 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranges_that_touch_are_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(equal_sets_look_equal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_port_joins_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_union_has_what_either_has, set_up, tear_down),
		cmocka_unit_test(no_set_has_no_port),
		cmocka_unit_test_setup_teardown(a_list_that_does_not_fit_is_cut, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
