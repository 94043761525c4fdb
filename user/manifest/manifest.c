// SPDX-License-Identifier: Apache-2.0
#include "manifest/manifest.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/file.h"
#include "manifest/reader.h"

#define FORMAT_VERSION 1

static void read_version(struct reader *reader, const json_value *value, void *target)
{
	uint64_t version;

	(void)target;
	if (!json_as_unsigned(value, FORMAT_VERSION, &version) || version != FORMAT_VERSION)
		reader_error(reader, value, CODE_UNSUPPORTED,
			     "this agentpol reads format %d alone; write \"agentpol\": %d",
			     FORMAT_VERSION, FORMAT_VERSION);
}

static void read_name(struct reader *reader, const json_value *value, void *target)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	struct policy *policy = target;
	const char *name = json_as_string(value);
	size_t length = strlen(name);

	if (length > 0 && length <= AGENT_NAME_MAX && name[0] != '-' &&
	    strspn(name, bytes) == length) {
		policy->name = reader_copy(reader, name);
		return;
	}
	reader_error(reader, value, CODE_NAME,
		     "must have 1 to %d lower-case letters, digits and \"-\", and not begin with "
		     "\"-\"",
		     AGENT_NAME_MAX);
}

static void read_description(struct reader *reader, const json_value *value, void *target)
{
	((struct policy *)target)->description = reader_copy(reader, json_as_string(value));
}

static void read_mode(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"enforce", MODE_ENFORCE}, {"audit", MODE_AUDIT}};
	int mode;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &mode))
		((struct policy *)target)->mode = (enum policy_mode)mode;
}

static void read_agent_network(struct reader *reader, const json_value *value, void *target)
{
	read_network(reader, value, &((struct policy *)target)->agent.network);
}

static void read_agent_process(struct reader *reader, const json_value *value, void *target)
{
	read_process(reader, value, &((struct policy *)target)->agent.process);
}

static void read_agent_files(struct reader *reader, const json_value *value, void *target)
{
	read_files(reader, value, &((struct policy *)target)->agent.files);
}

static void read_calls(struct reader *reader, const json_value *value, void *target)
{
	struct budgets *budgets = target;

	(void)reader_unsigned(reader, value, 0, WHOLE_NUMBER_MAX, &budgets->calls);
}

static void read_denials(struct reader *reader, const json_value *value, void *target)
{
	struct budgets *budgets = target;

	(void)reader_unsigned(reader, value, 0, WHOLE_NUMBER_MAX, &budgets->denials);
}

static void read_confirmations(struct reader *reader, const json_value *value, void *target)
{
	struct budgets *budgets = target;

	(void)reader_unsigned(reader, value, 0, WHOLE_NUMBER_MAX, &budgets->confirmations);
}

static void read_on_exhausted(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {
		{"deny", EXHAUSTED_DENY}, {"freeze", EXHAUSTED_FREEZE}, {"kill", EXHAUSTED_KILL}};
	int action;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &action))
		((struct budgets *)target)->on_exhausted = (enum exhausted_action)action;
}

static const struct key_spec budgets_keys[] = {
	{"calls", KIND_NUMBER, read_calls, NULL},
	{"denials", KIND_NUMBER, read_denials, NULL},
	{"confirmations", KIND_NUMBER, read_confirmations, NULL},
	{"on_exhausted", KIND_STRING, read_on_exhausted, NULL},
};

static void read_budgets(struct reader *reader, const json_value *value, void *target)
{
	struct policy *policy = target;

	policy->budgets.present = true;
	(void)reader_object(reader, value, budgets_keys, ARRAY_SIZE(budgets_keys),
			    &policy->budgets);
}

static void read_allowed(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"connect", AUDIT_CONNECT}, {"dns", AUDIT_DNS},
					    {"exec", AUDIT_EXEC},	{"file", AUDIT_FILE},
					    {"sql", AUDIT_SQL},		{"call", AUDIT_CALL}};
	struct policy *policy = target;
	size_t index = 0;
	int bit;

	policy->audit_allowed = 0;
	json_for_each (item, value) {
		size_t before = reader_push_index(reader, index++);

		if (reader_expect(reader, item, KIND_STRING) &&
		    reader_word(reader, item, words, ARRAY_SIZE(words), &bit))
			policy->audit_allowed |= (unsigned)bit;
		reader_pop(reader, before);
	}
}

static void read_literals(struct reader *reader, const json_value *value, void *target)
{
	(void)reader;
	((struct policy *)target)->audit_literals = json_as_boolean(value);
}

static const struct key_spec audit_keys[] = {
	{"allowed", KIND_LIST, read_allowed, NULL},
	{"literals", KIND_BOOLEAN, read_literals, NULL},
};

static void read_audit(struct reader *reader, const json_value *value, void *target)
{
	(void)reader_object(reader, value, audit_keys, ARRAY_SIZE(audit_keys), target);
}

