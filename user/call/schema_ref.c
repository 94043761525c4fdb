// SPDX-License-Identifier: Apache-2.0
/* "$id", anchors and references: what they name within the text; nothing outside is reached. */
#include <string.h>

#include "call/schema_internal.h"

static bool out_of_memory(struct schema_compiler *compiler, const json_value *at)
{
	return schema_fail(compiler, at, "", "out of memory");
}

static struct schema_resource *find_resource(const struct schema *schema, const char *uri)
{
	for (struct schema_resource *each = schema->resources; each; each = each->next)
		if (strcmp(each->uri, uri) == 0)
			return each;
	return NULL;
}

static struct schema_anchor *find_anchor(const struct schema *schema,
					 const struct schema_resource *resource, const char *name)
{
	for (struct schema_anchor *each = schema->anchors; each; each = each->next)
		if (each->resource == resource && strcmp(each->name, name) == 0)
			return each;
	return NULL;
}

struct schema_node *schema_find_dynamic(const struct schema *schema,
					const struct schema_resource *resource, const char *name)
{
	const struct schema_anchor *anchor = find_anchor(schema, resource, name);

	return anchor && anchor->dynamic ? anchor->node : NULL;
}

static bool add_anchor(struct schema_compiler *compiler, struct schema_node *node,
		       const json_value *value, const char *name, bool dynamic)
{
	struct schema *schema = compiler->schema;
	struct schema_anchor *anchor = find_anchor(schema, node->resource, name);

	if (anchor && anchor->node != node)
		return schema_fail(compiler, value, json_key_of(value),
				   "the same anchor stands twice; give one another name");
	anchor = arena_alloc(schema->arena, 1, sizeof(*anchor));
	if (!anchor)
		return out_of_memory(compiler, value);
	*anchor = (struct schema_anchor){name, node->resource, node, dynamic, schema->anchors};
	schema->anchors = anchor;
	return true;
}

static bool add_resource(struct schema_compiler *compiler, struct schema_node *node,
			 const json_value *value)
{
	struct schema *schema = compiler->schema;
	struct schema_resource *resource = arena_alloc(schema->arena, 1, sizeof(*resource));
	const char *uri =
		schema_uri_resolve(schema->arena, node->resource->uri, json_as_string(value));

	if (!resource || !uri)
		return out_of_memory(compiler, value);
	if (node->resource->root != node && find_resource(schema, uri))
		return schema_fail(compiler, value, "$id",
				   "the same identifier stands twice; give one another");
	*resource = (struct schema_resource){uri, node, schema->resources};
	schema->resources = resource;
	node->resource = resource;
	return true;
}

static bool read_id(struct schema_compiler *compiler, struct schema_node *node,
		    const json_value *value)
{
	const char *text = json_as_string(value);
	const char *fragment;

	if (!text)
		return schema_fail(compiler, value, "$id", "must be a string");
	fragment = strchr(text, '#');
	if (fragment && fragment[1] && compiler->schema->dialect != DIALECT_DRAFT7)
		return schema_fail(compiler, value, "$id",
				   "must have no fragment; write \"$anchor\" for a name");
	if (fragment != text && !add_resource(compiler, node, value))
		return false;
	if (fragment && fragment[1])
		return add_anchor(compiler, node, value, fragment + 1, false);
	return true;
}

static bool read_anchor(struct schema_compiler *compiler, struct schema_node *node,
			const char *keyword, bool dynamic)
{
	const json_value *value = json_member(node->source, keyword);
	const char *text = json_as_string(value);

	if (!value || compiler->schema->dialect == DIALECT_DRAFT7)
		return true;
	if (!text || !*text || strpbrk(text, "#/%"))
		return schema_fail(compiler, value, keyword,
				   "must be a name of letters, digits, \"_\", \"-\" and \".\"");
	return add_anchor(compiler, node, value, text, dynamic);
}

