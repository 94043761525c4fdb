// SPDX-License-Identifier: Apache-2.0
#include "sql/gateway_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

/* Connections that are taken before others have their turn. */
#define ACCEPTS_MAX 16

/* ---- listeners ---- */

static void pause_listener(struct listener *listener)
{
	listener->paused = true;
	(void)event_del(listener->readable);
}

static void on_connection(evutil_socket_t fd, short what, void *context)
{
	struct listener *listener = context;
	struct sockaddr_storage peer;
	socklen_t length;
	int i, client;

	(void)what;
	for (i = 0; i < ACCEPTS_MAX; i++) {
		if (gateway_is_behind(listener->gateway)) {
			pause_listener(listener);
			return;
		}
		length = sizeof(peer);
		memset(&peer, 0, sizeof(peer));
		client = accept4(fd, (struct sockaddr *)&peer, &length,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
				pause_listener(listener);
			return;
		}
		relay_accept(listener, client, (struct sockaddr *)&peer, length);
	}
}

static void listener_free(struct listener *listener)
{
	if (listener->readable)
		event_free(listener->readable);
	(void)close(listener->fd);
	free(listener);
}

static void forget_listener(struct gateway *gateway, uint64_t ref)
{
	struct listener **at = &gateway->listeners, *listener;

	while (*at && (*at)->ref != ref)
		at = &(*at)->next;
	listener = *at;
	if (!listener)
		return;
	*at = listener->next;
	listener_free(listener);
}

static void take_listener(struct gateway *gateway, struct packet *packet)
{
	struct listener *listener;

	if (packet->fds[0] < 0)
		return;
	forget_listener(gateway, packet->head.ref);
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return;
	listener->gateway = gateway;
	listener->ref = packet->head.ref;
	listener->guarded = gateway_find_policy(gateway, packet->head.value);
	listener->fd = packet->fds[0];
	packet->fds[0] = -1;
	(void)fcntl(listener->fd, F_SETFL, O_NONBLOCK);
	listener->readable = event_new(gateway->base, listener->fd, EV_READ | EV_PERSIST,
				       on_connection, listener);
	if (!listener->readable || event_add(listener->readable, NULL) < 0) {
		listener_free(listener);
		return;
	}
	listener->next = gateway->listeners;
	gateway->listeners = listener;
}

/* ---- the link to policyd ---- */

static void take_server(struct gateway *gateway, struct packet *packet)
{
	struct relay *relay = gateway_find_relay(gateway, packet->head.ref);
	struct guard_client client;

	if (!relay || packet->fds[0] < 0 || packet->head.length != sizeof(client))
		return;
	memcpy(&client, packet->tail, sizeof(client));
	relay_take_server(relay, packet->fds[0], &client);
	packet->fds[0] = -1;
}

static void on_received(void *context, struct packet *packet)
{
	struct gateway *gateway = context;
	struct relay *relay;

	switch (packet->head.type) {
	case GUARD_POLICY:
		gateway_take_policy(gateway, packet);
		return;
	case GUARD_FORGET_POLICY:
		gateway_forget_policy(gateway, packet->head.ref);
		return;
	case GUARD_LISTENER:
		take_listener(gateway, packet);
		return;
	case GUARD_FORGET_LISTENER:
		forget_listener(gateway, packet->head.ref);
		return;
	case GUARD_SERVER:
		take_server(gateway, packet);
		return;
	case GUARD_REFUSE:
		relay = gateway_find_relay(gateway, packet->head.ref);
		if (relay)
			relay_refuse(relay, packet->tail);
		return;
	case GUARD_PARSER:
		if (packet->fds[0] < 0)
			return;
		questions_set_parser(gateway->questions, packet->fds[0]);
		packet->fds[0] = -1;
		return;
	default:
		return;
	}
}

static void on_lost(void *context)
{
	struct gateway *gateway = context;

	gateway->lost = true;
	(void)event_base_loopbreak(gateway->base);
}

static void on_sent(void *context, const struct guard_message *head)
{
	if (head->type == GUARD_RECORD)
		gateway_record_sent(context, head);
}

/* ---- the parser ---- */

static struct view *find_view(struct gateway *gateway, uint64_t id)
{
	struct guarded *guarded;
	struct view *view;

