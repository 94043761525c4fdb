/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions as JSON Schema means them (ECMA-262, Unicode, not anchored), by PCRE2 with a
 * bound on the work that a pattern may cost: a match that goes past it is undecided.
 */
#ifndef AGENTPOL_CALL_REGEX_H
#define AGENTPOL_CALL_REGEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct regex;

/* Bytes of a pattern; those of schemas have some dozen. */
#define REGEX_PATTERN_MAX 4096
/* What one match may cost, in items of the pattern that are tried and characters that they pass:
 * some milliseconds. A plain pattern takes a step or two for each character. */
#define REGEX_STEPS_MAX (1U << 18)

enum regex_answer { REGEX_NO, REGEX_MATCH, REGEX_UNDECIDED };

/* NULL, with a sentence in `fault`, where it is no pattern that is understood. */
struct regex *regex_compile(const char *pattern, char *fault, size_t fault_room) MUST_USE;
/* Accepts NULL. */
void regex_free(struct regex *regex);
/* Does any part of `text` (UTF-8) match? */
enum regex_answer regex_match(const struct regex *regex, const char *text, size_t length);
/* As regex_match, with at most *steps, which what it took is taken from; 0 where it was not enough.
 */
enum regex_answer regex_match_within(const struct regex *regex, const char *text, size_t length,
				     uint64_t *steps);

#endif
