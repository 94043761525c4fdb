// SPDX-License-Identifier: Apache-2.0
#include "audit/egress_report.h"

#include <inttypes.h>
#include <string.h>

#include "audit/scan.h"
#include "base/json_write.h"

/* ---- JSON ---- */

static void write_texts(struct json_writer *writer, const char *key, const char *more_key,
			const struct texts *texts)
{
	json_key(writer, key);
	json_open_array(writer);
	for (size_t i = 0; i < texts->count; i++)
		json_string(writer, texts->items[i]);
	json_close_array(writer);
	json_key_boolean(writer, more_key, texts->more);
}

static void write_connects(struct json_writer *writer, const uint64_t *connects)
{
	json_key(writer, "connects");
	json_open_object(writer);
	for (size_t i = 0; i < INVENTORY_VERDICTS; i++)
		json_key_unsigned(writer, inventory_verdict_names[i], connects[i]);
	json_close_object(writer);
}

static void write_hint(struct json_writer *writer, const struct destination *destination)
{
	json_key(writer, "hint");
	if (!destination->hint_op) {
		json_null(writer);
		return;
	}
	json_open_object(writer);
	json_key_string(writer, "op", destination->hint_op);
	json_key_string(writer, "path", destination->hint_path);
	if (destination->hint_value) {
		json_key(writer, "value");
		json_verbatim(writer, destination->hint_value);
	}
	json_close_object(writer);
}

static void write_destination(struct json_writer *writer, const struct destination *destination)
{
	json_open_object(writer);
	json_key_string(writer, "agent", destination->agent[0] ? destination->agent : NULL);
	json_key_string(writer, "name", destination->name);
	write_texts(writer, "addresses", "more_addresses", &destination->addresses);
	json_key(writer, "port");
	if (destination->port)
		json_unsigned(writer, destination->port);
	else
		json_null(writer);
	json_key_string(writer, "proto", destination->proto);
	write_texts(writer, "processes", "more_processes", &destination->processes);
	json_key_unsigned(writer, "bytes", destination->bytes);
	json_key_unsigned(writer, "packets", destination->packets);
	write_connects(writer, destination->connects);
	json_key_string(writer, "first", destination->first[0] ? destination->first : NULL);
	json_key_string(writer, "last", destination->last[0] ? destination->last : NULL);
	json_key_string(writer, "verdict", inventory_verdict_names[destination->verdict]);
	json_key_string(writer, "rule", destination->rule);
	write_hint(writer, destination);
	json_close_object(writer);
}

void egress_report_json(const struct inventory *inventory, FILE *out)
{
	const struct inventory_total *total = inventory_total(inventory);
	_cleanup_json_writer_ struct json_writer writer = {0};
	const struct destination *destination;

	(void)fputs("{\"destinations\":[", out);
	for (size_t i = 0; (destination = inventory_at(inventory, i)); i++) {
		json_writer_reset(&writer);
		write_destination(&writer, destination);
		(void)fprintf(out, "%s%s", i ? "," : "",
			      json_writer_text(&writer) ? json_writer_text(&writer) : "null");
	}
	json_writer_reset(&writer);
	json_open_object(&writer);
	json_key_unsigned(&writer, "destinations", total->destinations);
	json_key_unsigned(&writer, "bytes", total->bytes);
	json_key_unsigned(&writer, "packets", total->packets);
	write_connects(&writer, total->connects);
	json_key_unsigned(&writer, "records_not_listed", total->not_listed);
	json_close_object(&writer);
	(void)fprintf(out, "],\"total\":%s}\n",
		      json_writer_text(&writer) ? json_writer_text(&writer) : "null");
}

/* ---- for people ---- */

/* So that a row has 100. */
#define LABEL_COLUMNS 32

static const char *const verdict_words[INVENTORY_VERDICTS] = {"allowed", "would-deny", "denied"};

static uint64_t sum_of(const uint64_t *connects)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < INVENTORY_VERDICTS; i++)
		sum += connects[i];
	return sum;
}

/* "1.2 MiB" */
static void format_bytes(uint64_t bytes, char *text, size_t room)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double amount = (double)bytes;
	size_t unit = 0;

	while (amount >= 1023.95 && unit + 1 < ARRAY_SIZE(units)) {
		amount /= 1024;
		unit++;
	}
	(void)snprintf(text, room, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
}

/* "2026-11-23T09:20:35.1Z" as "11-23 09:20" */
static void format_time(const char *time, char *text, size_t room)
{
	(void)snprintf(text, room, strlen(time) > 16 ? "%.5s %.5s" : "-",
		       strlen(time) > 16 ? time + 5 : "", strlen(time) > 16 ? time + 11 : "");
}

static void print_label(const struct destination *destination, FILE *out)
{
	const char *label = destination->name		   ? destination->name
			    : destination->addresses.count ? destination->addresses.items[0]
							   : "?";
	size_t columns;

	(void)fputs("  ", out);
	columns = audit_print_safely(label, out);
	/* One that is too long has a line of its own. */
	if (columns > LABEL_COLUMNS) {
		(void)fputs("\n  ", out);
		columns = 0;
	}
	(void)fprintf(out, "%*s", (int)(LABEL_COLUMNS - columns), "");
}

