// SPDX-License-Identifier: Apache-2.0
/* A call that was denied, answered so that a model can go on by it. */
#include "call/mcp_gateway_internal.h"

#include <string.h>

static const char *advice(const struct call_decision *decision)
{
	if (decision->abandon)
		return "This session has no such calls left: abandon the plan and say why.";
	if (decision->retryable)
		return "Change what is named here and call again, or do without.";
	return "The same call is denied again: do without it, or ask for the manifest to be "
	       "changed.";
}

static void write_hint(const struct verdict *verdict, struct json_writer *writer)
{
	json_key(writer, "hint");
	if (!verdict->hint_op[0]) {
		json_null(writer);
		return;
	}
	json_open_object(writer);
	json_key_string(writer, "op", verdict->hint_op);
	json_key_string(writer, "path", verdict->hint_path);
	if (verdict->hint_value[0]) {
		json_key(writer, "value");
		json_verbatim(writer, verdict->hint_value);
	}
	json_close_object(writer);
}

static void write_facts(const struct call_decision *decision, struct json_writer *writer)
{
	const struct verdict *verdict = &decision->verdict;

	json_open_object(writer);
	json_key_string(writer, "verdict", verdict_name(verdict->kind));
	json_key_string(writer, "reason", verdict->reason);
	json_key_string(writer, "rule", verdict->rule[0] ? verdict->rule : NULL);
	write_hint(verdict, writer);
	json_key_boolean(writer, "retryable", decision->retryable);
	json_key_boolean(writer, "abandon", decision->abandon);
	json_close_object(writer);
}

static void write_text(const struct call_decision *decision, struct json_writer *writer)
{
	char text[2 * VERDICT_TEXT_MAX];

	(void)snprintf(text, sizeof(text), "Denied by policy (%s): %s. %s",
		       decision->verdict.reason ? decision->verdict.reason : "policy",
		       decision->verdict.message, advice(decision));
	json_key(writer, "content");
	json_open_array(writer);
	json_open_object(writer);
	json_key_string(writer, "type", "text");
	json_key_string(writer, "text", text);
	json_close_object(writer);
	json_close_array(writer);
}

void mcp_gateway_answer_denied(struct mcp_gateway *gateway, const struct flight *flight,
			       const struct call_decision *decision)
{
	const struct seen_tool *seen = mcp_gateway_seen(gateway, flight->tool);
	_cleanup_json_writer_ struct json_writer writer = {0};

	if (decision->verdict.reason && strcmp(decision->verdict.reason, "tool") == 0) {
		char text[2 * VERDICT_TEXT_MAX];

		(void)snprintf(text, sizeof(text), "%s; tools/list has those that are granted",
			       decision->verdict.message);
		mcp_gateway_answer_error(gateway, flight->id, RPC_INVALID_PARAMS, text);
		return;
	}
	json_open_object(&writer);
	json_key_string(&writer, "jsonrpc", "2.0");
	json_key(&writer, "id");
	json_verbatim(&writer, flight->id);
	json_key(&writer, "result");
	json_open_object(&writer);
	if (flight->modern)
		json_key_string(&writer, "resultType", "complete");
	write_text(decision, &writer);
	json_key_boolean(&writer, "isError", true);
	/* Clients hold structuredContent against the tool's outputSchema, errors too. */
	if (seen && seen->has_output) {
		json_key(&writer, "_meta");
		json_open_object(&writer);
		json_key(&writer, "agentpol/verdict");
		write_facts(decision, &writer);
		json_close_object(&writer);
	} else {
		json_key(&writer, "structuredContent");
		write_facts(decision, &writer);
	}
	json_close_object(&writer);
	json_close_object(&writer);
	if (json_writer_text(&writer))
		mcp_gateway_to_client(gateway, writer.text, writer.length);
}
