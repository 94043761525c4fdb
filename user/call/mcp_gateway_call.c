// SPDX-License-Identifier: Apache-2.0
/* tools/call: judged, passed on or denied, and what became of it. */
#include "call/mcp_gateway_internal.h"

#include <string.h>

#include "call/odd_arguments.h"
#include "call/shown.h"

/* "protocolVersion" of a request's _meta: since 2026-07-28, where each request has its own. */
#define VERSION_KEY "io.modelcontextprotocol/protocolVersion"

static const char *const call_keys[] = {"name",		  "arguments",	  "task", "_meta",
					"inputResponses", "requestState", NULL};

/* ---- the end of a call ---- */

static void end(struct mcp_gateway *gateway, struct flight *flight, bool succeeded,
		const struct call_evidence *evidence)
{
	struct call_authority *authority = gateway->setup.authority;

	if (flight->number)
		authority->methods->end(authority, flight->number, succeeded, evidence);
	flight->number = 0;
}

void mcp_gateway_drop_call(struct mcp_gateway *gateway, struct flight *flight)
{
	struct call_authority *authority = gateway->setup.authority;

	if (flight->held && flight->number) {
		authority->methods->withdraw(authority, flight->number);
		flight->number = 0;
	}
	end(gateway, flight, false, NULL);
}

bool mcp_gateway_cancel_call(struct mcp_gateway *gateway, struct flight *flight)
{
	mcp_gateway_drop_call(gateway, flight);
	flights_remove(&gateway->flights, flight);
	return true;
}

/* The value that "match" sees: structuredContent, or the only text where it is JSON. */
static struct json_document *parse_text(const json_value *result)
{
	const json_value *content = json_member(result, "content");
	const char *text = json_as_string(json_member(json_first(content), "text"));
	struct json_fault fault;

	if (!text || json_count(content) != 1)
		return NULL;
	return json_document_parse(text, strlen(text), &fault);
}

static void take_evidence(struct mcp_gateway *gateway, const struct flight *flight,
			  const json_value *result, struct call_evidence *evidence)
{
	const json_value *value = json_member(result, "structuredContent");
	_cleanup_json_document_ struct json_document *parsed = NULL;

	if (!value) {
		parsed = parse_text(result);
		value = parsed ? json_root(parsed) : NULL;
	}
	call_evidence_make(gateway->policy, flight->tool, NULL, value, evidence);
	for (size_t i = 0; i < flight->evidence.count; i++)
		if (digest_is_set(&flight->evidence.values[i]))
			evidence->values[i] = flight->evidence.values[i];
}

static bool result_is(const struct message *message, const char *type)
{
	const char *is = json_as_string(json_member(message->result, "resultType"));

	return is && strcmp(is, type) == 0;
}

/* Done, and well? A task that goes on, or what is not known, is not. */
static bool succeeded(const struct message *message)
{
	return message->kind == MESSAGE_RESPONSE && json_is_object(message->result) &&
	       !json_as_boolean(json_member(message->result, "isError")) &&
	       !json_member(message->result, "task") &&
	       (!json_member(message->result, "resultType") || result_is(message, "complete"));
}

static void park(struct mcp_gateway *gateway, struct flight *flight, const json_value *state)
{
	struct flight *dropped;

	flight->state = digest_of(state);
	dropped = flights_park(&gateway->flights, flight);
	if (!dropped)
		return;
	mcp_gateway_drop_call(gateway, dropped);
	flights_free_one(dropped);
}

void mcp_gateway_call_answered(struct mcp_gateway *gateway, struct flight *flight,
			       const struct message *message)
{
	struct call_evidence evidence = {0};

	if (message->kind == MESSAGE_RESPONSE && result_is(message, "input_required")) {
		mcp_gateway_to_client(gateway, message->text, message->length);
		park(gateway, flight, json_member(message->result, "requestState"));
		return;
	}
	if (succeeded(message) && flight->tool) {
		take_evidence(gateway, flight, message->result, &evidence);
		end(gateway, flight, true, &evidence);
	} else {
		end(gateway, flight, false, NULL);
	}
	mcp_gateway_to_client(gateway, message->text, message->length);
	flights_remove(&gateway->flights, flight);
}

/* ---- its beginning ---- */

static void record(struct mcp_gateway *gateway, const struct flight *flight,
		   const struct verdict *verdict)
{
	mcp_gateway_record(gateway, flight->name, verdict, flight->shape);
}