	for (guarded = gateway->policies; guarded; guarded = guarded->next)
		for (view = guarded->views; view; view = view->next)
			if (view->id == id)
				return view;
	return NULL;
}

static void on_answered(void *context, uint64_t view_id, uint64_t relay_ref, const char *text,
			size_t length, struct judgement *judgement, bool parser_failed)
{
	struct gateway *gateway = context;
	struct view *view = find_view(gateway, view_id);
	struct relay *relay = gateway_find_relay(gateway, relay_ref);

	if (judgement && parser_failed)
		judgement->literals_decide = true; /* these very bytes did it */
	/* A failure is known next time, or the text would end a parser a time. */
	if (view && judgement &&
	    (parser_failed || strcmp(judgement->text[JUDGEMENT_REASON], "sql-parser") != 0))
		view_add(view, text, length, judgement);
	if (relay)
		relay_judged(relay, view_id, judgement);
	else
		judgement_release(judgement);
}

static void on_renewed(void *context)
{
	gateway_tell_parser(context);
}

/* ---- the loop ---- */

static void on_second(evutil_socket_t fd, short what, void *context)
{
	struct gateway *gateway = context;
	struct listener *listener;
	struct guarded *guarded;

	(void)fd;
	(void)what;
	questions_tick(gateway->questions);
	relays_tick(gateway);
	for (guarded = gateway->policies; guarded; guarded = guarded->next)
		if (!guarded->held_up)
			guarded_tell_lost(guarded);
	for (listener = gateway->listeners; listener; listener = listener->next) {
		if (!listener->paused)
			continue;
		listener->paused = false;
		(void)event_add(listener->readable, NULL);
	}
}

/* With the changes of a turn handed to the kernel together. */
static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
							    EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

struct gateway *gateway_new(const struct gateway_host *host, const struct tls_trust *trust,
			    struct error *error)
{
	static const struct questions_host questions_host = {.answered = on_answered,
							     .renewed = on_renewed};
	struct gateway *gateway = calloc(1, sizeof(*gateway));

	if (gateway) {
		gateway->host = host;
		gateway->trust = trust;
		gateway->budget.limit = STATEMENT_BYTES_MAX;
		gateway->base = make_base();
		gateway->relays = calloc(RELAYS_MAX, sizeof(struct relay *));
		gateway->generations = calloc(RELAYS_MAX, sizeof(uint32_t));
	}
	if (gateway && gateway->base)
		gateway->questions = questions_new(gateway->base, &questions_host, gateway);
	if (gateway && gateway->relays && gateway->generations && gateway->questions &&
	    getrandom(gateway->seed, sizeof(gateway->seed), 0) == sizeof(gateway->seed))
		return gateway;
	(void)error_set(error, STATUS_SYSTEM, "the guard's event loop can't be made");
	gateway_free(gateway);
	return NULL;
}

void gateway_free(struct gateway *gateway)
{
	if (!gateway)
		return;
	if (gateway->relays)
		relays_free(gateway);
	while (gateway->listeners)
		forget_listener(gateway, gateway->listeners->ref);
	while (gateway->policies)
		gateway_forget_policy(gateway, gateway->policies->ref);
	questions_free(gateway->questions);
	packets_free(gateway->link);
	free(gateway->relays);
	free(gateway->generations);
	if (gateway->base)
		event_base_free(gateway->base);
	free(gateway);
}

int gateway_run(struct gateway *gateway, int link, struct error *error)
{
	static const struct packets_host link_host = {
		.received = on_received, .lost = on_lost, .sent = on_sent};
	const struct guard_message ready = {.type = GUARD_READY};
	const struct timeval second = {.tv_sec = 1};
	struct event *tick = event_new(gateway->base, -1, EV_PERSIST, on_second, gateway);

	gateway->link = packets_new(gateway->base, link, &link_host, gateway);
	if (!gateway->link || !tick || event_add(tick, &second) < 0) {
		if (tick)
			event_free(tick);
		return error_set(error, STATUS_SYSTEM, "cannot watch for events");
	}
	gateway_tell(gateway, &ready, NULL);
	(void)event_base_dispatch(gateway->base);
	event_free(tick);
	return 0;
}
