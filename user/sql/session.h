/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session between a client and a server: what comes from either goes in as bytes, in pieces of
 * any size; what is to be sent comes out through the host. No sockets, no clock, no parser: those
 * are the host's (gateway.c, the tests, the fuzz target).
 *
 * Nothing reaches the server that was not approved. A denied text is replaced, at its place, by one
 * that the server is sure to refuse (see session_denial.c), and the server's refusal by ours: the
 * order of answers, what is skipped up to a Sync and the state of the transaction are then the
 * server's own.
 */
#ifndef AGENTPOL_SQL_SESSION_H
#define AGENTPOL_SQL_SESSION_H

#include "policy/policy.h"
#include "sql/judgement.h"

/* Memory for texts that have not come whole, over all sessions. */
struct session_budget {
	size_t used, limit;
};

/* One statement, for the log. Text lives until the host's function returns. */
struct session_record {
	const struct judgement *judgement;
	const char *text; /* as the client sent it; NULL: it was not kept */
	size_t text_length;
	const char *shape; /* literals replaced; NULL: there is none */
	uint64_t count;	   /* denials of this kind so far, where equal ones are told together */
	bool has_rows;
	uint64_t rows;
	bool has_duration;
	uint64_t duration_us;
};

/* What a session wants done. `context` is session_new's. Bytes live until the function returns.
 * None of them may free the session. */
struct session_host {
	void (*to_client)(void *context, const void *bytes, size_t length);
	void (*to_server)(void *context, const void *bytes, size_t length);
	/* A connection to the server is wanted; session_server_ready() or session_end() follows. */
	void (*want_server)(void *context);
	/* A CancelRequest came with a key that a session may have been given: forward it. */
	void (*cancel_other)(void *context, uint32_t pid, uint32_t key);
	/* This session's own query is to be cancelled at the server. */
	void (*cancel_own)(void *context);
	/* It has ended by itself: false where the cancel may have reached the server. */
	bool (*withdraw_cancel)(void *context);
	/* The server's key is known: one for the client, which stands for this session. */
	void (*issue_key)(void *context, uint32_t *pid, uint32_t *key);
	/* The catalog's text: session_catalog_ready() or session_end() follows, now or later. */
	void (*take_catalog)(void *context, const char *text, size_t length);
	/* A reference for the session, or NULL: session_judged() follows. `text` has a NUL behind
	 * `length`. */
	struct judgement *(*judge)(void *context, const char *text, size_t length);
	void (*record)(void *context, const struct session_record *record);
	uint64_t (*now_us)(void *context);
};

/* What holds for the session; lives longer than it. */
struct session_rules {
	const struct sql_policy *policy;
	const char *pointer; /* the policy's place in the manifest: "/tools/NAME/sql" */
	const char *catalog_query;
	bool audit;	  /* nothing is refused */
	bool log_allowed; /* allowed statements are recorded */
};

struct session;

/* NULL when out of memory. */
struct session *session_new(const struct session_host *host, void *context,
			    const struct session_rules *rules, struct session_budget *budget,
			    uint64_t nonce) MUST_USE;
/* Accepts NULL. */
void session_free(struct session *session);

/* Bytes from the client; how many were taken. Fewer: the rest is to be offered again once
 * session_reads_client(). */
size_t session_from_client(struct session *session, const uint8_t *bytes, size_t length);
/* Bytes from the server; all are taken. */
void session_from_server(struct session *session, const uint8_t *bytes, size_t length);
/* What the client sends is of no use now: it waits for a verdict, or for the server. */
bool session_reads_client(const struct session *session);

void session_server_ready(struct session *session);
/* Takes over the reference; NULL is out of memory. */
void session_judged(struct session *session, struct judgement *judgement);
void session_catalog_ready(struct session *session);

/* Ends it with a FATAL to the client, unless it is over. `code` static. */
void session_end(struct session *session, const char *code, const char *sentence);
/* Over: what was sent is to be flushed, then both sides closed. */
bool session_is_over(const struct session *session);
/* It serves statements: past authentication and the catalog. */
bool session_is_open(const struct session *session);

/* "" until they are known. */
const char *session_user(const struct session *session);
const char *session_database(const struct session *session);
/* The server says that the user is a superuser. */
bool session_is_superuser(const struct session *session);
/* The server's own key; false where it has given none. */
bool session_server_key(const struct session *session, uint32_t *pid, uint32_t *key);

#endif
