// SPDX-License-Identifier: Apache-2.0
/*
 * make bench-egress, second half: what egress enforcement costs a stream and small datagrams over a
 * veth pair, beside no policy and beside nftables with the same allow-list. The sender is in the
 * cgroup that is judged; the ways take turns, ROUNDS each, and are compared turn by turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "kernel/cgroup.h"
#include "tools/allow-list.h"
#include "tools/bench.h"
#include "tools/load.h"
#include "tools/wire.h"

#define ROUNDS 30

enum guard { GUARD_NOBODY, GUARD_AGENTPOL, GUARD_NFTABLES };

enum way_number {
	WAY_NOTHING,
	WAY_FEW,
	WAY_MANY,
	WAY_NFT_FEW,
	WAY_NFT_MANY,
	WAY_NFT_HASH,
	WAY_COUNT
};

static const struct way {
	const char *name;
	enum guard guard;
	enum allow_shape shape;
	size_t rules;
} ways[WAY_COUNT] = {
	[WAY_NOTHING] = {"no policy", GUARD_NOBODY},
	[WAY_FEW] = {"agentpol, 10 rules", GUARD_AGENTPOL, ALLOW_PREFIXES, 10},
	[WAY_MANY] = {"agentpol, 1,000 rules", GUARD_AGENTPOL, ALLOW_PREFIXES, 1000},
	[WAY_NFT_FEW] = {"nftables, 10 intervals", GUARD_NFTABLES, ALLOW_PREFIXES, 10},
	[WAY_NFT_MANY] = {"nftables, 1,000 intervals", GUARD_NFTABLES, ALLOW_PREFIXES, 1000},
	[WAY_NFT_HASH] = {"nftables, 1,000 addresses", GUARD_NFTABLES, ALLOW_ADDRESSES, 1000},
};

struct run {
	struct bench *bench;
	struct wire wire;
	char sender[PATH_MAX], outside[PATH_MAX];
	uint64_t policies[WAY_COUNT];
	const char *missing[WAY_COUNT]; /* why the way is not possible here */
	struct sample samples[LOAD_COUNT][WAY_COUNT][ROUNDS];
};

static void join(const char *cgroup)
{
	struct error error;

	if (cgroup_join(cgroup, &error) < 0)
		bench_die(&error, "cgroup");
}

/* ---- the ways ---- */

static void put_under(struct run *run, enum way_number way)
{
	if (ways[way].guard == GUARD_AGENTPOL)
		bench_enrol(run->bench, run->sender, run->policies[way]);
	else if (ways[way].guard == GUARD_NFTABLES)
		run->missing[way] = allow_list_load(ways[way].shape, ways[way].rules, run->sender);
}

static void let_go(struct run *run, enum way_number way)
{
	if (ways[way].guard == GUARD_AGENTPOL)
		bench_release(run->bench, run->sender);
	else if (ways[way].guard == GUARD_NFTABLES && !run->missing[way])
		allow_list_unload();
}

/* errno of a datagram to each, 0 where it was accepted. */
struct control {
	const char *cgroup;
	int server, server_2, other;
};

static int try_to_send(const char *text)
{
	const struct sockaddr_in to = wire_address(text);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return sendto(fd, "?", 1, 0, (const struct sockaddr *)&to, sizeof(to)) == 1 ? 0 : errno;
}

static void control_turn(void *context, void *result)
{
	const struct control *asked = context;
	struct control *control = result;

	join(asked->cgroup);
	control->server = try_to_send(WIRE_SERVER);
	control->server_2 = try_to_send(WIRE_SERVER_2);
	control->other = try_to_send(WIRE_OTHER);
}

static struct control control_of(const char *cgroup)
{
	struct control asked = {.cgroup = cgroup}, control = {};

	bench_turn(control_turn, &asked, &control, sizeof(control));
	return control;
}

/* A way that does not refuse what is not granted, or refuses what is, would be measured as
 * something that it is not. */
static void prove_way(struct run *run, enum way_number way)
{
	const bool guarded = ways[way].guard != GUARD_NOBODY;
	struct control inside, outside;

	put_under(run, way);
	if (run->missing[way])
		return;
	inside = control_of(run->sender);
	outside = control_of(run->outside);
	let_go(run, way);
	if (inside.server || inside.server_2 || outside.server || outside.server_2 || outside.other)
		run->missing[way] = "it refuses what is granted, or a task outside";
	else if (inside.other != (guarded ? EPERM : 0))
		run->missing[way] = "it does not refuse what is not granted";
	if (run->missing[way] && ways[way].guard != GUARD_NFTABLES) {
		errno = EINVAL;
		bench_die(NULL, "%s: %s", ways[way].name, run->missing[way]);
	}
}

static void load_policies(struct run *run)
{
	for (enum way_number way = 0; way < WAY_COUNT; way++) {
		_cleanup_free_ char *text = NULL;
		size_t length;

		if (ways[way].guard != GUARD_AGENTPOL)
			continue;
		text = allow_list_manifest(ways[way].shape, ways[way].rules, &length);
		(void)bench_load(run->bench, text, length, &run->policies[way]);
	}
}

