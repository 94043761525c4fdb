// SPDX-License-Identifier: Apache-2.0
#include "manifest/import.h"

#include <ctype.h>
#include <string.h>

#include "call/schema.h"
#include "manifest/import_form.h"
#include "manifest/import_schema.h"
#include "manifest/manifest.h"

/* Small enough to be met by a loop that has gone wrong, large enough for a day's work. */
#define CALLS_A_SESSION	    200
#define CALLS_A_TOOL	    50
#define DENIALS_A_SESSION   10
#define QUESTIONS_A_SESSION 20

/* No list for one agent is longer; names are compared pair by pair. */
#define TOOLS_MAX 4096

/* A tool of the list; values of the list's document. */
struct listed_tool {
	const json_value *value; /* the entry */
	const json_value *body;	 /* where name and description are: the entry, or its "function" */
	const char *name;
	const json_value *schema; /* NULL: none */
	const char *body_key, *schema_key;
};

struct importer {
	struct reader reader;
	struct json_writer writer;
	enum import_form form;
	const char **names; /* owned: of the tools so far */
	size_t name_count;
};

void import_name_of_file(const char *path, char *name, size_t room)
{
	const char *slash = strrchr(path, '/');
	const char *at = slash ? slash + 1 : path;
	size_t length = 0;

	for (; *at && *at != '.' && length + 1 < room && length < AGENT_NAME_MAX; at++) {
		const bool plain = isalnum((unsigned char)*at) && (unsigned char)*at < 0x80;

		if (plain)
			name[length++] = (char)tolower((unsigned char)*at);
		else if (length > 0 && name[length - 1] != '-')
			name[length++] = '-';
	}
	while (length > 0 && name[length - 1] == '-')
		length--;
	name[length] = '\0';
}

/* ---- one tool ---- */

static bool check_name(struct importer *importer, const struct listed_tool *tool)
{
	struct reader *reader = &importer->reader;
	char shown[SHOWN_TEXT_MAX];

	if (!json_is_string(json_member(tool->body, "name"))) {
		reader_error_at_key(reader, tool->body, "name",
				    json_member(tool->body, "name") ? CODE_TYPE : CODE_MISSING_KEY,
				    "a tool has a name, a string");
		return false;
	}
	if (!reader_is_tool_name(tool->name)) {
		reader_error_at_key(reader, tool->body, "name", CODE_NAME,
				    "\"%s\" can't be a tool's name in a manifest: 1 to %d letters, "
				    "digits, \"_\", \"-\", \".\" and \"/\"",
				    reader_show(shown, tool->name), TOOL_NAME_MAX);
		return false;
	}
	for (size_t i = 0; i < importer->name_count; i++)
		if (strcmp(importer->names[i], tool->name) == 0) {
			reader_error_at_key(reader, tool->body, "name", CODE_KEY_TWICE,
					    "two tools are named \"%s\"; which one is meant is "
					    "not clear",
					    reader_show(shown, tool->name));
			return false;
		}
	importer->names[importer->name_count++] = tool->name;
	return true;
}

static bool check_text(struct importer *importer, const json_value *object, const char *key)
{
	const json_value *text = json_member(object, key);

	if (!text || json_is_null(text) || json_is_string(text))
		return true;
	reader_error_at_key(&importer->reader, object, key, CODE_TYPE, "must be a string, not a %s",
			    json_type_name(text));
	return false;
}

static bool check_schema(struct importer *importer, const struct listed_tool *tool)
{
	struct reader *reader = &importer->reader;
	const json_value *type = json_member(tool->schema, "type");

	if (!tool->schema) {
		/* OpenAI's leaves it out where there is no parameter; the others require it. */
		if (importer->form == IMPORT_OPENAI)
			return true;
		reader_error_at_key(reader, tool->body, tool->schema_key, CODE_MISSING_KEY,
				    "the tool's schema is missing");
		return false;
	}
	if (!json_is_object(tool->schema)) {
		reader_error_at_key(reader, tool->body, tool->schema_key, CODE_TYPE,
				    "must be an object, not a %s", json_type_name(tool->schema));
		return false;
	}
	if (!type || (json_is_string(type) && strcmp(json_as_string(type), "object") == 0))
		return true;
	reader_error_at_key(reader, tool->body, tool->schema_key, CODE_TYPE,
			    "arguments are an object; its \"type\" must be \"object\"");
	return false;
}

static bool read_listed(struct importer *importer, const json_value *value,
			struct listed_tool *tool)
{
	static const char *const schema_keys[] = {
		[IMPORT_MCP] = "inputSchema",
		[IMPORT_OPENAI] = "parameters",
		[IMPORT_ANTHROPIC] = "input_schema",
	};
	const json_value *function = json_member(value, "function");
	size_t before = importer->reader.pointer_length;
	bool good;

