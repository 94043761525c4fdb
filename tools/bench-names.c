// SPDX-License-Identifier: Apache-2.0
/*
 * make bench-names: what host names cost, as ratios of one run. A small world of 10 names and 10
 * learnt addresses and a large one of 5,000 and 100,000, each in tables of its own; the same 10 of
 * them are spoken to in both, and all of them in turn. Then how long loading takes, and the kernel
 * memory of each table.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "kernel/tables.h"
#include "tools/bench.h"
#include "tools/exchange.h"
#include "tools/named.h"

#define ROUNDS	       60
#define LOADS	       9
#define FEW_NAMES      10
#define FEW_ADDRESSES  10
#define MANY_NAMES     5000
#define MANY_ADDRESSES 100000
#define WAYS_MAX       7

enum world_number { WORLD_NONE, WORLD_RULE, WORLD_FEW, WORLD_MANY, WORLD_COUNT };

/* `none`: no policy on the machine; `rule`: one that grants no name. */
static const struct {
	const char *cgroup;
	size_t names, addresses;
} worlds[WORLD_COUNT] = {
	[WORLD_NONE] = {"none", 0, 0},
	[WORLD_RULE] = {"rule", 0, 0},
	[WORLD_FEW] = {"few", FEW_NAMES, FEW_ADDRESSES},
	[WORLD_MANY] = {"many", MANY_NAMES, MANY_ADDRESSES},
};

enum target {
	TO_FREE_PORT,  /* opened by names, "sni": "ignore" */
	TO_HELLO_PORT, /* opened by names for TLS with their server name */
	TO_RULE,       /* opened by a rule for the address */
};

struct way {
	const char *name;
	enum world_number world;
	bool all; /* of the large world's names and addresses are spoken to, not 10 */
	int base; /* the way that it is compared with */
	enum target to;
};

/* clang-format off */
#define COMMON_WAYS(to)                                                  \
	{"no policy", WORLD_NONE, false, 0, to},                         \
	{"no policy, all", WORLD_NONE, true, 1, to},                     \
	{"10 names, 10 addresses", WORLD_FEW, false, 0, to},             \
	{"5,000 names, 100,000 addresses", WORLD_MANY, false, 0, to},    \
	{"5,000 names, 100,000 addresses, all", WORLD_MANY, true, 1, to}
/* clang-format on */
#define SMALL_WAY 2
#define LARGE_WAY 3