static const struct key_spec top_keys[] = {
	{"$schema", KIND_STRING, NULL, NULL},
	{"agentpol", KIND_NUMBER, read_version, "write \"agentpol\": 1"},
	{"name", KIND_STRING, read_name, "name the agent, e.g. \"name\": \"support-bot\""},
	{"description", KIND_STRING, read_description, NULL},
	{"mode", KIND_STRING, read_mode, NULL},
	{"network", KIND_OBJECT, read_agent_network, NULL},
	{"process", KIND_OBJECT, read_agent_process, NULL},
	{"files", KIND_OBJECT, read_agent_files, NULL},
	{"tools", KIND_OBJECT, read_tools, NULL},
	{"budgets", KIND_OBJECT, read_budgets, NULL},
	{"audit", KIND_OBJECT, read_audit, NULL},
};

static struct policy *policy_of_arena(struct arena *arena)
{
	struct policy *policy = arena_new_array(arena, struct policy, 1);

	if (!policy)
		return NULL;
	policy->arena = arena;
	policy->agent.pointer = "";
	policy->agent.network.system_resolvers = true;
	policy->budgets.calls = UINT64_MAX;
	policy->budgets.denials = UINT64_MAX;
	policy->budgets.confirmations = UINT64_MAX;
	policy->audit_allowed = AUDIT_CALL;
	return policy;
}

static bool digest(const char *text, size_t length, char out[POLICY_DIGEST_TEXT])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned bytes = 0;
	size_t used;

	if (EVP_Digest(text, length, hash, &bytes, EVP_sha256(), NULL) != 1 || bytes != 32)
		return false;
	used = (size_t)snprintf(out, POLICY_DIGEST_TEXT, "sha256:");
	for (unsigned i = 0; i < bytes; i++)
		used += (size_t)snprintf(out + used, POLICY_DIGEST_TEXT - used, "%02x", hash[i]);
	return true;
}

static void system_error(struct diagnostics *diagnostics, const char *what)
{
	diagnostics_add(diagnostics, SEVERITY_ERROR, CODE_SYSTEM, (struct json_position){0, 0}, "",
			"%s", what);
}

/* Fills *policy from the tree; the number of errors that it found. */
static size_t read_document(const struct json_document *document, struct policy *policy,
			    struct diagnostics *diagnostics)
{
	struct reader reader = {
		.document = document,
		.diagnostics = diagnostics,
		.policy = policy,
		.arena = policy->arena,
	};

	(void)reader_object(&reader, json_root(document), top_keys, ARRAY_SIZE(top_keys), policy);
	spare_server_ports(&reader);
	free(reader.port_sets.slots);
	free(reader.tools_by_name);
	return reader.errors;
}

struct policy *manifest_read_document(const struct json_document *document, const char *text,
				      size_t length, struct diagnostics *diagnostics)
{
	struct arena *arena = arena_new();
	struct policy *policy = arena ? policy_of_arena(arena) : NULL;

	if (!policy) {
		arena_free(arena);
		system_error(diagnostics, "out of memory");
		return NULL;
	}
	if (read_document(document, policy, diagnostics)) {
		policy_free(policy);
		return NULL;
	}
	if (!digest(text, length, policy->digest)) {
		policy_free(policy);
		system_error(diagnostics, "SHA-256 is not to be had from libcrypto");
		return NULL;
	}
	return policy;
}

struct json_document *manifest_parse(const char *text, size_t length,
				     struct diagnostics *diagnostics)
{
	struct json_fault fault;
	struct json_document *document = json_document_parse(text, length, &fault);

	if (!document)
		diagnostics_add(diagnostics, SEVERITY_ERROR, fault.code, fault.position, "", "%s",
				fault.message);
	return document;
}

struct policy *manifest_read_text(const char *text, size_t length, struct diagnostics *diagnostics)
{
	_cleanup_json_document_ struct json_document *document =
		manifest_parse(text, length, diagnostics);

	return document ? manifest_read_document(document, text, length, diagnostics) : NULL;
}

struct policy *manifest_read_file(const char *path, char **text, struct error *error)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	_cleanup_free_ char *bytes = NULL;
	struct policy *policy;
	size_t length;

	diagnostics_init(&diagnostics, strcmp(path, "-") == 0 ? "standard input" : path);
	if (file_read_all(path, JSON_BYTES_MAX, &bytes, &length, error))
		return NULL;
	policy = manifest_read_text(bytes, length, &diagnostics);
	if (!policy) {
		diagnostics_print_text(&diagnostics, stderr);
		error_set(error, STATUS_UNUSABLE, "%s: %zu error%s", diagnostics.file,
			  diagnostics.errors, diagnostics.errors == 1 ? "" : "s");
		return NULL;
	}
	if (text) {
		*text = bytes;
		bytes = NULL;
	}
	return policy;
}
