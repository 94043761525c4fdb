// SPDX-License-Identifier: Apache-2.0
#include "audit/counts_report.h"

#include <inttypes.h>
#include <string.h>

#include "audit/record.h"
#include "audit/scan.h"
#include "audit/table.h"
#include "base/json_write.h"

/* Different rows: kinds, verdicts and reasons are words of ours, agents are a machine's. */
#define ROWS_MAX 4096
/* Of a word in a row; longer ones are cut, and count as the same. */
#define WORD_ROOM 72

enum word { WORD_AGENT, WORD_KIND, WORD_VERDICT, WORD_REASON, WORD_COUNT };
/* Keys of the record and of the report; their columns. */
static const struct {
	const char *key;
	int columns;
} words[WORD_COUNT] = {
	[WORD_AGENT] = {"agent", 20},
	[WORD_KIND] = {"kind", 8},
	[WORD_VERDICT] = {"verdict", 10},
	[WORD_REASON] = {"reason", 17},
};

struct row {
	char words[WORD_COUNT][WORD_ROOM]; /* "": null */
	uint64_t records, events;
	char last[AUDIT_TIME_ROOM];
};

struct counting {
	struct table *rows;
	uint64_t records, not_listed;
};

static void add(struct row *row, const cJSON *record)
{
	const char *time = scan_text(record, "time");

	row->records++;
	row->events += scan_added(record);
	if (time && strcmp(time, row->last) > 0)
		(void)snprintf(row->last, sizeof(row->last), "%s", time);
}

static int take(const char *line, const cJSON *record, void *context)
{
	struct counting *counting = context;
	struct row fresh = {0}, *row;
	char key[WORD_COUNT * (WORD_ROOM + 4)];
	size_t used = 0;

	(void)line;
	counting->records++;
	for (size_t i = 0; i < WORD_COUNT; i++) {
		const char *text = scan_text(record, words[i].key);

		(void)snprintf(fresh.words[i], WORD_ROOM, "%s", text ? text : "");
		used += (size_t)snprintf(key + used, sizeof(key) - used, "%zu %s",
					 strlen(fresh.words[i]), fresh.words[i]);
	}
	row = table_take(counting->rows, key);
	if (!row) {
		counting->not_listed++;
		return 0;
	}
	if (!row->records)
		*row = fresh;
	add(row, record);
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = 0;

	for (size_t i = 0; i < WORD_COUNT && !order; i++)
		order = strcmp(a->words[i], b->words[i]);
	return order;
}

static void print_json(const struct counting *counting, FILE *out)
{
	_cleanup_json_writer_ struct json_writer writer = {0};

	json_open_object(&writer);
	json_key_unsigned(&writer, "records", counting->records);
	json_key_unsigned(&writer, "records_not_listed", counting->not_listed);
	json_key(&writer, "counts");
	json_open_array(&writer);
	for (size_t i = 0; i < table_count(counting->rows); i++) {
		const struct row *row = table_item(counting->rows, i);

		json_open_object(&writer);
		for (size_t n = 0; n < WORD_COUNT; n++)
			json_key_string(&writer, words[n].key,
					row->words[n][0] ? row->words[n] : NULL);
		json_key_unsigned(&writer, "records", row->records);
		json_key_unsigned(&writer, "events", row->events);
		json_key_string(&writer, "last", row->last[0] ? row->last : NULL);
		json_close_object(&writer);
	}
	json_close_array(&writer);
	json_close_object(&writer);
	json_newline(&writer);
	(void)fputs(json_writer_text(&writer) ? json_writer_text(&writer) : "", out);
}

static void print_row(const struct row *row, FILE *out)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		const int used =
			(int)audit_print_safely(row->words[i][0] ? row->words[i] : "-", out);

		(void)fprintf(out, "%*s", used < words[i].columns ? words[i].columns - used + 1 : 1,
			      "");
	}
	(void)fprintf(out, "%9" PRIu64 " %11" PRIu64 "  %.10s %.8s\n", row->records, row->events,
		      row->last, strlen(row->last) > 11 ? row->last + 11 : "");
}

static void print_text(const struct counting *counting, FILE *out)
{
	(void)fprintf(out, "%-20s %-8s %-10s %-17s %9s %11s  %s\n", "AGENT", "KIND", "VERDICT",
		      "REASON", "RECORDS", "EVENTS", "LAST (UTC)");
	for (size_t i = 0; i < table_count(counting->rows); i++)
		print_row(table_item(counting->rows, i), out);
	(void)fprintf(out, "total: %" PRIu64 " records\n", counting->records);
	if (counting->not_listed)
		(void)fprintf(out,
			      "cut off: %" PRIu64 " records of further rows are in the total and "
			      "not in the list; narrow it with --agent, --kind or --since\n",
			      counting->not_listed);
}

int counts_report(const char *folder, const struct audit_filter *filter, bool json, FILE *out,
		  struct error *error)
{
	struct counting counting = {.rows = table_new(sizeof(struct row), ROWS_MAX)};
	size_t offset = 0;
	int result;

	if (!counting.rows)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	result = audit_scan(folder, filter, &offset, take, &counting, error);
	if (result == 0) {
		table_sort(counting.rows, compare);
		if (json)
			print_json(&counting, out);
		else
			print_text(&counting, out);
	}
	table_free(counting.rows);
	return result;
}
