// SPDX-License-Identifier: Apache-2.0
/* While a command runs: its signals, its records, its guard, its leases. */
#include "agentpol/run_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define TICK_MS 1000

int run_block_signals(struct run *run, struct error *error)
{
	static const int numbers[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)sigaddset(&set, numbers[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "signals");
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "signalfd");
	return 0;
}

/* Stops with the command, so that the shell that started us sees it; goes on with it. */
static void follow_stop(const struct run *run)
{
	(void)raise(SIGSTOP);
	(void)kill(run->child, SIGCONT);
}

/* True when the command has ended; its exit code then. */
static bool reap(struct run *run, int *exit_code)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != run->child)
			continue;
		if (WIFSTOPPED(status)) {
			follow_stop(run);
			continue;
		}
		*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		return true;
	}
	return false;
}

/* What was sent to us alone is the command's; what the terminal sends it has got itself. */
static bool take_signals(struct run *run, int *exit_code)
{
	struct signalfd_siginfo info;
	bool ended = false;

	while (read(run->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			ended = ended || reap(run, exit_code);
		else if (info.ssi_code != SI_KERNEL && !ended)
			(void)kill(run->child, (int)info.ssi_signo);
	}
	return ended;
}

static int event_fd(const struct run *run)
{
	if (run->monitor)
		return monitor_fd(run->monitor);
	return run->client ? client_fd(run->client) : -1;
}

static void take_events(struct run *run, bool tick)
{
	if (!run->monitor)
		run_tell_daemons_lines(run);
	else if (tick)
		monitor_tick(run->monitor);
	else
		monitor_consume(run->monitor);
}

/* While it is busy it has its tick by the way. */
static void serve_guard(struct run *run, bool ready)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (ready)
		guard_serve(run->guard);
	if (now.tv_sec != run->ticked)
		guard_tick(run->guard);
	run->ticked = now.tv_sec;
}

int run_supervise(struct run *run)
{
	int exit_code = STATUS_SYSTEM;

	for (;;) {
		struct pollfd pollers[] = {
			{.fd = run->signals, .events = POLLIN},
			{.fd = event_fd(run), .events = POLLIN},
			{.fd = run->guard ? guard_fd(run->guard) : -1, .events = POLLIN},
			{.fd = run->leases.fd, .events = POLLIN}};
		int ready = poll(pollers, ARRAY_SIZE(pollers), TICK_MS);

		if (pollers[3].revents)
			run_leases_serve(&run->leases);
		run_leases_renew(&run->leases);
		take_events(run, ready == 0);
		if (run->guard)
			serve_guard(run, pollers[2].revents != 0);
		if (pollers[0].revents && take_signals(run, &exit_code))
			return exit_code;
	}
}
