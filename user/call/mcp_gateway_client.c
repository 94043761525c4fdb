// SPDX-License-Identifier: Apache-2.0
/* What the client says. */
#include "call/mcp_gateway_internal.h"

#include <string.h>

/* How a request of the client is treated. */
enum way { WAY_PASS, WAY_CALL, WAY_LIST };

struct method {
	const char *name; /* ends in "/": all that begin so */
	enum way way;
};

/* The methods of MCP 2024-11-05 to 2026-07-28 that a client may send, its tasks extension with
 * them. What is not here could run a tool by a name that nobody has judged. */
static const struct method methods[] = {
	{"tools/call", WAY_CALL}, {"tools/list", WAY_LIST},	 {"initialize", WAY_PASS},
	{"ping", WAY_PASS},	  {"server/discover", WAY_PASS}, {"prompts/", WAY_PASS},
	{"resources/", WAY_PASS}, {"completion/", WAY_PASS},	 {"logging/", WAY_PASS},
	{"tasks/", WAY_PASS},	  {"subscriptions/", WAY_PASS},	 {"notifications/", WAY_PASS},
};

static const struct method *find_method(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		const size_t length = strlen(methods[i].name);
		const bool start = methods[i].name[length - 1] == '/';

		if (start ? strncmp(name, methods[i].name, length) == 0
			  : strcmp(name, methods[i].name) == 0)
			return &methods[i];
	}
	return NULL;
}

static void refuse_method(struct mcp_gateway *gateway, const struct message *message)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "method \"%.60s\" is none that this gateway knows: it could run a tool "
		       "past the policy",
		       message->method);
	mcp_gateway_refuse(gateway, message->kind == MESSAGE_REQUEST ? message->id : NULL,
			   RPC_METHOD_NOT_FOUND, "method", text);
}

static void pass_cancelled(struct mcp_gateway *gateway, const struct message *message)
{
	const json_value *id = json_member(message->params, "requestId");
	_cleanup_free_ char *key = id ? json_print(id) : NULL;
	struct flight *flight = key ? flights_find(&gateway->flights, key) : NULL;

	if (flight && !flight->sent) {
		/* The server never saw the call. */
		(void)mcp_gateway_cancel_call(gateway, flight);
		return;
	}
	if (flight) {
		mcp_gateway_drop_call(gateway, flight);
		flight->cancelled = true;
	}
	mcp_gateway_to_server(gateway, message->text, message->length);
}

static void take_notification(struct mcp_gateway *gateway, const struct message *message)
{
	if (strncmp(message->method, "notifications/", strlen("notifications/")) != 0)
		refuse_method(gateway, message);
	else if (strcmp(message->method, "notifications/cancelled") == 0)
		pass_cancelled(gateway, message);
	else
		mcp_gateway_to_server(gateway, message->text, message->length);
}

static void pass_request(struct mcp_gateway *gateway, const struct message *message, enum way way)
{
	struct flight *flight = flights_add(&gateway->flights,
					    way == WAY_LIST ? FLIGHT_LIST : FLIGHT_OTHER, message);

	if (!flight) {
		mcp_gateway_refuse(gateway, message->id, RPC_INTERNAL_ERROR, "limit",
				   "too many requests are under way; wait for answers");
		return;
	}
	flight->sent = true;
	mcp_gateway_to_server(gateway, message->text, message->length);
}

static void take_request(struct mcp_gateway *gateway, const struct message *message)
{
	const struct method *method = find_method(message->method);

	/* Notifications have no answer, and what has none is not waited for. */
	if (!method || strncmp(message->method, "notifications/", 14) == 0)
		refuse_method(gateway, message);
	else if (flights_find(&gateway->flights, message->id_key))
		mcp_gateway_refuse(gateway, message->id, RPC_INVALID_REQUEST, "message",
				   "a request of this id has no answer yet; take another id");
	else if (method->way == WAY_CALL)
		mcp_gateway_call(gateway, message);
	else
		pass_request(gateway, message, method->way);
}

/* An empty line is no message. */
static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

void mcp_gateway_from_client(struct mcp_gateway *gateway, const char *text, size_t length)
{
	_cleanup_message_ struct message message = {0};
	struct message_fault fault;

	if (!text) {
		mcp_gateway_refuse(gateway, "null", RPC_INVALID_REQUEST, "message",
				   "a message has 4 MiB at most");
		return;
	}
	if (is_blank(text, length))
		return;
	if (message_read(text, length, &message, &fault) < 0) {
		mcp_gateway_refuse(gateway, fault.id, fault.code, "message", fault.text);
		return;
	}
	if (message.kind == MESSAGE_REQUEST)
		take_request(gateway, &message);
	else if (message.kind == MESSAGE_NOTIFICATION)
		take_notification(gateway, &message);
	else
		mcp_gateway_to_server(gateway, text, length);
}
