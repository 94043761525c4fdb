// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_write.h"

static void commas_stand_where_they_belong(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	(void)state;
	json_open_object(&writer);
	json_key_unsigned(&writer, "a", 1);
	json_key(&writer, "b");
	json_open_array(&writer);
	json_boolean(&writer, true);
	json_null(&writer);
	json_open_object(&writer);
	json_close_object(&writer);
	json_close_array(&writer);
	json_key_string(&writer, "c", NULL);
	json_close_object(&writer);
	json_newline(&writer);
	json_verbatim(&writer, "[2]");
	assert_string_equal(json_writer_text(&writer),
			    "{\"a\":1,\"b\":[true,null,{}],\"c\":null}\n[2]");
}

static void strings_are_escaped(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	(void)state;
	json_string(&writer, "a\"\\\n\x01\x7f\xc3\xa9");
	assert_string_equal(json_writer_text(&writer),
			    "\"a\\\"\\\\\\u000a\\u0001\\u007f\xc3\xa9\"");
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	(void)state;
	json_string(&writer, "\xff\xc3x\xed\xa0\x80");
	assert_string_equal(json_writer_text(&writer),
			    "\"\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void a_reset_writer_starts_anew(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	(void)state;
	assert_string_equal(json_writer_text(&writer), "");
	json_unsigned(&writer, UINT64_MAX);
	json_writer_reset(&writer);
	json_unsigned(&writer, 7);
	assert_string_equal(json_writer_text(&writer), "7");
}

static void long_texts_grow_the_buffer(void **state)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 10000; i++)
		json_string(&writer, "0123456789");
	assert_int_equal(strlen(json_writer_text(&writer)), 13 * 10000 - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_where_they_belong),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(bytes_that_are_not_utf8_are_replaced),
		cmocka_unit_test(a_reset_writer_starts_anew),
		cmocka_unit_test(long_texts_grow_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
