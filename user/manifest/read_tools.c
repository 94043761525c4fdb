// SPDX-License-Identifier: Apache-2.0
/* "tools": what each tool call may do, and when. Cross references are checked in read_order.c. */
#include "manifest/reader.h"

#include <string.h>

#include "call/session.h"

#define ASK_TIMEOUT_SECONDS 120 /* where the manifest says nothing */

/* MCP's hints that an effect must not contradict. */
enum hint { HINT_UNSET, HINT_FALSE, HINT_TRUE };
struct hints {
	enum hint read_only, destructive;
};

static void read_description(struct reader *reader, const json_value *value, void *target)
{
	((struct tool *)target)->description = reader_copy(reader, json_as_string(value));
}

static void read_title(struct reader *reader, const json_value *value, void *target)
{
	((struct tool *)target)->title = reader_copy(reader, json_as_string(value));
}

/* The value's text, which the gateway tells clients. */
static const char *copy_text(struct reader *reader, const json_value *value)
{
	_cleanup_free_ char *text = json_print(value);

	if (text)
		return reader_copy(reader, text);
	reader_out_of_memory(reader);
	return NULL;
}

static void read_input_schema(struct reader *reader, const json_value *value, void *target)
{
	((struct tool *)target)->input_schema = read_schema(reader, value);
}

static void read_output_schema(struct reader *reader, const json_value *value, void *target)
{
	(void)target;
	(void)read_schema(reader, value);
}

static const struct key_spec annotation_keys[] = {
	{"title", KIND_STRING, NULL, NULL},
	{"readOnlyHint", KIND_BOOLEAN, NULL, NULL},
	{"destructiveHint", KIND_BOOLEAN, NULL, NULL},
	{"idempotentHint", KIND_BOOLEAN, NULL, NULL},
	{"openWorldHint", KIND_BOOLEAN, NULL, NULL},
};

static void read_annotations(struct reader *reader, const json_value *value, void *target)
{
	if (reader_object(reader, value, annotation_keys, ARRAY_SIZE(annotation_keys), target))
		((struct tool *)target)->annotations = copy_text(reader, value);
}

static void read_effect(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"read", EFFECT_READ},
					    {"write", EFFECT_WRITE},
					    {"destructive", EFFECT_DESTRUCTIVE},
					    {"external", EFFECT_EXTERNAL}};
	struct tool *tool = target;
	int effect;

	if (!reader_word(reader, value, words, ARRAY_SIZE(words), &effect))
		return;
	tool->effect = (enum tool_effect)effect;
	tool->effect_present = true;
}

static void read_scope(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"process", false}, {"call", true}};
	struct tool *tool = target;
	int call;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &call))
		tool->call_scope = call;
}

static void read_tool_network(struct reader *reader, const json_value *value, void *target)
{
	read_network(reader, value, &((struct tool *)target)->scope.network);
}

static void read_tool_process(struct reader *reader, const json_value *value, void *target)
{
	read_process(reader, value, &((struct tool *)target)->scope.process);
}

