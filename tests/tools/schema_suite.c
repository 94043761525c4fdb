// SPDX-License-Identifier: Apache-2.0
/*
 * Runs files of the JSON-Schema-Test-Suite: schema_suite DIALECT-URI FILE... Prints TAP: one line
 * for each case group; those that the reader or the compiler refuses are skipped with its sentence,
 * which tests/e2e/json-schema.t holds against what it expects.
 */
#include <string.h>

#include "base/file.h"
#include "call/schema.h"

static unsigned number, failures;

static void skip(const char *file, const char *name, const struct schema_fault *fault)
{
	printf("ok %u - %s: %s # SKIP %s: %s\n", ++number, file, name, fault->keyword,
	       fault->message);
}

/* The schema's text; the suite's files of draft-07 name no dialect. Owned by the caller. */
static char *text_of(const json_value *schema, const char *dialect)
{
	char *text = json_print(schema);
	char *with = NULL;

	if (!text || !json_is_object(schema) || json_member(schema, "$schema"))
		return text;
	if (asprintf(&with, "{\"$schema\": \"%s\"%s%s", dialect, json_first(schema) ? "," : "",
		     text + 1) < 0)
		with = NULL;
	free(text);
	return with;
}

static void run_group(const char *file, const json_value *group, const char *dialect)
{
	const char *name = json_as_string(json_member(group, "description"));
	_cleanup_free_ char *text = text_of(json_member(group, "schema"), dialect);
	struct schema_fault fault = {0};
	struct schema *schema = text ? schema_compile(text, strlen(text), &fault) : NULL;

	if (!schema) {
		skip(file, name, &fault);
		return;
	}
	json_for_each (test, json_member(group, "tests")) {
		bool valid = json_as_boolean(json_member(test, "valid"));
		enum schema_answer answer = schema_judge(schema, json_member(test, "data"), &fault);
		bool right = answer == (valid ? SCHEMA_ACCEPTS : SCHEMA_REFUSES);

		failures += !right;
		printf("%s %u - %s: %s: %s\n", right ? "ok" : "not ok", ++number, file, name,
		       json_as_string(json_member(test, "description")));
		if (!right)
			printf("# %s at \"%s\": %s\n", fault.keyword, fault.pointer, fault.message);
	}
	schema_free(schema);
}

static void run_file(const char *path, const char *dialect)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_fault json;
	struct schema_fault fault = {0};
	struct error error;
	size_t length;

	if (file_read_all(path, JSON_BYTES_MAX, &text, &length, &error)) {
		printf("not ok %u - %s: %s\n", ++number, file, error.text);
		failures++;
		return;
	}
	document = json_document_parse(text, length, &json);
	if (!document) {
		(void)snprintf(fault.message, sizeof(fault.message), "%s", json.message);
		skip(file, "the whole file", &fault);
		return;
	}
	json_for_each (group, json_root(document))
		run_group(file, group, dialect);
}

int main(int count, char **arguments)
{
	for (int i = 2; i < count; i++)
		run_file(arguments[i], arguments[1]);
	printf("1..%u\n", number);
	return failures ? 1 : 0;
}
