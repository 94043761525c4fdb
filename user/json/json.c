// SPDX-License-Identifier: Apache-2.0
#include "json/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "json/json_scan.h"

/* Objects with up to so many members are compared pair by pair, larger ones are sorted. */
#define PAIRWISE_MAX 16
/* Whole numbers are exact in a double up to here (2^53). */
#define EXACT_MAX 9007199254740992.0

struct json_document {
	cJSON *root;
	struct json_places places;
};

/* A node's index in document order lives in valueint, which nothing else here reads: numbers are
 * taken from valuedouble. */
static size_t index_of(const cJSON *node)
{
	return (size_t)node->valueint;
}

struct json_position json_position_of(const struct json_document *document, const json_value *value)
{
	if (!value || index_of(value) >= document->places.count)
		return (struct json_position){0, 0};
	return json_places_position(&document->places,
				    document->places.items[index_of(value)].value);
}

struct json_position json_key_position_of(const struct json_document *document,
					  const json_value *member)
{
	if (!member || index_of(member) >= document->places.count)
		return (struct json_position){0, 0};
	return json_places_position(&document->places,
				    document->places.items[index_of(member)].key);
}

/* Bytes of the string that begins at `text`; it is known to be closed. */
static size_t string_length(const char *text)
{
	size_t at = 1;

	while (text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at + 1;
}

/* Bytes of the list or object that begins at `text`; it is known to be closed. */
static size_t container_length(const char *text)
{
	size_t at = 0, depth = 0;

	do {
		const char byte = text[at];

		if (byte == '{' || byte == '[')
			depth++;
		else if (byte == '}' || byte == ']')
			depth--;
		at += byte == '"' ? string_length(text + at) : 1;
	} while (depth > 0);
	return at;
}

/* Bytes of the number or the word that begins at `text`. */
static size_t word_length(const char *text, size_t left)
{
	size_t at = 1;

	while (at < left && text[at] && !strchr(",]} \t\r\n", text[at]))
		at++;
	return at;
}

const char *json_text_of(const struct json_document *document, const char *text,
			 const json_value *value, size_t *length)
{
	const char *start = text + document->places.items[index_of(value)].value;

	if (*start == '{' || *start == '[') {
		*length = container_length(start);
	} else if (*start == '"') {
		*length = string_length(start);
	} else {
		/* A number or a word. At the root it may be the text's last byte. */
		*length = word_length(start, document->places.length - (size_t)(start - text));
	}
	return start;
}

static int fault_twice(const struct json_document *document, const cJSON *second,
		       struct json_fault *fault)
{
	/* 100 bytes of the key at most, and none of half a character. */
	int shown = (int)strnlen(second->string, 100);

	while (shown > 0 && shown == 100 && ((unsigned char)second->string[shown] & 0xc0) == 0x80)
		shown--;
	return json_fault_set(fault, CODE_KEY_TWICE, json_key_position_of(document, second),
			      "the key \"%.*s\" stands twice in this object; remove one", shown,
			      second->string);
}

static const cJSON *second_of_pairs(const cJSON *object)
{
	for (const cJSON *b = object->child; b; b = b->next)
		for (const cJSON *a = object->child; a != b; a = a->next)
			if (strcmp(a->string, b->string) == 0)
				return b;
	return NULL;
}

static int compare_keys(const void *left, const void *right)
{
	const cJSON *a = *(const cJSON *const *)left;
	const cJSON *b = *(const cJSON *const *)right;
	int order = strcmp(a->string, b->string);

	if (order)
		return order;
	return (a->valueint > b->valueint) - (a->valueint < b->valueint);
}

/* 0 and *second (NULL where all keys differ), or -1 when out of memory. */
static int second_of_sorted(const cJSON *object, size_t count, const cJSON **second)
{
	_cleanup_free_ const cJSON **members = reallocarray(NULL, count, sizeof(*members));
	size_t i = 0;

	*second = NULL;
	if (!members)
		return -1;
	for (const cJSON *member = object->child; member; member = member->next)
		members[i++] = member;
	qsort(members, count, sizeof(*members), compare_keys);
	for (i = 1; i < count; i++)
		if (strcmp(members[i - 1]->string, members[i]->string) == 0 &&
		    (!*second || members[i]->valueint < (*second)->valueint))
			*second = members[i];
	return 0;
}

static int check_keys(const struct json_document *document, const cJSON *object,
		      struct json_fault *fault)
{
	size_t count = json_count(object);
	const cJSON *second;

	if (count <= PAIRWISE_MAX)
		second = second_of_pairs(object);
	else if (second_of_sorted(object, count, &second))
		return json_fault_set(fault, CODE_SYSTEM, json_position_of(document, object),
				      "out of memory");
	return second ? fault_twice(document, second, fault) : 0;
}

/* Numbers each node in document order; no recursion, the way back up is kept on a stack. */
static int number_nodes(struct json_document *document, struct json_fault *fault)
{
	cJSON *parents[JSON_DEPTH_MAX];
	cJSON *node = document->root;
	size_t depth = 0, index = 0;

	while (node) {
		node->valueint = (int)index++;
		if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
			return json_fault_set(fault, CODE_LIMIT, json_position_of(document, node),
					      "the number is too large");
		if (node->child && depth < JSON_DEPTH_MAX) {
			parents[depth++] = node;
			node = node->child;
			continue;
		}
		while (!node->next && depth > 0)
			node = parents[--depth];
		node = depth > 0 ? node->next : NULL;
	}
	/* The scan and cJSON must have seen the same values. */
	if (index == document->places.count)
		return 0;
	return json_fault_set(fault, CODE_SYNTAX, (struct json_position){1, 1},
			      "the text is no JSON");
}

static int check_objects(const struct json_document *document, struct json_fault *fault)
{
	const cJSON *parents[JSON_DEPTH_MAX];
	const cJSON *node = document->root;
	size_t depth = 0;

	while (node) {
		if (cJSON_IsObject(node) && check_keys(document, node, fault))
			return -1;
		if (node->child && depth < JSON_DEPTH_MAX) {
			parents[depth++] = node;
			node = node->child;
			continue;
		}
		while (!node->next && depth > 0)
			node = parents[--depth];
		node = depth > 0 ? node->next : NULL;
	}
	return 0;
}

static int parse(struct json_document *document, const char *text, size_t length,
		 struct json_fault *fault)
{
	if (json_scan(text, length, &document->places, fault))
		return -1;
	document->root = cJSON_ParseWithLength(text, length);
	if (!document->root)
		return json_fault_set(fault, CODE_SYSTEM, (struct json_position){1, 1},
				      "out of memory");
	if (number_nodes(document, fault))
		return -1;
	return check_objects(document, fault);
}

struct json_document *json_document_parse(const char *text, size_t length, struct json_fault *fault)
{
	_cleanup_json_document_ struct json_document *document = calloc(1, sizeof(*document));
	struct json_document *whole;

	*fault = (struct json_fault){0};
	if (!document) {
		json_fault_set(fault, CODE_SYSTEM, (struct json_position){1, 1}, "out of memory");
		return NULL;
	}
	if (parse(document, text, length, fault))
		return NULL;
	whole = document;
	document = NULL;
	return whole;
}

void json_document_free(struct json_document *document)
{
	if (!document)
		return;
	cJSON_Delete(document->root);
	json_places_free(&document->places);
	free(document);
}

const json_value *json_root(const struct json_document *document)
{
	return document->root;
}

const json_value *json_first(const json_value *container)
{
	return json_is_object(container) || json_is_array(container) ? container->child : NULL;
}

const json_value *json_next(const json_value *value)
{
	return value->next;
}

const json_value *json_member(const json_value *object, const char *key)
{
	if (!json_is_object(object))
		return NULL;
	for (const cJSON *member = object->child; member; member = member->next)
		if (strcmp(member->string, key) == 0)
			return member;
	return NULL;
}

size_t json_count(const json_value *container)
{
	size_t count = 0;

	for (const cJSON *item = json_first(container); item; item = item->next)
		count++;
	return count;
}

const char *json_key_of(const json_value *member)
{
	return member->string;
}

bool json_is_object(const json_value *value)
{
	return cJSON_IsObject(value);
}

bool json_is_array(const json_value *value)
{
	return cJSON_IsArray(value);
}

bool json_is_string(const json_value *value)
{
	return cJSON_IsString(value);
}

bool json_is_number(const json_value *value)
{
	return cJSON_IsNumber(value);
}

bool json_is_boolean(const json_value *value)
{
	return cJSON_IsBool(value);
}

bool json_is_null(const json_value *value)
{
	return cJSON_IsNull(value);
}

const char *json_as_string(const json_value *value)
{
	return json_is_string(value) ? value->valuestring : NULL;
}

double json_as_number(const json_value *value)
{
	return json_is_number(value) ? value->valuedouble : 0;
}

bool json_as_boolean(const json_value *value)
{
	return cJSON_IsTrue(value);
}

bool json_as_unsigned(const json_value *value, uint64_t limit, uint64_t *number)
{
	uint64_t whole;
	double real;

	if (!json_is_number(value))
		return false;
	real = value->valuedouble;
	/* Not `real < 0 || ...`: what is no number must fail too. */
	if (!(real >= 0 && real <= EXACT_MAX))
		return false;
	whole = (uint64_t)real;
	if ((double)whole < real || whole > limit)
		return false;
	*number = whole;
	return true;
}

const char *json_type_name(const json_value *value)
{
	if (!value)
		return "nothing";
	if (json_is_object(value))
		return "object";
	if (json_is_array(value))
		return "list";
	if (json_is_string(value))
		return "string";
	if (json_is_number(value))
		return "number";
	return json_is_boolean(value) ? "boolean" : "null";
}

char *json_print_key(const json_value *member)
{
	cJSON *key = cJSON_CreateStringReference(member->string);
	char *text = key ? cJSON_PrintUnformatted(key) : NULL;

	cJSON_Delete(key);
	return text;
}
