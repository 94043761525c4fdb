// SPDX-License-Identifier: Apache-2.0
/*
 * The judge: has each attempt made twice, without a policy and under one, and says by what it sees
 * outside whether it got through. Where it does not without a policy, it proves nothing and is
 * skipped. TAP on standard output.
 */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTLE_US 3000
#define ANSWER_MS 20000 /* a wrapper may take its time to load */

/* The child's end of the lines; what it says comes through a pipe. */
struct batch {
	char **command;
	pid_t pid;
	int orders, said;
	const char *cgroup; /* to start it in, or NULL */
	bool own_mounts;
};

struct outcome {
	bool made, through;
	int told;
};

struct totals {
	unsigned judged, through, not_made, skipped, unclaimed;
};

/* ---- a batch ---- */

static void become_batch(const struct batch *batch, int orders, int saying)
{
	/* Whatever it mounts stays its own. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(126);
	if (batch->cgroup && write_text(batch->cgroup, 0, "0") < 0)
		_exit(126);
	if (dup2(orders, STDIN_FILENO) < 0 || dup2(saying, STDOUT_FILENO) < 0)
		_exit(126);
	(void)execvp(batch->command[0], batch->command);
	_exit(127);
}

static int batch_start(struct batch *batch)
{
	int orders[2], said[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) < 0 ||
	    pipe2(said, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	batch->pid = fork();
	if (batch->pid == 0)
		become_batch(batch, orders[1], said[1]);
	(void)close(orders[1]);
	(void)close(said[1]);
	batch->orders = orders[0];
	batch->said = said[0];
	return batch->pid < 0 ? -1 : 0;
}

static void batch_end(struct batch *batch)
{
	if (batch->pid <= 0)
		return;
	(void)close(batch->orders);
	(void)close(batch->said);
	for (int tries = 0; tries < 1000 && waitpid(batch->pid, NULL, WNOHANG) == 0; tries++)
		(void)usleep(5000);
	(void)kill(batch->pid, SIGKILL);
	(void)waitpid(batch->pid, NULL, 0);
	batch->pid = 0;
}

static bool read_answer(const struct batch *batch, struct answer *answer)
{
	struct pollfd wait = {.fd = batch->orders, .events = POLLIN};

	return poll(&wait, 1, ANSWER_MS) == 1 &&
	       read(batch->orders, answer, sizeof(*answer)) == sizeof(*answer);
}

static void read_said(const struct batch *batch, struct text *said)
{
	ssize_t got;

	said->length = 0;
	while ((got = read(batch->said, said->at + said->length,
			   sizeof(said->at) - 1 - said->length)) > 0)
		said->length += (size_t)got;
	/* Zeroes would hide what comes after them. */
	for (size_t i = 0; i < said->length; i++)
		if (!said->at[i])
			said->at[i] = ' ';
	said->at[said->length] = '\0';
}

/* ---- one attempt ---- */

static void look(const struct attempt *attempt, const struct world *world, pid_t child,
		 struct text *seen)
{
	seen->length = 0;
	seen->at[0] = '\0';
	if (attempt->describe)
		attempt->describe(seen, world, child, attempt->with);
}

static bool got_through(const struct attempt *attempt, const struct world *world, int told,
			const struct text *said, const struct text *before,
			const struct text *after)
{
	switch (attempt->evidence) {
	case SAID_TOKEN:
		return strstr(said->at, world->token) != NULL;
	case RAN_MARKER:
		return strstr(said->at, MARKER_TEXT) != NULL;
	case SAW_CHANGE:
		return strcmp(before->at, after->at) != 0;
	case GOT_ANSWER:
		return told == attempt->number;
	}
	return false;
}

static bool is_quiet(const struct batch *batch, const struct order *order, struct answer *answer)
{
	return send(batch->orders, order, sizeof(*order), MSG_NOSIGNAL) < 0 ||
	       !read_answer(batch, answer) || answer->child <= 0;
}

