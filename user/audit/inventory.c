// SPDX-License-Identifier: Apache-2.0
#include "audit/inventory.h"

#include <string.h>

#include "audit/scan.h"
#include "audit/table.h"

/* The protocol of what was asked for and not reached. */
#define ASKED "dns"

/* An agent, a name, a protocol and what stands between them. */
#define KEY_ROOM (3 * INVENTORY_TEXT_MAX + 64)

struct inventory {
	struct table *destinations;
	struct table *reached; /* agent and name of destinations that have one; no items */
	struct inventory_total total;
	size_t listed; /* the first so many are */
};

const char *const inventory_verdict_names[INVENTORY_VERDICTS] = {"allow", "would-deny", "deny"};

/* ---- texts ---- */

/* Replaces an owned text; NULL is none. What is longer than `most` is cut. */
static bool set_text(char **place, const char *text, size_t most)
{
	char *copy = text ? strndup(text, most) : NULL;

	if (text && !copy)
		return false;
	free(*place);
	*place = copy;
	return true;
}

static bool texts_add(struct texts *texts, const char *text, size_t bound)
{
	char **items;

	if (!text)
		return true;
	for (size_t i = 0; i < texts->count; i++)
		if (strncmp(texts->items[i], text, INVENTORY_TEXT_MAX) == 0)
			return true;
	if (texts->count == bound) {
		texts->more = true;
		return true;
	}
	items = reallocarray(texts->items, texts->count + 1, sizeof(*items));
	if (!items)
		return false;
	texts->items = items;
	items[texts->count] = strndup(text, INVENTORY_TEXT_MAX);
	return items[texts->count] && ++texts->count;
}

static void texts_free(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
}

/* ---- */

struct inventory *inventory_new(size_t bound)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));

	if (!inventory)
		return NULL;
	inventory->destinations = table_new(sizeof(struct destination), bound);
	inventory->reached = table_new(0, bound);
	if (inventory->destinations && inventory->reached)
		return inventory;
	inventory_free(inventory);
	return NULL;
}

static void free_members(struct destination *destination)
{
	free(destination->agent);
	free(destination->proto);
	free(destination->name);
	texts_free(&destination->addresses);
	texts_free(&destination->processes);
	free(destination->rule);
	free(destination->hint_op);
	free(destination->hint_path);
	free(destination->hint_value);
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	for (size_t i = 0; inventory->destinations && i < table_count(inventory->destinations); i++)
		free_members(table_item(inventory->destinations, i));
	table_free(inventory->destinations);
	table_free(inventory->reached);
	free(inventory);
}

/* ---- what a record says ---- */

struct reading {
	const cJSON *record, *subject;
	enum inventory_verdict verdict;
	bool is_traffic;
	const char *agent, *proto, *name, *address;
	uint16_t port;
	const char *first, *last;
};

static bool read_verdict(const cJSON *record, enum inventory_verdict *verdict)
{
	const char *text = scan_text(record, "verdict");

	for (size_t i = 0; text && i < INVENTORY_VERDICTS; i++)
		if (strcmp(text, inventory_verdict_names[i]) == 0) {
			*verdict = (enum inventory_verdict)i;
			return true;
		}
	return false;
}

/* False where it is about no destination. */
static bool read_record(const cJSON *record, struct reading *reading)
{
	const cJSON *subject = cJSON_GetObjectItemCaseSensitive(record, "subject");
	const char *kind = scan_text(record, "kind"), *time = scan_text(record, "time");
	bool asked = kind && strcmp(kind, "dns") == 0;

	*reading = (struct reading){.record = record, .subject = subject};
	reading->is_traffic = kind && strcmp(kind, "traffic") == 0;
	if (!kind || (!asked && !reading->is_traffic && strcmp(kind, "connect") != 0) ||
	    !read_verdict(record, &reading->verdict))
		return false;
	reading->agent = scan_text(record, "agent");
	reading->agent = reading->agent ? reading->agent : "";
	reading->name = scan_text(subject, "name");
	/* A question without a name that could be read is a packet to the resolver. */
	asked = asked && reading->name;
	reading->proto = asked ? ASKED : scan_text(subject, "proto");
	reading->proto = reading->proto ? reading->proto : "other";
	reading->address = asked ? NULL : scan_text(subject, "address");
	reading->port = asked ? 0 : (uint16_t)scan_number(subject, "port");
	reading->first = reading->is_traffic ? scan_text(subject, "first") : time;
	reading->last = reading->is_traffic ? scan_text(subject, "last") : time;
	return reading->name || reading->address;
}

