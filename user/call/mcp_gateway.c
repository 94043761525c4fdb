// SPDX-License-Identifier: Apache-2.0
#include "call/mcp_gateway_internal.h"

#include <stdarg.h>
#include <string.h>

struct mcp_gateway *mcp_gateway_new(const struct mcp_gateway_setup *setup)
{
	struct mcp_gateway *gateway = calloc(1, sizeof(*gateway));
	struct json_fault fault;

	if (!gateway)
		return NULL;
	gateway->setup = *setup;
	gateway->policy = call_grants_policy(setup->grants);
	gateway->seen = calloc(gateway->policy->tool_count + 1, sizeof(*gateway->seen));
	gateway->none = json_document_parse("{}", 2, &fault);
	if (gateway->seen && gateway->none)
		return gateway;
	mcp_gateway_free(gateway);
	return NULL;
}

void mcp_gateway_free(struct mcp_gateway *gateway)
{
	if (!gateway)
		return;
	while (gateway->flights.open) {
		mcp_gateway_drop_call(gateway, gateway->flights.open);
		flights_remove(&gateway->flights, gateway->flights.open);
	}
	while (gateway->flights.waiting) {
		struct flight *flight = gateway->flights.waiting;

		gateway->flights.waiting = flight->next;
		mcp_gateway_drop_call(gateway, flight);
		flights_free_one(flight);
	}
	json_document_free(gateway->none);
	free(gateway->seen);
	free(gateway);
}

struct seen_tool *mcp_gateway_seen(struct mcp_gateway *gateway, const struct tool *tool)
{
	return tool ? &gateway->seen[tool - gateway->policy->tools] : NULL;
}

void mcp_gateway_to_client(struct mcp_gateway *gateway, const char *text, size_t length)
{
	gateway->setup.io->to_client(text, length, gateway->setup.context);
}

void mcp_gateway_to_server(struct mcp_gateway *gateway, const char *text, size_t length)
{
	gateway->setup.io->to_server(text, length, gateway->setup.context);
}

void mcp_gateway_answer_error(struct mcp_gateway *gateway, const char *id, int code,
			      const char *message)
{
	_cleanup_json_writer_ struct json_writer writer = {0};
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", code);
	json_open_object(&writer);
	json_key_string(&writer, "jsonrpc", "2.0");
	json_key(&writer, "id");
	json_verbatim(&writer, id);
	json_key(&writer, "error");
	json_open_object(&writer);
	json_key(&writer, "code");
	json_verbatim(&writer, number);
	json_key_string(&writer, "message", message);
	json_close_object(&writer);
	json_close_object(&writer);
	if (json_writer_text(&writer))
		mcp_gateway_to_client(gateway, writer.text, writer.length);
}

static void tell(struct mcp_gateway *gateway, const struct mcp_gateway_record *record)
{
	gateway->setup.io->record(record, gateway->setup.context);
}

void mcp_gateway_record(struct mcp_gateway *gateway, const char *tool,
			const struct verdict *verdict, const char *shape)
{
	const struct mcp_gateway_record record = {
		.tool = tool, .verdict = verdict, .arguments = shape};

	if (verdict->kind == VERDICT_ALLOW && !(gateway->policy->audit_allowed & AUDIT_CALL))
		return;
	tell(gateway, &record);
}

void mcp_gateway_refuse(struct mcp_gateway *gateway, const char *id, int code, const char *reason,
			const char *message)
{
	struct verdict verdict = {.kind = VERDICT_DENY, .reason = reason};

	(void)snprintf(verdict.message, sizeof(verdict.message), "%s", message);
	mcp_gateway_record(gateway, NULL, &verdict, NULL);
	if (id)
		mcp_gateway_answer_error(gateway, id, code, message);
}

void mcp_gateway_note(struct mcp_gateway *gateway, const char *tool, const char *reason,
		      const char *format, ...)
{
	struct verdict verdict = {.kind = VERDICT_ALLOW, .reason = reason};
	const struct mcp_gateway_record record = {.tool = tool, .noted = true, .verdict = &verdict};
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(verdict.message, sizeof(verdict.message), format, arguments);
	va_end(arguments);
	tell(gateway, &record);
}

bool mcp_gateway_awaits(const struct mcp_gateway *gateway, const char *id_key)
{
	const struct flight *flight = flights_find(&gateway->flights, id_key);

	return flight && flight->sent;
}

void mcp_gateway_server_gone(struct mcp_gateway *gateway, const char *why)
{
	while (gateway->flights.open) {
		struct flight *flight = gateway->flights.open;

		mcp_gateway_drop_call(gateway, flight);
		if (!flight->cancelled)
			mcp_gateway_answer_error(gateway, flight->id, RPC_INTERNAL_ERROR, why);
		flights_remove(&gateway->flights, flight);
	}
}
