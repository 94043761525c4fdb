/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiled schema holds; schema*.c alone use it. */
#ifndef AGENTPOL_CALL_SCHEMA_INTERNAL_H
#define AGENTPOL_CALL_SCHEMA_INTERNAL_H

#include "base/arena.h"
#include "call/regex.h"
#include "call/schema.h"

enum dialect { DIALECT_DRAFT7 = 1, DIALECT_2020 = 2, DIALECT_BOTH = 3 };

/* Bits of "type". "integer" is a number that is whole. */
enum value_type {
	TYPE_NULL = 1,
	TYPE_BOOLEAN = 2,
	TYPE_OBJECT = 4,
	TYPE_ARRAY = 8,
	TYPE_NUMBER = 16,
	TYPE_STRING = 32,
	TYPE_INTEGER = 64,
};

struct schema_node;
struct schema_nodes {
	struct schema_node **items; /* in the schema's arena, as everything here */
	size_t count;
};

/* A member of a keyword whose value is an object of schemas. */
struct schema_member {
	const char *name;
	struct schema_node *node;    /* NULL in dependencies that list names */
	const struct regex *pattern; /* patternProperties alone */
	const json_value *names;     /* dependencies and dependentRequired alone */
};
struct schema_members {
	struct schema_member *items; /* those without a pattern: sorted by name */
	size_t count;
};

struct schema_number {
	bool set;
	double value;
};
struct schema_count {
	bool set;
	uint64_t value;
};

/* Part of a text that has an identifier of its own ("$id"), or the whole. */
struct schema_resource {
	const char *uri; /* without a fragment */
	struct schema_node *root;
	struct schema_resource *next;
};

/* One schema or subschema. What is absent is zero. */
struct schema_node {
	const json_value *source;
	struct schema_resource *resource;
	bool refuses_all;   /* false */
	bool is_ref_alone;  /* draft-07: what stands beside "$ref" says nothing */
	bool reads_results; /* has unevaluatedProperties or unevaluatedItems */
	bool has_limits;    /* anything that has to be judged */
	unsigned types;	    /* of enum value_type; 0: any */

	const json_value *constant, *enumeration, *required;
	struct schema_number minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
	struct schema_count min_length, max_length, min_items, max_items, min_properties,
		max_properties, min_contains, max_contains;
	bool unique_items;
	const struct regex *pattern;

	struct schema_node *ref, *dynamic_ref;
	const char *dynamic_name; /* the anchor of dynamic_ref, where it is found by scope */
	struct schema_node * not, *if_schema, *then_schema, *else_schema;
	struct schema_nodes all_of, any_of, one_of;

	struct schema_members properties, pattern_properties, dependencies, dependent_required;
	struct schema_node *additional_properties, *property_names, *unevaluated_properties;

	struct schema_nodes prefix_items;
	struct schema_node *items; /* those behind prefix_items */
	struct schema_node *contains, *unevaluated_items;
};

struct schema_anchor {
	const char *name;
	const struct schema_resource *resource;
	struct schema_node *node;
	bool dynamic;
	struct schema_anchor *next;
};

/* A reference that waits until all of the text is read. */
struct schema_reference {
	struct schema_node *from;
	const json_value *value;
	const char *base; /* of the resource it stands in */
	bool dynamic;
	struct schema_reference *next;
};

struct schema {
	struct json_document *document; /* owned */
	struct arena *arena;		/* owned */
	struct schema_node *root;
	struct schema_node **nodes; /* owned; sorted by source once all are read */
	size_t node_count, node_room;
	struct regex **patterns; /* owned, as what it points to */
	size_t pattern_count, pattern_room;
	struct schema_resource *resources;
	struct schema_anchor *anchors;
	struct schema_reference *references;
	enum dialect dialect;
	bool reads_results;	   /* some node does */
	const json_value *ignored; /* the first limit beside a "$ref" of draft-07 */
};

/* ---- schema_fault.c ---- */

/* Sets *fault, the place being that of `at` within `root`; returns false. */
bool schema_fault_set(struct schema_fault *fault, const json_value *root, const json_value *at,
		      const char *keyword, const char *format, ...) FORMAT(5, 6);

/* ---- schema_keywords.c: the words, and what each node makes of them ---- */

struct schema_compiler {
	struct schema *schema;
	struct schema_fault *fault;
};
bool schema_fail(struct schema_compiler *compiler, const json_value *at, const char *keyword,
		 const char *format, ...) FORMAT(4, 5);
/* NULL after a fault. */
struct schema_node *schema_compile_node(struct schema_compiler *compiler, const json_value *value,
					struct schema_resource *resource);
/* Reads all members of an object into the node; false after a fault. */
bool schema_read_keywords(struct schema_compiler *compiler, struct schema_node *node);
const struct regex *schema_compile_pattern(struct schema_compiler *compiler, const json_value *at,
					   const char *keyword, const char *pattern);

/* ---- schema_ref.c ---- */

/* Takes "$id", "$anchor" and "$dynamicAnchor" of a node; false after a fault. */
bool schema_read_identity(struct schema_compiler *compiler, struct schema_node *node);
/* Finds what the references mean, and refuses circles; false after a fault. */
bool schema_resolve(struct schema_compiler *compiler);
/* The node of the dynamic anchor in this resource, or NULL. */
struct schema_node *schema_find_dynamic(const struct schema *schema,
					const struct schema_resource *resource, const char *name);

/* ---- schema_uri.c ---- */

/* RFC 3986, section 5.2; NULL: no memory. The fragment of `reference` is left out. */
const char *schema_uri_resolve(struct arena *arena, const char *base, const char *reference);

/* ---- schema_value.c: values against each other; all take their work from *steps ---- */

/* Takes `cost` from *steps; false where that is not there, and then nothing is left. */
bool schema_spend(uint64_t *steps, uint64_t cost);
bool schema_equal(const json_value *a, const json_value *b, uint64_t *steps);
/* No two items are equal. True too where steps or memory (which is no steps) ran out. */
bool schema_is_unique(const json_value *array, uint64_t *steps);
/* Of the decimal numbers that the two are written as. */
bool schema_is_multiple(double value, double divisor);

#endif
