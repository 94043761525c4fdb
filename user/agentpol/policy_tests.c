// SPDX-License-Identifier: Apache-2.0
#include "agentpol/policy_tests.h"

#include <stdarg.h>
#include <string.h>

#include "base/file.h"
#include "manifest/manifest.h"

/* The file that is being read. */
struct source {
	const char *path;
	const struct json_document *document;
	struct error *error;
};

static const char *const file_keys[] = {"agentpol-test", "manifest", "schema", "description",
					"$schema",	 "cases",    NULL};
static const char *const case_keys[] = {"name", "request", "requests",	  "expect",
					"rule", "reason",  "description", NULL};
static const char *const verdicts[] = {"allow", "deny", "ask", "undecided", "would-deny", "noted"};

static int fault_at(const struct source *source, struct json_position position, const char *format,
		    va_list arguments)
{
	char text[ERROR_TEXT_MAX / 2];

	(void)vsnprintf(text, sizeof(text), format, arguments);
	return error_set(source->error, STATUS_UNUSABLE, "%s:%zu:%zu: %s", source->path,
			 position.line, position.column, text);
}

static int fault(const struct source *source, const json_value *at, const char *format, ...)
	FORMAT(3, 4);
static int fault(const struct source *source, const json_value *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fault_at(source, json_position_of(source->document, at), format, arguments);
	va_end(arguments);
	return -1;
}

static int fault_at_key(const struct source *source, const json_value *member, const char *format,
			...) FORMAT(3, 4);
static int fault_at_key(const struct source *source, const json_value *member, const char *format,
			...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fault_at(source, json_key_position_of(source->document, member), format, arguments);
	va_end(arguments);
	return -1;
}

static int check_keys(const struct source *source, const json_value *object,
		      const char *const *known, const char *what)
{
	if (!json_is_object(object))
		return fault(source, object, "%s is an object, not %s", what,
			     json_type_name(object));
	json_for_each (member, object) {
		const char *const *key = known;

		while (*key && strcmp(*key, json_key_of(member)) != 0)
			key++;
		if (!*key)
			return fault_at_key(source, member, "%s has no key \"%.100s\"", what,
					    json_key_of(member));
	}
	return 0;
}

/* *text stays NULL where the key is absent and need not be there. */
static int take_string(const struct source *source, const json_value *object, const char *key,
		       bool needed, const char **text)
{
	const json_value *value = json_member(object, key);

	*text = json_as_string(value);
	if (value && !*text)
		return fault(source, value, "\"%s\" is a string, not %s", key,
			     json_type_name(value));
	if (needed && !value)
		return fault(source, object, "\"%s\" is missing", key);
	return 0;
}

static int check_verdict(const struct source *source, const json_value *value)
{
	const char *text = json_as_string(value);

	for (size_t i = 0; text && i < ARRAY_SIZE(verdicts); i++)
		if (strcmp(verdicts[i], text) == 0)
			return 0;
	return fault(source, value,
		     "\"expect\" is allow, deny, ask, undecided, would-deny or noted");
}

static int check_expect(const struct source *source, const struct policy_case *one)
{
	if (!json_is_array(one->expect)) {
		if (json_is_array(one->requests))
			return fault(source, one->expect,
				     "\"requests\" is a list, so \"expect\" is one as long");
		return check_verdict(source, one->expect);
	}
	if (!json_is_array(one->requests) || json_count(one->expect) != json_count(one->requests))
		return fault(source, one->expect,
			     "\"expect\" has %zu verdicts for %zu requests; write one for each",
			     json_count(one->expect), policy_case_count(one));
	json_for_each (value, one->expect)
		if (check_verdict(source, value) < 0)
			return -1;
	return 0;
}

static int read_case(const struct source *source, const json_value *value, struct policy_case *one)
{
	const json_value *single, *several;

	if (check_keys(source, value, case_keys, "a case") < 0 ||
	    take_string(source, value, "name", true, &one->name) < 0 ||
	    take_string(source, value, "rule", false, &one->rule) < 0 ||
	    take_string(source, value, "reason", false, &one->reason) < 0)
		return -1;
	single = json_member(value, "request");
	several = json_member(value, "requests");
	if (!single == !several)
		return fault(source, value, "a case has either \"request\" or \"requests\"");
	if (single && !json_is_object(single))
		return fault(source, single, "\"request\" is an object, not %s",
			     json_type_name(single));
	if (several && (!json_is_array(several) || json_count(several) == 0))
		return fault(source, several, "\"requests\" is a list of at least one");
	one->requests = single ? single : several;
	one->expect = json_member(value, "expect");
	if (!one->expect)
		return fault(source, value, "\"expect\" is missing");
	return check_expect(source, one);
}

