// SPDX-License-Identifier: Apache-2.0
#include "call/schema_judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define WORD_BITS 64

bool judge_spend(struct judgement *judgement, uint64_t cost)
{
	return schema_spend(&judgement->steps, cost);
}

bool judge_refuse(struct judgement *judgement, const json_value *at, const char *keyword,
		  const char *format, ...)
{
	char message[sizeof(judgement->fault->message)];
	va_list arguments;

	if (judgement->quiet || judgement->faulted)
		return false;
	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	judgement->faulted = true;
	return schema_fault_set(judgement->fault, judgement->root, at, keyword, "%s", message);
}

bool judge_matches(struct judgement *judgement, const struct regex *pattern, const char *text)
{
	return judgement->steps &&
	       regex_match_within(pattern, text, strlen(text), &judgement->steps) == REGEX_MATCH;
}

/* ---- which members or items were accepted ---- */

bool seen_init(struct judgement *judgement, struct seen *seen, const json_value *container)
{
	const size_t count = json_count(container);
	const size_t words = count / WORD_BITS + 1;

	*seen = (struct seen){.count = count};
	if (count <= WORD_BITS)
		return judge_spend(judgement, 1 + count / 16);
	seen->many = judge_spend(judgement, count / 16) ? calloc(words, sizeof(*seen->many)) : NULL;
	if (!seen->many)
		judgement->steps = 0;
	return seen->many != NULL;
}

void seen_free(struct seen *seen)
{
	free(seen->many);
}

void seen_add(struct seen *seen, size_t index)
{
	uint64_t *words = seen && seen->many ? seen->many : seen ? &seen->few : NULL;

	if (words && index < seen->count)
		words[index / WORD_BITS] |= 1ULL << (index % WORD_BITS);
}

void seen_add_all(struct judgement *judgement, struct seen *seen, const struct seen *other)
{
	const size_t words = other->many ? other->count / WORD_BITS + 1 : 0;

	if (!seen)
		return;
	seen->few |= other->few;
	if (!seen->many || !judge_spend(judgement, words))
		return;
	for (size_t i = 0; i < words; i++)
		seen->many[i] |= other->many[i];
}

bool seen_has(const struct seen *seen, size_t index)
{
	const uint64_t *words = seen->many ? seen->many : &seen->few;

	return words[index / WORD_BITS] >> (index % WORD_BITS) & 1;
}

/* ---- any value ---- */

static bool is_whole(double number)
{
	return !(floor(number) < number);
}

static unsigned type_of(const json_value *value)
{
	if (json_is_object(value))
		return TYPE_OBJECT;
	if (json_is_array(value))
		return TYPE_ARRAY;
	if (json_is_string(value))
		return TYPE_STRING;
	if (json_is_number(value))
		return TYPE_NUMBER | (is_whole(json_as_number(value)) ? TYPE_INTEGER : 0U);
	return json_is_boolean(value) ? TYPE_BOOLEAN : TYPE_NULL;
}

struct subject judge_subject(const json_value *value)
{
	return (struct subject){
		.value = value, .text = json_as_string(value), .type = type_of(value)};
}

static void name_types(unsigned types, char *text, size_t room)
{
	static const char *const names[] = {"null",   "boolean", "object", "array",
					    "number", "string",	 "integer"};
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (types & (1U << i))
			used += (size_t)snprintf(text + used, room - used, "%s%s",
						 used ? " or " : "", names[i]);
}

static bool judge_type(struct judgement *judgement, const struct schema_node *node,
		       const struct subject *subject)
{
	char names[80];

	if (!node->types || (node->types & subject->type))
		return true;
	name_types(node->types, names, sizeof(names));
	return judge_refuse(judgement, subject->value, "type", "must be of type %s", names);
}

static bool equals(struct judgement *judgement, const struct subject *subject,
		   const json_value *value)
{
	if (!subject->is_name)
		return schema_equal(subject->value, value, &judgement->steps);
	return judge_spend(judgement, 1) && json_is_string(value) &&
	       strcmp(subject->text, json_as_string(value)) == 0;
}

/* Some of the values, as JSON, for the message. */
static void list_values(const json_value *list, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	json_for_each (item, list) {
		_cleanup_free_ char *printed = json_print(item);
		size_t length = printed ? strlen(printed) : 0;

		if (!printed || used + length + 6 >= room) {
			(void)snprintf(text + used, room - used, "%s", used ? ", ..." : "...");
			return;
		}
		used += (size_t)snprintf(text + used, room - used, "%s%s", used ? ", " : "",
					 printed);
	}
}

static bool judge_enumeration(struct judgement *judgement, const struct schema_node *node,
			      const struct subject *subject)
{
	char values[160];

	if (node->constant && !equals(judgement, subject, node->constant))
		return judge_refuse(judgement, subject->value, "const",
				    "must be the one value that is allowed");
	if (!node->enumeration)
		return true;
	json_for_each (item, node->enumeration)
		if (equals(judgement, subject, item))
			return true;
	if (judgement->quiet || judgement->faulted)
		return false;
	list_values(node->enumeration, values, sizeof(values));
	return judge_refuse(judgement, subject->value, "enum", "must be one of %s", values);
}

