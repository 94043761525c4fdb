// SPDX-License-Identifier: Apache-2.0
/* Small values that several sections have: quantities, paths, JSON pointers, sets of ports. */
#include "manifest/reader.h"

#include <string.h>

#include "policy/paths.h"

/* Linux's PATH_MAX, with its NUL. */
#define PATH_BYTES_MAX 4096
/* More than any machine has, and small enough that no sum of them overflows. */
#define QUANTITY_MAX	 (1ULL << 50)
#define FIRST_TABLE_ROOM 64

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit byte_units[] = {
	{"", 1},
	{"KiB", 1ULL << 10},
	{"MiB", 1ULL << 20},
	{"GiB", 1ULL << 30},
};
static const struct unit no_units[] = {{"", 1}};
static const struct unit windows[] = {
	{"s", 1},
	{"min", 60},
	{"h", 3600},
	{"day", SECONDS_A_DAY},
};
static const struct unit durations[] = {
	{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"day", SECONDS_A_DAY * 1000ULL},
};

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name,
				    size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
			return &units[i];
	return NULL;
}

/* Digits (no sign, no zero in front) at *text, which moves behind them. */
static bool take_number(const char **text, uint64_t *number)
{
	const char *at = *text;
	uint64_t sum = 0;

	if (*at < '1' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		sum = sum * 10 + (uint64_t)(*at - '0');
		if (sum > QUANTITY_MAX)
			return false;
	}
	*text = at;
	*number = sum;
	return true;
}

/* "5MiB" of `text` up to `length` behind it; the unit must be one of `units`. */
static bool parse_quantity(const char *text, size_t length, const struct unit *units,
			   size_t unit_count, uint64_t *quantity)
{
	const char *end = text + length;
	const struct unit *unit;
	uint64_t number;

	if (!take_number(&text, &number))
		return false;
	unit = find_unit(units, unit_count, text, (size_t)(end - text));
	if (!unit || number > QUANTITY_MAX / unit->factor)
		return false;
	*quantity = number * unit->factor;
	return true;
}

bool reader_rate(struct reader *reader, const json_value *value, bool bytes, struct rate *rate)
{
	const char *text = json_as_string(value);
	const char *slash = strchr(text, '/');
	const struct unit *window = NULL;
	char shown[SHOWN_TEXT_MAX];
	uint64_t amount;

	if (slash)
		window = find_unit(windows, ARRAY_SIZE(windows), slash + 1, strlen(slash + 1));
	if (window &&
	    parse_quantity(text, (size_t)(slash - text), bytes ? byte_units : no_units,
			   bytes ? ARRAY_SIZE(byte_units) : ARRAY_SIZE(no_units), &amount)) {
		*rate = (struct rate){amount, (uint32_t)window->factor};
		return true;
	}
	reader_error(reader, value, CODE_QUANTITY,
		     "\"%s\" is no rate; write %s (windows: s, min, h, day)",
		     reader_show(shown, text),
		     bytes ? "\"5MiB/h\" (KiB, MiB, GiB or plain bytes)" : "\"20/min\"");
	return false;
}

bool reader_size(struct reader *reader, const json_value *value, uint64_t *bytes)
{
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX];

	if (!text)
		return reader_unsigned(reader, value, 1, QUANTITY_MAX, bytes);
	if (parse_quantity(text, strlen(text), byte_units, ARRAY_SIZE(byte_units), bytes))
		return true;
	reader_error(reader, value, CODE_QUANTITY,
		     "\"%s\" is no size; write \"512MiB\" (KiB, MiB, GiB or plain bytes)",
		     reader_show(shown, text));
	return false;
}

bool reader_duration(struct reader *reader, const json_value *value, uint64_t *milliseconds)
{
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX];

	if (parse_quantity(text, strlen(text), durations, ARRAY_SIZE(durations), milliseconds) &&
	    *milliseconds <= SECONDS_A_DAY * 1000ULL)
		return true;
	reader_error(reader, value, CODE_QUANTITY,
		     "\"%s\" is no duration; write \"30s\" (ms, s, min, h; a day at most)",
		     reader_show(shown, text));
	return false;
}

bool reader_json_pointer(struct reader *reader, const json_value *at, const char *text)
{
	char shown[SHOWN_TEXT_MAX];
	bool good = text[0] == '/';

	for (const char *byte = text; good && *byte; byte++)
		if (*byte == '~' && byte[1] != '0' && byte[1] != '1')
			good = false;
	if (!good)
		reader_error(reader, at, CODE_POINTER,
			     "\"%s\" is no JSON pointer; write \"/name\" (\"~1\" for a slash in a "
			     "name, \"~0\" for a tilde)",
			     reader_show(shown, text));
	return good;
}

static bool has_parent_step(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
			return true;
	return false;
}

static const char *read_path_text(struct reader *reader, const json_value *value, bool pattern)
{
	const char *text = json_as_string(value);
	char normal[PATH_BYTES_MAX];
	char shown[SHOWN_TEXT_MAX];

	reader_show(shown, text);
	if (text[0] != '/') {
		reader_error(reader, value, CODE_PATH,
			     "\"%s\" is no absolute path; begin with \"/\"%s", shown,
			     pattern ? " (\"/**/name\" is that name anywhere)" : "");
		return NULL;
	}
	if (has_parent_step(text)) {
		reader_error(reader, value, CODE_PATH,
			     "\"%s\" has a \"..\"; write the path that is meant", shown);
		return NULL;
	}
	if (!pattern && strpbrk(text, "*?")) {
		reader_error(reader, value, CODE_PATH,
			     "\"%s\" is a pattern, and none is taken here; name the directory, "
			     "which grants what is below it",
			     shown);
		return NULL;
	}
	if (!path_normalise(text, normal, sizeof(normal))) {
		reader_error(reader, value, CODE_PATH, "the path is longer than %d bytes",
			     PATH_BYTES_MAX - 1);
		return NULL;
	}
	return reader_copy(reader, normal);
}

const char *reader_path(struct reader *reader, const json_value *value)
{
	return read_path_text(reader, value, false);
}

const char *reader_path_pattern(struct reader *reader, const json_value *value)
{
	return read_path_text(reader, value, true);
}

/* The slot of an equal set, or the empty one where it belongs. `room` is a power of two. */
static const struct port_set **find_slot(const struct port_set **slots, size_t room,
					 const struct port_set *set)
{
	size_t at = (size_t)port_set_hash(set) & (room - 1);

	while (slots[at] && !port_set_equal(slots[at], set))
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static int table_grow(struct port_set_table *table)
{
	size_t room = table->room ? table->room * 2 : FIRST_TABLE_ROOM;
	const struct port_set **slots;

	if (table->count * 2 < table->room)
		return 0;
	slots = calloc(room, sizeof(*slots));
	if (!slots)
		return -1;
	for (size_t i = 0; i < table->room; i++)
		if (table->slots[i])
			*find_slot(slots, room, table->slots[i]) = table->slots[i];
	free(table->slots);
	table->slots = slots;
	table->room = room;
	return 0;
}

const struct port_set *reader_port_set(struct reader *reader, const struct port_range *ranges,
				       size_t count)
{
	struct port_set_table *table = &reader->port_sets;
	const struct port_set *set = port_set_new(reader->arena, ranges, count);
	const struct port_set **slot;

	if (!set || table_grow(table)) {
		reader_out_of_memory(reader);
		return NULL;
	}
	slot = find_slot(table->slots, table->room, set);
	if (!*slot) {
		*slot = set;
		table->count++;
	}
	return *slot;
}
