/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway is made of; gateway*.c and relay*.c alone use it. */
#ifndef AGENTPOL_SQL_GATEWAY_INTERNAL_H
#define AGENTPOL_SQL_GATEWAY_INTERNAL_H

#include <event2/event.h>
#include <sys/queue.h>

#include "sql/cache.h"
#include "sql/gateway.h"
#include "sql/packets.h"
#include "sql/questions.h"
#include "sql/session.h"

/* One read; what it brings is dealt with before the next one, so all sessions share it. */
#define SHARED_BYTES 32768U
#define RELAYS_MAX   4096U
/* Connections of one policy whose client has not said what it wants. */
#define BEGINNINGS_MAX 256U
/* Records that wait for policyd to read, of all policies. */
#define RECORD_BYTES_MAX (16U << 20)
/* What else waits for it; past this nobody new is let in. */
#define LINK_BYTES_MAX (2U << 20)
/* Long statements that have not come whole, of all sessions. */
#define STATEMENT_BYTES_MAX (32U << 20)
/* A client is past its start within this. */
#define START_SECONDS 60
/* A client whose session is over reads what was said to it within this. */
#define LINGER_SECONDS 2

/* A policy under a catalog, with the verdicts so far. Sessions share it. */
struct view {
	struct view *next;
	struct guarded *guarded;
	uint64_t id;	   /* the catalog's number for the parser, too */
	size_t references; /* sessions */
	char *text;	   /* owned: the catalog's */
	size_t length;
	struct cache *cache; /* owned */
};

struct relay;
TAILQ_HEAD(beginnings, relay);

/* A policy that policyd has sent. */
struct guarded {
	struct guarded *next;
	struct gateway *gateway;
	uint64_t ref;
	struct guard_policy options;
	int manifest;	       /* memfd, for the parser */
	struct policy *policy; /* owned */
	struct arena *arena;   /* owned: pointer, catalog query */
	struct upstream_tls *tls;
	char pointer[2 * TOOL_NAME_MAX + 16];
	struct session_rules rules;
	struct view *views; /* owned; the newest first */
	size_t relay_count;
	struct beginnings beginnings; /* relays whose client has not said what it wants */
	size_t beginning_count;
	size_t record_bytes;   /* that wait for policyd to read */
	uint64_t records_lost; /* and not told yet */
	bool held_up;	       /* its sessions are not read until records have gone */
};

struct listener {
	struct listener *next;
	struct gateway *gateway;
	uint64_t ref;
	struct guarded *guarded;
	int fd;
	struct event *readable;
	bool paused; /* until the next second */
};

struct gateway {
	struct event_base *base;
	const struct gateway_host *host;
	const struct tls_trust *trust;
	struct packets *link;
	struct questions *questions;
	struct guarded *policies;
	struct listener *listeners;
	struct relay **relays; /* RELAYS_MAX */
	uint32_t *generations; /* of their places */
	size_t relay_count;
	size_t last_place;   /* where the last one was put */
	size_t record_bytes; /* of all policies, those that are gone too */
	struct session_budget budget;
	uint64_t last_view;
	uint64_t seed[2];
	bool lost; /* the link */
	uint8_t shared[SHARED_BYTES];
	char shape[CACHE_KEY_MAX];
};

/* gateway_policy.c */
void gateway_take_policy(struct gateway *gateway, struct packet *packet);
void gateway_forget_policy(struct gateway *gateway, uint64_t ref);
struct guarded *gateway_find_policy(struct gateway *gateway, uint64_t ref);
void guarded_free(struct guarded *guarded);
/* Tells a new parser of everything. */
void gateway_tell_parser(struct gateway *gateway);
/* The view of a catalog, with a reference for the caller; NULL when out of memory. */
struct view *guarded_view(struct guarded *guarded, const char *text, size_t length) MUST_USE;
/* Accepts NULL. */
void view_release(struct view *view);
/* The verdict that is known (no reference), or NULL. */
struct judgement *view_find(struct view *view, const char *text, size_t length);
void view_add(struct view *view, const char *text, size_t length, struct judgement *judgement);

/* gateway_records.c */
/* To policyd; never dropped: a guard that can't tell it ends, and is started again. */
void gateway_tell(struct gateway *gateway, const struct guard_message *head, const void *tail);
/* Others are not let in where policyd does not read. */
bool gateway_is_behind(const struct gateway *gateway);
/* A session's record for the log; where it can't be kept it is counted. `text` NULL: it could not
 * be made. */
void gateway_record(struct guarded *guarded, uint64_t relay, const char *text, size_t length);
/* One that waited has gone. */
void gateway_record_sent(struct gateway *gateway, const struct guard_message *head);
/* Tells what was lost since the last time. */
void guarded_tell_lost(struct guarded *guarded);

/* relay_places.c, relay.c */
void relay_accept(struct listener *listener, int fd, const struct sockaddr *peer,
		  socklen_t peer_length);
struct relay *gateway_find_relay(struct gateway *gateway, uint64_t ref);
/* policyd's answers to GUARD_ASK; the descriptor is taken over. */
void relay_take_server(struct relay *relay, int fd, const struct guard_client *client);
void relay_refuse(struct relay *relay, const char *sentence);
void relay_judged(struct relay *relay, uint64_t view, struct judgement *judgement);
/* Ends all of a policy, with a sentence to their clients. */
void relays_end_policy(struct gateway *gateway, const struct guarded *guarded);
/* Those of a policy go on. */
void relays_resume(struct gateway *gateway, const struct guarded *guarded);
void relays_tick(struct gateway *gateway);
void relays_free(struct gateway *gateway);

#endif