static struct outcome attempt_once(struct batch *batch, struct world *world,
				   const struct attempt *attempt)
{
	static struct text before, after, said;
	struct outcome outcome = {0};
	struct order order = {0};
	struct answer answer;

	if ((batch->pid <= 0 && batch_start(batch) < 0) || world_reset(world) < 0)
		return outcome;
	if (attempt->prepare)
		attempt->prepare(world);
	order.world = *world;
	order.world.own_mounts = batch->own_mounts;
	(void)strncpy(order.name, attempt->name, sizeof(order.name) - 1);
	if (is_quiet(batch, &order, &answer)) {
		batch_end(batch);
		return outcome;
	}
	look(attempt, world, answer.child, &before);
	if (send(batch->orders, "", 1, MSG_NOSIGNAL) == 1 && read_answer(batch, &answer)) {
		outcome.made = true;
		outcome.told = answer.told;
		/* Until what was set off has arrived. */
		(void)usleep(attempt->describe ? SETTLE_US : 0);
		look(attempt, world, answer.child, &after);
		(void)send(batch->orders, "", 1, MSG_NOSIGNAL);
	}
	read_said(batch, &said);
	outcome.through =
		outcome.made && got_through(attempt, world, outcome.told, &said, &before, &after);
	if (attempt->undo)
		attempt->undo(world);
	/* The next attempt needs one to whom nothing has been done yet. */
	if (outcome.through &&
	    (attempt->describe == describe_witness || attempt->describe == describe_cgroup))
		witness_end(world);
	if (!outcome.made)
		batch_end(batch);
	return outcome;
}

static const char *errno_of(int told)
{
	if (told > 0)
		return "no word";
	return told ? strerrorname_np(-told) : "done";
}

static void judge(const struct attempt *attempt, unsigned tiers, const struct outcome *without,
		  const struct outcome *under, struct totals *totals)
{
	static unsigned number;

	number++;
	if (without->through && !under) {
		(void)printf("ok %u - %s: %s, without a policy\n", number, attempt->name,
			     attempt->what);
		return;
	}
	if (!without->through) {
		totals->skipped++;
		(void)printf(
			"ok %u - %s: %s # SKIP not possible here without a policy either (%s)\n",
			number, attempt->name, attempt->what, errno_of(without->told));
		return;
	}
	if (!(attempt->claimed & tiers)) {
		totals->unclaimed++;
		(void)printf("ok %u - %s: %s # SKIP not claimed by this tier: %s (%s)\n", number,
			     attempt->name, attempt->what,
			     under->through ? "gets through" : "held all the same",
			     errno_of(under->told));
		return;
	}
	totals->judged++;
	totals->through += under->through;
	totals->not_made += !under->made;
	(void)printf("%sok %u - %s: %s (%s)\n", under->made && !under->through ? "" : "not ",
		     number, attempt->name, attempt->what,
		     under->made ? errno_of(under->told) : "it was not made");
}

/* ---- the whole ---- */

static bool is_chosen(const char *name, const char *only)
{
	return !only || strstr(name, only) != NULL;
}

static int run_attempts(struct world *world, struct batch *free_batch, struct batch *policed,
			unsigned tiers, bool in_vm, const char *only)
{
	struct totals totals = {0};
	const struct attempt *attempt;
	unsigned count = 0;

	for (size_t i = 0; (attempt = attempt_at(i)); i++) {
		struct outcome without = {0}, under = {0};

		if (!is_chosen(attempt->name, only))
			continue;
		count++;
		if (!attempt->vm_only || in_vm)
			without = attempt_once(free_batch, world, attempt);
		else
			without.told = -ENOTSUP;
		if (without.through && policed->command)
			under = attempt_once(policed, world, attempt);
		judge(attempt, tiers, &without, policed->command ? &under : NULL, &totals);
		(void)fflush(stdout);
	}
	(void)printf("1..%u\n# %u of %u attempts: %u got through\n", count, totals.judged, count,
		     totals.through);
	(void)printf("# %u not claimed by this tier, %u not possible here without a policy, %u not "
		     "made\n",
		     totals.unclaimed, totals.skipped, totals.not_made);
	return totals.through || totals.not_made ? 1 : 0;
}

int suite_run(const char *root, unsigned tiers, bool in_vm, const char *only, pid_t policyd,
	      char **wrapper)
{
	struct world world;
	struct path program, cgroup;
	int status;
	char *free_command[] = {NULL, (char *)"batch", NULL};
	struct batch free_batch = {.command = free_command, .own_mounts = true};
	struct batch policed = {.command = wrapper && *wrapper ? wrapper : NULL};

	(void)signal(SIGPIPE, SIG_IGN);
	/* What attempts do to host names and message queues is not done to the machine. */
	if (unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    world_enter(&world, root) < 0) {
		perror("breach: cannot set up");
		return 2;
	}
	world.policyd = policyd;
	program = at(&world, "bin/breach");
	free_command[0] = program.text;
	(void)snprintf(cgroup.text, sizeof(cgroup.text), "%s/cgroup.procs", world.own);
	free_batch.cgroup = cgroup.text;
	status = run_attempts(&world, &free_batch, &policed, tiers, in_vm, only);
	batch_end(&free_batch);
	batch_end(&policed);
	world_leave(&world);
	return status;
}
