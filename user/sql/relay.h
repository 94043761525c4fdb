/* SPDX-License-Identifier: Apache-2.0 */
/* One session's sockets, and what its state machine wants done; relay*.c alone use it. */
#ifndef AGENTPOL_SQL_RELAY_H
#define AGENTPOL_SQL_RELAY_H

#include <sys/socket.h>

#include "sql/buffer.h"
#include "sql/gateway_internal.h"

/* How far the connection to the server is. */
enum relay_phase {
	RELAY_IDLE, /* there is none */
	RELAY_CONNECTING,
	RELAY_TLS_ASKED, /* SSLRequest has gone */
	RELAY_HANDSHAKE,
	RELAY_SERVING,
	RELAY_CANCELLING, /* a CancelRequest has gone; the server closes */
};

struct relay {
	struct gateway *gateway;
	struct guarded *guarded;
	size_t place;
	uint64_t ref, nonce;
	uint32_t key;		 /* with the place: what the client got as BackendKeyData */
	struct session *session; /* owned; NULL where it cancels for another relay */
	struct view *view;	 /* holds a reference */
	uint64_t listener;
	struct sockaddr_storage peer;
	socklen_t peer_length;

	int client, server; /* -1: none */
	SSL *ssl;
	enum relay_phase phase;
	struct event *client_readable, *client_writable, *server_readable, *server_writable;
	bool client_reads, client_writes, server_reads, server_writes; /* events that are added */
	struct buffer to_client, to_server; /* what the sockets did not take */
	struct buffer held;		    /* of the client's: waits for a verdict */
	bool client_gone, server_gone;
	bool handshake_writes; /* TLS waits until it can write */
	bool asked;	       /* policyd knows the ref */
	bool wants_tls;
	bool cancels; /* its server gets a CancelRequest, and nothing else */
	uint32_t cancel_pid, cancel_key;
	uint64_t own_cancel;  /* the relay that cancels for this one */
	bool ended;	      /* its policy is gone, and its session with it */
	bool lingering, shut; /* the session is over */
	unsigned seconds;     /* since it began, or is over */
	bool begins;	      /* in its policy's beginnings */
	TAILQ_ENTRY(relay) beginning;
};

/* relay_places.c */
/* Of a cancel, too: NULL only where there is no place at all, or no memory. */
struct relay *relay_new(struct gateway *gateway, struct guarded *guarded) MUST_USE;
/* Gives up its place, behind everything else. */
void relay_leave(struct relay *relay);
/* A place for one more client of the policy's? */
bool relays_have_room(const struct guarded *guarded);
/* Nothing is known of its client; the oldest of those gives way where there are too many. */
void relay_begins(struct relay *relay);
/* The client has said what it wants. */
void relay_has_begun(struct relay *relay);

/* relay.c */
void relay_free(struct relay *relay);
/* After anything has happened to it: reads and writes what can be, or frees it. The last thing that
 * is done with a relay. */
void relay_settle(struct relay *relay);
void relay_write_server(struct relay *relay, const void *bytes, size_t length);
void relay_read_server(struct relay *relay);
/* Takes the descriptor over; false when out of memory. */
bool relay_watch_server(struct relay *relay, int fd) MUST_USE;

/* relay_connect.c */
/* One step towards a server that serves. */
void relay_connect_step(struct relay *relay);

/* relay_host.c: what the session wants (struct session_host) */
void relay_want_server(void *context);
void relay_cancel_other(void *context, uint32_t pid, uint32_t key);
void relay_cancel_own(void *context);
bool relay_withdraw_cancel(void *context);
void relay_issue_key(void *context, uint32_t *pid, uint32_t *key);
void relay_take_catalog(void *context, const char *text, size_t length);
struct judgement *relay_judge(void *context, const char *text, size_t length);
void relay_record(void *context, const struct session_record *record);
uint64_t relay_now_us(void *context);

#endif
