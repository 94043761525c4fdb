// SPDX-License-Identifier: Apache-2.0
/* The enforcer's own processes and files. Where no policyd runs, only its folders are tried. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nothing but these is done to it: the judge has to put it right again. */
static int stop(const struct world *world, const struct attempt *self)
{
	(void)self;
	return world->policyd ? outcome(kill(world->policyd, SIGSTOP)) : -ESRCH;
}

static int stop_by_pidfd(const struct world *world, const struct attempt *self)
{
	const int pidfd = (int)syscall(SYS_pidfd_open, world->policyd, 0);

	(void)self;
	return pidfd < 0 ? -errno
			 : outcome(syscall(SYS_pidfd_send_signal, pidfd, SIGSTOP, NULL, 0));
}

static int trace(const struct world *world, const struct attempt *self)
{
	(void)self;
	return world->policyd ? outcome(ptrace(PTRACE_SEIZE, world->policyd, NULL, NULL)) : -ESRCH;
}

static int starve(const struct world *world, const struct attempt *self)
{
	(void)self;
	return world->policyd ? outcome(setpriority(PRIO_PROCESS, (id_t)world->policyd, 19))
			      : -ESRCH;
}

static int cap_files(const struct world *world, const struct attempt *self)
{
	const struct rlimit few = {1000, 1000};

	(void)self;
	return world->policyd ? outcome(prlimit(world->policyd, RLIMIT_NOFILE, &few, NULL))
			      : -ESRCH;
}

static int offer_to_oom(const struct world *world, const struct attempt *self)
{
	(void)self;
	return write_text(proc_path(world->policyd, "oom_score_adj").text, 0, "900");
}

static void put_line(struct text *out, pid_t pid, const char *name)
{
	static struct text status;

	status.length = 0;
	text_put_file(&status, proc_path(pid, name).text);
	/* Its name, state, ... and the tracer: of what changes by itself nothing. */
	for (size_t i = 0; i < status.length; i++)
		if (status.at[i] == 'T' && (status.at[i + 1] == ' ' || status.at[i + 1] == 'r'))
			text_put(out, "%.14s\n", status.at + i);
}

static void describe_policyd(struct text *out, const struct world *world, pid_t child,
			     const char *with)
{
	struct rlimit limit = {0};

	(void)child;
	(void)with;
	if (!world->policyd)
		return;
	put_line(out, world->policyd, "status");
	text_put_file(out, proc_path(world->policyd, "oom_score_adj").text);
	(void)prlimit(world->policyd, RLIMIT_NOFILE, NULL, &limit);
	text_put(out, "%d %lu\n", getpriority(PRIO_PROCESS, (id_t)world->policyd),
		 (unsigned long)limit.rlim_cur);
}

static void let_go(const struct world *world)
{
	const struct rlimit many = {1024, 1024};

	if (!world->policyd)
		return;
	(void)kill(world->policyd, SIGCONT);
	(void)setpriority(PRIO_PROCESS, (id_t)world->policyd, 0);
	(void)prlimit(world->policyd, RLIMIT_NOFILE, &many, NULL);
	(void)write_text(proc_path(world->policyd, "oom_score_adj").text, 0, "0");
}

static int make_file(const struct world *world, const struct attempt *self)
{
	(void)world;
	return write_text(self->with, O_CREAT, "changed");
}

static void make_folders(struct world *world)
{
	static const char *const folders[] = {"/run/agentpol", "/var/lib", "/var/lib/agentpol",
					      "/var/log", "/var/log/agentpol"};

	(void)world;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		(void)mkdir(folders[i], 0700);
}

static void remove_files(const struct world *world)
{
	static const char *const files[] = {"/run/agentpol/breach", "/var/lib/agentpol/breach",
					    "/var/log/agentpol/breach"};

	(void)world;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(files[i]);
}

#define DAEMON \
	.claimed = BY_LSM, .evidence = SAW_CHANGE, .describe = describe_policyd, .undo = let_go
#define FOLDER                                                                            \
	.claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_file, \
	.make = make_file, .prepare = make_folders, .undo = remove_files

static const struct attempt attempts[] = {
	{"policyd-stop", "SIGSTOP for policyd", DAEMON, .make = stop},
	{"policyd-stop-pidfd", "the same by a pidfd", DAEMON, .make = stop_by_pidfd},
	{"policyd-trace", "ptrace of policyd", DAEMON, .make = trace},
	{"policyd-priority", "setpriority of policyd", DAEMON, .make = starve},
	{"policyd-limit", "prlimit of policyd", DAEMON, .make = cap_files},
	{"policyd-oom", "oom_score_adj of policyd", DAEMON, .make = offer_to_oom},
	{"policyd-socket-folder", "a file in /run/agentpol", FOLDER,
	 .with = "/run/agentpol/breach"},
	{"policyd-state-folder", "a file in /var/lib/agentpol", FOLDER,
	 .with = "/var/lib/agentpol/breach"},
	{"policyd-log-folder", "a file in /var/log/agentpol", FOLDER,
	 .with = "/var/log/agentpol/breach"},
};
const struct group enforcer_group = {attempts, ARRAY_SIZE(attempts)};
