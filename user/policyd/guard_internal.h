/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the guard share. */
#ifndef AGENTPOL_POLICYD_GUARD_INTERNAL_H
#define AGENTPOL_POLICYD_GUARD_INTERNAL_H

#include "policyd/guard.h"
#include "policyd/guard_process.h"

/* Network namespaces that one agent is listened for in: each takes two sockets. */
#define PLACES_EACH_MAX 32
#define SESSIONS_MAX	8192
#define SESSION_CHAINS	1024

/* Held by us too, so that a guard that is started again finds the same ports, and who waits. */
struct guard_listener {
	uint64_t ref; /* 0: none */
	int socket;   /* owned; -1: none */
	uint16_t port;
};

/* A network namespace in which a ward's guard listens. */
struct guard_place {
	struct guard_place *next;
	uint64_t inode;
	uint32_t space;			 /* see struct learnt_key */
	int fd;				 /* owned: the namespace */
	unsigned deserted;		 /* looks in a row that found nobody of the agent's there */
	struct guard_listener four, six; /* of a server on TCP */
	struct guard_listener path;	 /* of one behind a Unix socket */
	struct guard_name name;		 /* of that */
};

/* An agent whose tool has a server: one policy to the guard. */
struct guard_ward {
	struct guard_ward *next;
	uint64_t ref;
	uint64_t cgroup;
	uint32_t policy_id;
	uint32_t server; /* the tool's place in the manifest, from 1 on */
	struct guard_policy tail;
	char *pattern;	  /* owned: of the server's Unix sockets; NULL: it is on TCP */
	char *text;	  /* owned: of the "sql" */
	int manifest, ca; /* owned; -1: none */
	struct guard_place *places;
	bool gone; /* see wards_follow */
};

/* A connection that goes through the guard, or is about to. */
struct guard_session {
	struct guard_session *next;
	uint64_t ref; /* the guard's choice */
	uint64_t listener;
	uint64_t cgroup;
	struct steering steering;
	char path[UNIX_PATH_BYTES + 1]; /* "": on TCP */
};

struct guard {
	struct guard_options options;
	uid_t uid;
	int poll;  /* epoll */
	int timer; /* timerfd: the parser is due */
	struct guard_process child, parser;
	uint64_t last_ref;
	struct guard_ward *wards;
	unsigned looked; /* ticks since places were looked through */
	unsigned idle;	 /* ticks without a ward */
	struct guard_session *sessions[SESSION_CHAINS];
	size_t session_count;
	char tail[GUARD_TAIL_MAX + 1]; /* of the message that is read */
};

/* ---- guard.c ---- */
void guard_send(struct guard *guard, enum guard_message_type type, uint64_t ref, uint64_t value,
		const void *tail, size_t length);
void guard_send_fds(struct guard *guard, const struct guard_message *head, const void *tail,
		    const int *fds, size_t fd_count);

/* ---- guard_wards.c ---- */
/* See guard_follow_agents. */
int wards_follow(struct guard *guard, pid_t pid, struct error *error) MUST_USE;
/* Tells all of them to a guard that knows none. */
void wards_tell(struct guard *guard);
/* Lets go of namespaces in which nobody of the agent's is left. */
void wards_look(struct guard *guard);
void wards_free(struct guard *guard);
struct guard_ward *wards_find(const struct guard *guard, uint64_t cgroup);
/* By a ward's number; 0 where there is none. */
uint64_t wards_cgroup(const struct guard *guard, uint64_t ref);
/* Listens in the namespaces of a process. */
int ward_listen_for(struct guard *guard, struct guard_ward *ward, pid_t pid,
		    struct error *error) MUST_USE;
/* By a listener's number; *family is AF_INET, AF_INET6 or AF_UNIX. NULL where there is none. */
const struct guard_place *wards_find_listener(const struct guard *guard, uint64_t ref,
					      struct guard_ward **ward, int *family);

/* ---- guard_sessions.c ---- */
void sessions_ask(struct guard *guard, const struct guard_message *head, const char *tail);
void sessions_ask_cancel(struct guard *guard, const struct guard_message *head);
void sessions_end(struct guard *guard, uint64_t ref);
void sessions_forget_all(struct guard *guard);
const struct guard_session *sessions_find(const struct guard *guard, uint64_t ref);

/* ---- guard_records.c ---- */
/* Writes what the guard has said of a session, as far as it is a record. */
void records_take(struct guard *guard, const struct guard_session *session, const char *text,
		  size_t length);
/* Writes that records were lost; an agent that is not known (0, or gone) goes unnamed. */
void records_lost(struct guard *guard, uint64_t cgroup, uint64_t count);

#endif