/* ---- turns ---- */

struct turn {
	struct run *run;
	const struct load *load;
};

static void take_turn(void *context, void *result)
{
	struct turn *turn = context;

	join(turn->run->sender);
	turn->load->send(&turn->run->wire, result);
}

/* Each round begins with another way, so that none is always the one after a pause. */
static void measure_round(struct run *run, enum load_number load, int round)
{
	struct turn turn = {.run = run, .load = &loads[load]};

	for (int i = 0; i < WAY_COUNT; i++) {
		enum way_number way = (enum way_number)((i + round) % WAY_COUNT);

		if (run->missing[way])
			continue;
		put_under(run, way);
		if (run->missing[way])
			continue;
		bench_turn(take_turn, &turn, &run->samples[load][way][round],
			   sizeof(struct sample));
		let_go(run, way);
	}
}

/* ---- the tables ---- */

static double sample_value(const struct sample *sample, size_t offset)
{
	double value;

	memcpy(&value, (const char *)sample + offset, sizeof(value));
	return value;
}

/* Of the ratios turn by turn, or of the values alone where there is no base. */
static double quantile(const struct sample *samples, const struct sample *base, size_t offset,
		       double share)
{
	double values[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		values[i] = sample_value(&samples[i], offset) /
			    (base ? sample_value(&base[i], offset) : 1);
	return bench_quantile(values, ROUNDS, share);
}

static void print_way(const struct run *run, enum load_number load, enum way_number way)
{
	const struct sample *samples = run->samples[load][way];
	const struct sample *base = run->samples[load][WAY_NOTHING];
	const size_t rate = offsetof(struct sample, rate);

	if (run->missing[way]) {
		(void)printf("%-28s not possible here: %s\n", ways[way].name, run->missing[way]);
		return;
	}
	(void)printf("%-28s %9.2f %8.3f   %.3f to %.3f %8.3f %9.1f\n", ways[way].name,
		     quantile(samples, NULL, rate, 0.5) / loads[load].scale,
		     quantile(samples, base, rate, 0.5), quantile(samples, base, rate, 0.25),
		     quantile(samples, base, rate, 0.75),
		     quantile(samples, base, offsetof(struct sample, cpu), 0.5),
		     100 * quantile(samples, NULL, offsetof(struct sample, arrived), 0.5));
}

static void print_against_nftables(const struct run *run, enum load_number load)
{
	static const enum way_number pairs[][2] = {
		{WAY_FEW, WAY_NFT_FEW}, {WAY_MANY, WAY_NFT_MANY}, {WAY_MANY, WAY_NFT_HASH}};
	const size_t rate = offsetof(struct sample, rate), cpu = offsetof(struct sample, cpu);

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct sample *ours = run->samples[load][pairs[i][0]];
		const struct sample *theirs = run->samples[load][pairs[i][1]];

		if (run->missing[pairs[i][1]])
			continue;
		(void)printf("%s / %s: x %.3f (%.3f to %.3f), CPU x %.3f\n", ways[pairs[i][0]].name,
			     ways[pairs[i][1]].name, quantile(ours, theirs, rate, 0.5),
			     quantile(ours, theirs, rate, 0.25), quantile(ours, theirs, rate, 0.75),
			     quantile(ours, theirs, cpu, 0.5));
	}
}

static void print_load(const struct run *run, enum load_number load)
{
	(void)printf("\n%-28s %9s %8s   %-14s %8s %9s\n", loads[load].name, loads[load].unit, "x",
		     "middle half", "CPU x", "arrived %");
	for (enum way_number way = 0; way < WAY_COUNT; way++)
		print_way(run, load, way);
	print_against_nftables(run, load);
}

static int run_all(struct bench *bench)
{
	static struct run run;

	run.bench = bench;
	wire_up(&run.wire);
	bench_make_cgroup(bench, "sender", run.sender);
	bench_make_cgroup(bench, "outside", run.outside);
	load_policies(&run);
	for (enum way_number way = 0; way < WAY_COUNT; way++)
		prove_way(&run, way);
	for (enum load_number load = 0; load < LOAD_COUNT; load++) {
		for (int round = 0; round < ROUNDS; round++) {
			bench_progress("%s: round %d of %d", loads[load].name, round + 1, ROUNDS);
			measure_round(&run, load, round);
		}
	}
	bench_progress("%s", "");
	(void)printf("\nOver a veth pair, %d turns a way, medians; x and CPU x (the sender's time "
		     "for as much): against no policy, turn by turn\n",
		     ROUNDS);
	for (enum load_number load = 0; load < LOAD_COUNT; load++)
		print_load(&run, load);
	return STATUS_DONE;
}

int main(void)
{
	return bench_main("bench-throughput", run_all);
}
