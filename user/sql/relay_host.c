// SPDX-License-Identifier: Apache-2.0
/* What a session wants done, done. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "sql/record.h"
#include "sql/relay.h"

static void send_to_policyd(struct relay *relay, uint32_t type, uint64_t value, const void *tail,
			    size_t length)
{
	const struct guard_message head = {
		.type = type, .length = (uint32_t)length, .ref = relay->ref, .value = value};

	gateway_tell(relay->gateway, &head, tail);
}

void relay_want_server(void *context)
{
	struct relay *relay = context;
	char tail[2 * sizeof(struct sockaddr_storage)];
	struct sockaddr_storage local;
	socklen_t length = sizeof(struct ucred);

	relay_has_begun(relay);
	relay->asked = true;
	if (relay->peer.ss_family == AF_UNIX || relay->peer_length < sizeof(sa_family_t)) {
		if (getsockopt(relay->client, SOL_SOCKET, SO_PEERCRED, tail, &length) == 0)
			send_to_policyd(relay, GUARD_ASK, relay->listener, tail, length);
		return;
	}
	length = sizeof(local);
	if (getsockname(relay->client, (struct sockaddr *)&local, &length) < 0 ||
	    length > sizeof(local))
		length = 0;
	memcpy(tail, &relay->peer, relay->peer_length);
	memcpy(tail + relay->peer_length, &local, length);
	send_to_policyd(relay, GUARD_ASK, relay->listener, tail, relay->peer_length + length);
}

/* Our key for a session is its place and a random number. */
void relay_issue_key(void *context, uint32_t *pid, uint32_t *key)
{
	const struct relay *relay = context;

	*pid = (uint32_t)relay->place + 1;
	*key = relay->key;
}

/* A key that was not given out, or under another policy, is as if it had not come. */
void relay_cancel_other(void *context, uint32_t pid, uint32_t key)
{
	struct relay *relay = context, *of = NULL;

	if (pid > 0 && pid <= RELAYS_MAX)
		of = relay->gateway->relays[pid - 1];
	if (!of || !of->session || of->key != key || of->guarded != relay->guarded ||
	    of->listener != relay->listener ||
	    !session_server_key(of->session, &relay->cancel_pid, &relay->cancel_key))
		return;
	relay_has_begun(relay);
	relay->cancels = true;
	relay->asked = true;
	send_to_policyd(relay, GUARD_ASK_CANCEL, of->ref, NULL, 0);
}

void relay_cancel_own(void *context)
{
	struct relay *of = context;
	struct relay *relay = relay_new(of->gateway, of->guarded);

	if (!relay)
		return;
	if (!session_server_key(of->session, &relay->cancel_pid, &relay->cancel_key)) {
		relay_free(relay);
		return;
	}
	relay->listener = of->listener;
	of->own_cancel = relay->ref;
	relay->cancels = true;
	relay->asked = true;
	send_to_policyd(relay, GUARD_ASK_CANCEL, of->ref, NULL, 0);
}

bool relay_withdraw_cancel(void *context)
{
	struct relay *of = context;
	struct relay *relay = gateway_find_relay(of->gateway, of->own_cancel);

	/* Gone: it was sent, and the server has closed, or it could not be sent. */
	if (!relay || relay->phase == RELAY_CANCELLING)
		return false;
	relay_free(relay);
	return true;
}

void relay_take_catalog(void *context, const char *text, size_t length)
{
	struct relay *relay = context;

	relay->view = guarded_view(relay->guarded, text, length);
	if (relay->view)
		session_catalog_ready(relay->session);
	else
		session_end(relay->session, "53200", "out of memory");
}

struct judgement *relay_judge(void *context, const char *text, size_t length)
{
	struct relay *relay = context;
	struct judgement *known = view_find(relay->view, text, length);
	const struct question question = {.policy = relay->guarded->ref,
					  .catalog = relay->view->id,
					  .view = relay->view->id,
					  .relay = relay->ref};
	int result;

	if (known)
		return judgement_hold(known);
	result = questions_ask(relay->gateway->questions, &question, text, length);
	if (result == -ENOBUFS)
		known = judgement_plain(VERDICT_UNDECIDED, "42501", "sql-limit",
					relay->guarded->pointer,
					"too much waits to be judged under this policy");
	if (result < 0 && !known)
		session_end(relay->session, "53200", "out of memory");
	return known;
}

void relay_judged(struct relay *relay, uint64_t view, struct judgement *judgement)
{
	if (!relay->session || !relay->view || relay->view->id != view) {
		judgement_release(judgement);
		return;
	}
	session_judged(relay->session, judgement);
	relay_settle(relay);
}

void relay_record(void *context, const struct session_record *record)
{
	struct relay *relay = context;
	_cleanup_json_writer_ struct json_writer writer = {0};
	const struct record_subject subject = {
		.database = session_database(relay->session),
		.user = session_user(relay->session),
		.superuser = session_is_superuser(relay->session),
		.literals = relay->guarded->options.log_literals != 0,
	};

	record_write(record, &subject, &writer);
	gateway_record(relay->guarded, relay->ref, json_writer_text(&writer), writer.length);
}

uint64_t relay_now_us(void *context)
{
	struct timespec now;

	(void)context;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}
