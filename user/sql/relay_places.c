// SPDX-License-Identifier: Apache-2.0
/* The places that relays are in, and whose they may be. */
#include <sys/random.h>

#include "sql/relay.h"

static uint64_t ref_of(const struct gateway *gateway, size_t place)
{
	return (uint64_t)gateway->generations[place] << 32 | (place + 1);
}

struct relay *gateway_find_relay(struct gateway *gateway, uint64_t ref)
{
	size_t place = (size_t)(ref & 0xffffffffU);

	if (place == 0 || place > RELAYS_MAX || ref_of(gateway, place - 1) != ref)
		return NULL;
	return gateway->relays[place - 1];
}

static struct relay *add_relay(struct gateway *gateway, struct guarded *guarded)
{
	struct relay *relay;
	size_t place = gateway->last_place;

	if (gateway->relay_count == RELAYS_MAX)
		return NULL;
	do
		place = (place + 1) % RELAYS_MAX;
	while (gateway->relays[place]);
	relay = calloc(1, sizeof(*relay));
	if (!relay)
		return NULL;
	gateway->generations[place]++;
	relay->gateway = gateway;
	relay->guarded = guarded;
	relay->place = place;
	relay->ref = ref_of(gateway, place);
	relay->client = relay->server = -1;
	gateway->relays[place] = relay;
	gateway->relay_count++;
	guarded->relay_count++;
	gateway->last_place = place;
	return relay;
}

struct relay *relay_new(struct gateway *gateway, struct guarded *guarded)
{
	uint64_t random[2];
	struct relay *relay;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return NULL;
	relay = add_relay(gateway, guarded);
	if (!relay)
		return NULL;
	relay->key = (uint32_t)random[1];
	relay->nonce = random[0];
	return relay;
}

void relay_leave(struct relay *relay)
{
	struct gateway *gateway = relay->gateway;

	relay_has_begun(relay);
	if (relay->guarded)
		relay->guarded->relay_count--;
	gateway->relays[relay->place] = NULL;
	gateway->relay_count--;
	free(relay);
}

/* ---- shares ---- */

/* No policy has more than is still free, so there is always a place for another one. */
bool relays_have_room(const struct guarded *guarded)
{
	return guarded->relay_count < RELAYS_MAX - guarded->gateway->relay_count;
}

void relay_begins(struct relay *relay)
{
	struct guarded *guarded = relay->guarded;
	struct relay *oldest = TAILQ_FIRST(&guarded->beginnings);

	if (guarded->beginning_count == BEGINNINGS_MAX) {
		session_end(oldest->session, "53300",
			    "too many connections whose client has not said anything");
		relay_free(oldest);
	}
	TAILQ_INSERT_TAIL(&guarded->beginnings, relay, beginning);
	guarded->beginning_count++;
	relay->begins = true;
}

void relay_has_begun(struct relay *relay)
{
	if (!relay->begins)
		return;
	TAILQ_REMOVE(&relay->guarded->beginnings, relay, beginning);
	relay->guarded->beginning_count--;
	relay->begins = false;
}

/* ---- all of them ---- */

void relays_end_policy(struct gateway *gateway, const struct guarded *guarded)
{
	struct relay *relay;
	size_t i;

	for (i = 0; i < RELAYS_MAX; i++) {
		relay = gateway->relays[i];
		if (!relay || relay->guarded != guarded)
			continue;
		relay_has_begun(relay);
		if (!relay->session) { /* one that cancels */
			relay_free(relay);
			continue;
		}
		session_end(relay->session, "57P01",
			    "the policy of this session has been exchanged; connect again");
		/* What it refers to goes now; what it was told is still to be read. */
		session_free(relay->session);
		relay->session = NULL;
		view_release(relay->view);
		relay->view = NULL;
		relay->guarded = NULL;
		relay->ended = true;
		relay->cancels = false;
		relay_settle(relay);
	}
}

void relays_resume(struct gateway *gateway, const struct guarded *guarded)
{
	size_t i;

	for (i = 0; i < RELAYS_MAX && !guarded->held_up; i++)
		if (gateway->relays[i] && gateway->relays[i]->guarded == guarded)
			relay_settle(gateway->relays[i]);
}

void relays_tick(struct gateway *gateway)
{
	struct relay *relay;
	size_t i;

	for (i = 0; i < RELAYS_MAX; i++) {
		relay = gateway->relays[i];
		if (!relay || (relay->session && session_is_open(relay->session)))
			continue;
		relay->seconds++;
		if (relay->lingering && !relay->cancels && relay->seconds > LINGER_SECONDS)
			relay_free(relay);
		else if (relay->seconds > START_SECONDS)
			relay_free(relay);
	}
}

void relays_free(struct gateway *gateway)
{
	size_t i;

	for (i = 0; i < RELAYS_MAX; i++)
		if (gateway->relays[i])
			relay_free(gateway->relays[i]);
}
