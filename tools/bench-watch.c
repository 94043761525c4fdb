// SPDX-License-Identifier: Apache-2.0
/*
 * What watching one live cgroup costs every task of the machine, and those inside: nanoseconds of a
 * call, the least of many rounds, with and without the tracing programs attached, in turns.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/cgroup.h"
#include "tools/bench.h"

#define TURNS  60
#define ROUNDS 200 /* a turn */
#define CALLS  500 /* a round */

static const char manifest[] =
	"{\"agentpol\":1,\"name\":\"bench\",\"process\":{\"syscalls\":{\"deny\":[\"@escape\","
	"\"@mount\",\"@module\",\"@reboot\",\"@swap\",\"@clock\",\"@keyring\",\"@raw-io\"]}}}";

/* ---- the calls ---- */

static void get_parent(void)
{
	(void)syscall(SYS_getppid);
}

static void open_and_close(void)
{
	const int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bench_die(NULL, "/etc/passwd");
	(void)close(fd);
}

static const struct operation {
	const char *name;
	void (*run)(void);
} operations[] = {
	{"getppid", get_parent},
	{"open and close", open_and_close},
};

#define OPERATIONS ARRAY_SIZE(operations)

/* ---- the ways ---- */

struct way {
	const char *name;
	bool watched; /* a cgroup is */
	bool inside;  /* of it */
};

static const struct way ways[] = {
	{"nobody is watched", false, false},
	{"outside, while others are", true, false},
	{"inside", true, true},
};

#define WAYS ARRAY_SIZE(ways)

struct turn {
	const struct way *way;
	const char *cgroup;
};

struct costs {
	double ns[OPERATIONS];
};

static double measure_round(void (*run)(void))
{
	const double start = bench_now_ns();

	for (int i = 0; i < CALLS; i++)
		run();
	return (bench_now_ns() - start) / CALLS;
}

static void take_turn(void *context, void *result)
{
	const struct turn *turn = context;
	struct costs *costs = result;
	struct error error;

	if (turn->way->inside && cgroup_join(turn->cgroup, &error) < 0)
		bench_die(&error, "join");
	for (size_t i = 0; i < OPERATIONS; i++) {
		double least = measure_round(operations[i].run);

		for (int round = 1; round < ROUNDS; round++) {
			const double ns = measure_round(operations[i].run);

			least = ns < least ? ns : least;
		}
		costs->ns[i] = least;
	}
}

static void take_turns(struct bench *bench, const char *cgroup, uint64_t policy,
		       double least[WAYS][OPERATIONS])
{
	for (int n = 0; n < TURNS * (int)WAYS; n++) {
		const struct way *way = &ways[(size_t)n % WAYS];
		struct turn turn = {way, cgroup};
		struct costs costs;

		bench_progress("turn %d of %d", n / (int)WAYS + 1, TURNS);
		if (way->watched)
			bench_enrol(bench, cgroup, policy);
		bench_turn(take_turn, &turn, &costs, sizeof(costs));
		if (way->watched)
			bench_release(bench, cgroup);
		for (size_t i = 0; i < OPERATIONS; i++)
			if (n < (int)WAYS || costs.ns[i] < least[n % (int)WAYS][i])
				least[n % (int)WAYS][i] = costs.ns[i];
	}
	bench_progress("%s", "");
}

static int run(struct bench *bench)
{
	double least[WAYS][OPERATIONS] = {0};
	char cgroup[PATH_MAX];
	uint64_t policy;

	if (!enforcer_can_watch(bench->enforcer)) {
		(void)puts("nothing is watched here: the LSM is asked, or the kernel is too old");
		return 0;
	}
	(void)bench_load(bench, manifest, strlen(manifest), &policy);
	bench_make_cgroup(bench, "watched", cgroup);
	take_turns(bench, cgroup, policy | POLICY_WORD(0, POLICY_WATCH), least);
	(void)printf("%-28s", "ns, the least of all rounds");
	for (size_t i = 0; i < OPERATIONS; i++)
		(void)printf("%16s        +", operations[i].name);
	(void)puts("");
	for (size_t way = 0; way < WAYS; way++) {
		(void)printf("%-28s", ways[way].name);
		for (size_t i = 0; i < OPERATIONS; i++)
			(void)printf("%16.1f %8.1f", least[way][i], least[way][i] - least[0][i]);
		(void)puts("");
	}
	return 0;
}

int main(void)
{
	return bench_main("bench-watch", run);
}