static int read_cases(const struct source *source, struct policy_tests *tests)
{
	const json_value *list = json_member(json_root(tests->document), "cases");

	if (!json_is_array(list) || json_count(list) == 0)
		return fault(source, list ? list : json_root(tests->document),
			     "\"cases\" is a list of at least one");
	tests->cases = calloc(json_count(list), sizeof(*tests->cases));
	if (!tests->cases)
		return error_set(source->error, STATUS_SYSTEM, "out of memory");
	json_for_each (value, list)
		if (read_case(source, value, &tests->cases[tests->case_count++]) < 0)
			return -1;
	return 0;
}

/* A path of the file's is relative to the file's folder. */
static char *path_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined = NULL;

	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) < 0)
		return NULL;
	return joined;
}

static int read_head(const struct source *source, struct policy_tests *tests)
{
	const json_value *root = json_root(tests->document);
	const json_value *version = json_member(root, "agentpol-test");
	_cleanup_free_ char *manifest = NULL;
	const char *name, *schema;
	uint64_t number;

	if (check_keys(source, root, file_keys, "a file of policy tests") < 0)
		return -1;
	if (!version || !json_as_unsigned(version, 1, &number) || number != 1)
		return fault(source, version ? version : root,
			     "\"agentpol-test\": 1 says which format this is");
	if (take_string(source, root, "manifest", true, &name) < 0 ||
	    take_string(source, root, "schema", false, &schema) < 0)
		return -1;
	manifest = path_beside(source->path, name);
	if (schema)
		tests->schema_path = path_beside(source->path, schema);
	if (!manifest || (schema && !tests->schema_path))
		return error_set(source->error, STATUS_SYSTEM, "out of memory");
	tests->policy = manifest_read_file(manifest, NULL, source->error);
	return tests->policy ? 0 : error_wrap(source->error, "%s", source->path);
}

int policy_tests_read(const char *path, struct policy_tests *tests, struct error *error)
{
	struct source source = {.path = path, .error = error};
	_cleanup_free_ char *text = NULL;
	struct json_fault json_fault;
	size_t length;

	*tests = (struct policy_tests){0};
	if (file_read_all(path, JSON_BYTES_MAX, &text, &length, error) < 0)
		return -1;
	tests->document = json_document_parse(text, length, &json_fault);
	if (!tests->document)
		return error_set(error, STATUS_UNUSABLE, "%s:%zu:%zu: %s", path,
				 json_fault.position.line, json_fault.position.column,
				 json_fault.message);
	source.document = tests->document;
	return read_head(&source, tests) < 0 || read_cases(&source, tests) < 0 ? -1 : 0;
}

bool policy_tests_recognise(const char *path)
{
	_cleanup_json_document_ struct json_document *document = NULL;
	_cleanup_free_ char *text = NULL;
	struct json_fault json_fault;
	struct error error;
	size_t length;

	if (file_read_all(path, JSON_BYTES_MAX, &text, &length, &error) < 0)
		return false;
	document = json_document_parse(text, length, &json_fault);
	return document && json_member(json_root(document), "agentpol-test");
}

void policy_tests_free(struct policy_tests *tests)
{
	json_document_free(tests->document);
	policy_free(tests->policy);
	free(tests->schema_path);
	free(tests->cases);
	*tests = (struct policy_tests){0};
}

static const json_value *nth(const json_value *value, size_t n)
{
	if (!json_is_array(value))
		return value;
	value = json_first(value);
	while (value && n-- > 0)
		value = json_next(value);
	return value;
}

const json_value *policy_case_request(const struct policy_case *one, size_t n)
{
	return nth(one->requests, n);
}

const char *policy_case_expect(const struct policy_case *one, size_t n)
{
	return json_as_string(nth(one->expect, n));
}

size_t policy_case_count(const struct policy_case *one)
{
	return json_is_array(one->requests) ? json_count(one->requests) : 1;
}
