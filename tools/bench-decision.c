// SPDX-License-Identifier: Apache-2.0
/*
 * make bench-sql, second half: what one verdict costs. A hit by a statement's bytes, a hit by its
 * shape, and a miss: parsed, walked and judged, as the parser does it. CPU time; medians of turns.
 */
#include <string.h>
#include <time.h>

#include "manifest/manifest.h"
#include "sql/cache.h"
#include "sql/decision.h"
#include "sql/shape.h"
#include "tools/bench.h"

#define TURNS	 31
#define HITS	 20000
#define MISSES	 400
#define CACHED	 1000 /* other statements in the cache */
#define TEXT_MAX 1024

static const char manifest[] =
	"{\"agentpol\": 1, \"name\": \"bench\", \"tools\": {\"q\": {\"effect\": \"read\", \"sql\": "
	"{\"engine\": \"postgresql\", \"server\": \"127.0.0.1:5432\", \"allow\": [{\"select\": "
	"[\"accounts\", \"orders\", \"items\", \"products\", \"regions\", "
	"\"customers(id, name, region)\"]}]}}}}";

static const char snapshot[] =
	"{\"version\": 1, \"relations\": ["
	"{\"schema\": \"public\", \"name\": \"accounts\", \"kind\": \"r\", \"columns\": [\"aid\", "
	"\"abalance\"]},"
	"{\"schema\": \"public\", \"name\": \"customers\", \"kind\": \"r\", \"columns\": [\"id\", "
	"\"name\", \"region\", \"card\"]},"
	"{\"schema\": \"public\", \"name\": \"items\", \"kind\": \"r\", \"columns\": [\"oid\", "
	"\"product\", \"price\", \"discount\"]},"
	"{\"schema\": \"public\", \"name\": \"orders\", \"kind\": \"r\", \"columns\": [\"id\", "
	"\"customer\", \"placed\"]},"
	"{\"schema\": \"public\", \"name\": \"products\", \"kind\": \"r\", \"columns\": [\"id\", "
	"\"label\"]},"
	"{\"schema\": \"public\", \"name\": \"regions\", \"kind\": \"r\", \"columns\": [\"id\", "
	"\"title\"]}], \"functions\": [], \"operators\": []}";

static const struct {
	const char *label, *text;
} statements[] = {
	{"pgbench's select", "SELECT abalance FROM accounts WHERE aid = 48151;"},
	{"a join of five tables",
	 "SELECT r.title, p.label, sum(i.price * (1 - i.discount)) AS revenue FROM orders o "
	 "JOIN customers c ON c.id = o.customer JOIN items i ON i.oid = o.id "
	 "JOIN products p ON p.id = i.product JOIN regions r ON r.id = c.region "
	 "WHERE o.placed >= '2026-01-01' AND o.placed < '2026-04-01' AND c.name LIKE 'A%' "
	 "GROUP BY r.title, p.label HAVING count(*) > 3 ORDER BY revenue DESC LIMIT 20"},
};

struct work {
	struct sql_subject subject;
	struct cache *cache;
	const char *text;
	size_t length;
};

static double cpu_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void hit_exact(const struct work *work)
{
	if (!cache_find(work->cache, CACHE_EXACT, work->text, work->length))
		bench_die(NULL, "no verdict by the bytes of: %s", work->text);
}

static void hit_shape(const struct work *work)
{
	char shape[TEXT_MAX];
	size_t length;

	if (!sql_shape(work->text, work->length, shape, sizeof(shape), &length) ||
	    !cache_find(work->cache, CACHE_SHAPE, shape, length))
		bench_die(NULL, "no verdict by the shape of: %s", work->text);
}

static void miss(const struct work *work)
{
	struct arena *arena = arena_new();
	struct sql_decision decision;

	if (!arena)
		bench_die(NULL, "out of memory");
	sql_decide(&work->subject, work->text, work->length, arena, &decision);
	if (decision.verdict.kind != VERDICT_ALLOW || decision.literals_decide)
		bench_die(NULL, "%s: %s", work->text, decision.verdict.message);
	arena_free(arena);
}

static double measure(void (*run)(const struct work *work), const struct work *work, size_t times)
{
	double values[TURNS];

	for (size_t turn = 0; turn < TURNS; turn++) {
		const double begin = cpu_now_ns();

		for (size_t i = 0; i < times; i++)
			run(work);
		values[turn] = (cpu_now_ns() - begin) / (double)times / 1000;
	}
	return bench_quantile(values, TURNS, 0.5);
}

/* The statement's verdict under both keys, among many others. */
static struct cache *fill_cache(const char *text, size_t length)
{
	const uint64_t seed[2] = {0x9e3779b97f4a7c15ULL, 0xd1b54a32d192ed03ULL};
	struct cache *cache = cache_new(seed);
	struct judgement *judgement = judgement_new(VERDICT_ALLOW, SQL_STATEMENT_QUERY,
						    (const char *[JUDGEMENT_TEXTS]){0});
	char shape[TEXT_MAX];
	size_t shape_length;

	if (!cache || !judgement || !sql_shape(text, length, shape, sizeof(shape), &shape_length))
		bench_die(NULL, "the cache can't be filled");
	for (size_t i = 0; i < CACHED; i++) {
		char other[64];
		const int other_length =
			snprintf(other, sizeof(other), "SELECT abalance FROM accounts_%zu", i);

		cache_add(cache, CACHE_EXACT, other, (size_t)other_length, judgement);
	}
	cache_add(cache, CACHE_EXACT, text, length, judgement);
	cache_add(cache, CACHE_SHAPE, shape, shape_length, judgement);
	judgement_release(judgement);
	return cache;
}

int main(void)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	_cleanup_sql_catalog_ struct sql_catalog *catalog = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	struct work work = {.subject = {.pointer = "/tools/q/sql"}};
	struct error error;

	diagnostics_init(&diagnostics, "bench");
	policy = manifest_read_text(manifest, strlen(manifest), &diagnostics);
	catalog = sql_catalog_read(snapshot, strlen(snapshot), &error);
	if (!policy || !catalog)
		bench_die(catalog ? NULL : &error, "the manifest or the snapshot is unusable");
	work.subject.policy = policy->tools[0].sql;
	work.subject.catalog = catalog;
	(void)printf("\n%-28s %12s %12s %12s   (us of CPU a statement)\n", "a verdict on",
		     "same bytes", "same shape", "new");
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		work.text = statements[i].text;
		work.length = strlen(work.text);
		work.cache = fill_cache(work.text, work.length);
		(void)printf("%-28s %12.2f %12.2f %12.1f\n", statements[i].label,
			     measure(hit_exact, &work, HITS), measure(hit_shape, &work, HITS),
			     measure(miss, &work, MISSES));
		cache_free(work.cache);
	}
	return 0;
}
