// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "call/schema_internal.h"

static const struct {
	const char *uri; /* without the "#" that may end it */
	enum dialect dialect;
} dialects[] = {
	{"https://json-schema.org/draft/2020-12/schema", DIALECT_2020},
	{"http://json-schema.org/draft/2020-12/schema", DIALECT_2020},
	{"http://json-schema.org/draft-07/schema", DIALECT_DRAFT7},
	{"https://json-schema.org/draft-07/schema", DIALECT_DRAFT7},
};

static bool read_dialect(struct schema_compiler *compiler, const json_value *object,
			 enum dialect *dialect)
{
	const json_value *value = json_member(object, "$schema");
	const char *text = json_as_string(value);
	size_t length = text ? strlen(text) : 0;

	if (!value)
		return true;
	if (length > 0 && text[length - 1] == '#')
		length--;
	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++)
		if (strlen(dialects[i].uri) == length &&
		    strncmp(dialects[i].uri, text, length) == 0) {
			*dialect = dialects[i].dialect;
			return true;
		}
	return schema_fail(
		compiler, value, "$schema",
		"is not supported; write \"https://json-schema.org/draft/2020-12/schema\" "
		"or \"http://json-schema.org/draft-07/schema#\"");
}

static bool read_root_dialect(struct schema_compiler *compiler, const json_value *root)
{
	compiler->schema->dialect = DIALECT_2020;
	return read_dialect(compiler, root, &compiler->schema->dialect);
}

/* A resource within the text may state its dialect, and only the one of the whole. */
static bool check_dialect(struct schema_compiler *compiler, const json_value *object)
{
	enum dialect dialect = compiler->schema->dialect;

	if (!read_dialect(compiler, object, &dialect))
		return false;
	if (dialect == compiler->schema->dialect)
		return true;
	return schema_fail(compiler, json_member(object, "$schema"), "$schema",
			   "must be the one of the whole schema");
}

static bool grow(void **items, size_t *room, size_t count, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *grown;

	if (count < *room)
		return true;
	grown = reallocarray(*items, more, size);
	if (!grown)
		return false;
	*items = grown;
	*room = more;
	return true;
}

const struct regex *schema_compile_pattern(struct schema_compiler *compiler, const json_value *at,
					   const char *keyword, const char *pattern)
{
	struct schema *schema = compiler->schema;
	char fault[128] = "";
	struct regex *regex;

	if (!grow((void **)&schema->patterns, &schema->pattern_room, schema->pattern_count,
		  sizeof(struct regex *))) {
		(void)schema_fail(compiler, at, keyword, "out of memory");
		return NULL;
	}
	regex = regex_compile(pattern, fault, sizeof(fault));
	if (!regex) {
		(void)schema_fail(compiler, at, keyword, "is no regular expression: %s", fault);
		return NULL;
	}
	schema->patterns[schema->pattern_count++] = regex;
	return regex;
}

static struct schema_node *new_node(struct schema_compiler *compiler, const json_value *value,
				    struct schema_resource *resource)
{
	struct schema *schema = compiler->schema;
	struct schema_node *node = arena_alloc(schema->arena, 1, sizeof(*node));

	if (!node || !grow((void **)&schema->nodes, &schema->node_room, schema->node_count,
			   sizeof(struct schema_node *))) {
		(void)schema_fail(compiler, value, "", "out of memory");
		return NULL;
	}
	if (schema->node_count == SCHEMA_NODES_MAX) {
		(void)schema_fail(compiler, value, "", "has more than %d schemas within",
				  SCHEMA_NODES_MAX);
		return NULL;
	}
	schema->nodes[schema->node_count++] = node;
	node->source = value;
	node->resource = resource;
	return node;
}

/* Recursion: as deep as a text is nested, JSON_DEPTH_MAX at most. */
struct schema_node *schema_compile_node(struct schema_compiler *compiler, const json_value *value,
					struct schema_resource *resource)
{
	struct schema_node *node = new_node(compiler, value, resource);

	if (!node)
		return NULL;
	if (!resource->root)
		resource->root = node;
	if (json_is_boolean(value)) {
		node->refuses_all = !json_as_boolean(value);
		return node;
	}
	if (!json_is_object(value)) {
		(void)schema_fail(compiler, value, "",
				  "must be a schema: an object, true or false");
		return NULL;
	}
	node->is_ref_alone =
		compiler->schema->dialect == DIALECT_DRAFT7 && json_member(value, "$ref");
	if (!check_dialect(compiler, value) || !schema_read_identity(compiler, node) ||
	    !schema_read_keywords(compiler, node))
		return NULL;
	node->reads_results = node->unevaluated_items || node->unevaluated_properties;
	compiler->schema->reads_results |= node->reads_results;
	return node;
}

static bool compile(struct schema_compiler *compiler)
{
	struct schema *schema = compiler->schema;
	const json_value *root = json_root(schema->document);
	struct schema_resource *resource;

	schema->arena = arena_new();
	resource = schema->arena ? arena_alloc(schema->arena, 1, sizeof(*resource)) : NULL;
	if (!resource)
		return schema_fail(compiler, root, "", "out of memory");
	resource->uri = "";
	schema->resources = resource;
	if (!read_root_dialect(compiler, root))
		return false;
	schema->root = schema_compile_node(compiler, root, resource);
	return schema->root && schema_resolve(compiler);
}

struct schema *schema_compile(const char *text, size_t length, struct schema_fault *fault)
{
	struct schema *schema = calloc(1, sizeof(*schema));
	struct schema_compiler compiler = {schema, fault};
	struct json_fault json;

	*fault = (struct schema_fault){0};
	if (!schema) {
		(void)snprintf(fault->message, sizeof(fault->message), "out of memory");
		return NULL;
	}
	if (length > SCHEMA_BYTES_MAX) {
		(void)snprintf(fault->message, sizeof(fault->message),
			       "is larger than the limit of %u KiB", SCHEMA_BYTES_MAX >> 10);
		schema_free(schema);
		return NULL;
	}
	schema->document = json_document_parse(text, length, &json);
	if (!schema->document)
		(void)snprintf(fault->message, sizeof(fault->message), "%s (line %zu, column %zu)",
			       json.message, json.position.line, json.position.column);
	if (schema->document && compile(&compiler))
		return schema;
	schema_free(schema);
	return NULL;
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < schema->pattern_count; i++)
		regex_free(schema->patterns[i]);
	free(schema->patterns);
	free(schema->nodes);
	arena_free(schema->arena);
	json_document_free(schema->document);
	free(schema);
}

bool schema_find_ignored(const struct schema *schema, struct schema_fault *fault)
{
	*fault = (struct schema_fault){0};
	if (!schema->ignored)
		return false;
	(void)schema_fault_set(fault, json_root(schema->document), schema->ignored,
			       json_key_of(schema->ignored),
			       "stands beside \"$ref\", where draft-07 ignores it");
	return true;
}