static void read_tool_files(struct reader *reader, const json_value *value, void *target)
{
	read_files(reader, value, &((struct tool *)target)->scope.files);
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void read_match_pair(struct reader *reader, const json_value *member,
			    struct tool_requirement *requirement)
{
	struct tool_match *match = &requirement->matches[requirement->match_count];
	const char *source = json_as_string(member);
	char shown[SHOWN_TEXT_MAX];

	if (!reader_json_pointer(reader, member, json_key_of(member)) ||
	    !reader_expect(reader, member, KIND_STRING) ||
	    !reader_json_pointer(reader, member, source))
		return;
	if (!starts_with(source, "/result/") && !starts_with(source, "/arguments/")) {
		reader_error(reader, member, CODE_POINTER,
			     "\"%s\" must begin with \"/result/\" or \"/arguments/\" of the "
			     "earlier call",
			     reader_show(shown, source));
		return;
	}
	match->argument_pointer = reader_copy(reader, json_key_of(member));
	match->source_pointer = reader_copy(reader, source);
	requirement->match_count++;
}

static void read_match(struct reader *reader, const json_value *value, void *target)
{
	struct tool_requirement *requirement = target;

	if (!reader_not_empty(reader, value,
			      "write e.g. {\"/order_id\": \"/result/order_id\"}, or leave it out"))
		return;
	if (json_count(value) > CALL_MATCHES_MAX) {
		reader_error(reader, value, CODE_RANGE, "has %zu pairs, and may have %d",
			     json_count(value), CALL_MATCHES_MAX);
		return;
	}
	requirement->matches = reader_new_array(reader, struct tool_match, json_count(value));
	if (!requirement->matches)
		return;
	json_for_each (member, value) {
		size_t before = reader_push_key(reader, json_key_of(member));

		read_match_pair(reader, member, requirement);
		reader_pop(reader, before);
	}
}

static void read_required_tool(struct reader *reader, const json_value *value, void *target)
{
	((struct tool_requirement *)target)->tool = reader_copy(reader, json_as_string(value));
}

static const struct key_spec requirement_keys[] = {
	{"tool", KIND_STRING, read_required_tool, "name the tool that must have succeeded"},
	{"match", KIND_OBJECT, read_match, NULL},
};

static void read_requires(struct reader *reader, const json_value *value, void *target)
{
	struct tool *tool = target;

	tool->requires = reader_new_array(reader, struct tool_requirement, json_count(value));
	if (!tool->requires)
		return;
	json_for_each (item, value) {
		struct tool_requirement *requirement = &tool->requires[tool->requires_count];
		size_t before = reader_push_index(reader, tool->requires_count);

		tool->requires_count++;
		if (json_is_string(item))
			read_required_tool(reader, item, requirement);
		else if (reader_expect(reader, item, KIND_STRING | KIND_OBJECT))
			(void)reader_object(reader, item, requirement_keys,
					    ARRAY_SIZE(requirement_keys), requirement);
		reader_pop(reader, before);
	}
}

static const char *read_tool_name(struct reader *reader, const json_value *value)
{
	return reader_copy(reader, json_as_string(value));
}

static void read_forbids_after(struct reader *reader, const json_value *value, void *target)
{
	reader_strings(reader, value, read_tool_name, &((struct tool *)target)->forbids_after);
}

static void read_budget_calls(struct reader *reader, const json_value *value, void *target)
{
	struct tool *tool = target;

	(void)reader_unsigned(reader, value, 1, WHOLE_NUMBER_MAX, &tool->budget_calls);
}

static void read_budget_rate(struct reader *reader, const json_value *value, void *target)
{
	struct tool *tool = target;

	(void)reader_rate(reader, value, false, &tool->budget_rate);
}

static const struct key_spec budget_keys[] = {
	{"calls", KIND_NUMBER, read_budget_calls, NULL},
	{"rate", KIND_STRING, read_budget_rate, NULL},
};

static void read_budget(struct reader *reader, const json_value *value, void *target)
{
	if (reader_not_empty(reader, value, "write \"calls\", \"rate\" or both"))
		(void)reader_object(reader, value, budget_keys, ARRAY_SIZE(budget_keys), target);
}

static void read_confirm(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"never", false}, {"ask", true}};
	struct tool *tool = target;
	int ask;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &ask))
		tool->ask = ask;
}

static void read_ask_timeout(struct reader *reader, const json_value *value, void *target)
{
	struct tool *tool = target;
	uint64_t milliseconds;

	if (!reader_duration(reader, value, &milliseconds))
		return;
	if (milliseconds % 1000) {
		reader_error(reader, value, CODE_QUANTITY, "must be whole seconds, e.g. \"120s\"");
		return;
	}
	tool->ask_timeout_seconds = (uint32_t)(milliseconds / 1000);
}

static const struct key_spec tool_keys[] = {
	{"description", KIND_STRING, read_description, NULL},
	{"title", KIND_STRING, read_title, NULL},
	{"inputSchema", KIND_OBJECT, read_input_schema, NULL},
	{"outputSchema", KIND_OBJECT, read_output_schema, NULL},
	{"annotations", KIND_OBJECT, read_annotations, NULL},
	{"effect", KIND_STRING, read_effect, NULL},
	{"sql", KIND_OBJECT, read_sql, NULL},
	{"network", KIND_OBJECT, read_tool_network, NULL},
	{"process", KIND_OBJECT, read_tool_process, NULL},
	{"files", KIND_OBJECT, read_tool_files, NULL},
	{"scope", KIND_STRING, read_scope, NULL},
	{"requires", KIND_LIST, read_requires, NULL},
	{"forbids_after", KIND_LIST, read_forbids_after, NULL},
	{"budget", KIND_OBJECT, read_budget, NULL},
	{"confirm", KIND_STRING, read_confirm, NULL},
	{"ask_timeout", KIND_STRING, read_ask_timeout, NULL},
	{"arguments", KIND_OBJECT, read_arguments, NULL},
};