static void deny(struct mcp_gateway *gateway, struct flight *flight,
		 const struct call_decision *decision)
{
	record(gateway, flight, &decision->verdict);
	mcp_gateway_answer_denied(gateway, flight, decision);
}

/* One that call_decide, or the gateway itself, denies: the authority counts it. */
static void deny_here(struct mcp_gateway *gateway, struct flight *flight,
		      struct call_decision *decision)
{
	struct call_authority *authority = gateway->setup.authority;

	authority->methods->note_denial(authority, decision);
	deny(gateway, flight, decision);
	flights_remove(&gateway->flights, flight);
}

static bool acts_as_allow(const struct verdict *verdict)
{
	return verdict->kind == VERDICT_ALLOW || verdict->kind == VERDICT_WOULD_DENY;
}

static void on_ruled(const struct call_decision *decision, void *context)
{
	struct flight *flight = context;
	struct mcp_gateway *gateway = flight->gateway;
	const bool waited = flight->held != NULL;

	if (!acts_as_allow(&decision->verdict)) {
		deny(gateway, flight, decision);
		flight->settled = true;
		if (waited)
			flights_remove(&gateway->flights, flight);
		return;
	}
	record(gateway, flight, &decision->verdict);
	flight->sent = true;
	if (waited)
		mcp_gateway_to_server(gateway, flight->held, flight->length);
	else
		mcp_gateway_to_server(gateway, flight->asked->text, flight->asked->length);
	flights_unhold(&gateway->flights, flight);
}

/* Arguments for the person who is asked; the caller's (free). */
static char *masked(const struct flight *flight, const json_value *arguments)
{
	struct json_writer writer = {0};

	if (!flight->tool || !flight->tool->ask)
		return NULL;
	shown_write_masked(&writer, arguments);
	return writer.text;
}

static void ask_authority(struct mcp_gateway *gateway, struct flight *flight,
			  const json_value *arguments)
{
	struct call_authority *authority = gateway->setup.authority;
	_cleanup_free_ char *text = masked(flight, arguments);
	const struct call_shown shown = {.tool = flight->name, .arguments = text};
	struct call_claim claim = {.tool = flight->tool};

	if (flight->tool)
		call_claim_make(flight->tool, arguments, &claim);
	flight->number = authority->methods->begin(authority, &claim, &shown, on_ruled, flight);
	if (flight->settled) {
		flights_remove(&gateway->flights, flight);
	} else if (!flight->sent && !flights_hold(&gateway->flights, flight)) {
		authority->methods->withdraw(authority, flight->number);
		mcp_gateway_answer_error(gateway, flight->id, RPC_INTERNAL_ERROR,
					 "too many calls wait for an answer; try again later");
		flights_remove(&gateway->flights, flight);
	}
}

static void go_on(struct mcp_gateway *gateway, struct flight *flight, const struct message *message)
{
	if (!flights_reopen(&gateway->flights, flight, message)) {
		mcp_gateway_drop_call(gateway, flight);
		flights_free_one(flight);
		mcp_gateway_answer_error(gateway, message->id, RPC_INTERNAL_ERROR,
					 "too many requests are under way; wait for answers");
		return;
	}
	flight->sent = true;
	mcp_gateway_to_server(gateway, message->text, message->length);
}

static bool is_retry(const struct message *message)
{
	return json_member(message->params, "inputResponses") ||
	       json_member(message->params, "requestState");
}

/* A denial that the gateway itself decides. */
static void set_denied(const struct mcp_gateway *gateway, const struct flight *flight,
		       struct call_decision *decision, const char *reason)
{
	*decision = (struct call_decision){.verdict = {.reason = reason}};
	decision->verdict.kind =
		gateway->policy->mode == MODE_AUDIT ? VERDICT_WOULD_DENY : VERDICT_DENY;
	(void)snprintf(decision->verdict.rule, sizeof(decision->verdict.rule), "%s",
		       flight->tool->scope.pointer);
}

static void deny_changed(const struct mcp_gateway *gateway, const struct flight *flight,
			 struct call_decision *decision)
{
	set_denied(gateway, flight, decision, "pin");
	(void)snprintf(decision->verdict.message, sizeof(decision->verdict.message),
		       "the server has changed what it says of %s since it was pinned",
		       flight->name);
}

