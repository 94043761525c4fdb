// SPDX-License-Identifier: Apache-2.0
/* What the server says. */
#include "call/mcp_gateway_internal.h"

#include <string.h>

/* A server that talks nonsense does not fill the log: the 1st, 2nd, 4th, 8th time is told. */
static bool is_worth_telling(struct mcp_gateway *gateway)
{
	const size_t count = ++gateway->dropped;

	return (count & (count - 1)) == 0;
}

/* What the server said can't be read, and may have been an answer. Where one request alone waits it
 * has no other. */
static void drop_unreadable(struct mcp_gateway *gateway, const char *why)
{
	struct flight *flight = flights_only_sent(&gateway->flights);

	if (is_worth_telling(gateway))
		mcp_gateway_note(gateway, flight ? flight->name : NULL, "server",
				 "the server's message was dropped: %s", why);
	if (!flight)
		return;
	mcp_gateway_drop_call(gateway, flight);
	mcp_gateway_answer_error(gateway, flight->id, RPC_INTERNAL_ERROR,
				 "the server's answer can't be read, and was dropped");
	flights_remove(&gateway->flights, flight);
}

static void take_answer(struct mcp_gateway *gateway, const struct message *message)
{
	struct flight *flight = flights_find(&gateway->flights, message->id_key);

	if (!flight || !flight->sent) {
		/* What some client takes for the answer to another request: 1 is "1" for some. */
		if (is_worth_telling(gateway))
			mcp_gateway_note(gateway, NULL, "server",
					 "an answer to no request was dropped: id %.60s",
					 message->id);
		return;
	}
	if (flight->kind == FLIGHT_CALL && !flight->cancelled) {
		mcp_gateway_call_answered(gateway, flight, message);
		return;
	}
	if (flight->kind == FLIGHT_LIST && message->kind == MESSAGE_RESPONSE)
		mcp_gateway_tools_listed(gateway, flight, message);
	else
		mcp_gateway_to_client(gateway, message->text, message->length);
	flights_remove(&gateway->flights, flight);
}

void mcp_gateway_from_server(struct mcp_gateway *gateway, const char *text, size_t length)
{
	_cleanup_message_ struct message message = {0};
	struct message_fault fault;
	bool is_answer;

	if (!text) {
		drop_unreadable(gateway, "it has more than 4 MiB");
		return;
	}
	if (message_read(text, length, &message, &fault) < 0) {
		drop_unreadable(gateway, fault.text);
		return;
	}
	is_answer = message.kind == MESSAGE_RESPONSE || message.kind == MESSAGE_ERROR;
	/* An error without an id answers what the server could not read. */
	if (is_answer && message.id_key[0] && strcmp(message.id_key, "null") != 0)
		take_answer(gateway, &message);
	else
		mcp_gateway_to_client(gateway, text, length);
}