static bool judge_number(struct judgement *judgement, const struct schema_node *node,
			 const json_value *value)
{
	const double number = json_as_number(value);

	if (node->minimum.set && !(number >= node->minimum.value))
		return judge_refuse(judgement, value, "minimum", "must be at least %.15g",
				    node->minimum.value);
	if (node->maximum.set && !(number <= node->maximum.value))
		return judge_refuse(judgement, value, "maximum", "must be at most %.15g",
				    node->maximum.value);
	if (node->exclusive_minimum.set && !(number > node->exclusive_minimum.value))
		return judge_refuse(judgement, value, "exclusiveMinimum", "must be more than %.15g",
				    node->exclusive_minimum.value);
	if (node->exclusive_maximum.set && !(number < node->exclusive_maximum.value))
		return judge_refuse(judgement, value, "exclusiveMaximum", "must be less than %.15g",
				    node->exclusive_maximum.value);
	if (node->multiple_of.set &&
	    (!judge_spend(judgement, 16) || !schema_is_multiple(number, node->multiple_of.value)))
		return judge_refuse(judgement, value, "multipleOf", "must be a multiple of %.15g",
				    node->multiple_of.value);
	return true;
}

static uint64_t count_characters(const char *text)
{
	uint64_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static bool judge_string(struct judgement *judgement, const struct schema_node *node,
			 const struct subject *subject)
{
	uint64_t count;

	if (node->min_length.set || node->max_length.set) {
		count = count_characters(subject->text);
		if (!judge_spend(judgement, count / 64))
			return false;
		if (node->max_length.set && count > node->max_length.value)
			return judge_refuse(judgement, subject->value, "maxLength",
					    "must have at most %" PRIu64 " characters",
					    node->max_length.value);
		if (node->min_length.set && count < node->min_length.value)
			return judge_refuse(judgement, subject->value, "minLength",
					    "must have at least %" PRIu64 " characters",
					    node->min_length.value);
	}
	return !node->pattern || judge_matches(judgement, node->pattern, subject->text) ||
	       judge_refuse(judgement, subject->value, "pattern", "must match the pattern %.160s",
			    json_as_string(json_member(node->source, "pattern")));
}

/* ---- schemas of the same value ---- */

/* In a branch that may fail: what it has seen counts where it does not. */
static bool judge_branch(struct judgement *judgement, const struct schema_node *node,
			 const struct subject *subject, struct seen *seen)
{
	_cleanup_seen_ struct seen own = {0};
	bool fits;

	if (seen && !seen_init(judgement, &own, subject->value))
		return false;
	judgement->quiet++;
	fits = judge_node(judgement, node, subject, seen ? &own : NULL);
	judgement->quiet--;
	if (fits && seen)
		seen_add_all(judgement, seen, &own);
	return fits;
}

static bool judge_any_of(struct judgement *judgement, const struct schema_node *node,
			 const struct subject *subject, struct seen *seen)
{
	bool fits = node->any_of.count == 0;

	/* Where somebody asks what was seen, all that fit count. */
	for (size_t i = 0; i < node->any_of.count && (seen || !fits); i++)
		if (judge_branch(judgement, node->any_of.items[i], subject, seen))
			fits = true;
	return fits ||
	       judge_refuse(judgement, subject->value, "anyOf",
			    "fits none of the %zu forms that are allowed", node->any_of.count);
}

static bool judge_one_of(struct judgement *judgement, const struct schema_node *node,
			 const struct subject *subject, struct seen *seen)
{
	size_t fitting = 0;

	for (size_t i = 0; i < node->one_of.count && fitting < 2; i++)
		fitting += judge_branch(judgement, node->one_of.items[i], subject, seen);
	if (node->one_of.count == 0 || fitting == 1)
		return true;
	return judge_refuse(judgement, subject->value, "oneOf",
			    fitting ? "fits more than one of the %zu forms, and must fit one"
				    : "fits none of the %zu forms that are allowed",
			    node->one_of.count);
}

static bool judge_condition(struct judgement *judgement, const struct schema_node *node,
			    const struct subject *subject, struct seen *seen)
{
	const struct schema_node *then;

	if (!node->if_schema)
		return true;
	then = judge_branch(judgement, node->if_schema, subject, seen) ? node->then_schema
								       : node->else_schema;
	return !then || judge_node(judgement, then, subject, seen);
}

/* The outermost resource that was entered and has the anchor; the target by itself where none. */
static const struct schema_node *dynamic_target(const struct judgement *judgement,
						const struct schema_node *node)
{
	const struct schema_node *target = node->dynamic_ref;

	if (!node->dynamic_name)
		return target;
	for (const struct judge_scope *scope = judgement->scope; scope; scope = scope->outer) {
		const struct schema_node *found =
			schema_find_dynamic(judgement->schema, scope->resource, node->dynamic_name);

		if (found)
			target = found;
	}
	return target;
}

static bool judge_references(struct judgement *judgement, const struct schema_node *node,
			     const struct subject *subject, struct seen *seen)
{
	if (node->ref && !judge_node(judgement, node->ref, subject, seen))
		return false;
	return !node->dynamic_ref ||
	       (judge_spend(judgement, judgement->depth) &&
		judge_node(judgement, dynamic_target(judgement, node), subject, seen));
}

static bool judge_combined(struct judgement *judgement, const struct schema_node *node,
			   const struct subject *subject, struct seen *seen)
{
	for (size_t i = 0; i < node->all_of.count; i++)
		if (!judge_node(judgement, node->all_of.items[i], subject, seen))
			return false;
	if (!judge_any_of(judgement, node, subject, seen) ||
	    !judge_one_of(judgement, node, subject, seen) ||
	    !judge_condition(judgement, node, subject, seen))
		return false;
	if (node->not &&judge_branch(judgement, node->not, subject, NULL))
		return judge_refuse(judgement, subject->value, "not",
				    "has the one form that is not allowed");
	return true;
}

static bool judge_contents(struct judgement *judgement, const struct schema_node *node,
			   const struct subject *subject, struct seen *seen)
{
	if (subject->text)
		return judge_string(judgement, node, subject);
	if (subject->type & TYPE_OBJECT)
		return judge_object(judgement, node, subject->value, seen);
	if (subject->type & TYPE_ARRAY)
		return judge_array(judgement, node, subject->value, seen);
	return !(subject->type & TYPE_NUMBER) || judge_number(judgement, node, subject->value);
}

static bool judge_rest(struct judgement *judgement, const struct schema_node *node,
		       const struct subject *subject, struct seen *seen)
{
	if (subject->type & TYPE_OBJECT)
		return judge_rest_of_object(judgement, node, subject->value, seen);
	return judge_rest_of_array(judgement, node, subject->value, seen);
}

static bool judge_keywords(struct judgement *judgement, const struct schema_node *node,
			   const struct subject *subject, struct seen *seen)
{
	if (!judge_references(judgement, node, subject, seen))
		return false;
	if (node->is_ref_alone || !node->has_limits)
		return true;
	return judge_type(judgement, node, subject) &&
	       judge_enumeration(judgement, node, subject) &&
	       judge_contents(judgement, node, subject, seen) &&
	       judge_combined(judgement, node, subject, seen);
}

/* A schema with unevaluated* sees what its own parts have accepted, not what its neighbours have.
 */
static bool judge_with_rest(struct judgement *judgement, const struct schema_node *node,
			    const struct subject *subject, struct seen *seen)
{
	_cleanup_seen_ struct seen own = {0};

	if (!node->reads_results || !(subject->type & (TYPE_OBJECT | TYPE_ARRAY)))
		return judge_keywords(judgement, node, subject, seen);
	if (!seen_init(judgement, &own, subject->value) ||
	    !judge_keywords(judgement, node, subject, &own) ||
	    !judge_rest(judgement, node, subject, &own))
		return false;
	seen_add_all(judgement, seen, &own);
	return true;
}

/* Recursion: JUDGE_DEPTH_MAX at most. */
bool judge_node(struct judgement *judgement, const struct schema_node *node,
		const struct subject *subject, struct seen *seen)
{
	const struct judge_scope scope = {node->resource, judgement->scope};
	const bool enters = !judgement->scope || judgement->scope->resource != node->resource;
	bool fits;

	if (!judge_spend(judgement, 1))
		return false;
	if (node->refuses_all)
		return judge_refuse(judgement, subject->value, "", "is not allowed here");
	if (judgement->depth == JUDGE_DEPTH_MAX) {
		judgement->steps = 0;
		return false;
	}
	if (enters)
		judgement->scope = &scope;
	judgement->depth++;
	fits = judge_with_rest(judgement, node, subject, seen);
	judgement->depth--;
	if (enters)
		judgement->scope = scope.outer;
	return fits;
}

bool judge_value(struct judgement *judgement, const struct schema_node *node,
		 const json_value *value)
{
	const struct subject subject = judge_subject(value);

	return judge_node(judgement, node, &subject, NULL);
}

enum schema_answer schema_judge(const struct schema *schema, const json_value *value,
				struct schema_fault *fault)
{
	struct judgement judgement = {
		.schema = schema, .root = value, .fault = fault, .steps = SCHEMA_STEPS_MAX};
	bool fits;

	fault->pointer[0] = fault->keyword[0] = fault->message[0] = '\0';
	fits = judge_value(&judgement, schema->root, value);
	if (judgement.steps == 0) {
		*fault = (struct schema_fault){
			.message = "takes more work to judge than is allowed; make it smaller"};
		return SCHEMA_UNDECIDED;
	}
	return fits ? SCHEMA_ACCEPTS : SCHEMA_REFUSES;
}