/* A part of the benchmark: ways that take turns, those without a policy first. */
static const struct part {
	const char *title;
	enum exchange_kind kind;
	bool grows; /* has ways with a small and a large world */
	struct way ways[WAYS_MAX];
} parts[] = {
	{"DNS question and answer, UDP", EXCHANGE_QUESTION, true, {COMMON_WAYS(TO_FREE_PORT)}},
	{"TCP connect",
	 EXCHANGE_CONNECT,
	 true,
	 {COMMON_WAYS(TO_FREE_PORT),
	  {"an address rule beside 5,000 names", WORLD_MANY, false, 0, TO_RULE},
	  {"an address rule, no names", WORLD_RULE, false, 0, TO_RULE}}},
	{"TCP connect and ClientHello of 517 B",
	 EXCHANGE_HELLO,
	 true,
	 {COMMON_WAYS(TO_HELLO_PORT),
	  {"the same, \"sni\": \"ignore\"", WORLD_MANY, false, 0, TO_FREE_PORT},
	  {"an address rule, no names", WORLD_RULE, false, 0, TO_RULE}}},
	{"64 B on a connection that has greeted",
	 EXCHANGE_SEND,
	 false,
	 {{"no policy", WORLD_NONE, false, 0, TO_HELLO_PORT},
	  {"an address rule, no names", WORLD_RULE, false, 1, TO_RULE},
	  {"an address rule beside 5,000 names", WORLD_MANY, false, 1, TO_RULE},
	  {"a name, \"sni\": \"ignore\"", WORLD_MANY, false, 1, TO_FREE_PORT},
	  {"a name, greeted with it", WORLD_MANY, false, 1, TO_HELLO_PORT}}},
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

struct run {
	/* Of each world: its enforcer, cgroup and policy. */
	struct bench benches[WORLD_COUNT];
	char cgroups[WORLD_COUNT][PATH_MAX];
	uint64_t policies[WORLD_COUNT];
	double times[WAYS_MAX][ROUNDS]; /* ns, of the part that is measured */
};

/* ---- turns ---- */

struct turn {
	enum exchange_kind kind;
	struct exchange exchange;
};

static void take_turn(void *context, void *result)
{
	const struct turn *turn = context;

	*(double *)result = exchange_measure(turn->kind, &turn->exchange);
}

static double run_turn(const struct run *run, const struct part *part, const struct way *way,
		       int round)
{
	struct turn turn = {
		.kind = part->kind,
		.exchange = {.cgroup = run->cgroups[way->world],
			     .names = way->all ? MANY_NAMES : FEW_NAMES,
			     .addresses = way->all ? MANY_ADDRESSES : FEW_ADDRESSES,
			     .start = (size_t)round * 2000,
			     .port = way->to == TO_FREE_PORT ? NAMED_FREE_PORT : NAMED_HELLO_PORT,
			     .by_address = way->to == TO_RULE}};
	double time;

	bench_turn(take_turn, &turn, &time, sizeof(time));
	return time;
}

static void put_under(struct run *run)
{
	for (enum world_number world = WORLD_RULE; world < WORLD_COUNT; world++)
		bench_enrol(&run->benches[world], run->cgroups[world], run->policies[world]);
}

static void let_go(struct run *run)
{
	for (enum world_number world = WORLD_RULE; world < WORLD_COUNT; world++)
		bench_release(&run->benches[world], run->cgroups[world]);
}

/* First without a policy on the machine, then the others, each round beginning with another one. */
static void measure_round(struct run *run, const struct part *part, int round)
{
	int count = 0, free_of_policy = 0;

	while (count < WAYS_MAX && part->ways[count].name)
		free_of_policy += part->ways[count++].world == WORLD_NONE;
	for (int i = 0; i < free_of_policy; i++)
		run->times[i][round] = run_turn(run, part, &part->ways[i], round);
	put_under(run);
	for (int i = free_of_policy; i < count; i++) {
		int way = free_of_policy + (i + round) % (count - free_of_policy);

		run->times[way][round] = run_turn(run, part, &part->ways[way], round);
	}
	let_go(run);
}

/* Of the ratios turn by turn, or of the values alone where there is no base. */
static double quantile(const double *times, const double *base, double share)
{
	double values[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		values[i] = times[i] / (base ? base[i] : 1);
	return bench_quantile(values, ROUNDS, share);
}

static void print_ratio(const double *times, const double *base)
{
	(void)printf(" %8.3f   %.3f to %.3f", quantile(times, base, 0.5),
		     quantile(times, base, 0.25), quantile(times, base, 0.75));
}

static void print_part(const struct run *run, const struct part *part)
{
	(void)printf("\n%-38s %8s %8s   %s\n", part->title, "ns", "x", "middle half");
	for (int i = 0; i < WAYS_MAX && part->ways[i].name; i++) {
		(void)printf("%-38s %8.0f", part->ways[i].name, quantile(run->times[i], NULL, 0.5));
		print_ratio(run->times[i], run->times[part->ways[i].base]);
		(void)printf("\n");
	}
	if (!part->grows)
		return;
	(void)printf("%-38s %8s", "5,000 and 100,000 against 10 and 10", "");
	print_ratio(run->times[LARGE_WAY], run->times[SMALL_WAY]);
	(void)printf("\n");
}

static void measure_part(struct run *run, const struct part *part)
{
	for (int round = 0; round < ROUNDS; round++) {
		bench_progress("%s: round %d of %d", part->title, round + 1, ROUNDS);
		measure_round(run, part, round);
	}
	bench_progress("%s", "");
	print_part(run, part);
}

/* ---- worlds ---- */

struct asking {
	const char *cgroup;
	size_t names, addresses;
};

static void ask_turn(void *context, void *result)
{
	const struct asking *asking = context;

	exchange_ask_all(asking->cgroup, asking->names, asking->addresses);
	*(char *)result = 1;
}

static void prove_turn(void *context, void *result)
{
	exchange_prove(context);
	*(char *)result = 1;
}

static double load(struct run *run, enum world_number world)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	text = named_manifest(worlds[world].names, &length);
	return bench_load(&run->benches[world], text, length, &run->policies[world]);
}

/* The answers go through the kernel's programs, as they do in life. */
static void make_worlds(struct run *run)
{
	char done;

	for (enum world_number world = WORLD_NONE; world < WORLD_COUNT; world++)
		bench_make_cgroup(&run->benches[world], worlds[world].cgroup, run->cgroups[world]);
	put_under(run);
	for (enum world_number world = WORLD_FEW; world < WORLD_COUNT; world++) {
		struct asking asking = {run->cgroups[world], worlds[world].names,
					worlds[world].addresses};

		bench_turn(ask_turn, &asking, &done, sizeof(done));
		bench_turn(prove_turn, run->cgroups[world], &done, sizeof(done));
	}
	let_go(run);
}

/* ---- loading ---- */

/* Sorts them. */
static void print_milliseconds(const char *what, double *values)
{
	const double median = bench_quantile(values, LOADS, 0.5);

	(void)printf("%-38s %8.1f ms (%.1f to %.1f)\n", what, median, values[0], values[LOADS - 1]);
}

static void print_load_times(struct run *run)
{
	double times[WORLD_COUNT][LOADS];

	for (int i = 0; i < LOADS; i++)
		for (enum world_number world = WORLD_FEW; world < WORLD_COUNT; world++) {
			if (i > 0)
				tables_retire(run->benches[world].enforcer, run->policies[world]);
			times[world][i] = load(run, world);
			tables_sweep(run->benches[world].enforcer);
		}
	(void)load(run, WORLD_RULE);
	print_milliseconds("manifest text to kernel, 10 names", times[WORLD_FEW]);
	print_milliseconds("manifest text to kernel, 5,000 names", times[WORLD_MANY]);
}

/* Leaves the last one open: the small world's. */
static void print_program_times(struct run *run)
{
	double times[2][LOADS];

	for (int i = 0; i < LOADS; i++)
		for (int without_names = 1; without_names >= 0; without_names--) {
			struct bench *bench = &run->benches[WORLD_FEW];
			double begin = bench_now_ns();

			bench->enforcer =
				bench_open_second(&run->benches[WORLD_MANY], without_names);
			times[without_names][i] = (bench_now_ns() - begin) / 1e6;
			if (i + 1 < LOADS || without_names)
				enforcer_close(bench->enforcer);
		}
	print_milliseconds("loading the programs, without names", times[true]);
	print_milliseconds("loading the programs, with names", times[false]);
}

/* ---- memory ---- */

static void print_memory(const struct run *run)
{
	static const struct {
		const char *name;
		enum enforcer_map map;
	} maps[] = {
		{"names", MAP_RULES_OF_NAME},
		{"what they open", MAP_NAME_GRANTS},
		{"learnt addresses", MAP_LEARNT_OF_ADDRESS},
		{"learnt names of addresses", MAP_LEARNT_NAME},
		{"texts of names", MAP_TEXT_OF_NAME},
		{"questions (cache)", MAP_QUESTIONS},
		{"names lately asked for (cache)", MAP_ASKED_NAMES},
		{"UDP peers (cache)", MAP_UDP_PEERS},
		{"budgets", MAP_BUDGETS},
		{"lists of budgets", MAP_BUDGET_LISTS},
		{"traffic", MAP_TRAFFIC_OF_DESTINATION},
		{"workbenches", MAP_WORKBENCHES},
		{"errands (ring)", MAP_ERRANDS},
	};
	double few, many, few_sum = 0, many_sum = 0;

	(void)printf("\n%-38s %8s %8s\n", "kernel memory, KiB", "10/10", "5k/100k");
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		few = bench_map_bytes(&run->benches[WORLD_FEW], maps[i].map) / 1024;
		many = bench_map_bytes(&run->benches[WORLD_MANY], maps[i].map) / 1024;
		(void)printf("%-38s %8.0f %8.0f\n", maps[i].name, few, many);
		few_sum += few;
		many_sum += many;
	}
	(void)printf("%-38s %8.0f %8.0f\n", "together", few_sum, many_sum);
}

static int run_all(struct bench *bench)
{
	static struct run run;

	for (enum world_number world = WORLD_NONE; world < WORLD_COUNT; world++)
		run.benches[world] = *bench;
	named_route();
	(void)printf("%d turns a way, medians; x: turn by turn\n", ROUNDS);
	print_program_times(&run);
	print_load_times(&run);
	make_worlds(&run);
	for (size_t i = 0; i < PART_COUNT; i++)
		measure_part(&run, &parts[i]);
	print_memory(&run);
	return STATUS_DONE;
}

int main(void)
{
	return bench_main("bench-names", run_all);
}
