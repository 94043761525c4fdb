// SPDX-License-Identifier: Apache-2.0
/* What can be done to a process outside: the judge looks at it before and after. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define IOPRIO_OF_PROCESS 1
#define IOPRIO_IDLE	  (3 << 13)
#define CHANGED_WORD	  0x6272656163680000ULL

static int trace(const struct world *world, const struct attempt *self)
{
	return outcome(ptrace((enum __ptrace_request)self->number, world->witness, NULL, NULL));
}

static int poke(const struct world *world, const struct attempt *self)
{
	(void)self;
	if (ptrace(PTRACE_ATTACH, world->witness, NULL, NULL) < 0 ||
	    waitpid(world->witness, NULL, __WALL) < 0)
		return -errno;
	return outcome(ptrace(PTRACE_POKEDATA, world->witness, (void *)(uintptr_t)world->word,
			      CHANGED_WORD));
}

static int write_memory(const struct world *world, const struct attempt *self)
{
	uint64_t word = CHANGED_WORD;
	const struct iovec here = {&word, sizeof(word)};
	const struct iovec there = {(void *)(uintptr_t)world->word, sizeof(word)};

	(void)self;
	return outcome(process_vm_writev(world->witness, &here, 1, &there, 1, 0));
}

static int read_memory(const struct world *world, const struct attempt *self)
{
	uint64_t word = 1;
	const struct iovec here = {&word, sizeof(word)};
	const struct iovec there = {(void *)(uintptr_t)world->word, sizeof(word)};

	(void)self;
	if (process_vm_readv(world->witness, &here, 1, &there, 1, 0) < 0)
		return -errno;
	return outcome(write(STDOUT_FILENO, MARKER_TEXT, strlen(MARKER_TEXT)));
}

static int write_memory_file(const struct world *world, const struct attempt *self)
{
	const int fd = open(proc_path(world->witness, "mem").text, O_RDWR);
	const uint64_t word = CHANGED_WORD;

	(void)self;
	return fd < 0 ? -errno : outcome(pwrite(fd, &word, sizeof(word), (off_t)world->word));
}

/* What only a check like ptrace's keeps from being read. */
static int read_private_file(const struct world *world, const struct attempt *self)
{
	const int fd = open(proc_path(world->witness, self->with).text, O_RDONLY);
	char byte;

	if (fd < 0 || read(fd, &byte, 1) != 1)
		return -errno;
	return outcome(write(STDOUT_FILENO, MARKER_TEXT, strlen(MARKER_TEXT)));
}

static int advise(const struct world *world, const struct attempt *self)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, world->witness, 0);
	const struct iovec there = {(void *)(uintptr_t)(world->word & ~4095ULL), 4096};

	(void)self;
	return pidfd < 0 ? -errno
			 : outcome(syscall(SYS_process_madvise, pidfd, &there, 1UL, MADV_COLD, 0));
}

/* One of its descriptors is the secret's. */
static int take_descriptor(const struct world *world, const struct attempt *self)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, world->witness, 0);
	int last = -ENOENT;

	(void)self;
	for (int number = 3; number < 64; number++) {
		const int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
		char text[TOKEN_ROOM];
		ssize_t got;

		if (fd < 0 && errno != EBADF)
			last = -errno;
		/* Fails on what is no file. */
		got = fd < 0 ? -1 : pread(fd, text, sizeof(text), 0);
		if (got > 0)
			last = outcome(write(STDOUT_FILENO, text, (size_t)got));
	}
	return last;
}

static int trace_me(const struct world *world, const struct attempt *self)
{
	(void)world;
	(void)self;
	return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static void describe_tracer(struct text *out, const struct world *world, pid_t child,
			    const char *with)
{
	static struct text status;
	const char *tracer;

	(void)world;
	(void)with;
	status.length = 0;
	text_put_file(&status, proc_path(child, "status").text);
	tracer = strstr(status.at, "TracerPid:");
	text_put(out, "%.20s", tracer ? tracer : "");
}

/* ---- signals ---- */

static int signal_by_kill(const struct world *world, const struct attempt *self)
{
	return outcome(kill(world->witness, (int)self->number));
}

static int signal_by_tgkill(const struct world *world, const struct attempt *self)
{
	return outcome(syscall(SYS_tgkill, world->witness, world->witness, self->number));
}

static int signal_by_pidfd(const struct world *world, const struct attempt *self)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, world->witness, 0);

	return pidfd < 0 ? -errno
			 : outcome(syscall(SYS_pidfd_send_signal, pidfd, self->number, NULL, 0));
}

static int signal_by_queue(const struct world *world, const struct attempt *self)
{
	siginfo_t information = {.si_code = SI_QUEUE};

	return outcome(syscall(SYS_rt_sigqueueinfo, world->witness, self->number, &information));
}

/* The kernel sends it when the pipe can be read. */
static int signal_by_owner(const struct world *world, const struct attempt *self)
{
	int ends[2];

	if (pipe(ends) < 0 || fcntl(ends[0], F_SETOWN, world->witness) < 0 ||
	    fcntl(ends[0], F_SETSIG, (int)self->number) < 0 || fcntl(ends[0], F_SETFL, O_ASYNC) < 0)
		return -errno;
	return outcome(write(ends[1], "", 1));
}

