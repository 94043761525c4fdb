// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "call/regex.h"

#include <pcre2.h>
#include <stdbool.h>
#include <string.h>

#include "call/regex_syntax.h"

/* Characters that cost as much as one item of a pattern. */
#define CHARACTERS_A_STEP 8
/* The first step pays for what a match costs in any case. */
#define STEPS_AT_LEAST 16
#define NESTED_MAX     64
#define HEAP_KIB_MAX   8192 /* what backtracking may remember */

struct regex {
	pcre2_code *code;	 /* owned */
	bool has_back_reference; /* each may compare the whole text */
};

struct count {
	uint64_t left;
	uint64_t each; /* steps of each item */
	size_t position;
};

/* PCRE2 calls it before each item of the pattern, as often as that is tried: unlike PCRE2's own
 * limits it counts over all places where a match may begin, and what a repeated item passed. */
static int count_item(pcre2_callout_block *block, void *context)
{
	struct count *count = context;
	size_t passed = block->current_position > count->position
				? block->current_position - count->position
				: 0;
	uint64_t cost = count->each + passed / CHARACTERS_A_STEP;

	count->position = block->current_position;
	if (count->left < cost) {
		count->left = 0;
		return PCRE2_ERROR_CALLOUT;
	}
	count->left -= cost;
	return 0;
}

static pcre2_code *compile(const char *text, char *fault, size_t fault_room)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
				 PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP | PCRE2_AUTO_CALLOUT;
	PCRE2_SIZE offset;
	pcre2_code *code;
	int number = PCRE2_ERROR_NOMEMORY;

	if (context) {
		(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
		(void)pcre2_set_parens_nest_limit(context, NESTED_MAX);
	}
	code = context ? pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &number,
				       &offset, context)
		       : NULL;
	if (!code)
		(void)pcre2_get_error_message(number, (PCRE2_UCHAR *)fault, fault_room);
	pcre2_compile_context_free(context);
	return code;
}

struct regex *regex_compile(const char *pattern, char *fault, size_t fault_room)
{
	_cleanup_free_ char *text = NULL;
	const char *why = "out of memory";
	struct regex *regex;
	uint32_t back_references = 0;

	if (strlen(pattern) > REGEX_PATTERN_MAX)
		why = "it is longer than 4096 bytes";
	else
		text = regex_translate(pattern, &why);
	regex = text ? calloc(1, sizeof(*regex)) : NULL;
	if (!regex) {
		(void)snprintf(fault, fault_room, "%s", why);
		return NULL;
	}
	regex->code = compile(text, fault, fault_room);
	if (!regex->code) {
		free(regex);
		return NULL;
	}
	(void)pcre2_pattern_info(regex->code, PCRE2_INFO_BACKREFMAX, &back_references);
	regex->has_back_reference = back_references > 0;
	return regex;
}

void regex_free(struct regex *regex)
{
	if (!regex)
		return;
	pcre2_code_free(regex->code);
	free(regex);
}

enum regex_answer regex_match_within(const struct regex *regex, const char *text, size_t length,
				     uint64_t *steps)
{
	struct count count = {
		.left = *steps < REGEX_STEPS_MAX ? *steps : REGEX_STEPS_MAX,
		.each = regex->has_back_reference ? 1 + length / CHARACTERS_A_STEP : 1,
	};
	const uint64_t given = count.left;
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int result = PCRE2_ERROR_NOMEMORY;

	if (context && data && count.left >= STEPS_AT_LEAST + length / CHARACTERS_A_STEP) {
		count.left -= STEPS_AT_LEAST + length / CHARACTERS_A_STEP;
		(void)pcre2_set_callout(context, count_item, &count);
		(void)pcre2_set_match_limit(context, REGEX_STEPS_MAX * 4);
		(void)pcre2_set_depth_limit(context, REGEX_STEPS_MAX);
		(void)pcre2_set_heap_limit(context, HEAP_KIB_MAX);
		result = pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, PCRE2_NO_JIT, data,
				     context);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	/* 0: a match, and more groups than there is room for. */
	if (result < 0 && result != PCRE2_ERROR_NOMATCH) {
		*steps = 0;
		return REGEX_UNDECIDED;
	}
	*steps -= given - count.left;
	return result >= 0 ? REGEX_MATCH : REGEX_NO;
}

enum regex_answer regex_match(const struct regex *regex, const char *text, size_t length)
{
	uint64_t steps = REGEX_STEPS_MAX;

	return regex_match_within(regex, text, length, &steps);
}
