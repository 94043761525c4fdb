// SPDX-License-Identifier: Apache-2.0
/*
 * Inside the policy: takes orders on standard input, one attempt each, and makes it in a child. The
 * child waits before it starts, and after, until the judge has looked at it. What an attempt brings
 * out goes to standard output, which is a pipe to the judge.
 */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTEMPT_MS 5000

static int own_mounts(const struct world *world)
{
	if (!world->own_mounts)
		return 0;
	return unshare(CLONE_NEWNS) < 0 ? -1 : mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void make_attempt(const struct order *order, const struct attempt *attempt, int line)
{
	int told;
	char go;

	(void)setsid();
	if (own_mounts(&order->world) < 0)
		_exit(1);
	(void)!write(line, "", 1);
	if (read(line, &go, 1) != 1)
		_exit(1);
	(void)alarm(ATTEMPT_MS / 1000);
	told = attempt->make(&order->world, attempt);
	(void)!write(line, &told, sizeof(told));
	/* Still here, for the judge to look at, until the other end is closed. */
	(void)!read(line, &go, 1);
	_exit(0);
}

/* Whatever has been started and outlives its attempt is ours, by PR_SET_CHILD_SUBREAPER. */
static void end_children(void)
{
	char list[512];
	ssize_t got;
	int fd;

	for (;;) {
		char *next = list;

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
		got = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);
		(void)close(fd);
		if (got <= 0)
			return;
		list[got] = '\0';
		while (*next) {
			pid_t pid = 0;

			for (; *next >= '0' && *next <= '9'; next++)
				pid = pid * 10 + (*next - '0');
			if (pid > 0)
				(void)kill(pid, SIGKILL);
			if (*next)
				next++;
		}
		(void)waitpid(-1, NULL, 0);
	}
}

static bool judge_says_go(void)
{
	char word;

	return read(STDIN_FILENO, &word, 1) == 1;
}

/* False when the judge is gone. */
static bool obey(const struct order *order)
{
	const struct attempt *attempt = attempt_find(order->name);
	struct answer answer = {.told = 1};
	struct pollfd wait = {.events = POLLIN};
	int lines[2];
	char ready;
	bool judged;

	if (!attempt || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lines) < 0)
		return false;
	answer.child = fork();
	if (answer.child == 0) {
		(void)close(lines[0]);
		make_attempt(order, attempt, lines[1]);
	}
	(void)close(lines[1]);
	wait.fd = lines[0];
	if (read(lines[0], &ready, 1) != 1)
		answer.child = -1;
	judged = write(STDIN_FILENO, &answer, sizeof(answer)) == sizeof(answer) && judge_says_go();
	(void)!write(lines[0], "", 1);
	if (poll(&wait, 1, ATTEMPT_MS) == 1)
		(void)!read(lines[0], &answer.told, sizeof(answer.told));
	/* One that has become another program may have something to say yet. */
	if (answer.told == 1 && answer.child > 0 && wait.revents)
		(void)waitpid(answer.child, NULL, 0);
	judged = judged && write(STDIN_FILENO, &answer, sizeof(answer)) == sizeof(answer) &&
		 judge_says_go();
	(void)close(lines[0]);
	if (answer.child > 0)
		(void)kill(answer.child, SIGKILL);
	end_children();
	return judged;
}

int batch_run(void)
{
	struct order order;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	while (read(STDIN_FILENO, &order, sizeof(order)) == sizeof(order))
		if (!obey(&order))
			return 1;
	return 0;
}
