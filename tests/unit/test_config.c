// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "policyd/config.h"

/* Reads `text` as a configuration; the status, 0 where it is usable. */
static int read_text(const char *text, struct config *config, struct error *error)
{
	char path[] = "/tmp/agentpol-config-XXXXXX";
	int fd = mkstemp(path), result;

	assert_true(fd >= 0);
	assert_int_equal(file_write_fd(fd, text, strlen(text)), 0);
	(void)close(fd);
	result = config_read(path, true, config, error);
	(void)unlink(path);
	return result < 0 ? (int)error->status : 0;
}

static void the_printed_defaults_are_the_defaults(void **state)
{
	struct config defaults, read;
	struct error error;
	char *text;

	(void)state;
	config_set_defaults(&defaults);
	assert_int_equal(config_print_defaults(&text), 0);
	assert_int_equal(read_text(text, &read, &error), 0);
	assert_string_equal(read.log, defaults.log);
	assert_string_equal(read.socket, defaults.socket);
	assert_string_equal(read.state, defaults.state);
	assert_string_equal(read.pin, defaults.pin);
	assert_int_equal(read.ring_bytes, defaults.ring_bytes);
	assert_int_equal(read.port_sets, defaults.port_sets);
	free(text);
}

static void a_configuration_is_read(void **state)
{
	struct config config;
	struct error error;

	(void)state;
	assert_int_equal(read_text("{\"log\": \"/l\", \"ring_bytes\": 8192, \"agents\": "
				   "[{\"cgroup\": \"/a\", \"manifest\": \"/m\"}]}",
				   &config, &error),
			 0);
	assert_string_equal(config.log, "/l");
	assert_int_equal(config.ring_bytes, 8192);
	assert_string_equal(config.agents->cgroup, "/a");
	assert_string_equal(config.agents->manifest, "/m");
	assert_null(config.agents->next);
	config_free(&config);
}

static void a_bad_configuration_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *place;
	} bad[] = {
		{"", ":1:1: "},
		{"[]", ":1:1: "},
		{"{\"lgo\": \"/l\"}", ":1:9: "},
		{"{\n  \"log\": \"relative\"}", ":2:10: "},
		{"{\"log\": 5}", ":1:9: "},
		{"{\"ring_bytes\": 5000}", ":1:16: "},
		{"{\"ring_bytes\": 2048}", ":1:16: "},
		{"{\"port_sets\": 0}", ":1:15: "},
		{"{\"port_sets\": 100000}", ":1:15: "},
		{"{\"agents\": {}}", ":1:12: "},
		{"{\"agents\": [{\"cgroup\": \"/a\"}]}", ":1:13: "},
		{"{\"agents\": [{\"cgroup\": \"/a\", \"manifest\": \"m\"}]}", ":1:42: "},
		{"{\"log\": \"/l\", \"log\": \"/m\"}", ":1:15: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config config;
		struct error error;

		assert_int_equal(read_text(bad[i].text, &config, &error), STATUS_UNUSABLE);
		if (!strstr(error.text, bad[i].place))
			fail_msg("%s: no %s in: %s", bad[i].text, bad[i].place, error.text);
		config_free(&config);
	}
}

static void a_missing_file_is_an_error_only_where_it_was_named(void **state)
{
	struct config config;
	struct error error;

	(void)state;
	assert_int_equal(config_read("/nonexistent/policyd.json", false, &config, &error), 0);
	assert_int_equal(config_read("/nonexistent/policyd.json", true, &config, &error), -1);
	assert_int_equal(error.status, STATUS_UNUSABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_printed_defaults_are_the_defaults),
		cmocka_unit_test(a_configuration_is_read),
		cmocka_unit_test(a_bad_configuration_is_refused_with_its_place),
		cmocka_unit_test(a_missing_file_is_an_error_only_where_it_was_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
