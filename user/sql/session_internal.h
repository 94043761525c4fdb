/* SPDX-License-Identifier: Apache-2.0 */
/* What a session is made of; session*.c alone use it. */
#ifndef AGENTPOL_SQL_SESSION_INTERNAL_H
#define AGENTPOL_SQL_SESSION_INTERNAL_H

#include "sql/protocol.h"
#include "sql/session.h"
#include "sql/session_flight.h"
#include "sql/startup.h"

/* Denied messages whose answer has not come: past it the client is not read. */
#define DENIED_MAX 64
/* Different denials of a session that are counted apart. */
#define TOLD_MAX 64
/* A client's password or SASL message: PG_MAX_AUTH_TOKEN_LENGTH of the server. */
#define AUTH_MESSAGE_MAX 65535U
/* Messages of the server that are looked into are far smaller. */
#define LOOK_MAX 16384U
/* Pieces of an answer that is too long before the query is cancelled: a short one ends by itself.
 */
#define OVER_PIECES 4
/* The catalog's text; a schema of 100,000 columns stays below. */
#define CATALOG_MAX (16U << 20)

enum session_state {
	SESSION_START,	  /* the client's first packets */
	SESSION_WANTED,	  /* a server was asked for */
	SESSION_AUTH,	  /* authentication passes through */
	SESSION_SETTLE,	  /* from AuthenticationOk to ReadyForQuery */
	SESSION_CATALOG,  /* the guard's own query */
	SESSION_SNAPSHOT, /* the host reads its text */
	SESSION_OPEN,
	SESSION_OVER,
};

/* How the rest of a message is dealt with. */
enum stream_mode {
	STREAM_PASS,
	STREAM_SKIP,
	STREAM_COLLECT, /* looked into once it is whole */
};

/* One direction: where in a message it stands between two pieces. */
struct stream {
	uint8_t head[MESSAGE_HEAD];
	uint8_t head_used; /* of a head that has not come whole */
	enum stream_mode mode;
	uint32_t left;	       /* bytes of the body that are still to come, in this mode */
	uint32_t rest;	       /* and those behind them, which pass */
	struct buffer message; /* STREAM_COLLECT: head and body so far */
};

/* A message that was refused in the server's stead. */
struct denied {
	uint64_t number;
	uint64_t sync; /* answered before the ReadyForQuery of that number at the latest */
	struct judgement *judgement;
};

/* A kind of denial that was told already. */
struct told {
	uint64_t hash;
	uint64_t count;
};

struct flight; /* session_flight.h */

struct session {
	const struct session_host *host;
	void *context;
	const struct session_rules *rules;
	struct session_budget *budget;
	size_t budgeted; /* of the budget, for client.message */
	enum session_state state;
	struct stream client, server;
	struct startup startup;
	uint8_t encryption_asked; /* SSLRequest and GSSENCRequest, each once */
	bool has_key;
	uint32_t server_pid, server_key;
	bool superuser;
	bool knows_names; /* the database is in UTF-8: see judge_bytes */
	bool server_ends;     /* it has said so itself */
	bool strings_conform; /* standard_conforming_strings=on was seen */
	bool encoding_known;  /* client_encoding is one that is guarded */

	bool waiting;	    /* for a verdict on client.message */
	bool skipping;	    /* up to a Sync: a Parse was denied */
	bool copy_approved; /* a COPY FROM STDIN was */
	char transaction;   /* of the last ReadyForQuery */

	uint64_t nonce;
	uint64_t denied_numbers; /* given out */
	struct denied denied[DENIED_MAX];
	size_t denied_first, denied_count;
	struct told *told;		 /* owned; TOLD_MAX */
	uint64_t syncs_sent, syncs_seen; /* what ends in a ReadyForQuery, and those */

	/* max_rows */
	uint64_t rows;
	uint64_t executes; /* Execute and Query messages since the last idle ReadyForQuery */
	bool rows_over, cancelling;
	unsigned over_pieces; /* that have come since */
	bool discarding; /* the server's answers up to ReadyForQuery: the client was told an error
			  */

	struct buffer catalog; /* SESSION_CATALOG */
	struct flight *flight; /* owned; NULL but where allowed statements are logged */
};

/* session.c */
void session_fatal(struct session *session, const char *code, const char *format, ...) FORMAT(3, 4);
/* The next head of a stream, from what is left over and `bytes`; false where it is not whole: all
 * bytes are taken then. *taken of `bytes` belong to it. */
bool stream_next_head(struct stream *stream, const uint8_t *bytes, size_t length,
		      struct message_head *head, size_t *taken);
/* Takes what of a message's rest is in `bytes`; the number of bytes. Collects where the mode says.
 */
size_t stream_take(struct stream *stream, const uint8_t *bytes, size_t length);

/* session_start.c: until the session is open */
size_t session_start_client(struct session *session, const uint8_t *bytes, size_t length);
/* One whole message of the server. */
void session_start_server(struct session *session, const struct message_head *head,
			  const uint8_t *message);
/* ParameterStatus, at any time; false where the session is over because of it. */
bool session_watch_parameter(struct session *session, const uint8_t *body, size_t length);

/* session_client.c */
size_t session_open_client(struct session *session, const uint8_t *bytes, size_t length);
/* session_server.c */
void session_open_server(struct session *session, const uint8_t *bytes, size_t length);

/* session_denial.c */
/* Puts the refusal for a Query, Parse or FunctionCall ('Q', 'P', 'F') into the stream to the
 * server. Does not take over the reference. */
void session_deny(struct session *session, char type, struct judgement *judgement);
/* Is this ErrorResponse's body the server's refusal of a substitute? Then the client gets the
 * verdict in its place. */
bool session_answer_denied(struct session *session, const uint8_t *body, size_t length);
/* A ReadyForQuery has come: what it answers is answered. */
void session_forget_denied(struct session *session);
/* Answers in the place of the command that is under way, which was cut off: its other answers up to
 * ReadyForQuery are not the client's. */
void session_answer_cut(struct session *session);
/* Tells of a verdict that is no plain allow, unless equal ones were told often enough. */
void session_tell(struct session *session, const struct judgement *judgement, const char *text,
		  size_t length);
/* Records of allowed statements that can't wait for their end. */
void session_tell_untold(struct session *session);

#endif
