// SPDX-License-Identifier: Apache-2.0
/*
 * A session's two sockets. What comes is read into the gateway's one buffer, looked at in place and
 * written on at once; only what a socket does not take is copied, and then nothing more is read
 * from the other side until it has gone: a slow end holds up its own session alone.
 */
#include "sql/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "sql/protocol.h"

/* ---- ends ---- */

static void free_event(struct event **event)
{
	if (*event)
		event_free(*event);
	*event = NULL;
}

static void close_server(struct relay *relay)
{
	free_event(&relay->server_readable);
	free_event(&relay->server_writable);
	SSL_free(relay->ssl);
	relay->ssl = NULL;
	if (relay->server >= 0)
		(void)close(relay->server);
	relay->server = -1;
	buffer_clear(&relay->to_server);
}

static void close_client(struct relay *relay)
{
	free_event(&relay->client_readable);
	free_event(&relay->client_writable);
	if (relay->client >= 0)
		(void)close(relay->client);
	relay->client = -1;
	buffer_clear(&relay->to_client);
}

void relay_free(struct relay *relay)
{
	const struct guard_message ended = {.type = GUARD_ENDED, .ref = relay->ref};

	if (relay->asked)
		gateway_tell(relay->gateway, &ended, NULL);
	close_server(relay);
	close_client(relay);
	session_free(relay->session);
	view_release(relay->view);
	buffer_clear(&relay->held);
	relay_leave(relay);
}

/* ---- writing ---- */

