// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sql/cache.h"
#include "sql/parameter_types.h"

static const uint64_t seed[2] = {0x1234567890abcdefULL, 0xfedcba0987654321ULL};

static struct judgement *make(const char *message)
{
	return judgement_plain(VERDICT_DENY, "42501", "sql-relation", "", message);
}

static void a_verdict_is_found_by_its_whole_key_alone(void **state)
{
	struct cache *cache = cache_new(seed);
	struct judgement *judgement = make("one");

	(void)state;
	assert_non_null(cache);
	cache_add(cache, CACHE_EXACT, "select 1", 8, judgement);
	assert_ptr_equal(cache_find(cache, CACHE_EXACT, "select 1", 8), judgement);
	assert_null(cache_find(cache, CACHE_SHAPE, "select 1", 8));
	assert_null(cache_find(cache, CACHE_EXACT, "select 1", 7));
	assert_null(cache_find(cache, CACHE_EXACT, "select 2", 8));
	assert_null(cache_find(cache, CACHE_EXACT, "", 0));
	cache_add(cache, CACHE_EXACT, "", 0, judgement);
	assert_ptr_equal(cache_find(cache, CACHE_EXACT, "", 0), judgement);
	judgement_release(judgement);
	cache_free(cache);
}

static void it_stays_bounded(void **state)
{
	static char key[4096];
	struct cache *cache = cache_new(seed);
	struct judgement *judgement = make("x");
	unsigned i;

	(void)state;
	assert_non_null(cache);
	memset(key, 'k', sizeof(key));
	for (i = 0; i < 20000; i++) {
		memcpy(key, &i, sizeof(i));
		cache_add(cache, CACHE_EXACT, key, sizeof(key), judgement);
		assert_true(cache_bytes(cache) <= CACHE_BYTES_MAX);
		assert_ptr_equal(cache_find(cache, CACHE_EXACT, key, sizeof(key)), judgement);
	}
	cache_free(cache);
	assert_int_equal(judgement->references, 1);
	judgement_release(judgement);
}

static void what_is_used_stays(void **state)
{
	struct cache *cache = cache_new(seed);
	struct judgement *judgement = make("x");
	char key[16];
	unsigned i;

	(void)state;
	assert_non_null(cache);
	cache_add(cache, CACHE_SHAPE, "hot", 3, judgement);
	for (i = 0; i < 100000; i++) {
		(void)snprintf(key, sizeof(key), "cold %u", i);
		cache_add(cache, CACHE_EXACT, key, strlen(key), judgement);
		assert_non_null(cache_find(cache, CACHE_SHAPE, "hot", 3));
	}
	judgement_release(judgement);
	cache_free(cache);
}

static void types_that_look_names_up_are_not_harmless(void **state)
{
	static const uint32_t harmless[] = {0, 16, 23, 25, 1007, 1043, 1184, 2950, 3802};
	static const uint32_t others[] = {24,	142,  2202, 2205, 2206, 2210,  3734,
					  4089, 4096, 4191, 2249, 2275, 16384, UINT32_MAX};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(harmless); i++)
		assert_true(parameter_type_is_harmless(harmless[i]));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(parameter_type_is_harmless(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_is_found_by_its_whole_key_alone),
		cmocka_unit_test(it_stays_bounded),
		cmocka_unit_test(what_is_used_stays),
		cmocka_unit_test(types_that_look_names_up_are_not_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
