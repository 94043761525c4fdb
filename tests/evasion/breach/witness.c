// SPDX-License-Identifier: Apache-2.0
/* The bystander: outside the policy, in a cgroup and namespaces of its own, with the secret open.
 */
#include "breach.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct witness_page *witness_page;

static void count_signal(int number)
{
	(void)number;
	witness_page->signals++;
}

static void stand_by(const struct world *world, int ready)
{
	char procs[PLACE_ROOM + 16];
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGUSR1, count_signal);
	/* What the judge has open would never come to its end. */
	(void)close_range(STDERR_FILENO + 1, (unsigned)ready - 1, 0);
	(void)close_range((unsigned)ready + 1, ~0U, 0);
	(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", world->foreign);
	(void)write_text(procs, 0, "0");
	(void)unshare(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWCGROUP);
	fd = open(at(world, "secret/file").text, O_RDWR);
	if (chdir(at(world, "secret").text) < 0 || fd < 0)
		_exit(1);
	witness_page->descriptors = fd;
	(void)!write(ready, "", 1);
	for (;;)
		(void)poll(NULL, 0, -1);
}

int witness_start(struct world *world)
{
	int ready[2];
	char word;
	bool stands;

	if (!witness_page)
		witness_page = mmap(NULL, sizeof(*witness_page), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (witness_page == MAP_FAILED || pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	*witness_page = (struct witness_page){0};
	world->word = (uint64_t)(uintptr_t)&witness_page->word;
	world->witness = fork();
	if (world->witness == 0)
		stand_by(world, ready[1]);
	(void)close(ready[1]);
	stands = read(ready[0], &word, 1) == 1;
	(void)close(ready[0]);
	return stands ? 0 : -1;
}

bool witness_stands(const struct world *world)
{
	struct stat secret, opened;
	char name[32];

	if (world->witness <= 0 || waitpid(world->witness, NULL, WNOHANG) != 0)
		return false;
	(void)snprintf(name, sizeof(name), "fd/%d", witness_page->descriptors);
	return stat(proc_path(world->witness, name).text, &opened) == 0 &&
	       stat(at(world, "secret/file").text, &secret) == 0 && opened.st_ino == secret.st_ino;
}

void witness_end(struct world *world)
{
	if (world->witness <= 0)
		return;
	(void)kill(world->witness, SIGKILL);
	(void)waitpid(world->witness, NULL, 0);
	world->witness = 0;
}
