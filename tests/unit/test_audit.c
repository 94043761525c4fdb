// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>

#include <cmocka.h>

#include "audit/query.h"
#include "audit/store.h"
#include "base/file.h"

#define WRITERS		  4
#define RECORDS_OF_WRITER 500

struct log {
	char folder[64];
	char file[96];
};

static int make_log(void **state)
{
	struct log *log = calloc(1, sizeof(*log));

	assert_non_null(log);
	(void)snprintf(log->folder, sizeof(log->folder), "/tmp/agentpol-audit-XXXXXX");
	assert_non_null(mkdtemp(log->folder));
	(void)snprintf(log->file, sizeof(log->file), "%s/%s", log->folder, AUDIT_LOG_NAME);
	*state = log;
	return 0;
}

static int remove_log(void **state)
{
	struct log *log = *state;

	(void)unlink(log->file);
	(void)rmdir(log->folder);
	free(log);
	return 0;
}

static struct audit_store *open_store(const struct log *log)
{
	struct error error;
	struct audit_store *store = audit_store_open(log->folder, &error);

	if (!store)
		fail_msg("%s", error.text);
	return store;
}

static void append(struct audit_store *store, const char *agent)
{
	struct audit_record record = {.time_ns = 1763889635123456789ULL,
				      .agent = agent,
				      .kind = "connect",
				      .verdict = "deny",
				      .count = 1};

	assert_int_equal(audit_store_append(store, &record), 0);
}

struct reading {
	size_t records;
	uint64_t next_seq; /* 0: the first is any */
	bool gap;
	char kinds[256];
};

static int take(const char *line, void *context)
{
	struct reading *reading = context;
	uint64_t seq = strtoull(line + strlen("{\"seq\":"), NULL, 10);
	const char *kind = strstr(line, "\"kind\":\"");

	reading->gap |= reading->next_seq && seq != reading->next_seq;
	reading->next_seq = seq + 1;
	reading->records++;
	if (kind && reading->records <= 8)
		(void)snprintf(reading->kinds + strlen(reading->kinds),
			       sizeof(reading->kinds) - strlen(reading->kinds), "%.4s ", kind + 8);
	return 0;
}

static struct reading read_log(const struct log *log)
{
	const struct audit_filter all = {0};
	struct reading reading = {.next_seq = 1};
	struct error error;
	size_t offset = 0;

	if (audit_query(log->folder, &all, &offset, take, &reading, &error) < 0)
		fail_msg("%s", error.text);
	return reading;
}

static void numbers_go_on_where_the_last_writer_stopped(void **state)
{
	const struct log *log = *state;
	struct audit_store *store;
	struct reading reading;

	for (int i = 0; i < 3; i++) {
		store = open_store(log);
		append(store, "a");
		append(store, "b");
		audit_store_close(store);
	}
	reading = read_log(log);
	assert_int_equal(reading.records, 6);
	assert_false(reading.gap);
}

