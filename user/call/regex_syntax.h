/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECMA-262's regular expressions (with "u") in PCRE2's words, so that both mean the same: what
 * PCRE2 alone has (verbs, recursion, callouts, possessive quantifiers, \A, \K, ...) is refused, and
 * what differs (., \s, \u, [^]) is written out. regex.c alone uses it.
 */
#ifndef AGENTPOL_CALL_REGEX_SYNTAX_H
#define AGENTPOL_CALL_REGEX_SYNTAX_H

#include "base/cleanup.h"

/* Owned by the caller; NULL with a sentence in *fault (static). */
char *regex_translate(const char *pattern, const char **fault) MUST_USE;

#endif