	*tool = (struct listed_tool){.value = value, .body = value};
	if (!json_is_object(value)) {
		reader_error(&importer->reader, value, CODE_TYPE, "a tool is an object, not a %s",
			     json_type_name(value));
		return false;
	}
	if (importer->form == IMPORT_OPENAI && function) {
		tool->body = function;
		tool->body_key = "function";
		(void)reader_push_key(&importer->reader, "function");
		if (!json_is_object(function)) {
			reader_error(&importer->reader, function, CODE_TYPE,
				     "must be an object, not a %s", json_type_name(function));
			reader_pop(&importer->reader, before);
			return false;
		}
	}
	tool->schema_key = schema_keys[importer->form];
	tool->schema = json_member(tool->body, tool->schema_key);
	if (json_is_null(tool->schema))
		tool->schema = NULL;
	tool->name = json_as_string(json_member(tool->body, "name"));
	good = check_name(importer, tool);
	good = check_text(importer, tool->body, "description") && good;
	good = check_schema(importer, tool) && good;
	reader_pop(&importer->reader, before);
	return good;
}

/* ---- the skeleton ---- */

static bool hint_is(const json_value *annotations, const char *hint, bool wanted)
{
	const json_value *value = json_member(annotations, hint);

	return json_is_boolean(value) && json_as_boolean(value) == wanted;
}

/* What the hints let tell; NULL leaves the manifest's default, the worst. */
static const char *effect_of(const json_value *annotations)
{
	if (hint_is(annotations, "destructiveHint", true))
		return "destructive";
	if (hint_is(annotations, "readOnlyHint", true))
		return "read";
	if (hint_is(annotations, "openWorldHint", true))
		return "external";
	return hint_is(annotations, "destructiveHint", false) ? "write" : NULL;
}

static void write_annotations(struct importer *importer, const json_value *annotations)
{
	static const char *const hints[] = {"readOnlyHint", "destructiveHint", "idempotentHint",
					    "openWorldHint"};
	struct json_writer *writer = &importer->writer;
	const bool both = hint_is(annotations, "readOnlyHint", true) &&
			  hint_is(annotations, "destructiveHint", true);

	if (both) {
		size_t before = reader_push_key(&importer->reader, "annotations");

		import_find(&importer->reader, IMPORT_HINTS, annotations, NULL, NULL);
		reader_pop(&importer->reader, before);
	}
	json_key(writer, "annotations");
	json_open_object(writer);
	for (size_t i = both ? 1 : 0; i < ARRAY_SIZE(hints); i++)
		if (json_is_boolean(json_member(annotations, hints[i])))
			json_key_boolean(writer, hints[i],
					 json_as_boolean(json_member(annotations, hints[i])));
	json_close_object(writer);
}

/* Can calls be judged by it? A finding where not. */
static bool can_enforce(struct importer *importer, const json_value *value)
{
	_cleanup_free_ char *text = json_print(value);
	_cleanup_free_ char *what = NULL;
	struct schema_fault fault;
	struct schema *schema;

	if (!text) {
		reader_out_of_memory(&importer->reader);
		return false;
	}
	schema = schema_compile(text, strlen(text), &fault);
	if (schema) {
		schema_free(schema);
		return true;
	}
	if (asprintf(&what, "%s%s%s", fault.pointer, fault.pointer[0] ? ": " : "", fault.message) <
	    0)
		what = NULL;
	import_find(&importer->reader, IMPORT_SCHEMA, value, NULL, what);
	return false;
}

/* False where the tool is to be left out. */
static bool write_schema(struct importer *importer, const struct listed_tool *tool,
			 struct json_writer *writer)
{
	size_t before = importer->reader.pointer_length;
	bool good;

	if (!tool->schema) {
		json_verbatim(writer, "{\"type\":\"object\",\"additionalProperties\":false}");
		return true;
	}
	if (tool->body_key)
		(void)reader_push_key(&importer->reader, tool->body_key);
	(void)reader_push_key(&importer->reader, tool->schema_key);
	good = can_enforce(importer, tool->schema);
	if (good)
		import_schema(&importer->reader, tool->schema, writer);
	reader_pop(&importer->reader, before);
	return good;
}