static void writers_at_once_leave_no_gap(void **state)
{
	const struct log *log = *state;
	struct reading reading;

	for (int i = 0; i < WRITERS; i++) {
		if (fork() != 0)
			continue;
		struct audit_store *store = open_store(log);

		for (int n = 0; n < RECORDS_OF_WRITER; n++)
			append(store, "writer");
		audit_store_close(store);
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	reading = read_log(log);
	assert_int_equal(reading.records, WRITERS * RECORDS_OF_WRITER);
	assert_false(reading.gap);
}

static void half_a_line_is_cut_off_and_told(void **state)
{
	const struct log *log = *state;
	struct audit_store *store = open_store(log);
	struct reading reading;
	FILE *file;

	append(store, "a");
	audit_store_close(store);
	file = fopen(log->file, "ae");
	assert_non_null(file);
	(void)fputs("{\"seq\":2,\"time\":\"2026", file);
	assert_int_equal(fclose(file), 0);
	store = open_store(log);
	append(store, "b");
	audit_store_close(store);
	reading = read_log(log);
	assert_int_equal(reading.records, 3);
	assert_false(reading.gap);
	assert_string_equal(reading.kinds, "conn lost conn ");
}

static void what_is_no_log_is_not_written_to(void **state)
{
	const struct log *log = *state;
	struct error error;
	FILE *file = fopen(log->file, "we");

	assert_non_null(file);
	(void)fputs("somebody's notes\n", file);
	assert_int_equal(fclose(file), 0);
	assert_null(audit_store_open(log->folder, &error));
	assert_int_equal(error.status, STATUS_SYSTEM);
}

/* A file size limit stands in for a full disk: write(2) fails, whole or in part. */
static void a_full_disk_loses_nothing_in_silence(void **state)
{
	const struct log *log = *state;
	struct audit_store *store = open_store(log);
	struct rlimit before, tight = {.rlim_max = RLIM_INFINITY};
	struct audit_record record = {.agent = "x", .kind = "connect", .verdict = "deny"};
	struct reading reading;

	(void)signal(SIGXFSZ, SIG_IGN);
	append(store, "a");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight.rlim_max = before.rlim_max;
	tight.rlim_cur = 400; /* the first record and a part of the second */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (int i = 0; i < 5; i++)
		assert_true(audit_store_append(store, &record) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	append(store, "b");
	audit_store_close(store);
	reading = read_log(log);
	assert_int_equal(reading.records, 3);
	assert_false(reading.gap);
	assert_string_equal(reading.kinds, "conn lost conn ");
}

static int keep_line(const char *line, void *context)
{
	(void)snprintf(context, 4096, "%s", line);
	return 0;
}

static void lost_records_are_counted(void **state)
{
	const struct log *log = *state;
	const struct audit_filter lost = {.kind = "lost"};
	struct audit_store *store = open_store(log);
	char line[4096] = "";
	struct error error;
	size_t offset = 0;

	audit_store_add_lost(store, 40);
	audit_store_add_lost(store, 2);
	append(store, "a");
	audit_store_close(store);
	assert_int_equal(audit_query(log->folder, &lost, &offset, keep_line, line, &error), 0);
	assert_non_null(strstr(line, "\"count\":42,"));
	assert_non_null(strstr(line, "\"seq\":1,"));
}

static void a_filter_takes_what_it_names(void **state)
{
	const struct log *log = *state;
	const struct audit_filter filters[] = {{.agent = "a"},
					       {.agent = "b", .verdict = "deny"},
					       {.verdict = "allow"},
					       {.kind = "listen"}};
	const size_t wanted[] = {2, 1, 0, 0};
	struct audit_store *store = open_store(log);
	struct error error;

	append(store, "a");
	append(store, "b");
	append(store, "a");
	audit_store_close(store);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct reading reading = {0};
		size_t offset = 0;

		assert_int_equal(
			audit_query(log->folder, &filters[i], &offset, take, &reading, &error), 0);
		assert_int_equal(reading.records, wanted[i]);
	}
}

static void a_damaged_log_is_told(void **state)
{
	const struct log *log = *state;
	const struct audit_filter all = {0};
	struct reading reading = {0};
	struct error error;
	size_t offset = 0;
	FILE *file = fopen(log->file, "we");

	assert_non_null(file);
	(void)fputs("{\"seq\":1,\"kind\":\"agent\"}\n{\"seq\":2,\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(audit_query(log->folder, &all, &offset, take, &reading, &error), -1);
	assert_int_equal(error.status, STATUS_NO);
	assert_int_equal(reading.records, 1);
}

/* A path that an agent chose is shown, not obeyed. */
static void no_terminal_obeys_a_record(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_true(
		audit_print_line("{\"seq\":1,\"time\":\"2026-11-23T09:20:35.1Z\",\"agent\":\"a\","
				 "\"kind\":\"connect\",\"verdict\":\"deny\","
				 "\"exe\":\"/tmp/\\u001b[2Jx\\u0007\"}",
				 false, out));
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "/tmp/?[2Jx?"));
	assert_null(strchr(text, 033));
	free(text);
}

static void times_are_utc_with_nanoseconds(void **state)
{
	char text[AUDIT_TIME_ROOM];

	(void)state;
	audit_time_format(1763889635123456789ULL, text);
	assert_string_equal(text, "2025-11-23T09:20:35.123456789Z");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_log, remove_log)
	const struct CMUnitTest tests[] = {
		TEST(numbers_go_on_where_the_last_writer_stopped),
		TEST(writers_at_once_leave_no_gap),
		TEST(half_a_line_is_cut_off_and_told),
		TEST(what_is_no_log_is_not_written_to),
		TEST(a_full_disk_loses_nothing_in_silence),
		TEST(lost_records_are_counted),
		TEST(a_filter_takes_what_it_names),
		TEST(a_damaged_log_is_told),
		cmocka_unit_test(no_terminal_obeys_a_record),
		cmocka_unit_test(times_are_utc_with_nanoseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
