// SPDX-License-Identifier: Apache-2.0
/*
 * tools/list: of what the server lists, the client sees what is granted, with the manifest's words
 * in the place of the server's. All else stays as it came, to the byte.
 */
#include "call/mcp_gateway_internal.h"

#include <string.h>

/* What the manifest says of a tool, as JSON text; NULL: nothing. */
struct word {
	const char *key;
	char *text; /* owned */
};
enum { WORD_TITLE, WORD_DESCRIPTION, WORD_SCHEMA, WORD_ANNOTATIONS, WORDS };

static const char *const result_keys[] = {"tools", "nextCursor", NULL};

static char *quote(const char *text)
{
	struct json_writer writer = {0};

	json_string(&writer, text);
	return writer.text;
}

static void take_words(const struct tool *tool, struct word words[WORDS])
{
	static const char *const keys[WORDS] = {"title", "description", "inputSchema",
						"annotations"};

	for (size_t i = 0; i < WORDS; i++)
		words[i] = (struct word){.key = keys[i]};
	if (tool->title)
		words[WORD_TITLE].text = quote(tool->title);
	if (tool->description)
		words[WORD_DESCRIPTION].text = quote(tool->description);
	if (tool->input_schema)
		words[WORD_SCHEMA].text = strdup(tool->input_schema);
	if (tool->annotations)
		words[WORD_ANNOTATIONS].text = strdup(tool->annotations);
}

static char *find_word(const struct word words[WORDS], const char *key)
{
	for (size_t i = 0; i < WORDS; i++)
		if (words[i].text && strcmp(words[i].key, key) == 0)
			return words[i].text;
	return NULL;
}

static void write_key(FILE *out, const char *key, bool *comma)
{
	_cleanup_free_ char *quoted = quote(key);

	(void)fprintf(out, "%s%s:", *comma ? "," : "", quoted ? quoted : "\"\"");
	*comma = true;
}

static void write_raw(const struct message *message, const json_value *value, FILE *out)
{
	size_t length;
	const char *text = json_text_of(message->document, message->text, value, &length);

	(void)fwrite(text, 1, length, out);
}

/* The tool with the manifest's words; false: there are none, it is as it came. */
static bool write_tool(const struct message *message, const json_value *item,
		       const struct tool *tool, FILE *out)
{
	struct word words[WORDS];
	bool comma = false, any = false;

	take_words(tool, words);
	for (size_t i = 0; i < WORDS; i++)
		any = any || words[i].text;
	if (!any) {
		write_raw(message, item, out);
		return false;
	}
	(void)fputc('{', out);
	json_for_each (member, item) {
		const char *text = find_word(words, json_key_of(member));

		write_key(out, json_key_of(member), &comma);
		if (text)
			(void)fputs(text, out);
		else
			write_raw(message, member, out);
	}
	for (size_t i = 0; i < WORDS; i++) {
		if (words[i].text && !json_member(item, words[i].key)) {
			write_key(out, words[i].key, &comma);
			(void)fputs(words[i].text, out);
		}
		free(words[i].text);
	}
	(void)fputc('}', out);
	return true;
}

/* ---- pins ---- */

static void tell_changed(struct mcp_gateway *gateway, const struct tool *tool)
{
	struct verdict verdict = {.kind = gateway->policy->mode == MODE_AUDIT ? VERDICT_WOULD_DENY
									      : VERDICT_DENY,
				  .reason = "pin"};

	(void)snprintf(verdict.rule, sizeof(verdict.rule), "%s", tool->scope.pointer);
	(void)snprintf(verdict.message, sizeof(verdict.message),
		       "the server says something else of %s than what was pinned: the tool is "
		       "denied; look at it, and start with --repin to take it as it is now",
		       tool->name);
	mcp_gateway_record(gateway, tool->name, &verdict, NULL);
}

/* False: it is not what it was. */
static bool check_pin(struct mcp_gateway *gateway, const struct tool *tool, const json_value *item)
{
	struct seen_tool *seen = mcp_gateway_seen(gateway, tool);
	const enum pin_answer answer = pins_see(gateway->setup.pins, tool->name, item);

	if (answer == PIN_NEW)
		gateway->setup.io->pinned(gateway->setup.context);
	if ((answer == PIN_CHANGED || answer == PIN_FAILED) && !seen->changed) {
		seen->changed = true;
		tell_changed(gateway, tool);
	}
	return !seen->changed;
}

/* ---- the list ---- */

/* The tool that an item of the list is, where the client may see it. */
static const struct tool *shown_tool(struct mcp_gateway *gateway, const json_value *item)
{
	const char *name = json_as_string(json_member(item, "name"));
	const struct tool *tool = name ? policy_find_tool(gateway->policy, name) : NULL;
	struct seen_tool *seen = mcp_gateway_seen(gateway, tool);

	if (!tool)
		return NULL;
	seen->listed = true;
	seen->has_output = seen->has_output || json_member(item, "outputSchema");
	return check_pin(gateway, tool, item) ? tool : NULL;
}

/* False: all are there, as they came. */
static bool write_list(struct mcp_gateway *gateway, const struct message *message,
		       const json_value *tools, FILE *out)
{
	const bool all = gateway->policy->mode == MODE_AUDIT;
	bool comma = false, changed = false;

	(void)fputc('[', out);
	json_for_each (item, tools) {
		const struct tool *tool = shown_tool(gateway, item);

		if (!tool && !all) {
			changed = true;
			continue;
		}
		if (comma)
			(void)fputc(',', out);
		comma = true;
		if (all)
			write_raw(message, item, out);
		else
			changed |= write_tool(message, item, tool, out);
	}
	(void)fputc(']', out);
	return changed;
}

/* Once, at the end of a list: what the manifest grants and nobody offers. */
static void tell_missing(struct mcp_gateway *gateway)
{
	for (size_t i = 0; i < gateway->policy->tool_count; i++) {
		struct seen_tool *seen = &gateway->seen[i];

		if (seen->listed || seen->missed)
			continue;
		seen->missed = true;
		mcp_gateway_note(gateway, gateway->policy->tools[i].name, "missing",
				 "the manifest grants %s, and the server does not have it",
				 gateway->policy->tools[i].name);
	}
}

void mcp_gateway_tools_listed(struct mcp_gateway *gateway, const struct flight *flight,
			      const struct message *message)
{
	const json_value *tools = json_member(message->result, "tools");
	_cleanup_free_ char *text = NULL;
	size_t length = 0, list_length;
	bool changed = false;
	const char *list;
	FILE *out;

	if (!json_is_array(tools) || message_odd_key(message->result, result_keys)) {
		mcp_gateway_note(gateway, NULL, "server",
				 "the server's tools/list was not understood");
		mcp_gateway_answer_error(gateway, flight->id, RPC_INTERNAL_ERROR,
					 "the server's list of tools is not understood");
		return;
	}
	list = json_text_of(message->document, message->text, tools, &list_length);
	out = open_memstream(&text, &length);
	if (out) {
		const size_t before = (size_t)(list - message->text);

		(void)fwrite(message->text, 1, before, out);
		changed = write_list(gateway, message, tools, out);
		(void)fwrite(list + list_length, 1, message->length - before - list_length, out);
	}
	if (!out || fclose(out) != 0)
		mcp_gateway_answer_error(gateway, flight->id, RPC_INTERNAL_ERROR, "out of memory");
	else if (changed)
		mcp_gateway_to_client(gateway, text, length);
	else
		mcp_gateway_to_client(gateway, message->text, message->length);
	if (!json_member(message->result, "nextCursor"))
		tell_missing(gateway);
}
