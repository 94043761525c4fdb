// SPDX-License-Identifier: Apache-2.0
#include "call/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

/* Steps, depth and KiB that one match may take: some milliseconds. */
#define MATCH_STEPS_MAX 100000
#define MATCH_DEPTH_MAX 10000
#define MATCH_HEAP_KIB	4096

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
};

struct regex *regex_compile(const char *pattern, char *fault, size_t fault_room)
{
	struct regex *regex = calloc(1, sizeof(*regex));
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	int code;

	(void)snprintf(fault, fault_room, "out of memory");
	if (!regex)
		return NULL;
	regex->limits = pcre2_match_context_create(NULL);
	regex->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
				    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
				    &code, &offset, NULL);
	if (regex->code && regex->limits) {
		(void)pcre2_set_match_limit(regex->limits, MATCH_STEPS_MAX);
		(void)pcre2_set_depth_limit(regex->limits, MATCH_DEPTH_MAX);
		(void)pcre2_set_heap_limit(regex->limits, MATCH_HEAP_KIB);
		return regex;
	}
	if (!regex->code && pcre2_get_error_message(code, message, sizeof(message)) > 0)
		(void)snprintf(fault, fault_room, "no regular expression: %s (at byte %zu)",
			       (const char *)message, (size_t)offset);
	regex_free(regex);
	return NULL;
}

void regex_free(struct regex *regex)
{
	if (!regex)
		return;
	pcre2_code_free(regex->code);
	pcre2_match_context_free(regex->limits);
	free(regex);
}

enum regex_answer regex_match(const struct regex *regex, const char *text, size_t length)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int result;

	if (!data)
		return REGEX_UNDECIDED;
	result = pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, data, regex->limits);
	pcre2_match_data_free(data);
	if (result >= 0)
		return REGEX_MATCH;
	return result == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_UNDECIDED;
}
