// SPDX-License-Identifier: Apache-2.0
#include "tools/bench.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "compile/image.h"
#include "kernel/cgroup.h"
#include "kernel/tables.h"
#include "manifest/manifest.h"

#define END_TIMEOUT_MS 2000
#define PORT_SETS      64
#define COMMAND_MAX    4096

static const char *program = "bench";

_Noreturn void bench_die(const struct error *error, const char *format, ...)
{
	const int reason = errno;
	va_list arguments;

	bench_progress("%s", "");
	(void)fprintf(stderr, "%s: ", program);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, ": %s\n", error ? error->text : strerror(reason));
	exit(error ? (int)error->status : STATUS_SYSTEM);
}

void bench_command(const char *format, ...)
{
	char command[COMMAND_MAX];
	struct error error;
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) == 0)
		return;
	(void)error_set(&error, STATUS_SYSTEM, "the command failed; it needs root");
	bench_die(&error, "%s", command);
}

void bench_progress(const char *format, ...)
{
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	(void)fputs("\r\033[K", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
}

double bench_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double bench_quantile(double *values, size_t count, double share)
{
	qsort(values, count, sizeof(values[0]), compare_doubles);
	return values[(size_t)((double)count * share)];
}

/* ---- a place of one's own ---- */

static struct enforcer *open_enforcer(const char *pins, bool without_names)
{
	const struct enforcer_options options = {
		.pin_root = pins, .port_sets = PORT_SETS, .without_names = without_names};
	struct error error;
	struct enforcer *enforcer = enforcer_open(&options, &error);

	if (!enforcer)
		bench_die(&error, "enforcer");
	return enforcer;
}

static void second_pins(const struct bench *bench, char *path)
{
	struct error error;

	if (file_path(path, &error, "%s/second", bench->pins) < 0)
		bench_die(&error, "pins");
}

struct enforcer *bench_open_second(const struct bench *bench, bool without_names)
{
	char pins[PATH_MAX];

	second_pins(bench, pins);
	return open_enforcer(pins, without_names);
}

static void set_up(struct bench *bench)
{
	struct error error;

	if (unshare(CLONE_NEWNET) < 0)
		bench_die(NULL, "a network namespace needs root");
	bench_command("ip link set lo up");
	if (cgroup_create(bench->cgroup, &error) < 0)
		bench_die(&error, "cgroup");
	bench->enforcer = open_enforcer(bench->pins, false);
}

/* What is left of the child is in the cgroups, and ends with them. */
static void tear_down(const struct bench *bench)
{
	char second[PATH_MAX];
	struct error error;

	second_pins(bench, second);
	if (enforcer_unpin_all(second, &error) < 0 || enforcer_unpin_all(bench->pins, &error) < 0)
		(void)fprintf(stderr, "%s: %s\n", program, error.text);
	if (cgroup_end(bench->cgroup, END_TIMEOUT_MS) < 0)
		(void)fprintf(stderr, "%s: cannot remove %s\n", program, bench->cgroup);
	while (wait(NULL) > 0)
		;
}

/* The child's exit status, or 128+N where signal N ended it, or us. */
static int wait_for_child(pid_t child, const sigset_t *signals)
{
	int number, status, ended_by = 0;

	for (;;) {
		number = sigwaitinfo(signals, NULL);
		if (number > 0 && number != SIGCHLD) {
			ended_by = number;
			(void)kill(child, SIGKILL);
		}
		if (waitpid(child, &status, WNOHANG) != child)
			continue;
		bench_progress("%s", "");
		if (ended_by || WIFSIGNALED(status))
			return 128 + (ended_by ? ended_by : WTERMSIG(status));
		return WEXITSTATUS(status);
	}
}

int bench_main(const char *name, int (*run)(struct bench *bench))
{
	static struct bench bench;
	char mount[PATH_MAX];
	struct error error;
	sigset_t signals, before;
	pid_t child;
	int status;

	program = bench.name = name;
	if (cgroup_find_mount(mount, &error) < 0 ||
	    file_path(bench.cgroup, &error, "%s/agentpol-%s-%ld", mount, name, (long)getpid()) <
		    0 ||
	    file_path(bench.pins, &error, PIN_ROOT_DEFAULT "-%s-%ld", name, (long)getpid()) < 0)
		bench_die(&error, "cgroups");
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigaddset(&signals, SIGHUP);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	/* What the child leaves behind dies with it, and comes to us to be waited for. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	child = fork();
	if (child < 0)
		bench_die(NULL, "fork");
	if (child == 0) {
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		set_up(&bench);
		exit(run(&bench));
	}
	status = wait_for_child(child, &signals);
	tear_down(&bench);
	return status;
}

void bench_make_cgroup(const struct bench *bench, const char *name, char *path)
{
	struct error error;

	if (file_path(path, &error, "%s/%s", bench->cgroup, name) < 0 ||
	    cgroup_create(path, &error) < 0)
		bench_die(&error, "cgroup");
}

/* ---- policies ---- */

double bench_load(struct bench *bench, const char *text, size_t length, uint64_t *policy_word)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_image_ struct image *image = NULL;
	const double begin = bench_now_ns();
	struct error error;

	diagnostics_init(&diagnostics, program);
	policy = manifest_read_text(text, length, &diagnostics);
	if (!policy) {
		diagnostics_print_text(&diagnostics, stderr);
		exit(STATUS_UNUSABLE);
	}
	image = image_new(policy, NULL, NULL, &error);
	if (!image || tables_load(bench->enforcer, image, policy_word, &error) < 0)
		bench_die(&error, "load");
	return (bench_now_ns() - begin) / 1e6;
}

void bench_enrol(struct bench *bench, const char *cgroup, uint64_t policy)
{
	struct error error;

	if (enforcer_enrol(bench->enforcer, cgroup, policy, &error) < 0)
		bench_die(&error, "enrol");
}

void bench_release(struct bench *bench, const char *cgroup)
{
	struct error error;
	uint64_t id;

	if (cgroup_id(cgroup, &id, &error) < 0 || enforcer_release(bench->enforcer, id, &error) < 0)
		bench_die(&error, "release");
}

double bench_map_bytes(const struct bench *bench, enum enforcer_map map)
{
	char path[64], line[128];
	_cleanup_fclose_ FILE *file = NULL;
	unsigned long long bytes = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		       enforcer_map_fd(bench->enforcer, map));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		(void)sscanf(line, "memlock: %llu", &bytes);
	return (double)bytes;
}

