// SPDX-License-Identifier: Apache-2.0
#include "call/pins.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/array.h"
#include "base/json_write.h"

#define HASH_BYTES 32
/* "sha256:" and hex digits. */
#define HASH_TEXT (7 + 2 * HASH_BYTES + 1)

struct pin {
	char *name; /* owned */
	char hash[HASH_TEXT];
	bool changed; /* the server says something else now */
};
struct pins {
	struct pin *items; /* owned */
	size_t count, room;
};

struct pins *pins_new(void)
{
	return calloc(1, sizeof(struct pins));
}

void pins_free(struct pins *pins)
{
	if (!pins)
		return;
	for (size_t i = 0; i < pins->count; i++)
		free(pins->items[i].name);
	free(pins->items);
	free(pins);
}

static struct pin *find(const struct pins *pins, const char *name)
{
	for (size_t i = 0; i < pins->count; i++)
		if (strcmp(pins->items[i].name, name) == 0)
			return &pins->items[i];
	return NULL;
}

static bool add(struct pins *pins, const char *name, const char *hash)
{
	struct pin *more = array_reserve(pins->items, &pins->room, pins->count, sizeof(*more));
	char *own = more ? strdup(name) : NULL;

	if (more)
		pins->items = more;
	if (!own)
		return false;
	pins->items[pins->count].name = own;
	pins->items[pins->count].changed = false;
	(void)snprintf(pins->items[pins->count].hash, HASH_TEXT, "%s", hash);
	pins->count++;
	return true;
}

/* ---- a tool's canonical form: keys in order, no space ---- */

static int compare_keys(const void *left, const void *right)
{
	return strcmp(json_key_of(*(const json_value *const *)left),
		      json_key_of(*(const json_value *const *)right));
}

static void write_value(struct json_writer *writer, const json_value *value, unsigned depth);

static void write_object(struct json_writer *writer, const json_value *object, const char *without,
			 unsigned depth)
{
	const size_t count = json_count(object);
	_cleanup_free_ const json_value **members = calloc(count + 1, sizeof(*members));
	size_t at = 0;

	if (!members) {
		writer->failed = true;
		return;
	}
	json_for_each (member, object)
		members[at++] = member;
	qsort(members, count, sizeof(*members), compare_keys);
	json_open_object(writer);
	for (size_t i = 0; i < count; i++) {
		if (without && strcmp(json_key_of(members[i]), without) == 0)
			continue;
		json_key(writer, json_key_of(members[i]));
		write_value(writer, members[i], depth);
	}
	json_close_object(writer);
}

static void write_value(struct json_writer *writer, const json_value *value, unsigned depth)
{
	_cleanup_free_ char *text = NULL;

	/* The reader of JSON holds the bound; this is the second lock. */
	if (depth > JSON_DEPTH_MAX) {
		writer->failed = true;
	} else if (json_is_object(value)) {
		write_object(writer, value, NULL, depth + 1);
	} else if (json_is_array(value)) {
		json_open_array(writer);
		json_for_each (item, value)
			write_value(writer, item, depth + 1);
		json_close_array(writer);
	} else {
		text = json_print(value);
		if (text)
			json_verbatim(writer, text);
		else
			writer->failed = true;
	}
}

static bool hash_tool(const json_value *tool, char *text)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	uint8_t hash[HASH_BYTES];
	int at = snprintf(text, HASH_TEXT, "sha256:");

	write_object(&writer, tool, "_meta", 0);
	if (!json_writer_text(&writer) ||
	    EVP_Digest(writer.text, writer.length, hash, NULL, EVP_sha256(), NULL) != 1)
		return false;
	for (size_t i = 0; i < HASH_BYTES; i++)
		at += snprintf(text + at, HASH_TEXT - (size_t)at, "%02x", hash[i]);
	return true;
}

enum pin_answer pins_see(struct pins *pins, const char *name, const json_value *tool)
{
	struct pin *pin = find(pins, name);
	char hash[HASH_TEXT];

	if (!hash_tool(tool, hash))
		return PIN_FAILED;
	if (!pin)
		return add(pins, name, hash) ? PIN_NEW : PIN_FAILED;
	pin->changed = strcmp(pin->hash, hash) != 0;
	return pin->changed ? PIN_CHANGED : PIN_SAME;
}

bool pins_is_changed(const struct pins *pins, const char *name)
{
	const struct pin *pin = find(pins, name);

	return pin && pin->changed;
}

/* ---- the file ---- */

static bool is_hash(const char *text)
{
	return text && strlen(text) == HASH_TEXT - 1 && strncmp(text, "sha256:", 7) == 0 &&
	       strspn(text + 7, "0123456789abcdef") == 2 * HASH_BYTES;
}

int pins_read(struct pins *pins, const char *text, size_t length, struct error *error)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	struct json_fault fault;
	uint64_t version;

	document = json_document_parse(text, length, &fault);
	if (!document)
		return error_set(error, STATUS_UNUSABLE, "%zu:%zu: %s", fault.position.line,
				 fault.position.column, fault.message);
	if (!json_as_unsigned(json_member(json_root(document), "agentpol-pins"), 1, &version) ||
	    version != 1 || !json_is_object(json_member(json_root(document), "tools")))
		return error_set(error, STATUS_UNUSABLE,
				 "no file of pins of this version; name another one");
	json_for_each (member, json_member(json_root(document), "tools")) {
		if (!is_hash(json_as_string(member)))
			return error_set(error, STATUS_UNUSABLE, "/tools/%s is no hash",
					 json_key_of(member));
		if (!add(pins, json_key_of(member), json_as_string(member)))
			return error_set(error, STATUS_SYSTEM, "out of memory");
	}
	return 0;
}

char *pins_print(const struct pins *pins)
{
	struct json_writer writer = {0};

	json_open_object(&writer);
	json_key_unsigned(&writer, "agentpol-pins", 1);
	json_key(&writer, "tools");
	json_open_object(&writer);
	for (size_t i = 0; i < pins->count; i++)
		json_key_string(&writer, pins->items[i].name, pins->items[i].hash);
	json_close_object(&writer);
	json_close_object(&writer);
	json_newline(&writer);
	if (json_writer_text(&writer))
		return writer.text;
	json_writer_free(&writer);
	return NULL;
}
