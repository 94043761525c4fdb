// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/egress_report.h"
#include "audit/scan.h"
#include "audit/since.h"
#include "audit/table.h"

#define T1 "2026-11-23T09:00:00.000000000Z"
#define T2 "2026-11-23T09:05:00.000000000Z"
#define T3 "2026-11-23T09:10:00.000000000Z"

#define API		 "\"port\":443,\"proto\":\"tcp\",\"name\":\"api.example.com\""
#define API_AT(address)	 "{\"address\":\"" address "\"," API "}"
#define SENT(bytes)	 "\"bytes\":" bytes ",\"packets\":1,\"first\":\"" T1 "\",\"last\":\"" T3 "\""
#define RECORD(rest)	 "{\"seq\":1,\"time\":\"" T2 "\",\"agent\":\"bot\",\"scope\":null," rest "}"
#define CONNECT(verdict) "\"kind\":\"connect\",\"verdict\":\"" verdict "\","
#define TRAFFIC(verdict) "\"kind\":\"traffic\",\"verdict\":\"" verdict "\","
#define HINT(to)                                                                                \
	"\"rule\":\"/network/egress\",\"hint\":{\"op\":\"add\",\"path\":\"/network/egress/-\"," \
	"\"value\":{\"to\":\"" to "\",\"ports\":[443]}}"

static void add(struct inventory *inventory, const char *line)
{
	cJSON *record = cJSON_Parse(line);

	if (!record)
		fail_msg("no JSON: %s", line);
	assert_true(inventory_add(inventory, record));
	cJSON_Delete(record);
}

static struct inventory *inventory_of(const char *const *lines, size_t count, size_t bound)
{
	struct inventory *inventory = inventory_new(bound);

	assert_non_null(inventory);
	for (size_t i = 0; i < count; i++)
		add(inventory, lines[i]);
	inventory_finish(inventory);
	return inventory;
}
#define INVENTORY(lines) inventory_of(lines, ARRAY_SIZE(lines), DESTINATIONS_MAX)