/* Lengths in front, so that no text can look like another one's beginning. */
static void write_key(char *key, const struct reading *reading)
{
	const char *label = reading->name ? reading->name : reading->address;

	(void)snprintf(key, KEY_ROOM, "%c%u %zu %zu %.*s%.*s%.*s", reading->name ? 'n' : 'a',
		       reading->port, strnlen(reading->proto, INVENTORY_TEXT_MAX),
		       strnlen(reading->agent, INVENTORY_TEXT_MAX), INVENTORY_TEXT_MAX,
		       reading->proto, INVENTORY_TEXT_MAX, reading->agent, INVENTORY_TEXT_MAX,
		       label);
}

static void write_reached_key(char *key, const char *agent, const char *name)
{
	(void)snprintf(key, KEY_ROOM, "%zu %.*s%.*s", strnlen(agent, INVENTORY_TEXT_MAX),
		       INVENTORY_TEXT_MAX, agent, INVENTORY_TEXT_MAX, name);
}

/* ---- adding up ---- */

static void add_to_total(struct inventory_total *total, const struct reading *reading)
{
	if (reading->is_traffic) {
		total->bytes += scan_number(reading->subject, "bytes");
		total->packets += scan_number(reading->subject, "packets");
	} else if (strcmp(reading->proto, ASKED) != 0) {
		total->connects[reading->verdict] += scan_added(reading->record);
	}
}

static bool set_identity(struct destination *destination, const struct reading *reading)
{
	destination->port = reading->port;
	return set_text(&destination->agent, reading->agent, INVENTORY_TEXT_MAX) &&
	       set_text(&destination->proto, reading->proto, INVENTORY_TEXT_MAX) &&
	       set_text(&destination->name, reading->name, INVENTORY_TEXT_MAX);
}

static bool set_edit(struct destination *destination, const struct reading *reading)
{
	const cJSON *hint = cJSON_GetObjectItemCaseSensitive(reading->record, "hint");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(hint, "value");
	char *text = value ? cJSON_PrintUnformatted(value) : NULL;
	bool done = text || !value;

	/* An edit that is cut is none. */
	if (text && strlen(text) > INVENTORY_VALUE_MAX)
		hint = NULL;
	done = done &&
	       set_text(&destination->rule, scan_text(reading->record, "rule"),
			INVENTORY_VALUE_MAX) &&
	       set_text(&destination->hint_op, scan_text(hint, "op"), INVENTORY_TEXT_MAX) &&
	       set_text(&destination->hint_path, scan_text(hint, "path"), INVENTORY_VALUE_MAX) &&
	       set_text(&destination->hint_value, hint ? text : NULL, INVENTORY_VALUE_MAX);
	cJSON_free(text);
	return done;
}

static void widen(struct destination *destination, const struct reading *reading)
{
	if (reading->first &&
	    (!destination->first[0] || strcmp(reading->first, destination->first) < 0))
		(void)snprintf(destination->first, sizeof(destination->first), "%s",
			       reading->first);
	if (reading->last && strcmp(reading->last, destination->last) > 0)
		(void)snprintf(destination->last, sizeof(destination->last), "%s", reading->last);
}