static enum hint hint_of(const json_value *annotations, const char *key)
{
	const json_value *value = json_member(annotations, key);

	if (!json_is_boolean(value))
		return HINT_UNSET;
	return json_as_boolean(value) ? HINT_TRUE : HINT_FALSE;
}

/* What is wrong with the hints under this effect, or NULL. MCP reads destructiveHint only where
 * readOnlyHint is not true, so that both true say nothing clear. */
static const char *contradiction(const struct tool *tool, const struct hints *hints)
{
	if (hints->read_only == HINT_TRUE && hints->destructive == HINT_TRUE)
		return "readOnlyHint and destructiveHint can't both be true";
	if (!tool->effect_present)
		return NULL;
	if (hints->read_only == HINT_TRUE &&
	    (tool->effect == EFFECT_WRITE || tool->effect == EFFECT_DESTRUCTIVE))
		return "readOnlyHint is true, but the effect changes something";
	if (hints->read_only == HINT_FALSE && tool->effect == EFFECT_READ)
		return "readOnlyHint is false, but the effect is \"read\"";
	if (hints->destructive == HINT_TRUE &&
	    (tool->effect == EFFECT_READ || tool->effect == EFFECT_WRITE))
		return "destructiveHint is true, but the effect is not \"destructive\"";
	if (hints->destructive == HINT_FALSE && tool->effect == EFFECT_DESTRUCTIVE)
		return "destructiveHint is false, but the effect is \"destructive\"";
	return NULL;
}

static void check_tool(struct reader *reader, const json_value *value, const struct tool *tool)
{
	const json_value *annotations = json_member(value, "annotations");
	const struct hints hints = {hint_of(annotations, "readOnlyHint"),
				    hint_of(annotations, "destructiveHint")};
	const char *fault = contradiction(tool, &hints);

	if (fault)
		reader_error_at_key(reader, value, "annotations", CODE_CONTRADICTION,
				    "%s; mend one of the two", fault);
	if (json_member(value, "ask_timeout") && !tool->ask)
		reader_error_at_key(reader, value, "ask_timeout", CODE_CONTRADICTION,
				    "nobody is asked; write \"confirm\": \"ask\", or remove it");
	check_argument_pointers(reader, value);
}

bool reader_is_tool_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length <= TOOL_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/") ==
		       length;
}

static void read_tool(struct reader *reader, const json_value *member, struct tool *tool)
{
	const char *name = json_key_of(member);

	if (!reader_is_tool_name(name))
		reader_error(reader, member, CODE_NAME,
			     "a tool's name has 1 to %d letters, digits, \"_\", \"-\", \".\" and "
			     "\"/\"",
			     TOOL_NAME_MAX);
	tool->name = reader_copy(reader, name);
	tool->effect = EFFECT_DESTRUCTIVE;
	tool->ask_timeout_seconds = ASK_TIMEOUT_SECONDS;
	tool->scope.tool = tool->name;
	tool->scope.pointer = reader_copy(reader, reader->pointer);
	if (reader_object(reader, member, tool_keys, ARRAY_SIZE(tool_keys), tool))
		check_tool(reader, member, tool);
}

void read_tools(struct reader *reader, const json_value *value, void *target)
{
	struct policy *policy = target;

	policy->tools = reader_new_array(reader, struct tool, json_count(value));
	if (!policy->tools)
		return;
	json_for_each (member, value) {
		size_t before = reader_push_key(reader, json_key_of(member));

		read_tool(reader, member, &policy->tools[policy->tool_count++]);
		reader_pop(reader, before);
	}
	read_order(reader, value);
	read_matches(reader, value);
}