/* As much as the socket takes now; the rest waits. */
static void write_client(struct relay *relay, const void *bytes, size_t length)
{
	ssize_t put = 0;

	if (relay->client < 0 || relay->client_gone)
		return;
	if (relay->to_client.length == 0) {
		put = send(relay->client, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (put < 0 && errno != EAGAIN && errno != EINTR) {
			relay->client_gone = true;
			return;
		}
		if (put < 0)
			put = 0;
	}
	buffer_append(&relay->to_client, (const char *)bytes + put, length - (size_t)put);
	relay->client_gone |= relay->to_client.failed;
}

static ssize_t put_server(struct relay *relay, const void *bytes, size_t length)
{
	ssize_t put;

	if (relay->ssl)
		return upstream_tls_write(relay->ssl, bytes, length);
	put = send(relay->server, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	return put < 0 ? -errno : put;
}

void relay_write_server(struct relay *relay, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	ssize_t put = 0;

	if (relay->server < 0 || relay->server_gone)
		return;
	while (relay->to_server.length == 0 && length > 0) {
		put = put_server(relay, at, length);
		if (put <= 0)
			break;
		at += put;
		length -= (size_t)put;
	}
	if (put < 0 && put != -EAGAIN && put != -EINTR) {
		relay->server_gone = true;
		return;
	}
	buffer_append(&relay->to_server, at, length);
	relay->server_gone |= relay->to_server.failed;
}

static void flush_client(struct relay *relay)
{
	ssize_t put = send(relay->client, buffer_bytes(&relay->to_client), relay->to_client.length,
			   MSG_NOSIGNAL | MSG_DONTWAIT);

	if (put > 0)
		buffer_take(&relay->to_client, (size_t)put);
	else if (put < 0 && errno != EAGAIN && errno != EINTR)
		relay->client_gone = true;
}

static void flush_server(struct relay *relay)
{
	ssize_t put;

	while (relay->to_server.length) {
		put = put_server(relay, buffer_bytes(&relay->to_server), relay->to_server.length);
		if (put == -EAGAIN || put == -EINTR)
			return;
		if (put <= 0) {
			relay->server_gone = true;
			return;
		}
		buffer_take(&relay->to_server, (size_t)put);
	}
}

/* ---- which side is read ---- */

static void watch(struct event *event, bool *watched, bool wanted)
{
	if (!event || *watched == wanted)
		return;
	*watched = wanted;
	if (wanted)
		(void)event_add(event, NULL);
	else
		(void)event_del(event);
}

/* The client is told the rest, and its bytes are read to their end: closed with bytes unread, a
 * TCP socket would throw away what the client has not read yet. */
static void linger(struct relay *relay)
{
	static const uint8_t terminate[] = {'X', 0, 0, 0, 4};

	if (!relay->lingering) {
		relay->lingering = true;
		relay->seconds = 0;
		if (relay->phase == RELAY_SERVING && relay->to_server.length == 0)
			relay_write_server(relay, terminate, sizeof(terminate));
		/* A cancel's client waits until the server has taken it. */
		if (relay->phase != RELAY_CANCELLING && !relay->cancels)
			close_server(relay);
		buffer_clear(&relay->held);
	}
	if (relay->cancels)
		return;
	if (relay->to_client.length == 0 && relay->client >= 0 && !relay->shut) {
		relay->shut = true;
		(void)shutdown(relay->client, SHUT_WR);
	}
}

static bool is_finished(const struct relay *relay)
{
	if (relay->cancels)
		return relay->server_gone;
	if (relay->client < 0 || relay->client_gone)
		return true;
	return false;
}

/* Its policy's records are to be written first. */
static bool is_held_up(const struct relay *relay)
{
	return relay->guarded && relay->guarded->held_up && relay->phase == RELAY_SERVING &&
	       !relay->lingering && !session_is_over(relay->session);
}

void relay_settle(struct relay *relay)
{
	struct session *session = relay->session;
	size_t taken = 1;
	bool open;

	while (session && relay->held.length && taken && relay->to_server.length == 0 &&
	       !is_held_up(relay) && session_reads_client(session)) {
		taken = session_from_client(session, buffer_bytes(&relay->held),
					    relay->held.length);
		buffer_take(&relay->held, taken);
	}
	if (relay->server_gone && session && !session_is_over(session))
		session_end(session, "57P01", "the server has closed the connection");
	if (relay->ended || (session && session_is_over(session)))
		linger(relay);
	if (is_finished(relay)) {
		relay_free(relay);
		return;
	}
	open = session && !session_is_over(session);
	watch(relay->client_readable, &relay->client_reads,
	      relay->lingering ? !relay->cancels
			       : open && !is_held_up(relay) && session_reads_client(session) &&
					 relay->to_server.length == 0 && relay->held.length == 0);
	watch(relay->client_writable, &relay->client_writes, relay->to_client.length > 0);
	watch(relay->server_readable, &relay->server_reads,
	      relay->phase != RELAY_CONNECTING && relay->to_client.length == 0 &&
		      !is_held_up(relay));
	watch(relay->server_writable, &relay->server_writes,
	      relay->phase == RELAY_CONNECTING || relay->to_server.length > 0 ||
		      relay->handshake_writes);
}

/* ---- events ---- */

static void on_client_readable(evutil_socket_t fd, short what, void *context)
{
	struct relay *relay = context;
	struct gateway *gateway = relay->gateway;
	ssize_t got;
	size_t taken;

	(void)what;
	if (is_held_up(relay)) {
		relay_settle(relay);
		return;
	}
	got = recv(fd, gateway->shared, sizeof(gateway->shared), MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		relay->client_gone = true;
	} else if (!relay->lingering) {
		taken = session_from_client(relay->session, gateway->shared, (size_t)got);
		if (taken < (size_t)got)
			buffer_append(&relay->held, gateway->shared + taken, (size_t)got - taken);
		relay->client_gone |= relay->held.failed;
	}
	relay_settle(relay);
}

static void on_client_writable(evutil_socket_t fd, short what, void *context)
{
	struct relay *relay = context;

	(void)fd;
	(void)what;
	flush_client(relay);
	relay_settle(relay);
}

void relay_read_server(struct relay *relay)
{
	struct gateway *gateway = relay->gateway;
	ssize_t got;

	do {
		if (relay->ssl) {
			got = upstream_tls_read(relay->ssl, gateway->shared,
						sizeof(gateway->shared));
		} else {
			got = recv(relay->server, gateway->shared, sizeof(gateway->shared),
				   MSG_DONTWAIT);
			got = got < 0 ? -errno : got;
		}
		if (got == -EAGAIN || got == -EINTR)
			break;
		if (got <= 0)
			relay->server_gone = true;
		else if (relay->session && !relay->cancels)
			session_from_server(relay->session, gateway->shared, (size_t)got);
		/* What OpenSSL has read ahead makes no descriptor readable. */
	} while (got > 0 && relay->ssl && SSL_pending(relay->ssl) > 0);
}

static void on_server_readable(evutil_socket_t fd, short what, void *context)
{
	struct relay *relay = context;

	(void)fd;
	(void)what;
	if (relay->phase < RELAY_SERVING)
		relay_connect_step(relay);
	else if (!is_held_up(relay))
		relay_read_server(relay);
	relay_settle(relay);
}

static void on_server_writable(evutil_socket_t fd, short what, void *context)
{
	struct relay *relay = context;

	(void)fd;
	(void)what;
	if (relay->phase < RELAY_SERVING)
		relay_connect_step(relay);
	else
		flush_server(relay);
	relay_settle(relay);
}

static void set_up_socket(int fd)
{
	const int on = 1;

	/* Of a Unix socket they are none, and fail. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

bool relay_watch_server(struct relay *relay, int fd)
{
	struct event_base *base = relay->gateway->base;

	relay->server = fd;
	set_up_socket(fd);
	relay->server_readable =
		event_new(base, fd, EV_READ | EV_PERSIST, on_server_readable, relay);
	relay->server_writable =
		event_new(base, fd, EV_WRITE | EV_PERSIST, on_server_writable, relay);
	return relay->server_readable && relay->server_writable;
}

/* ---- beginnings ---- */

static void to_client(void *context, const void *bytes, size_t length)
{
	write_client(context, bytes, length);
}

static void to_server(void *context, const void *bytes, size_t length)
{
	relay_write_server(context, bytes, length);
}

static const struct session_host session_host = {
	.to_client = to_client,
	.to_server = to_server,
	.want_server = relay_want_server,
	.cancel_other = relay_cancel_other,
	.cancel_own = relay_cancel_own,
	.withdraw_cancel = relay_withdraw_cancel,
	.issue_key = relay_issue_key,
	.take_catalog = relay_take_catalog,
	.judge = relay_judge,
	.record = relay_record,
	.now_us = relay_now_us,
};

/* It has no place to wait in for what the client says first: this is the answer to anything. */
static void refuse_client(int fd)
{
	const struct error_response error = {.severity = "FATAL",
					     .code = "53300",
					     .message =
						     "too many connections through the SQL guard"};
	struct buffer message = {0};

	message_put_error(&message, &error);
	if (!message.failed)
		(void)!send(fd, buffer_bytes(&message), message.length,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	buffer_clear(&message);
	(void)close(fd);
}

void relay_accept(struct listener *listener, int fd, const struct sockaddr *peer,
		  socklen_t peer_length)
{
	struct gateway *gateway = listener->gateway;
	struct guarded *guarded = listener->guarded;
	struct relay *relay = NULL;

	if (guarded && relays_have_room(guarded))
		relay = relay_new(gateway, guarded);
	if (!relay) {
		refuse_client(fd);
		return;
	}
	relay->client = fd;
	relay->listener = listener->ref;
	relay->peer_length = peer_length < sizeof(relay->peer) ? peer_length : sizeof(relay->peer);
	memcpy(&relay->peer, peer, relay->peer_length);
	set_up_socket(fd);
	relay->client_readable =
		event_new(gateway->base, fd, EV_READ | EV_PERSIST, on_client_readable, relay);
	relay->client_writable =
		event_new(gateway->base, fd, EV_WRITE | EV_PERSIST, on_client_writable, relay);
	relay->session =
		session_new(&session_host, relay, &guarded->rules, &gateway->budget, relay->nonce);
	if (!relay->session || !relay->client_readable || !relay->client_writable) {
		relay_free(relay);
		return;
	}
	relay_begins(relay);
	relay_settle(relay);
}