static void write_tool(struct importer *importer, const struct listed_tool *tool)
{
	const json_value *annotations = json_member(tool->value, "annotations");
	const json_value *description = json_member(tool->body, "description");
	const char *effect = effect_of(annotations);
	_cleanup_json_writer_ struct json_writer schema = {0};
	struct json_writer *writer = &importer->writer;

	if (!write_schema(importer, tool, &schema))
		return;
	if (!json_writer_text(&schema)) {
		reader_out_of_memory(&importer->reader);
		return;
	}
	json_key(writer, tool->name);
	json_open_object(writer);
	if (json_is_string(description))
		json_key_string(writer, "description", json_as_string(description));
	json_key(writer, "inputSchema");
	json_verbatim(writer, json_writer_text(&schema));
	if (json_is_object(annotations))
		write_annotations(importer, annotations);
	if (effect)
		json_key_string(writer, "effect", effect);
	if (!effect || strcmp(effect, "read") != 0)
		json_key_string(writer, "confirm", "ask");
	json_key(writer, "budget");
	json_open_object(writer);
	json_key_unsigned(writer, "calls", CALLS_A_TOOL);
	json_close_object(writer);
	json_close_object(writer);
}

static void take_tool(struct importer *importer, const json_value *value)
{
	struct listed_tool tool;

	if (import_is_hosted(value))
		import_find(&importer->reader, IMPORT_HOSTED, value, NULL,
			    json_as_string(json_member(value, "type")));
	else if (read_listed(importer, value, &tool))
		write_tool(importer, &tool);
}

static void write_manifest(struct importer *importer, const json_value *list, const char *name)
{
	struct json_writer *writer = &importer->writer;
	size_t index = 0;

	json_open_object(writer);
	json_key_unsigned(writer, "agentpol", 1);
	json_key_string(writer, "name", name);
	json_key_string(writer, "description",
			"Skeleton of a tool list: nothing but its tools is granted, and what "
			"changes anything asks a person first.");
	json_key(writer, "process");
	json_verbatim(writer, "{\"exec\":[]}");
	json_key(writer, "tools");
	json_open_object(writer);
	json_for_each (tool, list) {
		size_t before = reader_push_index(&importer->reader, index++);

		take_tool(importer, tool);
		reader_pop(&importer->reader, before);
	}
	json_close_object(writer);
	json_key(writer, "budgets");
	json_open_object(writer);
	json_key_unsigned(writer, "calls", CALLS_A_SESSION);
	json_key_unsigned(writer, "denials", DENIALS_A_SESSION);
	json_key_unsigned(writer, "confirmations", QUESTIONS_A_SESSION);
	json_close_object(writer);
	json_close_object(writer);
}

static bool read_list(struct importer *importer, const json_value *list, const char *name)
{
	if (json_count(list) == 0) {
		reader_error(&importer->reader, list, CODE_EMPTY, "there is no tool in the list");
		return false;
	}
	if (json_count(list) > TOOLS_MAX) {
		reader_error(&importer->reader, list, CODE_LIMIT,
			     "more than %d tools in one list; divide it", TOOLS_MAX);
		return false;
	}
	if (importer->form == IMPORT_DETECT &&
	    !import_detect_form(&importer->reader, list, &importer->form))
		return false;
	if (importer->form == IMPORT_DETECT) {
		reader_error(&importer->reader, list, CODE_EMPTY,
			     "all tools of the list are the provider's own");
		return false;
	}
	importer->names = calloc(json_count(list), sizeof(*importer->names));
	if (!importer->names) {
		reader_out_of_memory(&importer->reader);
		return false;
	}
	write_manifest(importer, list, name);
	return importer->reader.errors == 0;
}

/* The manifest's tree: what was written must be one that agentpol reads. */
static struct json_document *finish(struct importer *importer)
{
	const char *text = json_writer_text(&importer->writer);
	struct json_document *document;
	struct policy *policy;

	if (!text) {
		reader_out_of_memory(&importer->reader);
		return NULL;
	}
	document = manifest_parse(text, importer->writer.length, importer->reader.diagnostics);
	if (!document)
		return NULL;
	policy = manifest_read_document(document, text, importer->writer.length,
					importer->reader.diagnostics);
	if (policy) {
		policy_free(policy);
		return document;
	}
	json_document_free(document);
	return NULL;
}

struct json_document *import_tools(const char *text, size_t length, enum import_form form,
				   const char *name, struct diagnostics *diagnostics)
{
	_cleanup_json_document_ struct json_document *list =
		manifest_parse(text, length, diagnostics);
	struct importer importer = {.form = form, .reader.diagnostics = diagnostics};
	struct json_document *manifest = NULL;
	const json_value *tools;

	if (!list)
		return NULL;
	importer.reader.document = list;
	tools = import_find_list(&importer.reader, json_root(list));
	if (tools && read_list(&importer, tools, name))
		manifest = finish(&importer);
	json_writer_free(&importer.writer);
	free(importer.names);
	return manifest;
}
