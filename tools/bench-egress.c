// SPDX-License-Identifier: Apache-2.0
/*
 * make bench-egress: what egress enforcement costs, as ratios of one run. TCP connect over loopback
 * in a network namespace of its own, the ways alternating, the median of ROUNDS each:
 *   nothing   no program attached anywhere
 *   outside   a task outside, while other cgroups are policed
 *   10, 100k  a task under a policy of so many CIDR rules
 * and what loading, swapping and denying cost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "compile/image.h"
#include "kernel/cgroup.h"
#include "kernel/enforcer.h"
#include "kernel/tables.h"
#include "manifest/manifest.h"

/* Short turns, many of them: what else the machine does falls on all ways alike. */
#define ROUNDS	       180
#define CONNECTS       1000
#define WARM_UP	       100
#define FEW_RULES      10
#define MANY_RULES     100000
#define SWAPS	       50
#define END_TIMEOUT_MS 2000
#define PIN_ROOT       PIN_ROOT_DEFAULT "-bench"

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

struct bench {
	struct enforcer *enforcer;
	char plain[PATH_MAX], few[PATH_MAX], many[PATH_MAX];
	uint64_t few_id, many_id;
	struct sample samples[WAY_COUNT][ROUNDS];
};

static void die(const char *what, const struct error *error)
{
	(void)fprintf(stderr, "bench-egress: %s: %s\n", what,
		      error ? error->text : strerror(errno));
	exit(error ? (int)error->status : STATUS_SYSTEM);
}

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- one round, in a process of its own ---- */

static int listen_on_loopback(struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof(*address)) < 0 ||
	    listen(fd, 128) < 0 || getsockname(fd, (struct sockaddr *)address, &length) < 0)
		die("listen", NULL);
	return fd;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
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
	double before = now_ns(), after;
	int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));

	after = now_ns();
	if (denied ? result == 0 || errno != EPERM : result < 0)
		die(denied ? "a denied connect was not refused" : "connect", NULL);
	reset_and_close(fd);
	accepted = denied ? -1 : accept(server, NULL, NULL);
	if (accepted >= 0)
		(void)close(accepted);
	return after - before;
}

static void measure(const char *cgroup, bool denied, struct sample *sample)
{
	static double times[CONNECTS];
	struct sockaddr_in address;
	struct error error;
	/* The server belongs to no policed cgroup: the client's cost alone is measured. */
	int server = listen_on_loopback(&address);
	double begin;

	if (cgroup_join(cgroup, &error) < 0)
		die("cgroup", &error);
	if (denied)
		address.sin_addr.s_addr = inet_addr("203.0.113.77");
	for (int i = 0; i < WARM_UP; i++)
		(void)connect_once(server, &address, denied);
	begin = now_ns();
	for (int i = 0; i < CONNECTS; i++)
		times[i] = connect_once(server, &address, denied);
	sample->cycle = (now_ns() - begin) / CONNECTS;
	qsort(times, CONNECTS, sizeof(times[0]), compare_doubles);
	sample->mean = 0;
	/* The middle nine tenths: what other tasks of the machine took is not connect's. */
	for (int i = CONNECTS / 20; i < CONNECTS - CONNECTS / 20; i++)
		sample->mean += times[i] / (CONNECTS - CONNECTS / 10);
	sample->p99 = times[CONNECTS * 99 / 100];
}

static struct sample run_round(const char *cgroup, bool denied)
{
	struct sample sample;
	int pipes[2], status;
	cpu_set_t cpu;
	pid_t child;

	if (pipe(pipes) < 0)
		die("pipe", NULL);
	child = fork();
	if (child == 0) {
		CPU_ZERO(&cpu);
		CPU_SET(0, &cpu);
		(void)sched_setaffinity(0, sizeof(cpu), &cpu);
		measure(cgroup, denied, &sample);
		_exit(write(pipes[1], &sample, sizeof(sample)) == sizeof(sample) ? 0 : 1);
	}
	(void)close(pipes[1]);
	if (child < 0 || read(pipes[0], &sample, sizeof(sample)) != sizeof(sample) ||
	    waitpid(child, &status, 0) < 0 || status != 0)
		die("a round", NULL);
	(void)close(pipes[0]);
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
		die("memory", NULL);
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
		die("memory", NULL);
	return text;
}