/* ---- turns ---- */

void bench_pin_cpu(unsigned nth)
{
	cpu_set_t allowed, wanted;
	struct error error;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		bench_die(NULL, "which CPUs may be used");
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || nth-- > 0)
			continue;
		CPU_ZERO(&wanted);
		CPU_SET(cpu, &wanted);
		if (sched_setaffinity(0, sizeof(wanted), &wanted) < 0)
			bench_die(NULL, "cannot stay on CPU %u", cpu);
		return;
	}
	(void)error_set(&error, STATUS_SYSTEM, "there are fewer that may be used");
	bench_die(&error, "sender and receiver need a CPU each");
}

void bench_turn(void (*turn)(void *context, void *result), void *context, void *result, size_t size)
{
	int pipes[2], status;
	struct error error;
	pid_t child;

	if (pipe(pipes) < 0)
		bench_die(NULL, "pipe");
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		bench_pin_cpu(0);
		turn(context, result);
		_exit(write(pipes[1], result, size) == (ssize_t)size ? 0 : 1);
	}
	(void)close(pipes[1]);
	if (child < 0)
		bench_die(NULL, "fork");
	if (read(pipes[0], result, size) != (ssize_t)size || waitpid(child, &status, 0) < 0 ||
	    status != 0) {
		(void)error_set(&error, STATUS_SYSTEM, "it ended before it was done");
		bench_die(&error, "a turn");
	}
	(void)close(pipes[0]);
}