static char *text_of(const struct inventory *inventory)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	egress_report_text(inventory, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void addresses_of_a_name_are_one_destination(void **state)
{
	static const char *const lines[] = {
		RECORD(CONNECT("allow") "\"exe\":\"/usr/bin/curl\",\"count\":1,\"subject\":" API_AT(
			"203.0.113.10")),
		RECORD(CONNECT("allow") "\"exe\":\"/usr/bin/wget\",\"count\":1,\"subject\":" API_AT(
			"203.0.113.11")),
		RECORD(TRAFFIC("allow") "\"exe\":null,\"count\":1,\"rule\":\"/network/egress/2\","
					"\"subject\":{\"address\":\"203.0.113.10\"," API
					"," SENT("700") "}"),
		RECORD(TRAFFIC("allow") "\"exe\":null,\"count\":1,\"rule\":\"/network/egress/2\","
					"\"subject\":{\"address\":\"203.0.113.11\"," API
					"," SENT("42") "}"),
	};
	struct inventory *inventory = INVENTORY(lines);
	const struct destination *one = inventory_at(inventory, 0);

	(void)state;
	assert_int_equal(inventory_total(inventory)->destinations, 1);
	assert_null(inventory_at(inventory, 1));
	assert_string_equal(one->name, "api.example.com");
	assert_int_equal(one->addresses.count, 2);
	assert_int_equal(one->processes.count, 2);
	assert_string_equal(one->processes.items[1], "/usr/bin/wget");
	assert_int_equal(one->bytes, 742);
	assert_int_equal(one->connects[INVENTORY_ALLOW], 2);
	assert_string_equal(one->first, T1);
	assert_string_equal(one->last, T3);
	assert_string_equal(one->rule, "/network/egress/2");
	inventory_free(inventory);
}

static void agents_ports_and_protocols_stay_apart(void **state)
{
	static const char *const lines[] = {
		RECORD(CONNECT("deny") "\"count\":1,\"subject\":{\"address\":\"203.0.113.9\","
				       "\"port\":443,\"proto\":\"tcp\",\"name\":null}"),
		RECORD(CONNECT("deny") "\"count\":1,\"subject\":{\"address\":\"203.0.113.9\","
				       "\"port\":444,\"proto\":\"tcp\",\"name\":null}"),
		RECORD(CONNECT("deny") "\"count\":1,\"subject\":{\"address\":\"203.0.113.9\","
				       "\"port\":443,\"proto\":\"udp\",\"name\":null}"),
		"{\"seq\":2,\"agent\":\"other\"," CONNECT(
			"deny") "\"count\":1,\"subject\":{\"address\":\"203.0.113.9\","
				"\"port\":443,\"proto\":\"tcp\",\"name\":null}}",
		/* A name that looks like the address is no address. */
		RECORD(CONNECT("deny") "\"count\":1,\"subject\":{\"address\":\"198.51.100.1\","
				       "\"port\":443,\"proto\":\"tcp\",\"name\":\"203.0.113.9\"}"),
	};
	struct inventory *inventory = INVENTORY(lines);

	(void)state;
	assert_int_equal(inventory_total(inventory)->destinations, 5);
	assert_string_equal(inventory_at(inventory, 4)->agent, "other");
	inventory_free(inventory);
}

/* Told on the 1st, 2nd, 4th, 8th time, and once more at the end. */
static void equal_events_are_each_counted_once(void **state)
{
	static const struct {
		const char *count;
		uint64_t added;
	} counts[] = {{"0", 0}, {"1", 1}, {"2", 1}, {"4", 2}, {"8", 4}, {"11", 3}};
	uint64_t sum = 0;
	char line[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		cJSON *record;

		(void)snprintf(line, sizeof(line), "{\"count\":%s}", counts[i].count);
		record = cJSON_Parse(line);
		assert_int_equal(scan_added(record), counts[i].added);
		sum += scan_added(record);
		cJSON_Delete(record);
	}
	assert_int_equal(sum, 11);
}

static void what_was_lost_is_a_sum_already(void **state)
{
	cJSON *record = cJSON_Parse("{\"kind\":\"lost\",\"count\":42}");

	(void)state;
	assert_int_equal(scan_added(record), 42);
	cJSON_Delete(record);
}

static void the_last_record_says_what_would_grant_it(void **state)
{
	static const char *const lines[] = {
		RECORD(CONNECT("would-deny") "\"count\":1,\"subject\":" API_AT(
			"203.0.113.10") "," HINT("api.example.com")),
		RECORD(CONNECT("allow") "\"count\":1,\"rule\":\"/network/egress/0\",\"hint\":null,"
					"\"subject\":" API_AT("203.0.113.10")),
	};
	struct inventory *inventory = inventory_of(lines, 1, DESTINATIONS_MAX);
	const struct destination *one = inventory_at(inventory, 0);

	(void)state;
	assert_int_equal(one->verdict, INVENTORY_WOULD_DENY);
	assert_string_equal(one->hint_value, "{\"to\":\"api.example.com\",\"ports\":[443]}");
	inventory_free(inventory);
	inventory = INVENTORY(lines);
	one = inventory_at(inventory, 0);
	assert_int_equal(one->verdict, INVENTORY_ALLOW);
	assert_int_equal(one->connects[INVENTORY_WOULD_DENY], 1);
	assert_string_equal(one->rule, "/network/egress/0");
	assert_null(one->hint_op);
	inventory_free(inventory);
}

#define ASKED(name)                                                                          \
	RECORD("\"kind\":\"dns\",\"verdict\":\"deny\",\"count\":1,\"subject\":{\"address\":" \
	       "\"203.0.113.53\",\"port\":53,\"proto\":\"udp\",\"name\":" name ",\"type\":\"A\"}")

static void a_name_that_was_asked_for_in_vain_is_a_destination(void **state)
{
	static const char *const lines[] = {
		ASKED("\"evil.example\""), ASKED("\"api.example.com\""), ASKED("null"),
		RECORD(CONNECT("allow") "\"count\":1,\"subject\":" API_AT("203.0.113.10"))};
	struct inventory *inventory = INVENTORY(lines);
	bool found = false;

	(void)state;
	/* The name, the one that was reached, and the resolver that got no plain question. */
	assert_int_equal(inventory_total(inventory)->destinations, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct destination *one = inventory_at(inventory, i);

		if (strcmp(one->proto, "dns") == 0) {
			assert_string_equal(one->name, "evil.example");
			assert_int_equal(one->addresses.count, 0);
			found = true;
		}
	}
	assert_true(found);
	inventory_free(inventory);
}

#define UDP(verdict)                                                                    \
	RECORD(CONNECT(verdict) "\"count\":1,\"subject\":{\"address\":\"203.0.113.9\"," \
				"\"port\":443,\"proto\":\"udp\",\"name\":null}")

static void a_udp_socket_that_sent_nothing_is_none_unless_denied(void **state)
{
	static const char *const let[] = {UDP("would-deny")}, *const denied[] = {UDP("deny")};
	struct inventory *inventory = INVENTORY(let);

	(void)state;
	assert_null(inventory_at(inventory, 0));
	assert_int_equal(inventory_total(inventory)->connects[INVENTORY_WOULD_DENY], 0);
	inventory_free(inventory);
	inventory = INVENTORY(denied);
	assert_non_null(inventory_at(inventory, 0));
	inventory_free(inventory);
}

static void other_records_are_no_destinations(void **state)
{
	static const char *const lines[] = {
		RECORD("\"kind\":\"agent\",\"verdict\":\"noted\",\"count\":1,\"subject\":null"),
		RECORD("\"kind\":\"listen\",\"verdict\":\"deny\",\"count\":1,\"subject\":" API_AT(
			"0.0.0.0")),
		RECORD(CONNECT("deny") "\"count\":1,\"subject\":null"),
		RECORD(CONNECT("deny") "\"count\":1,\"subject\":{\"address\":7}"),
		RECORD(CONNECT("nonsense") "\"count\":1,\"subject\":" API_AT("203.0.113.10")),
	};
	struct inventory *inventory = INVENTORY(lines);

	(void)state;
	assert_null(inventory_at(inventory, 0));
	inventory_free(inventory);
}

static void the_list_is_bounded_and_says_so(void **state)
{
	struct inventory *inventory = inventory_new(3);
	char line[512], *text;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(line, sizeof(line),
			       RECORD(TRAFFIC("allow") "\"count\":1,\"subject\":{\"address\":"
						       "\"203.0.113.%u\",\"port\":443,\"proto\":"
						       "\"tcp\",\"name\":null," SENT("10") "}"),
			       i);
		add(inventory, line);
	}
	inventory_finish(inventory);
	assert_int_equal(inventory_total(inventory)->destinations, 3);
	assert_int_equal(inventory_total(inventory)->not_listed, 7);
	assert_int_equal(inventory_total(inventory)->bytes, 100);
	text = text_of(inventory);
	assert_non_null(strstr(text, "cut off: 7 records"));
	free(text);
	inventory_free(inventory);
}