bool schema_read_identity(struct schema_compiler *compiler, struct schema_node *node)
{
	const json_value *id = json_member(node->source, "$id");

	if (id && !node->is_ref_alone && !read_id(compiler, node, id))
		return false;
	return read_anchor(compiler, node, "$anchor", false) &&
	       read_anchor(compiler, node, "$dynamicAnchor", true);
}

static int compare_sources(const void *left, const void *right)
{
	const struct schema_node *a = *(struct schema_node *const *)left;
	const struct schema_node *b = *(struct schema_node *const *)right;

	return (a->source > b->source) - (a->source < b->source);
}

static struct schema_node *find_node(const struct schema *schema, const json_value *source)
{
	const struct schema_node key = {.source = source};
	const struct schema_node *wanted = &key;
	struct schema_node **found = bsearch(&wanted, schema->nodes, schema->node_count,
					     sizeof(struct schema_node *), compare_sources);

	return found ? *found : NULL;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
		return (digit | 0x20) - 'a' + 10;
	return -1;
}

/* "%25" as "%"; false where it is no such text, or a NUL. */
static bool decode_percents(const char *text, char *out)
{
	for (; *text; text++) {
		int high, low;

		if (*text != '%') {
			*out++ = *text;
			continue;
		}
		high = hex_value(text[1]);
		low = high < 0 ? -1 : hex_value(text[2]);
		if (low < 0 || high * 16 + low == 0)
			return false;
		*out++ = (char)(high * 16 + low);
		text += 2;
	}
	*out = '\0';
	return true;
}

static const json_value *step_into(const json_value *value, const char *token)
{
	char *end;
	unsigned long index;

	if (json_is_object(value))
		return json_member(value, token);
	if (*token < '0' || *token > '9' || (*token == '0' && token[1]))
		return NULL;
	index = strtoul(token, &end, 10);
	if (*end)
		return NULL;
	value = json_first(value);
	for (; value && index > 0; index--)
		value = json_next(value);
	return value;
}

/* Writes each token over the pointer itself, which it never outgrows. */
static const json_value *follow_pointer(const json_value *value, char *pointer)
{
	while (value && *pointer == '/') {
		char *token = pointer + 1;
		char *out = token;
		char end;

		for (pointer = token; *pointer && *pointer != '/'; pointer++) {
			if (*pointer != '~')
				*out++ = *pointer;
			else if (pointer[1] == '0' || pointer[1] == '1')
				*out++ = *++pointer == '0' ? '~' : '/';
			else
				return NULL;
		}
		end = *pointer;
		*out = '\0';
		value = step_into(value, token);
		*pointer = end;
	}
	return value;
}

static struct schema_node *find_target(struct schema_compiler *compiler,
				       const struct schema_reference *reference,
				       const struct schema_resource *resource, const char *fragment)
{
	const struct schema *schema = compiler->schema;
	const struct schema_anchor *anchor;
	char *decoded = arena_alloc(schema->arena, strlen(fragment) + 1, 1);

	if (!decoded || !decode_percents(fragment, decoded))
		return NULL;
	if (*decoded == '\0')
		return resource->root;
	if (*decoded == '/')
		return find_node(schema, follow_pointer(resource->root->source, decoded));
	anchor = find_anchor(schema, resource, decoded);
	if (anchor && anchor->dynamic && reference->dynamic)
		reference->from->dynamic_name = anchor->name;
	return anchor ? anchor->node : NULL;
}

static bool resolve_one(struct schema_compiler *compiler, const struct schema_reference *reference)
{
	const char *text = json_as_string(reference->value);
	const char *keyword = json_key_of(reference->value);
	const char *fragment = strchr(text, '#');
	const char *uri = schema_uri_resolve(compiler->schema->arena, reference->base, text);
	const struct schema_resource *resource;
	struct schema_node *target;

	if (!uri)
		return out_of_memory(compiler, reference->value);
	resource = find_resource(compiler->schema, uri);
	if (!resource)
		return schema_fail(compiler, reference->value, keyword,
				   "refers to another document (%.120s), and none is ever fetched; "
				   "copy what it names into \"$defs\"",
				   uri);
	target = find_target(compiler, reference, resource, fragment ? fragment + 1 : "");
	if (!target)
		return schema_fail(compiler, reference->value, keyword,
				   "leads to no schema: \"%.120s\"", text);
	if (reference->dynamic)
		reference->from->dynamic_ref = target;
	else
		reference->from->ref = target;
	return true;
}

