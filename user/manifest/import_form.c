// SPDX-License-Identifier: Apache-2.0
#include "manifest/import_form.h"

#include <string.h>

#include "manifest/import_findings.h"

const json_value *import_find_list(struct reader *reader, const json_value *root)
{
	const json_value *result = json_member(root, "result");
	const json_value *whole = result ? result : root;
	const json_value *tools = json_member(whole, "tools");

	if (json_is_array(root))
		return root;
	if (json_member(root, "error") && !tools) {
		reader_error_at_key(reader, root, "error", CODE_TYPE,
				    "the server answered with an error; ask it again");
		return NULL;
	}
	if (result)
		(void)reader_push_key(reader, "result");
	if (json_member(whole, "nextCursor"))
		import_find(reader, IMPORT_PARTIAL, json_member(whole, "nextCursor"), NULL, NULL);
	if (!json_is_array(tools)) {
		reader_error_at_key(reader, whole, "tools", tools ? CODE_TYPE : CODE_MISSING_KEY,
				    "no list of tools; it is [...] or {\"tools\": [...]}");
		return NULL;
	}
	(void)reader_push_key(reader, "tools");
	return tools;
}

static enum import_form form_of(const json_value *tool)
{
	const char *type = json_as_string(json_member(tool, "type"));
	const bool mcp = json_member(tool, "inputSchema");
	const bool anthropic = json_member(tool, "input_schema");
	const bool openai = json_member(tool, "function") || json_member(tool, "parameters") ||
			    (type && strcmp(type, "function") == 0);

	if (mcp + anthropic + openai != 1)
		return IMPORT_DETECT;
	if (openai)
		return IMPORT_OPENAI;
	return mcp ? IMPORT_MCP : IMPORT_ANTHROPIC;
}

bool import_is_hosted(const json_value *tool)
{
	const char *type = json_as_string(json_member(tool, "type"));

	return type && strcmp(type, "function") != 0 && strcmp(type, "custom") != 0 &&
	       form_of(tool) == IMPORT_DETECT;
}

bool import_detect_form(struct reader *reader, const json_value *list, enum import_form *found)
{
	size_t index = 0;

	json_for_each (tool, list) {
		const enum import_form form = form_of(tool);
		size_t before = reader_push_index(reader, index++);
		const bool clear =
			import_is_hosted(tool) ||
			(form != IMPORT_DETECT && (*found == IMPORT_DETECT || *found == form));

		if (!clear)
			reader_error(reader, tool, CODE_UNSUPPORTED,
				     "it is not clear whose form this is: \"inputSchema\" is "
				     "MCP's, \"parameters\" OpenAI's, \"input_schema\" "
				     "Anthropic's; name it by --from");
		reader_pop(reader, before);
		if (!clear)
			return false;
		if (form != IMPORT_DETECT)
			*found = form;
	}
	return true;
}
