// SPDX-License-Identifier: Apache-2.0
#include "sql/cache.h"

#include <string.h>

#define SETS 2048 /* a power of two */
#define WAYS 4

struct entry {
	uint64_t hash; /* with the kind in it */
	char *key;     /* owned; NULL: free */
	struct judgement *judgement;
	uint32_t length;
	uint8_t kind;
	uint8_t used; /* since the hand came by */
};

struct cache {
	uint64_t seed[2];
	size_t bytes;
	size_t hand; /* the next entry to be looked at for room */
	struct entry entries[SETS * WAYS];
};

/* The two halves of a 128-bit product, folded: the step of wyhash and its kin. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load(const char *bytes, size_t length)
{
	uint64_t word = 0;

	memcpy(&word, bytes, length);
	return word;
}

static uint64_t hash_key(const struct cache *cache, enum cache_kind kind, const char *key,
			 size_t length)
{
	uint64_t state = cache->seed[0] ^ (length << 1 | (uint64_t)kind);
	size_t left = length;

	for (; left >= 16; left -= 16, key += 16)
		state = fold(load(key, 8) ^ cache->seed[1], load(key + 8, 8) ^ state);
	if (left >= 8) {
		state = fold(load(key, 8) ^ cache->seed[1], load(key + 8, left - 8) ^ state);
	} else {
		state = fold(load(key, left) ^ cache->seed[1], state);
	}
	return fold(state ^ cache->seed[0], cache->seed[1] ^ 0x9e3779b97f4a7c15ULL);
}

struct cache *cache_new(const uint64_t seed[2])
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		memcpy(cache->seed, seed, sizeof(cache->seed));
	return cache;
}

static size_t weight(const struct entry *entry)
{
	size_t bytes = entry->length + sizeof(*entry->judgement), i;

	for (i = 0; i < JUDGEMENT_TEXTS; i++)
		bytes += strlen(entry->judgement->text[i]) + 1;
	return bytes;
}

static void drop(struct cache *cache, struct entry *entry)
{
	if (!entry->key)
		return;
	cache->bytes -= weight(entry);
	free(entry->key);
	judgement_release(entry->judgement);
	*entry = (struct entry){0};
}

void cache_free(struct cache *cache)
{
	size_t i;

	if (!cache)
		return;
	for (i = 0; i < SETS * WAYS; i++)
		drop(cache, &cache->entries[i]);
	free(cache);
}

static bool holds(const struct entry *entry, uint64_t hash, enum cache_kind kind, const char *key,
		  size_t length)
{
	return entry->hash == hash && entry->key && entry->kind == (uint8_t)kind &&
	       entry->length == length && memcmp(entry->key, key, length) == 0;
}

struct judgement *cache_find(struct cache *cache, enum cache_kind kind, const char *key,
			     size_t length)
{
	uint64_t hash = hash_key(cache, kind, key, length);
	struct entry *set = &cache->entries[(hash & (SETS - 1)) * WAYS];
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (!holds(&set[i], hash, kind, key, length))
			continue;
		set[i].used = 1;
		return set[i].judgement;
	}
	return NULL;
}

/* The place for a new key: a free one, or one that was not used since the last time. */
static struct entry *place(struct entry *set)
{
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (!set[i].key)
			return &set[i];
	for (i = 0; i < WAYS; i++)
		if (!set[i].used)
			return &set[i];
	for (i = 1; i < WAYS; i++)
		set[i].used = 0;
	return &set[0];
}

void cache_add(struct cache *cache, enum cache_kind kind, const char *key, size_t length,
	       struct judgement *judgement)
{
	uint64_t hash = hash_key(cache, kind, key, length);
	struct entry *set = &cache->entries[(hash & (SETS - 1)) * WAYS], *entry;
	struct entry fresh = {.hash = hash,
			      .length = (uint32_t)length,
			      .kind = (uint8_t)kind,
			      .judgement = judgement};

	if (length > CACHE_KEY_MAX || cache_find(cache, kind, key, length))
		return;
	while (cache->bytes + weight(&fresh) > CACHE_BYTES_MAX) {
		drop(cache, &cache->entries[cache->hand]);
		cache->hand = (cache->hand + 1) % (SETS * WAYS);
	}
	entry = place(set);
	drop(cache, entry);
	/* One more byte: a key of no length has a place too. */
	fresh.key = malloc(length + 1);
	if (!fresh.key)
		return;
	memcpy(fresh.key, key, length);
	(void)judgement_hold(judgement);
	*entry = fresh;
	cache->bytes += weight(entry);
}

size_t cache_bytes(const struct cache *cache)
{
	return cache->bytes;
}