/* Text to tables in force; its milliseconds. */
static double load(struct bench *bench, size_t rules, uint64_t *id)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	_cleanup_free_ char *text = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_image_ struct image *image = NULL;
	struct error error;
	size_t length;
	double begin;

	text = make_manifest(rules, &length);
	diagnostics_init(&diagnostics, "bench");
	begin = now_ns();
	policy = manifest_read_text(text, length, &diagnostics);
	if (!policy) {
		diagnostics_print_text(&diagnostics, stderr);
		exit(STATUS_UNUSABLE);
	}
	image = image_new(policy, NULL, NULL, &error);
	if (!image || tables_load(bench->enforcer, image, id, &error) < 0)
		die("load", &error);
	return (now_ns() - begin) / 1e6;
}

static void enrol(struct bench *bench, const char *cgroup, uint64_t id)
{
	struct error error;

	if (enforcer_enrol(bench->enforcer, cgroup, id, &error) < 0)
		die("enrol", &error);
}

static void release(struct bench *bench, const char *cgroup)
{
	struct error error;
	uint64_t id;

	if (cgroup_id(cgroup, &id, &error) < 0 || enforcer_release(bench->enforcer, id, &error) < 0)
		die("release", &error);
}

static void set_up(struct bench *bench)
{
	const struct enforcer_options options = {.pin_root = PIN_ROOT, .port_sets = 64};
	char mount[PATH_MAX];
	struct error error;

	if (unshare(CLONE_NEWNET) < 0 || system("ip link set lo up") != 0)
		die("a network namespace needs root", NULL);
	if (cgroup_find_mount(mount, &error) < 0 ||
	    file_path(bench->plain, &error, "%s/agentpol-bench/plain", mount) < 0 ||
	    file_path(bench->few, &error, "%s/agentpol-bench/few", mount) < 0 ||
	    file_path(bench->many, &error, "%s/agentpol-bench/many", mount) < 0 ||
	    cgroup_create(bench->plain, &error) < 0 || cgroup_create(bench->few, &error) < 0 ||
	    cgroup_create(bench->many, &error) < 0)
		die("cgroups", &error);
	bench->enforcer = enforcer_open(&options, &error);
	if (!bench->enforcer)
		die("enforcer", &error);
}

static void tear_down(struct bench *bench)
{
	char mount[PATH_MAX / 2], top[PATH_MAX];
	struct error error;

	enforcer_close(bench->enforcer);
	(void)!enforcer_unpin_all(PIN_ROOT, &error);
	if (cgroup_find_mount(mount, &error) == 0) {
		(void)snprintf(top, sizeof(top), "%s/agentpol-bench", mount);
		(void)!cgroup_end(top, END_TIMEOUT_MS);
	}
}

/* ---- the table ---- */

static double value_of(const struct sample *sample, size_t offset)
{
	double value;

	memcpy(&value, (const char *)sample + offset, sizeof(value));
	return value;
}

static double middle(double *values)
{
	qsort(values, ROUNDS, sizeof(values[0]), compare_doubles);
	return values[ROUNDS / 2];
}