static void deny_odd(const struct mcp_gateway *gateway, const struct flight *flight,
		     struct call_decision *decision, const char *key)
{
	set_denied(gateway, flight, decision, "argument");
	decision->retryable = true;
	(void)snprintf(decision->verdict.message, sizeof(decision->verdict.message),
		       "the argument \"%.100s\" is written in another case than the manifest's",
		       key);
}

static void judge(struct mcp_gateway *gateway, struct flight *flight, const struct call *call)
{
	const struct seen_tool *seen = mcp_gateway_seen(gateway, flight->tool);
	const char *odd = flight->tool ? odd_argument_find(flight->tool, call->arguments) : NULL;
	struct arena *arena = arena_new();
	struct call_decision decision = {.verdict = {.kind = VERDICT_UNDECIDED,
						     .reason = "memory",
						     .message = "out of memory"}};

	/* Another session of the same server may have been told first. */
	if ((seen && seen->changed) || pins_is_changed(gateway->setup.pins, flight->name))
		deny_changed(gateway, flight, &decision);
	else if (odd)
		deny_odd(gateway, flight, &decision, odd);
	else if (arena)
		call_decide(gateway->setup.grants, call, gateway->setup.catalog, arena, &decision);
	if (!acts_as_allow(&decision.verdict)) {
		deny_here(gateway, flight, &decision);
	} else {
		if (decision.verdict.kind == VERDICT_WOULD_DENY)
			record(gateway, flight, &decision.verdict);
		ask_authority(gateway, flight, call->arguments);
	}
	arena_free(arena);
}

static char *shape_of(const json_value *arguments)
{
	struct json_writer writer = {0};

	shown_write_shape(&writer, arguments);
	if (json_writer_text(&writer))
		return writer.text;
	json_writer_free(&writer);
	return NULL;
}

static void begin(struct mcp_gateway *gateway, const struct message *message,
		  const struct call *call)
{
	struct flight *flight = flights_add(&gateway->flights, FLIGHT_CALL, message);

	if (!flight) {
		mcp_gateway_refuse(gateway, message->id, RPC_INTERNAL_ERROR, "limit",
				   "too many requests are under way; wait for answers");
		return;
	}
	flight->gateway = gateway;
	flight->asked = message;
	flight->tool = policy_find_tool(gateway->policy, call->tool);
	flight->modern = json_member(json_member(message->params, "_meta"), VERSION_KEY) != NULL;
	flight->name = strdup(call->tool);
	flight->shape = shape_of(call->arguments);
	flight->arguments = digest_of(call->arguments);
	if (!flight->name || !flight->shape) {
		flights_remove(&gateway->flights, flight);
		mcp_gateway_answer_error(gateway, message->id, RPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	if (flight->tool)
		call_evidence_make(gateway->policy, flight->tool, call->arguments, NULL,
				   &flight->evidence);
	judge(gateway, flight, call);
}

/* What is wrong with the form of a call; NULL: nothing. */
static const char *fault_of(const struct message *message)
{
	const json_value *arguments = json_member(message->params, "arguments");

	if (message_odd_key(message->params, call_keys))
		return "a key of \"params\" is written in another case than MCP has it";
	if (!json_as_string(json_member(message->params, "name")))
		return "\"name\" is the name of a tool";
	if (arguments && !json_is_object(arguments))
		return "\"arguments\" is an object";
	/* Its result would come by tasks/result, which is not judged. */
	if (json_member(message->params, "task"))
		return "calls as tasks are not taken here: call the tool without \"task\"";
	return NULL;
}

void mcp_gateway_call(struct mcp_gateway *gateway, const struct message *message)
{
	const json_value *arguments = json_member(message->params, "arguments");
	const struct call call = {
		.tool = json_as_string(json_member(message->params, "name")),
		.arguments = arguments ? arguments : json_root(gateway->none),
	};
	const char *fault = fault_of(message);

	if (fault) {
		mcp_gateway_refuse(gateway, message->id, RPC_INVALID_PARAMS, "message", fault);
		return;
	}
	if (is_retry(message)) {
		const struct digest given = digest_of(call.arguments),
				    state = digest_of(json_member(message->params, "requestState"));
		struct flight *flight =
			flights_unpark(&gateway->flights, call.tool, &given, &state);

		if (flight) {
			go_on(gateway, flight, message);
			return;
		}
	}
	begin(gateway, message, &call);
}
