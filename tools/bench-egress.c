// SPDX-License-Identifier: Apache-2.0
/*
 * make bench-egress, first half: what egress enforcement costs a connect, as ratios of one run. TCP
 * connect over loopback in a network namespace of its own, the ways alternating, the median of
 * ROUNDS each: nothing   no program attached anywhere outside   a task outside, while other cgroups
 * are policed 10, 100k  a task under a policy of so many CIDR rules and what loading, swapping and
 * denying cost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/cgroup.h"
#include "tools/bench.h"

/* Short turns, many of them: what else the machine does falls on all ways alike. */
#define ROUNDS	   180
#define CONNECTS   1000
#define WARM_UP	   100
#define FEW_RULES  10
#define MANY_RULES 100000
#define SWAPS	   50

enum way { WAY_NOTHING, WAY_OUTSIDE, WAY_FEW, WAY_MANY, WAY_DENIED, WAY_COUNT };

static const char *const way_names[WAY_COUNT] = {
	[WAY_NOTHING] = "no policy on the machine",
	[WAY_OUTSIDE] = "outside, others policed",
	[WAY_FEW] = "10 rules",
	[WAY_MANY] = "100,000 rules",
	[WAY_DENIED] = "denied (100,000 rules)",
};

/* ns, of one round */
struct sample {
	double mean; /* of connect(2) */
	double p99;
	double cycle; /* socket, connect, accept, close */
};

struct run {
	struct bench *bench;
	char plain[PATH_MAX], few[PATH_MAX], many[PATH_MAX];
	uint64_t few_id, many_id;
	struct sample samples[WAY_COUNT][ROUNDS];
};

/* ---- one round, in a process of its own ---- */

static int listen_on_loopback(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof(*address)) < 0 ||
	    listen(fd, 128) < 0 || getsockname(fd, (struct sockaddr *)address, &length) < 0)
		bench_die(NULL, "listen");
	return fd;
}

/* Ends without TIME_WAIT, of which a loop would have too many. */
static void reset_and_close(int fd)
{
	const struct linger now = {.l_onoff = 1};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(fd);
}

static double connect_once(int server, const struct sockaddr_in *address, bool denied)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), accepted;
	double before = bench_now_ns(), after;
	int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));

	after = bench_now_ns();
	if (denied ? result == 0 || errno != EPERM : result < 0)
		bench_die(NULL, denied ? "a denied connect was not refused" : "connect");
	reset_and_close(fd);
	accepted = denied ? -1 : accept(server, NULL, NULL);
	if (accepted >= 0)
		(void)close(accepted);
	return after - before;
}

struct turn {
	const char *cgroup;
	bool denied;
};

static void take_turn(void *context, void *result)
{
	static double times[CONNECTS];
	const struct turn *turn = context;
	struct sample *sample = result;
	struct sockaddr_in address;
	struct error error;
	/* The server belongs to no policed cgroup: the client's cost alone is measured. */
	int server = listen_on_loopback(&address);
	double begin;

	if (cgroup_join(turn->cgroup, &error) < 0)
		bench_die(&error, "cgroup");
	if (turn->denied)
		address.sin_addr.s_addr = inet_addr("203.0.113.77");
	for (int i = 0; i < WARM_UP; i++)
		(void)connect_once(server, &address, turn->denied);
	begin = bench_now_ns();
	for (int i = 0; i < CONNECTS; i++)
		times[i] = connect_once(server, &address, turn->denied);
	sample->cycle = (bench_now_ns() - begin) / CONNECTS;
	sample->p99 = bench_quantile(times, CONNECTS, 0.99);
	sample->mean = 0;
	/* The middle nine tenths: what other tasks of the machine took is not connect's. */
	for (int i = CONNECTS / 20; i < CONNECTS - CONNECTS / 20; i++)
		sample->mean += times[i] / (CONNECTS - CONNECTS / 10);
}

static struct sample run_round(const char *cgroup, bool denied)
{
	struct turn turn = {.cgroup = cgroup, .denied = denied};
	struct sample sample;

	bench_turn(take_turn, &turn, &sample, sizeof(sample));
	return sample;
}

/* ---- policies ---- */

/* Rules over distinct prefixes of both families and of several lengths, and the server's address.
 */
static char *make_manifest(size_t rules, size_t *length)
{
	char *text;
	FILE *out = open_memstream(&text, length);
	uint32_t bits = 0x12345678;

	if (!out)
		bench_die(NULL, "memory");
	(void)fprintf(out, "{\"agentpol\":1,\"name\":\"bench\",\"network\":{\"egress\":["
			   "{\"to\":\"127.0.0.1\",\"ports\":[\"1024-65535\"]}");
	for (size_t i = 1; i < rules; i++) {
		bits = bits * 1664525 + 1013904223;
		if (i % 4 == 0)
			(void)fprintf(out, ",{\"to\":\"2001:db8:%x:%x::/64\",\"ports\":[443]}",
				      bits >> 16, (unsigned)(i & 0xffff));
		else if (i % 4 == 1)
			(void)fprintf(out, ",{\"to\":\"%u.%u.%u.0/24\",\"ports\":[443,8443]}",
				      11 + (unsigned)(i >> 16), (unsigned)(i >> 8 & 255),
				      (unsigned)(i & 255));
		else
			(void)fprintf(out, ",{\"to\":\"%u.%u.%u.%u\",\"ports\":[\"8000-8100\"]}",
				      20 + (bits >> 24) % 80, (unsigned)(i >> 8 & 255),
				      (unsigned)(i & 255), bits >> 16 & 255);
	}
	(void)fputs("]}}", out);
	if (fclose(out) != 0)
		bench_die(NULL, "memory");
	return text;
}