/* ---- circles: schemas that are applied to the same value without end ---- */

/* Nodes in the order of a walk along what is applied in place; a node is done when all that it
 * leads to is. */
struct visit {
	struct schema_node *node;
	size_t edge;
};
enum visit_state { UNSEEN, OPEN, DONE };

static struct schema_node *nth_of(const struct schema_nodes *nodes, size_t *edge)
{
	if (*edge < nodes->count)
		return nodes->items[*edge];
	*edge -= nodes->count;
	return NULL;
}

/* The edge'th schema that is applied to the very value that the node is; NULL behind the last. */
static struct schema_node *next_in_place(const struct schema_node *node, size_t *position)
{
	struct schema_node *const single[] = {node->ref,	 node->dynamic_ref,
					      node->not,	 node->if_schema,
					      node->then_schema, node->else_schema};
	const struct schema_nodes *const lists[] = {&node->all_of, &node->any_of, &node->one_of};

	for (;;) {
		size_t edge = (*position)++;

		if (edge < ARRAY_SIZE(single)) {
			if (single[edge])
				return single[edge];
			continue;
		}
		edge -= ARRAY_SIZE(single);
		for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
			struct schema_node *found = nth_of(lists[i], &edge);

			if (found)
				return found;
		}
		if (edge >= node->dependencies.count)
			return NULL;
		if (node->dependencies.items[edge].node)
			return node->dependencies.items[edge].node;
	}
}

static size_t index_of(const struct schema *schema, const struct schema_node *node)
{
	struct schema_node **found = bsearch(&node, schema->nodes, schema->node_count,
					     sizeof(struct schema_node *), compare_sources);

	return (size_t)(found - schema->nodes);
}

/* The node at which a walk from `start` meets itself, or NULL. */
static const struct schema_node *walk(const struct schema *schema, struct schema_node *start,
				      struct visit *stack, uint8_t *states)
{
	size_t depth = 1;

	stack[0] = (struct visit){start, 0};
	states[index_of(schema, start)] = OPEN;
	while (depth > 0) {
		struct visit *top = &stack[depth - 1];
		struct schema_node *next = next_in_place(top->node, &top->edge);
		size_t index;

		if (!next) {
			states[index_of(schema, top->node)] = DONE;
			depth--;
			continue;
		}
		index = index_of(schema, next);
		if (states[index] == OPEN)
			return next;
		if (states[index] == DONE)
			continue;
		states[index] = OPEN;
		stack[depth++] = (struct visit){next, 0};
	}
	return NULL;
}

static bool refuse_circles(struct schema_compiler *compiler)
{
	const struct schema *schema = compiler->schema;
	_cleanup_free_ struct visit *stack = calloc(schema->node_count, sizeof(*stack));
	_cleanup_free_ uint8_t *states = calloc(schema->node_count, 1);

	if (!stack || !states)
		return out_of_memory(compiler, schema->root->source);
	for (size_t i = 0; i < schema->node_count; i++) {
		const struct schema_node *met;

		if (states[i] != UNSEEN)
			continue;
		met = walk(schema, schema->nodes[i], stack, states);
		if (met)
			return schema_fail(compiler, met->source, "$ref",
					   "refers to itself for the same value, without end");
	}
	return true;
}

bool schema_resolve(struct schema_compiler *compiler)
{
	struct schema *schema = compiler->schema;

	qsort(schema->nodes, schema->node_count, sizeof(struct schema_node *), compare_sources);
	for (const struct schema_reference *each = schema->references; each; each = each->next)
		if (!resolve_one(compiler, each))
			return false;
	return refuse_circles(compiler);
}
