/* SPDX-License-Identifier: Apache-2.0 */
/* A judgement under way: schema_judge.c, schema_objects.c and schema_arrays.c share it. */
#ifndef AGENTPOL_CALL_SCHEMA_JUDGE_H
#define AGENTPOL_CALL_SCHEMA_JUDGE_H

#include "call/schema_internal.h"

/* Schemas within each other that meet one value, over all levels of a value. */
#define JUDGE_DEPTH_MAX 512

/* The resources that were entered, innermost first: what "$dynamicRef" looks through. */
struct judge_scope {
	const struct schema_resource *resource;
	const struct judge_scope *outer;
};

struct judgement {
	const struct schema *schema;
	const json_value *root;
	struct schema_fault *fault;
	uint64_t steps; /* left; 0: undecided, whatever comes out */
	unsigned quiet; /* within a schema whose refusal is no fault by itself */
	unsigned depth;
	bool faulted; /* *fault is set */
	const struct judge_scope *scope;
};

/* A value, or the name of a member (propertyNames), which is a string. */
struct subject {
	const json_value *value; /* the member, where it is a name */
	const char *text;	 /* of a string or name; NULL */
	unsigned type;		 /* of enum value_type */
	bool is_name;
};

/* Which members or items of a container some schema has accepted: for unevaluated*. */
struct seen {
	uint64_t few;	/* of containers of up to 64 */
	uint64_t *many; /* owned; larger ones */
	size_t count;
};

/* NULL `seen`: nobody asks. False: refused, or undecided. */
bool judge_node(struct judgement *judgement, const struct schema_node *node,
		const struct subject *subject, struct seen *seen);
struct subject judge_subject(const json_value *value);
/* As judge_node, of a member or item. */
bool judge_value(struct judgement *judgement, const struct schema_node *node,
		 const json_value *value);
/* Takes steps; false where they have run out. */
bool judge_spend(struct judgement *judgement, uint64_t cost);
/* Notes the first fault; returns false. */
bool judge_refuse(struct judgement *judgement, const json_value *at, const char *keyword,
		  const char *format, ...) FORMAT(4, 5);
bool judge_matches(struct judgement *judgement, const struct regex *pattern, const char *text);

bool seen_init(struct judgement *judgement, struct seen *seen, const json_value *container);
void seen_free(struct seen *seen);
#define _cleanup_seen_ __attribute__((cleanup(seen_free)))
/* Both accept NULL. */
void seen_add(struct seen *seen, size_t index);
void seen_add_all(struct judgement *judgement, struct seen *seen, const struct seen *other);
bool seen_has(const struct seen *seen, size_t index);

bool judge_object(struct judgement *judgement, const struct schema_node *node,
		  const json_value *object, struct seen *seen);
bool judge_array(struct judgement *judgement, const struct schema_node *node,
		 const json_value *array, struct seen *seen);
/* The last of all: what no other schema has accepted. */
bool judge_rest_of_object(struct judgement *judgement, const struct schema_node *node,
			  const json_value *object, struct seen *seen);
bool judge_rest_of_array(struct judgement *judgement, const struct schema_node *node,
			 const json_value *array, struct seen *seen);

#endif