static bool add_reading(struct destination *destination, const struct reading *reading)
{
	if (!destination->agent && !set_identity(destination, reading))
		return false;
	if (reading->is_traffic) {
		destination->bytes += scan_number(reading->subject, "bytes");
		destination->packets += scan_number(reading->subject, "packets");
	} else {
		destination->connects[reading->verdict] += scan_added(reading->record);
	}
	widen(destination, reading);
	destination->verdict = reading->verdict;
	return texts_add(&destination->addresses, reading->address, INVENTORY_ADDRESSES) &&
	       texts_add(&destination->processes, scan_text(reading->record, "exe"),
			 INVENTORY_PROCESSES) &&
	       set_edit(destination, reading);
}

static bool is_asked(const struct destination *destination)
{
	return strcmp(destination->proto, ASKED) == 0;
}

bool inventory_add(struct inventory *inventory, const cJSON *record)
{
	struct destination *destination;
	struct reading reading;
	char key[KEY_ROOM];

	if (!read_record(record, &reading))
		return true;
	add_to_total(&inventory->total, &reading);
	write_key(key, &reading);
	destination = table_take(inventory->destinations, key);
	if (!destination) {
		inventory->total.not_listed++;
		return true;
	}
	if (!add_reading(destination, &reading))
		return false;
	if (!reading.name || is_asked(destination))
		return true;
	write_reached_key(key, reading.agent, reading.name);
	return table_take(inventory->reached, key) != NULL;
}

/* ---- what comes of it ---- */

static uint64_t connects_of(const struct destination *destination)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < INVENTORY_VERDICTS; i++)
		sum += destination->connects[i];
	return sum;
}

static const char *label_of(const struct destination *destination)
{
	if (destination->name)
		return destination->name;
	return destination->addresses.count ? destination->addresses.items[0] : "";
}

static int descending(uint64_t left, uint64_t right)
{
	return (left < right) - (left > right);
}

/* What was left out comes last: it has lost its agent. */
static int compare(const void *left, const void *right)
{
	const struct destination *a = left, *b = right;
	int order;

	if (!a->agent || !b->agent)
		return !a->agent - !b->agent;
	order = strcmp(a->agent, b->agent);
	order = order ? order : descending(a->bytes, b->bytes);
	order = order ? order : descending(connects_of(a), connects_of(b));
	order = order ? order : strcmp(label_of(a), label_of(b));
	return order ? order : (int)a->port - (int)b->port;
}

/* A name that was reached after it was asked for. */
static bool is_reached(const struct inventory *inventory, const struct destination *destination)
{
	char key[KEY_ROOM];

	if (!is_asked(destination))
		return false;
	write_reached_key(key, destination->agent, destination->name);
	return table_find(inventory->reached, key) != NULL;
}

/* The C library connects a UDP socket to each address of a name, to see which way leads there, and
 * sends nothing (getaddrinfo(3), RFC 6724). Where it was let, what is sent would be counted. */
static bool has_sent_nothing(const struct destination *destination)
{
	return strcmp(destination->proto, "udp") == 0 && !destination->packets &&
	       !destination->connects[INVENTORY_DENY];
}

static void leave_out(struct inventory *inventory, struct destination *destination)
{
	for (size_t i = 0; i < INVENTORY_VERDICTS && !is_asked(destination); i++)
		inventory->total.connects[i] -= destination->connects[i];
	free_members(destination);
	*destination = (struct destination){0};
}

void inventory_finish(struct inventory *inventory)
{
	for (size_t i = 0; i < table_count(inventory->destinations); i++) {
		struct destination *destination = table_item(inventory->destinations, i);

		if (!destination->agent)
			continue;
		if (is_reached(inventory, destination) || has_sent_nothing(destination))
			leave_out(inventory, destination);
		else
			inventory->listed++;
	}
	inventory->total.destinations = inventory->listed;
	table_sort(inventory->destinations, compare);
}

const struct destination *inventory_at(const struct inventory *inventory, size_t index)
{
	return index < inventory->listed ? table_item(inventory->destinations, index) : NULL;
}

const struct inventory_total *inventory_total(const struct inventory *inventory)
{
	return &inventory->total;
}