static void print_row(const struct destination *destination, FILE *out)
{
	char bytes[32], first[16], last[16], port[32];

	format_bytes(destination->bytes, bytes, sizeof(bytes));
	format_time(destination->first, first, sizeof(first));
	format_time(destination->last, last, sizeof(last));
	if (destination->port)
		(void)snprintf(port, sizeof(port), "%u/%.5s", destination->port,
			       destination->proto);
	else
		(void)snprintf(port, sizeof(port), "%.9s", destination->proto);
	print_label(destination, out);
	(void)fprintf(out, " %-9s %8" PRIu64 " %10s  %-10s %-11s %-11s\n", port,
		      sum_of(destination->connects), bytes, verdict_words[destination->verdict],
		      first, last);
}

static void print_texts(const char *what, const struct texts *texts, FILE *out)
{
	if (!texts->count)
		return;
	(void)fprintf(out, "      %s", what);
	for (size_t i = 0; i < texts->count; i++) {
		(void)fputs(i ? ", " : " ", out);
		(void)audit_print_safely(texts->items[i], out);
	}
	(void)fputs(texts->more ? ", and more\n" : "\n", out);
}

/* Where the verdicts differ: how many of each. */
static void print_verdicts(const struct destination *destination, FILE *out)
{
	const char *separator = "      of them ";
	size_t kinds = 0;

	for (size_t i = 0; i < INVENTORY_VERDICTS; i++)
		kinds += destination->connects[i] != 0;
	for (size_t i = 0; i < INVENTORY_VERDICTS && kinds > 1; i++) {
		if (!destination->connects[i])
			continue;
		(void)fprintf(out, "%s%" PRIu64 " %s", separator, destination->connects[i],
			      verdict_words[i]);
		separator = ", ";
	}
	if (kinds > 1)
		(void)fputc('\n', out);
}

static void print_rule(const struct destination *destination, FILE *out)
{
	if (destination->verdict == INVENTORY_ALLOW && destination->rule) {
		(void)fputs("      granted by ", out);
		(void)audit_print_safely(destination->rule, out);
		(void)fputc('\n', out);
	} else if (destination->verdict != INVENTORY_ALLOW && destination->hint_op) {
		(void)fputs("      ", out);
		audit_print_edit(destination->hint_op, destination->hint_path,
				 destination->hint_value, out);
		(void)fputc('\n', out);
	} else if (destination->rule && strcmp(destination->rule, "/network/resolvers") == 0) {
		(void)fputs("      a resolver: any rule for a host name opens it for questions\n",
			    out);
	}
}

static void print_destination(const struct destination *destination, FILE *out)
{
	print_row(destination, out);
	if (destination->name)
		print_texts("at", &destination->addresses, out);
	print_texts("by", &destination->processes, out);
	print_verdicts(destination, out);
	print_rule(destination, out);
}

static void print_total(const struct inventory_total *total, FILE *out)
{
	char bytes[32];

	format_bytes(total->bytes, bytes, sizeof(bytes));
	(void)fprintf(out,
		      "total: %" PRIu64 " destinations, %s, %" PRIu64 " connects (%" PRIu64
		      " allowed, %" PRIu64 " would-deny, %" PRIu64 " denied)\n",
		      total->destinations, bytes, sum_of(total->connects),
		      total->connects[INVENTORY_ALLOW], total->connects[INVENTORY_WOULD_DENY],
		      total->connects[INVENTORY_DENY]);
	if (total->not_listed)
		(void)fprintf(out,
			      "cut off: %" PRIu64 " records of further destinations are in the "
			      "total and not in the list; narrow it with --agent, --verdict or "
			      "--since\n",
			      total->not_listed);
}

void egress_report_text(const struct inventory *inventory, FILE *out)
{
	const struct destination *destination, *before = NULL;

	for (size_t i = 0; (destination = inventory_at(inventory, i)); i++) {
		if (!before || strcmp(before->agent, destination->agent) != 0) {
			(void)audit_print_safely(destination->agent[0] ? destination->agent : "-",
						 out);
			(void)fprintf(out, "\n  %-*s %-9s %8s %10s  %-10s %-11s %s\n",
				      LABEL_COLUMNS, "DESTINATION", "PORT", "CONNECTS", "BYTES OUT",
				      "VERDICT", "FIRST", "LAST (UTC)");
		}
		print_destination(destination, out);
		before = destination;
	}
	print_total(inventory_total(inventory), out);
}

/* ---- */

struct taking {
	struct inventory *inventory;
	bool failed;
};

static int take(const char *line, const cJSON *record, void *context)
{
	struct taking *taking = context;

	(void)line;
	taking->failed = !inventory_add(taking->inventory, record);
	return taking->failed;
}

int egress_report(const char *folder, const struct audit_filter *filter, bool json, FILE *out,
		  struct error *error)
{
	_cleanup_inventory_ struct inventory *inventory = inventory_new(DESTINATIONS_MAX);
	struct taking taking = {.inventory = inventory, .failed = !inventory};
	size_t offset = 0;

	if (inventory && audit_scan(folder, filter, &offset, take, &taking, error) < 0)
		return -1;
	if (taking.failed)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	inventory_finish(inventory);
	if (json)
		egress_report_json(inventory, out);
	else
		egress_report_text(inventory, out);
	return 0;
}
