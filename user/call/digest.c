// SPDX-License-Identifier: Apache-2.0
#include "call/digest.h"

#include <openssl/evp.h>
#include <string.h>

/* From here on not every whole number is a double, and two ids could be taken for one. */
#define EXACT_MAX 9007199254740992.0 /* 2^53 */
/* A value's kind is part of what is hashed: "7" is not 7. */
enum mark { MARK_NULL, MARK_FALSE, MARK_TRUE, MARK_NUMBER, MARK_STRING, MARK_ARRAY, MARK_OBJECT };
#define HASH_BYTES 32

struct hash {
	uint8_t bytes[HASH_BYTES];
};
/* A member as it is hashed: its key's hash and its value's. */
struct member_hash {
	struct hash key, value;
};

static bool hash_bytes(enum mark mark, const void *bytes, size_t length, struct hash *hash)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const uint8_t first = (uint8_t)mark;
	const bool done = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
			  EVP_DigestUpdate(context, &first, 1) == 1 &&
			  EVP_DigestUpdate(context, bytes, length) == 1 &&
			  EVP_DigestFinal_ex(context, hash->bytes, NULL) == 1;

	EVP_MD_CTX_free(context);
	return done;
}

static bool hash_number(double number, struct hash *hash)
{
	/* -0 and 0 are one number. */
	const double value = number == 0 ? 0 : number;

	if (value >= EXACT_MAX || value <= -EXACT_MAX)
		return false;
	return hash_bytes(MARK_NUMBER, &value, sizeof(value), hash);
}

static int compare_members(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct member_hash));
}

static bool hash_value(const json_value *value, struct hash *hash, unsigned depth);

static bool hash_array(const json_value *value, struct hash *hash, unsigned depth)
{
	const size_t count = json_count(value);
	_cleanup_free_ struct hash *items = calloc(count + 1, sizeof(*items));
	size_t at = 0;

	if (!items)
		return false;
	json_for_each (item, value)
		if (!hash_value(item, &items[at++], depth))
			return false;
	return hash_bytes(MARK_ARRAY, items, count * sizeof(*items), hash);
}

static bool hash_object(const json_value *value, struct hash *hash, unsigned depth)
{
	const size_t count = json_count(value);
	_cleanup_free_ struct member_hash *members = calloc(count + 1, sizeof(*members));
	size_t at = 0;

	if (!members)
		return false;
	json_for_each (member, value) {
		const char *key = json_key_of(member);

		if (!hash_bytes(MARK_STRING, key, strlen(key), &members[at].key) ||
		    !hash_value(member, &members[at].value, depth))
			return false;
		at++;
	}
	qsort(members, count, sizeof(*members), compare_members);
	return hash_bytes(MARK_OBJECT, members, count * sizeof(*members), hash);
}

/* False where it has no hash: out of memory, or a number that is not exact. */
static bool hash_value(const json_value *value, struct hash *hash, unsigned depth)
{
	/* The reader of JSON holds the bound; this is the second lock. */
	if (depth > JSON_DEPTH_MAX)
		return false;
	if (json_is_object(value))
		return hash_object(value, hash, depth + 1);
	if (json_is_array(value))
		return hash_array(value, hash, depth + 1);
	if (json_is_number(value))
		return hash_number(json_as_number(value), hash);
	if (json_is_string(value))
		return hash_bytes(MARK_STRING, json_as_string(value), strlen(json_as_string(value)),
				  hash);
	if (json_is_boolean(value))
		return hash_bytes(json_as_boolean(value) ? MARK_TRUE : MARK_FALSE, "", 0, hash);
	return hash_bytes(MARK_NULL, "", 0, hash);
}

struct digest digest_of(const json_value *value)
{
	struct digest digest = {0};
	struct hash hash;

	if (value && hash_value(value, &hash, 0))
		memcpy(digest.bytes, hash.bytes, sizeof(digest.bytes));
	return digest;
}

/* Is that step of a pointer, `length` bytes in which "~1" and "~0" stand for "/" and "~", this key?
 */
static bool step_is(const char *step, size_t length, const char *key)
{
	for (size_t i = 0; i < length; i++, key++) {
		char c = step[i];

		if (c == '~' && i + 1 < length)
			c = step[++i] == '1' ? '/' : '~';
		if (*key != c)
			return false;
	}
	return *key == '\0';
}

static const json_value *find_key(const json_value *object, const char *step, size_t length)
{
	json_for_each (member, object)
		if (step_is(step, length, json_key_of(member)))
			return member;
	return NULL;
}

/* More digits than any list of 8 MiB needs. */
#define INDEX_DIGITS 7

static const json_value *find_item(const json_value *array, const char *step, size_t length)
{
	size_t index = 0;

	/* RFC 6901: no leading zeros. */
	if (length == 0 || length > INDEX_DIGITS || (step[0] == '0' && length > 1))
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (step[i] < '0' || step[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(step[i] - '0');
	}
	json_for_each (item, array)
		if (index-- == 0)
			return item;
	return NULL;
}

const json_value *digest_find(const json_value *root, const char *pointer)
{
	while (root && *pointer == '/') {
		const char *step = pointer + 1;
		const size_t length = strcspn(step, "/");

		if (json_is_array(root))
			root = find_item(root, step, length);
		else if (json_is_object(root))
			root = find_key(root, step, length);
		else
			return NULL;
		pointer = step + length;
	}
	return *pointer ? NULL : root;
}

#define DIGEST_TEXT (2 * sizeof(((struct digest *)0)->bytes) + 1)

void digest_write(struct json_writer *writer, const struct digest *digest)
{
	char text[DIGEST_TEXT];

	for (size_t i = 0; i < sizeof(digest->bytes); i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest->bytes[i]);
	json_string(writer, text);
}

bool digest_read(const json_value *value, struct digest *digest)
{
	const char *text = json_as_string(value);

	if (!text || strlen(text) != DIGEST_TEXT - 1 ||
	    strspn(text, "0123456789abcdef") != DIGEST_TEXT - 1)
		return false;
	for (size_t i = 0; i < sizeof(digest->bytes); i++)
		if (sscanf(text + 2 * i, "%2hhx", &digest->bytes[i]) != 1)
			return false;
	return true;
}