static void no_destination_has_more_than_is_kept(void **state)
{
	struct inventory *inventory = inventory_new(DESTINATIONS_MAX);
	const struct destination *one;
	char line[512];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(
			line, sizeof(line),
			RECORD(CONNECT("allow") "\"exe\":\"/bin/%u\",\"count\":1,"
						"\"subject\":{\"address\":\"203.0.113.%u\"," API
						"}"),
			i, i);
		add(inventory, line);
	}
	inventory_finish(inventory);
	one = inventory_at(inventory, 0);
	assert_int_equal(one->addresses.count, INVENTORY_ADDRESSES);
	assert_int_equal(one->processes.count, INVENTORY_PROCESSES);
	assert_true(one->addresses.more && one->processes.more);
	assert_int_equal(one->connects[INVENTORY_ALLOW], 100);
	inventory_free(inventory);
}

/* What an agent has named is shown, not obeyed: C0, DEL, C1, and what is no UTF-8. */
static void no_terminal_obeys_an_inventory(void **state)
{
	static const char *const lines[] = {RECORD(
		CONNECT("deny") "\"exe\":\"/tmp/\\u001b[2J\\u009b31m\\u007f\x9b\","
				"\"count\":1,\"subject\":{\"address\":\"203.0.113.9\","
				"\"port\":443,\"proto\":\"tcp\",\"name\":\"\\u001b]0;x\\u0007\"}")};
	struct inventory *inventory = INVENTORY(lines);
	char *text = text_of(inventory);

	(void)state;
	assert_non_null(strstr(text, "by /tmp/?[2J?31m??\n"));
	assert_non_null(strstr(text, "  ?]0;x?  "));
	free(text);
	inventory_free(inventory);
}

