/* SPDX-License-Identifier: Apache-2.0 */
/* A child of the guard: started, spoken to, ended. For guard*.c. */
#ifndef AGENTPOL_POLICYD_GUARD_PROCESS_H
#define AGENTPOL_POLICYD_GUARD_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "sql/guard_link.h"

/* Messages that wait for the child to read; a child that is slower than that is ended. */
#define GUARD_QUEUE_MAX 1024

struct guard_queued;

struct guard_process {
	pid_t pid;			    /* 0: there is none */
	int exit;			    /* pidfd: readable when it has ended */
	int link;			    /* ours; -1: the other end is somebody else's */
	struct guard_queued *first, **last; /* what waits, owned */
	size_t queued;
	bool overflowed; /* it is to be ended */
	uint64_t started_ms, not_before_ms;
	unsigned failures; /* in a row */
	bool soon;	   /* see struct guard_program */
};

struct guard_program {
	const char *path;
	const char *child; /* "sql-guard-child" */
	uid_t uid;
	const char *root;
	bool soon; /* it fails by what others ask of it: they need the next one at once */
};

void guard_process_init(struct guard_process *process);
/* Starts it with `theirs` as its descriptor 3; `ours` is kept as the link (-1: none). Both are the
 * caller's no more. */
int guard_process_start(struct guard_process *process, const struct guard_program *program,
			int theirs, int ours, struct error *error) MUST_USE;
/* Ends it, whatever it does; forgets what was queued. */
void guard_process_end(struct guard_process *process);
/* Its end was no failure of its own: it may be started at once. */
void guard_process_forgive(struct guard_process *process);
/* Has it ended by itself? Then it is none any more. */
bool guard_process_has_ended(struct guard_process *process);
/* Is it time to start it? */
bool guard_process_is_due(const struct guard_process *process);
/* How long until then: milliseconds; 0 where it is, or the process is there. */
uint64_t guard_process_wait_ms(const struct guard_process *process);

/* Sends or queues; `fds` are duplicated where they have to wait. */
void guard_process_send(struct guard_process *process, const struct guard_message *head,
			const void *tail, const int *fds, size_t fd_count);
/* Sends what waits, when it can. */
void guard_process_flush(struct guard_process *process);
/* One message into *head and `tail` (GUARD_TAIL_MAX bytes and one): 1; 0 where there is none now;
 * -errno, -EPROTO where it is none of the protocol's. */
int guard_process_receive(const struct guard_process *process, struct guard_message *head,
			  char *tail) MUST_USE;

#endif
