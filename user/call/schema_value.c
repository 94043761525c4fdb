// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <string.h>

#include "call/schema_internal.h"

/* Arrays of up to so many items are compared pair by pair. */
#define PAIRWISE_MAX 16

bool schema_spend(uint64_t *steps, uint64_t cost)
{
	if (*steps < cost) {
		*steps = 0;
		return false;
	}
	*steps -= cost;
	return true;
}

static bool equal_arrays(const json_value *a, const json_value *b, uint64_t *steps)
{
	const json_value *left = json_first(a), *right = json_first(b);

	for (; left && right; left = json_next(left), right = json_next(right))
		if (!schema_equal(left, right, steps))
			return false;
	return !left && !right;
}

static bool equal_objects(const json_value *a, const json_value *b, uint64_t *steps)
{
	const size_t count = json_count(a);

	if (!schema_spend(steps, count) || count != json_count(b))
		return false;
	json_for_each (member, a) {
		const json_value *other = NULL;

		if (schema_spend(steps, count))
			other = json_member(b, json_key_of(member));
		if (!other || !schema_equal(member, other, steps))
			return false;
	}
	return true;
}

/* As deep as a text is nested, JSON_DEPTH_MAX at most. */
bool schema_equal(const json_value *a, const json_value *b, uint64_t *steps)
{
	if (!schema_spend(steps, 1))
		return false;
	if (json_is_string(a))
		return json_is_string(b) && strcmp(json_as_string(a), json_as_string(b)) == 0;
	if (json_is_number(a))
		return json_is_number(b) && !(json_as_number(a) < json_as_number(b)) &&
		       !(json_as_number(a) > json_as_number(b));
	if (json_is_boolean(a))
		return json_is_boolean(b) && json_as_boolean(a) == json_as_boolean(b);
	if (json_is_array(a))
		return json_is_array(b) && equal_arrays(a, b, steps);
	if (json_is_object(a))
		return json_is_object(b) && equal_objects(a, b, steps);
	return json_is_null(a) && json_is_null(b);
}

static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15U;
	return hash ^ (hash >> 29);
}

static uint64_t hash_text(const char *text, uint64_t *steps)
{
	uint64_t hash = 0xcbf29ce484222325U;
	const char *at = text;

	for (; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3U;
	(void)schema_spend(steps, (uint64_t)(at - text) / 16);
	return mix(hash);
}

static uint64_t hash_number(double number)
{
	uint64_t bits;

	number += 0.0; /* -0 equals 0 */
	memcpy(&bits, &number, sizeof(bits));
	return mix(bits);
}

/* Equal values have equal hashes: members are added up, whatever their order. */
static uint64_t hash_value(const json_value *value, uint64_t *steps)
{
	uint64_t hash = 0;

	if (!schema_spend(steps, 1))
		return 0;
	if (json_is_string(value))
		return hash_text(json_as_string(value), steps);
	if (json_is_number(value))
		return hash_number(json_as_number(value)) + 1;
	if (json_is_object(value)) {
		json_for_each (member, value)
			hash += mix(hash_text(json_key_of(member), steps) ^
				    mix(hash_value(member, steps) + 7));
		return mix(hash + 3);
	}
	if (json_is_array(value)) {
		json_for_each (item, value)
			hash = mix(hash + 5) + hash_value(item, steps);
		return mix(hash + 2);
	}
	return json_is_null(value) ? 11 : json_as_boolean(value) ? 12 : 13;
}

struct hashed {
	uint64_t hash;
	const json_value *item;
};

static int compare_hashes(const void *left, const void *right)
{
	const struct hashed *a = left, *b = right;

	return (a->hash > b->hash) - (a->hash < b->hash);
}

static bool is_unique_pairwise(const json_value *array, uint64_t *steps)
{
	json_for_each (b, array)
		for (const json_value *a = json_first(array); a != b; a = json_next(a))
			if (schema_equal(a, b, steps))
				return false;
	return true;
}

static bool is_unique_sorted(const json_value *array, size_t count, uint64_t *steps)
{
	_cleanup_free_ struct hashed *items = reallocarray(NULL, count, sizeof(*items));
	size_t i = 0;

	if (!items || !schema_spend(steps, count * 8)) {
		*steps = 0;
		return true;
	}
	json_for_each (item, array)
		items[i++] = (struct hashed){hash_value(item, steps), item};
	qsort(items, count, sizeof(*items), compare_hashes);
	for (i = 1; i < count && *steps; i++)
		for (size_t j = i; j > 0 && items[j - 1].hash == items[i].hash && *steps; j--)
			if (schema_equal(items[j - 1].item, items[i].item, steps))
				return false;
	return true;
}

bool schema_is_unique(const json_value *array, uint64_t *steps)
{
	size_t count = json_count(array);

	return count <= PAIRWISE_MAX ? is_unique_pairwise(array, steps)
				     : is_unique_sorted(array, count, steps);
}

/* A double as the shortest decimal that is read back as the same: digits * 10^exponent. */
struct decimal {
	uint64_t digits;
	int exponent;
};

static struct decimal decimal_of(double value)
{
	struct decimal decimal = {0, 0};
	char text[40];
	char *at = text;
	bool behind_point = false;

	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*e", digits - 1, fabs(value));
		if (!(strtod(text, NULL) < fabs(value)) && !(strtod(text, NULL) > fabs(value)))
			break;
	}
	for (; *at && *at != 'e'; at++) {
		if (*at < '0' || *at > '9') {
			behind_point = true;
			continue;
		}
		decimal.digits = decimal.digits * 10 + (uint64_t)(*at - '0');
		decimal.exponent -= behind_point;
	}
	if (*at == 'e')
		decimal.exponent += (int)strtol(at + 1, NULL, 10);
	while (decimal.digits && decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.exponent++;
	}
	return decimal;
}

/* digits * 10^power modulo `divisor`; both are below 10^17, and their product below 2^128. */
static uint64_t scaled_remainder(uint64_t digits, int power, uint64_t divisor)
{
	unsigned __int128 rest = digits % divisor;

	for (; power > 0 && rest; power--)
		rest = rest * 10 % divisor;
	return (uint64_t)rest;
}

bool schema_is_multiple(double value, double divisor)
{
	struct decimal a = decimal_of(value);
	struct decimal b = decimal_of(divisor);

	if (a.digits == 0)
		return true;
	/* Without its zeros at the end no number of digits can take another ten. */
	if (b.digits == 0 || b.exponent > a.exponent + 0) {
		for (; b.exponent > a.exponent && b.digits && b.digits < UINT64_MAX / 10;
		     b.exponent--)
			b.digits *= 10;
		if (b.digits == 0 || b.exponent > a.exponent)
			return false;
	}
	return scaled_remainder(a.digits, a.exponent - b.exponent, b.digits) == 0;
}