static void a_table_finds_what_it_has_and_no_more_than_its_bound(void **state)
{
	struct table *table = table_new(sizeof(int), 100);
	char key[16];

	(void)state;
	for (int i = 0; i < 200; i++) {
		int *item;

		(void)snprintf(key, sizeof(key), "key %d", i);
		assert_null(table_find(table, key));
		item = table_take(table, key);
		assert_int_equal(item != NULL, i < 100);
		if (item)
			*item = i;
	}
	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "key %d", i);
		assert_int_equal(*(int *)table_find(table, key), i);
		assert_ptr_equal(table_take(table, key), table_find(table, key));
	}
	assert_int_equal(table_count(table), 100);
	table_free(table);
}

static void since_is_a_time_or_how_long_ago(void **state)
{
	static const uint64_t now = 1763889635123456789ULL; /* 2025-11-23T09:20:35 */
	static const struct {
		const char *text, *time; /* NULL: refused */
	} cases[] = {
		{"30min", "2025-11-23T08:50:35.123456789Z"},
		{"2h", "2025-11-23T07:20:35.123456789Z"},
		{"7d", "2025-11-16T09:20:35.123456789Z"},
		{"0s", "2025-11-23T09:20:35.123456789Z"},
		{"30000d", "1970-01-01T00:00:00.000000000Z"},
		{"2026-11-23", "2026-11-23"},
		{"2026-11-23T09:20", "2026-11-23T09:20"},
		{T1, T1},
		{"", NULL},
		{"h", NULL},
		{"-1h", NULL},
		{"5", NULL},
		{"5 h", NULL},
		{"99999999999999999999h", NULL},
		{"18446744073709551615d", NULL},
		{"2026-11-23 09:20", NULL},
		{"2026-11-2", NULL},
		{"2026-11-23T09:20:35.1234567890Z", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char time[AUDIT_TIME_ROOM] = "";
		const bool taken = since_parse(cases[i].text, now, time);

		if (taken != (cases[i].time != NULL))
			fail_msg("%s is %s", cases[i].text, taken ? "taken" : "refused");
		if (taken)
			assert_string_equal(time, cases[i].time);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_a_name_are_one_destination),
		cmocka_unit_test(agents_ports_and_protocols_stay_apart),
		cmocka_unit_test(equal_events_are_each_counted_once),
		cmocka_unit_test(what_was_lost_is_a_sum_already),
		cmocka_unit_test(the_last_record_says_what_would_grant_it),
		cmocka_unit_test(a_name_that_was_asked_for_in_vain_is_a_destination),
		cmocka_unit_test(a_udp_socket_that_sent_nothing_is_none_unless_denied),
		cmocka_unit_test(other_records_are_no_destinations),
		cmocka_unit_test(the_list_is_bounded_and_says_so),
		cmocka_unit_test(no_destination_has_more_than_is_kept),
		cmocka_unit_test(no_terminal_obeys_an_inventory),
		cmocka_unit_test(a_table_finds_what_it_has_and_no_more_than_its_bound),
		cmocka_unit_test(since_is_a_time_or_how_long_ago),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
