// SPDX-License-Identifier: Apache-2.0
#include "policyd/guard_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The first start after an end is at once; then it is waited for, twice as long each time. */
#define WAIT_FIRST_MS 500U
#define WAIT_MOST_MS  60000U
/* Who has lived so long has not failed. */
#define LIVED_MS 10000U
/* The same, of a program that is wanted soon. */
#define SOON_FIRST_MS 50U
#define SOON_MOST_MS  500U
#define SOON_LIVED_MS 3000U
#define LINK_FD	      3

struct guard_queued {
	struct guard_queued *next;
	struct guard_message head;
	int fds[GUARD_FDS_MAX]; /* owned */
	size_t fd_count;
	char tail[];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void guard_process_init(struct guard_process *process)
{
	*process = (struct guard_process){.exit = -1, .link = -1};
	process->last = &process->first;
}

/* ---- starting and ending ---- */

static void become_child(const struct guard_program *program, int theirs, pid_t parent)
{
	char uid[16], *const environment[] = {NULL};
	char *arguments[] = {(char *)(uintptr_t) "agentpol-guard",
			     (char *)(uintptr_t)program->child,
			     (char *)(uintptr_t) "--uid",
			     uid,
			     (char *)(uintptr_t) "--root",
			     (char *)(uintptr_t)program->root,
			     NULL};
	sigset_t none;
	int null;

	(void)snprintf(uid, sizeof(uid), "%u", program->uid);
	/* Out of reach of the terminal's signals, and gone with its parent. */
	(void)setsid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(1);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	theirs = fcntl(theirs, F_DUPFD, LINK_FD + 1);
	null = open("/dev/null", O_RDWR);
	if (theirs < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 || dup2(theirs, LINK_FD) < 0)
		_exit(1);
	(void)syscall(SYS_close_range, LINK_FD + 1U, ~0U, 0U);
	(void)execve(program->path, arguments, environment);
	_exit(1);
}

int guard_process_start(struct guard_process *process, const struct guard_program *program,
			int theirs, int ours, struct error *error)
{
	const pid_t parent = getpid();
	const unsigned failures = process->failures;

	guard_process_init(process);
	process->failures = failures;
	process->link = ours;
	process->soon = program->soon;
	process->pid = fork();
	if (process->pid == 0)
		become_child(program, theirs, parent);
	(void)close(theirs);
	if (process->pid > 0)
		process->exit = (int)syscall(SYS_pidfd_open, process->pid, 0);
	process->started_ms = now_ms();
	if (process->pid > 0 && process->exit >= 0)
		return 0;
	(void)error_set_errno(error, STATUS_SYSTEM, errno, "cannot start %s", program->child);
	guard_process_end(process);
	return -1;
}

static void drop_queue(struct guard_process *process)
{
	struct guard_queued *item;

	while ((item = process->first) != NULL) {
		process->first = item->next;
		for (size_t i = 0; i < item->fd_count; i++)
			(void)close(item->fds[i]);
		free(item);
	}
	process->last = &process->first;
	process->queued = 0;
}

/* When it may be started again. */
static void count_failure(struct guard_process *process)
{
	const uint64_t now = now_ms();
	const uint64_t most = process->soon ? SOON_MOST_MS : WAIT_MOST_MS;
	uint64_t wait = 0;

	if (now - process->started_ms >= (process->soon ? SOON_LIVED_MS : LIVED_MS))
		process->failures = 0;
	if (process->failures)
		wait = (uint64_t)(process->soon ? SOON_FIRST_MS : WAIT_FIRST_MS)
		       << (process->failures < 8 ? process->failures - 1 : 7);
	if (process->failures < 8)
		process->failures++;
	process->not_before_ms = now + (wait < most ? wait : most);
}

void guard_process_end(struct guard_process *process)
{
	if (process->pid > 0) {
		/* One that can't be killed ends with its link, and is not waited for. */
		const int options = kill(process->pid, SIGKILL) == 0 ? 0 : WNOHANG;

		/* Who reaps all of its children may have been first. */
		while (waitpid(process->pid, NULL, options) < 0 && errno == EINTR)
			;
		count_failure(process);
	}
	process->pid = 0;
	if (process->exit >= 0)
		(void)close(process->exit);
	if (process->link >= 0)
		(void)close(process->link);
	process->exit = process->link = -1;
	process->overflowed = false;
	drop_queue(process);
}

void guard_process_forgive(struct guard_process *process)
{
	process->not_before_ms = 0;
	process->failures = 0;
}

bool guard_process_has_ended(struct guard_process *process)
{
	pid_t ended;

	if (process->pid <= 0)
		return false;
	ended = waitpid(process->pid, NULL, WNOHANG);
	if (ended == 0 && !process->overflowed)
		return false;
	guard_process_end(process);
	return true;
}

bool guard_process_is_due(const struct guard_process *process)
{
	return process->pid == 0 && now_ms() >= process->not_before_ms;
}

uint64_t guard_process_wait_ms(const struct guard_process *process)
{
	const uint64_t now = now_ms();

	return process->pid == 0 && now < process->not_before_ms ? process->not_before_ms - now : 0;
}

/* ---- messages ---- */

/* 0, or -errno; -EAGAIN: not now. */
static int send_now(int link, const struct guard_message *head, const void *tail, const int *fds,
		    size_t fd_count)
{
	union {
		char room[CMSG_SPACE(GUARD_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec parts[] = {{(void *)(uintptr_t)head, sizeof(*head)},
				{(void *)(uintptr_t)tail, head->length}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = head->length ? 2 : 1};

	if (fd_count) {
		message.msg_control = control.room;
		message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		control.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(fd_count * sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.align), fds, fd_count * sizeof(int));
	}
	return sendmsg(link, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void queue(struct guard_process *process, const struct guard_message *head, const void *tail,
		  const int *fds, size_t fd_count)
{
	struct guard_queued *item =
		process->queued < GUARD_QUEUE_MAX ? malloc(sizeof(*item) + head->length) : NULL;

	if (!item) {
		process->overflowed = true;
		return;
	}
	*item = (struct guard_queued){.head = *head};
	if (head->length)
		memcpy(item->tail, tail, head->length);
	for (size_t i = 0; i < fd_count; i++) {
		item->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (item->fds[i] < 0)
			process->overflowed = true;
		else
			item->fd_count = i + 1;
	}
	*process->last = item;
	process->last = &item->next;
	process->queued++;
}

void guard_process_send(struct guard_process *process, const struct guard_message *head,
			const void *tail, const int *fds, size_t fd_count)
{
	int result = -EAGAIN;

	if (process->pid <= 0 || process->link < 0)
		return;
	if (!process->first)
		result = send_now(process->link, head, tail, fds, fd_count);
	/* What else there is tells itself by the child's end. */
	if (result == -EAGAIN)
		queue(process, head, tail, fds, fd_count);
}

void guard_process_flush(struct guard_process *process)
{
	struct guard_queued *item;

	while ((item = process->first) != NULL) {
		if (send_now(process->link, &item->head, item->tail, item->fds, item->fd_count) ==
		    -EAGAIN)
			return;
		process->first = item->next;
		if (!process->first)
			process->last = &process->first;
		process->queued--;
		for (size_t i = 0; i < item->fd_count; i++)
			(void)close(item->fds[i]);
		free(item);
	}
}

/* It has no descriptor to give. */
static void close_gifts(struct msghdr *message)
{
	for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each;
	     each = CMSG_NXTHDR(message, each)) {
		const size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fd;

		for (size_t i = 0; each->cmsg_type == SCM_RIGHTS && i < count; i++) {
			memcpy(&fd, CMSG_DATA(each) + i * sizeof(fd), sizeof(fd));
			(void)close(fd);
		}
	}
}

int guard_process_receive(const struct guard_process *process, struct guard_message *head,
			  char *tail)
{
	union {
		char room[CMSG_SPACE(GUARD_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec parts[] = {{head, sizeof(*head)}, {tail, GUARD_TAIL_MAX + 1}};
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = control.room,
				 .msg_controllen = sizeof(control.room)};
	ssize_t got = recvmsg(process->link, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	close_gifts(&message);
	if (got == 0)
		return -EPIPE;
	if ((size_t)got < sizeof(*head) || head->length > GUARD_TAIL_MAX ||
	    (size_t)got != sizeof(*head) + head->length || message.msg_controllen)
		return -EPROTO;
	tail[head->length] = '\0';
	return 1;
}