/* Its milliseconds. */
static double load(struct run *run, size_t rules, uint64_t *id)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	text = make_manifest(rules, &length);
	return bench_load(run->bench, text, length, id);
}

/* ---- the table ---- */

static double value_of(const struct sample *sample, size_t offset)
{
	double value;

	memcpy(&value, (const char *)sample + offset, sizeof(value));
	return value;
}

static double median(const struct run *run, enum way way, size_t offset)
{
	double values[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		values[i] = value_of(&run->samples[way][i], offset);
	return bench_quantile(values, ROUNDS, 0.5);
}

/* Turn by turn, so that a machine that slows down for a while slows both down. */
static double median_ratio(const struct run *run, enum way way, enum way base, size_t offset)
{
	double values[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		values[i] = value_of(&run->samples[way][i], offset) /
			    value_of(&run->samples[base][i], offset);
	return bench_quantile(values, ROUNDS, 0.5);
}

static void print_row(const struct run *run, enum way way)
{
	const size_t mean = offsetof(struct sample, mean), cycle = offsetof(struct sample, cycle);

	(void)printf("%-26s %9.0f %9.0f %9.0f %9.3f %9.3f\n", way_names[way],
		     median(run, way, mean), median(run, way, offsetof(struct sample, p99)),
		     median(run, way, cycle), median_ratio(run, way, WAY_NOTHING, mean),
		     median_ratio(run, way, WAY_NOTHING, cycle));
}

static void measure_swaps(struct run *run)
{
	struct error error;
	uint64_t cgroup;
	double begin, total = 0;

	if (cgroup_id(run->many, &cgroup, &error) < 0)
		bench_die(&error, "cgroup");
	for (int i = 0; i < SWAPS; i++) {
		begin = bench_now_ns();
		if (enforcer_swap(run->bench->enforcer, cgroup, i % 2 ? run->many_id : run->few_id,
				  &error) < 0)
			bench_die(&error, "swap");
		total += bench_now_ns() - begin;
	}
	(void)printf("swap of a loaded policy: %.1f us\n", total / SWAPS / 1e3);
}

static double map_megabytes(const struct run *run, enum enforcer_map map)
{
	return bench_map_bytes(run->bench, map) / (1 << 20);
}

static void print_memory(const struct run *run)
{
	(void)printf(
		"kernel memory: addresses %.1f MiB, port sets %.1f MiB, denial counts %.1f MiB, "
		"ring %.1f MiB\n",
		map_megabytes(run, MAP_GRANT_OF_ADDRESS), map_megabytes(run, MAP_PORT_SETS),
		map_megabytes(run, MAP_DENIAL_COUNTS), map_megabytes(run, MAP_EVENTS));
}

static void measure_round(struct run *run, int round)
{
	run->samples[WAY_NOTHING][round] = run_round(run->plain, false);
	bench_enrol(run->bench, run->few, run->few_id);
	bench_enrol(run->bench, run->many, run->many_id);
	run->samples[WAY_OUTSIDE][round] = run_round(run->plain, false);
	run->samples[WAY_FEW][round] = run_round(run->few, false);
	run->samples[WAY_MANY][round] = run_round(run->many, false);
	run->samples[WAY_DENIED][round] = run_round(run->many, true);
	/* The last one's stay, for what is measured afterwards. */
	if (round + 1 == ROUNDS)
		return;
	bench_release(run->bench, run->few);
	bench_release(run->bench, run->many);
}

static int run_all(struct bench *bench)
{
	static struct run run;
	double few_ms, many_ms;

	run.bench = bench;
	bench_make_cgroup(bench, "plain", run.plain);
	bench_make_cgroup(bench, "few", run.few);
	bench_make_cgroup(bench, "many", run.many);
	few_ms = load(&run, FEW_RULES, &run.few_id);
	many_ms = load(&run, MANY_RULES, &run.many_id);
	for (int round = 0; round < ROUNDS; round++) {
		bench_progress("TCP connect: round %d of %d", round + 1, ROUNDS);
		measure_round(&run, round);
	}
	bench_progress("%s", "");
	(void)printf("TCP connect over loopback, %d turns of %d, medians, ns; x: turn by turn\n",
		     ROUNDS, CONNECTS);
	(void)printf("%-26s %9s %9s %9s %9s %9s\n", "", "connect", "p99", "cycle", "connect x",
		     "cycle x");
	for (enum way way = 0; way < WAY_COUNT; way++)
		print_row(&run, way);
	(void)printf("100,000 rules / 10 rules:  connect x %.3f\n",
		     median_ratio(&run, WAY_MANY, WAY_FEW, offsetof(struct sample, mean)));
	(void)printf(
		"from manifest text into the kernel: 10 rules %.1f ms, 100,000 rules %.0f ms\n",
		few_ms, many_ms);
	measure_swaps(&run);
	print_memory(&run);
	return STATUS_DONE;
}

int main(void)
{
	return bench_main("bench-egress", run_all);
}