static double median(const struct bench *bench, enum way way, size_t offset)
{
	double values[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		values[i] = value_of(&bench->samples[way][i], offset);
	return middle(values);
}

/* Turn by turn, so that a machine that slows down for a while slows both down. */
static double median_ratio(const struct bench *bench, enum way way, enum way base, size_t offset)
{
	double values[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++)
		values[i] = value_of(&bench->samples[way][i], offset) /
			    value_of(&bench->samples[base][i], offset);
	return middle(values);
}

static void print_row(const struct bench *bench, enum way way)
{
	const size_t mean = offsetof(struct sample, mean), cycle = offsetof(struct sample, cycle);

	(void)printf("%-26s %9.0f %9.0f %9.0f %9.3f %9.3f\n", way_names[way],
		     median(bench, way, mean), median(bench, way, offsetof(struct sample, p99)),
		     median(bench, way, cycle), median_ratio(bench, way, WAY_NOTHING, mean),
		     median_ratio(bench, way, WAY_NOTHING, cycle));
}

static void measure_swaps(struct bench *bench)
{
	struct error error;
	uint64_t cgroup;
	double begin, total = 0;

	if (cgroup_id(bench->many, &cgroup, &error) < 0)
		die("cgroup", &error);
	for (int i = 0; i < SWAPS; i++) {
		begin = now_ns();
		if (enforcer_swap(bench->enforcer, cgroup, i % 2 ? bench->many_id : bench->few_id,
				  &error) < 0)
			die("swap", &error);
		total += now_ns() - begin;
	}
	(void)printf("swap of a loaded policy: %.1f us\n", total / SWAPS / 1e3);
}

/* What the kernel charges for a map; "memlock:" of its fdinfo. */
static double map_megabytes(const struct bench *bench, enum enforcer_map map)
{
	char path[64], line[128];
	_cleanup_fclose_ FILE *file = NULL;
	unsigned long long bytes = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		       enforcer_map_fd(bench->enforcer, map));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		(void)sscanf(line, "memlock: %llu", &bytes);
	return (double)bytes / (1 << 20);
}

static void print_memory(const struct bench *bench)
{
	(void)printf(
		"kernel memory: addresses %.1f MiB, port sets %.1f MiB, denial counts %.1f MiB, "
		"ring %.1f MiB\n",
		map_megabytes(bench, MAP_GRANT_OF_ADDRESS), map_megabytes(bench, MAP_PORT_SETS),
		map_megabytes(bench, MAP_DENIAL_COUNTS), map_megabytes(bench, MAP_EVENTS));
}

int main(void)
{
	static struct bench bench;
	const bool terminal = isatty(STDERR_FILENO);
	double few_ms, many_ms;

	set_up(&bench);
	few_ms = load(&bench, FEW_RULES, &bench.few_id);
	many_ms = load(&bench, MANY_RULES, &bench.many_id);
	for (int round = 0; round < ROUNDS; round++) {
		if (terminal)
			(void)fprintf(stderr, "\rround %d of %d", round + 1, ROUNDS);
		bench.samples[WAY_NOTHING][round] = run_round(bench.plain, false);
		enrol(&bench, bench.few, bench.few_id);
		enrol(&bench, bench.many, bench.many_id);
		bench.samples[WAY_OUTSIDE][round] = run_round(bench.plain, false);
		bench.samples[WAY_FEW][round] = run_round(bench.few, false);
		bench.samples[WAY_MANY][round] = run_round(bench.many, false);
		bench.samples[WAY_DENIED][round] = run_round(bench.many, true);
		if (round + 1 < ROUNDS) {
			release(&bench, bench.few);
			release(&bench, bench.many);
		}
	}
	if (terminal)
		(void)fputs("\r\033[K", stderr);
	(void)printf("TCP connect over loopback, %d turns of %d, medians, ns; x: turn by turn\n",
		     ROUNDS, CONNECTS);
	(void)printf("%-26s %9s %9s %9s %9s %9s\n", "", "connect", "p99", "cycle", "connect x",
		     "cycle x");
	for (enum way way = 0; way < WAY_COUNT; way++)
		print_row(&bench, way);
	(void)printf("100,000 rules / 10 rules:  connect x %.3f\n",
		     median_ratio(&bench, WAY_MANY, WAY_FEW, offsetof(struct sample, mean)));
	(void)printf(
		"from manifest text into the kernel: 10 rules %.1f ms, 100,000 rules %.0f ms\n",
		few_ms, many_ms);
	measure_swaps(&bench);
	print_memory(&bench);
	release(&bench, bench.few);
	release(&bench, bench.many);
	tear_down(&bench);
	return STATUS_DONE;
}
