// SPDX-License-Identifier: Apache-2.0
/* From policyd's answer to a server that serves: connected, under TLS where it is wanted. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "sql/protocol.h"
#include "sql/relay.h"

static void FORMAT(2, 3) fail(struct relay *relay, const char *format, ...)
{
	char sentence[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	relay->server_gone = true;
	if (relay->session)
		session_end(relay->session, "08001", sentence);
}

static void serve(struct relay *relay)
{
	struct buffer packet = {0};

	if (!relay->cancels) {
		relay->phase = RELAY_SERVING;
		if (relay->session)
			session_server_ready(relay->session);
		return;
	}
	relay->phase = RELAY_CANCELLING;
	protocol_put32(&packet, 16);
	protocol_put32(&packet, PROTOCOL_CANCEL);
	protocol_put32(&packet, relay->cancel_pid);
	protocol_put32(&packet, relay->cancel_key);
	relay_write_server(relay, buffer_bytes(&packet), packet.length);
	buffer_clear(&packet);
}

static void connected(struct relay *relay)
{
	struct buffer request = {0};
	int fault = 0;
	socklen_t length = sizeof(fault);

	if (getsockopt(relay->server, SOL_SOCKET, SO_ERROR, &fault, &length) < 0)
		fault = errno;
	if (fault) {
		fail(relay, "cannot reach the server: %s", strerror(fault));
		return;
	}
	if (!relay->wants_tls) {
		serve(relay);
		return;
	}
	relay->phase = RELAY_TLS_ASKED;
	protocol_put32(&request, 8);
	protocol_put32(&request, PROTOCOL_SSL);
	relay_write_server(relay, buffer_bytes(&request), request.length);
	buffer_clear(&request);
}

/* One byte and no more: what is behind it belongs to TLS. */
static void take_tls_answer(struct relay *relay)
{
	char answer = 0;
	ssize_t got = recv(relay->server, &answer, 1, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got != 1 || answer != 'S') {
		fail(relay,
		     got == 1 ? "the server does not speak TLS, and the manifest wants it "
				"(\"tls\")"
			      : "the server has closed the connection");
		return;
	}
	relay->ssl = upstream_tls_start(relay->guarded->tls, relay->server);
	if (!relay->ssl) {
		fail(relay, "out of memory");
		return;
	}
	relay->phase = RELAY_HANDSHAKE;
}

static void shake_hands(struct relay *relay)
{
	struct error error;

	relay->handshake_writes = false;
	switch (upstream_tls_handshake(relay->ssl, &error)) {
	case TLS_DONE:
		serve(relay);
		return;
	case TLS_WANTS_READ:
		return;
	case TLS_WANTS_WRITE:
		relay->handshake_writes = true;
		return;
	case TLS_FAILED:
		fail(relay, "%s", error.text);
		return;
	}
}

void relay_connect_step(struct relay *relay)
{
	if (relay->phase == RELAY_CONNECTING)
		connected(relay);
	else if (relay->phase == RELAY_TLS_ASKED)
		take_tls_answer(relay);
	if (relay->phase == RELAY_HANDSHAKE)
		shake_hands(relay);
}

void relay_take_server(struct relay *relay, int fd, const struct guard_client *client)
{
	bool wanted = relay->cancels || (relay->session && !session_is_over(relay->session));

	if (relay->server >= 0 || !wanted) {
		(void)close(fd);
		return;
	}
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	relay->phase = RELAY_CONNECTING;
	relay->wants_tls = upstream_tls_wanted(relay->guarded->tls, client->local != 0);
	if (!relay_watch_server(relay, fd))
		fail(relay, "out of memory");
	else if (!client->connecting)
		relay_connect_step(relay);
	relay_settle(relay);
}

void relay_refuse(struct relay *relay, const char *sentence)
{
	relay->server_gone = true;
	if (relay->session)
		session_end(relay->session, "28000", sentence);
	relay_settle(relay);
}