/* ---- its resources ---- */

static int lower_priority(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(setpriority(PRIO_PROCESS, (id_t)world->witness, 7));
}

static int set_scheduler(const struct world *world, const struct attempt *self)
{
	const struct sched_param parameter = {0};

	(void)self;
	return outcome(sched_setscheduler(world->witness, SCHED_IDLE, &parameter));
}

/* On a machine with one processor there is nothing to be seen. */
static int set_affinity(const struct world *world, const struct attempt *self)
{
	cpu_set_t one;

	(void)self;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return outcome(sched_setaffinity(world->witness, sizeof(one), &one));
}

static int set_limit(const struct world *world, const struct attempt *self)
{
	const struct rlimit few = {16, 16};

	(void)self;
	return outcome(prlimit(world->witness, RLIMIT_NOFILE, &few, NULL));
}

static int set_io_priority(const struct world *world, const struct attempt *self)
{
	(void)self;
	return outcome(syscall(SYS_ioprio_set, IOPRIO_OF_PROCESS, world->witness, IOPRIO_IDLE));
}

static int write_proc_file(const struct world *world, const struct attempt *self)
{
	return write_text(proc_path(world->witness, self->with).text, 0, "63");
}

#define BYSTANDER .evidence = SAW_CHANGE, .describe = describe_witness
#define BOTH	  .claimed = BY_LAUNCH | BY_LSM
/* Landlock takes signals away from Linux 6.12 on, and only where it is asked to. */
#define SIGNALLING .claimed = BY_LSM, BYSTANDER, .number = SIGUSR1

static const struct attempt attempts[] = {
	{"trace-attach", "PTRACE_ATTACH", BOTH, BYSTANDER, .make = trace, .number = PTRACE_ATTACH},
	{"trace-seize", "PTRACE_SEIZE", BOTH, BYSTANDER, .make = trace, .number = PTRACE_SEIZE},
	{"trace-poke", "its memory, by ptrace", BOTH, BYSTANDER, .make = poke},
	{"trace-me", "PTRACE_TRACEME", BOTH, .evidence = SAW_CHANGE, .describe = describe_tracer,
	 .make = trace_me},
	{"memory-write", "process_vm_writev", BOTH, BYSTANDER, .make = write_memory},
	{"memory-read", "process_vm_readv", BOTH, .evidence = RAN_MARKER, .make = read_memory},
	{"memory-file", "/proc/PID/mem", BOTH, BYSTANDER, .make = write_memory_file},
	{"memory-advise", "process_madvise", BOTH, .evidence = GOT_ANSWER, .make = advise},
	{"memory-environment", "/proc/PID/environ", BOTH, .evidence = RAN_MARKER,
	 .make = read_private_file, .with = "environ"},
	{"memory-maps", "/proc/PID/maps", BOTH, .evidence = RAN_MARKER, .make = read_private_file,
	 .with = "maps"},
	{"memory-auxiliary", "/proc/PID/auxv", BOTH, .evidence = RAN_MARKER,
	 .make = read_private_file, .with = "auxv"},
	{"descriptor-taken", "pidfd_getfd", BOTH, .evidence = SAID_TOKEN, .make = take_descriptor},
	{"signal-kill", "kill", SIGNALLING, .make = signal_by_kill},
	{"signal-tgkill", "tgkill", SIGNALLING, .make = signal_by_tgkill},
	{"signal-pidfd", "pidfd_send_signal", SIGNALLING, .make = signal_by_pidfd},
	{"signal-queue", "rt_sigqueueinfo", SIGNALLING, .make = signal_by_queue},
	{"signal-owner", "F_SETOWN of a pipe", SIGNALLING, .make = signal_by_owner},
	{"resources-priority", "setpriority", BOTH, BYSTANDER, .make = lower_priority},
	{"resources-scheduler", "sched_setscheduler", BOTH, BYSTANDER, .make = set_scheduler},
	{"resources-affinity", "sched_setaffinity", BOTH, BYSTANDER, .make = set_affinity},
	{"resources-io", "ioprio_set", BOTH, BYSTANDER, .make = set_io_priority},
	/* A program sets its own limits by the same call, so that no filter can take it away. */
	{"resources-limit", "prlimit", .claimed = BY_LSM, BYSTANDER, .make = set_limit},
	{"resources-oom", "oom_score_adj", .claimed = BY_LANDLOCK | BY_LSM, BYSTANDER,
	 .make = write_proc_file, .with = "oom_score_adj"},
	{"resources-core-filter", "coredump_filter", .claimed = BY_LANDLOCK | BY_LSM, BYSTANDER,
	 .make = write_proc_file, .with = "coredump_filter"},
	{"resources-slack", "timerslack_ns", .claimed = BY_LANDLOCK | BY_LSM, BYSTANDER,
	 .make = write_proc_file, .with = "timerslack_ns"},
};
const struct group bystander_group = {attempts, ARRAY_SIZE(attempts)};
