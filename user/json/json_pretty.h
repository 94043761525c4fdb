/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as people read it, laid out like the manifests in policies/: two blanks a level, and what
 * fits on a line stays on it. Used by `agentpol import`.
 */
#ifndef AGENTPOL_JSON_JSON_PRETTY_H
#define AGENTPOL_JSON_JSON_PRETTY_H

#include "json/json.h"

/* Writes the value and a line's end; -1 when out of memory. What `out` makes of it is its own. */
int json_print_pretty(const json_value *value, FILE *out) MUST_USE;

#endif
