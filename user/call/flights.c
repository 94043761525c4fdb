// SPDX-License-Identifier: Apache-2.0
#include "call/flights.h"

#include <string.h>

#include "call/mcp_gateway.h"

/* Questions of servers to people, of one client at a time. */
#define WAITING_MAX 64

void flights_free_one(struct flight *flight)
{
	if (!flight)
		return;
	free(flight->id);
	free(flight->id_key);
	free(flight->name);
	free(flight->held);
	free(flight->shape);
	free(flight);
}

static bool set_id(struct flight *flight, const struct message *message)
{
	free(flight->id);
	free(flight->id_key);
	flight->id = strdup(message->id);
	flight->id_key = strdup(message->id_key);
	return flight->id && flight->id_key;
}

static void open_one(struct flights *flights, struct flight *flight)
{
	flight->next = flights->open;
	flights->open = flight;
	flights->open_count++;
}

/* A cancelled request has no answer by the protocol: the oldest makes room. */
static bool make_room(struct flights *flights)
{
	struct flight *oldest = NULL;

	if (flights->open_count < MCP_FLIGHTS_MAX)
		return true;
	for (struct flight *flight = flights->open; flight; flight = flight->next)
		if (flight->cancelled)
			oldest = flight;
	if (!oldest)
		return false;
	flights_remove(flights, oldest);
	return true;
}

struct flight *flights_add(struct flights *flights, enum flight_kind kind,
			   const struct message *message)
{
	struct flight *flight = make_room(flights) ? calloc(1, sizeof(*flight)) : NULL;

	if (!flight)
		return NULL;
	flight->kind = kind;
	if (!set_id(flight, message)) {
		flights_free_one(flight);
		return NULL;
	}
	open_one(flights, flight);
	return flight;
}

struct flight *flights_find(const struct flights *flights, const char *id_key)
{
	for (struct flight *flight = flights->open; flight; flight = flight->next)
		if (strcmp(flight->id_key, id_key) == 0)
			return flight;
	return NULL;
}

static void unlink_one(struct flight **at, const struct flight *flight)
{
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
}

void flights_remove(struct flights *flights, struct flight *flight)
{
	flights_unhold(flights, flight);
	unlink_one(&flights->open, flight);
	flights->open_count--;
	flights_free_one(flight);
}

struct flight *flights_only_sent(const struct flights *flights)
{
	struct flight *only = NULL;

	for (struct flight *flight = flights->open; flight; flight = flight->next) {
		if (!flight->sent || flight->cancelled)
			continue;
		if (only)
			return NULL;
		only = flight;
	}
	return only;
}

bool flights_hold(struct flights *flights, struct flight *flight)
{
	const size_t length = flight->asked->length;

	if (flights->held_count == MCP_HELD_MAX ||
	    length > MCP_HELD_BYTES_MAX - flights->held_bytes)
		return false;
	flight->held = malloc(length + 1);
	if (!flight->held)
		return false;
	memcpy(flight->held, flight->asked->text, length);
	flight->length = length;
	flights->held_count++;
	flights->held_bytes += length;
	return true;
}

void flights_unhold(struct flights *flights, struct flight *flight)
{
	if (!flight->held)
		return;
	flights->held_count--;
	flights->held_bytes -= flight->length;
	free(flight->held);
	flight->held = NULL;
}

struct flight *flights_park(struct flights *flights, struct flight *flight)
{
	struct flight **at = &flights->waiting;

	unlink_one(&flights->open, flight);
	flights->open_count--;
	flight->next = flights->waiting;
	flights->waiting = flight;
	if (++flights->waiting_count <= WAITING_MAX)
		return NULL;
	while ((*at)->next)
		at = &(*at)->next;
	flight = *at;
	*at = NULL;
	flights->waiting_count--;
	return flight;
}

static bool same(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct flight *flights_unpark(struct flights *flights, const char *name,
			      const struct digest *arguments, const struct digest *state)
{
	for (struct flight **at = &flights->waiting; *at; at = &(*at)->next) {
		struct flight *flight = *at;

		/* Arguments without a digest equal nothing. */
		if (strcmp(flight->name, name) != 0 || !digest_is_set(arguments) ||
		    !same(&flight->arguments, arguments) || !same(&flight->state, state))
			continue;
		*at = flight->next;
		flights->waiting_count--;
		return flight;
	}
	return NULL;
}

bool flights_reopen(struct flights *flights, struct flight *flight, const struct message *message)
{
	flight->sent = false;
	if (!make_room(flights) || !set_id(flight, message))
		return false;
	open_one(flights, flight);
	return true;
}
