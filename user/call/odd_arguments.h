/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An argument whose key differs from a limited one in case alone: servers whose JSON reader looks
 * past case (Go's does) take it for the limited one, which nobody has judged then.
 */
#ifndef AGENTPOL_CALL_ODD_ARGUMENTS_H
#define AGENTPOL_CALL_ODD_ARGUMENTS_H

#include "json/json.h"
#include "policy/policy.h"

/* The key of such an argument; NULL: there is none. */
const char *odd_argument_find(const struct tool *tool, const json_value *arguments);

#endif
