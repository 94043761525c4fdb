/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server said of its tools when it was first seen, as hashes: a description or a schema that
 * changes later is how a tool that was looked at becomes another one. The gateway asks; who runs it
 * keeps the file.
 */
#ifndef AGENTPOL_CALL_PINS_H
#define AGENTPOL_CALL_PINS_H

#include "base/error.h"
#include "json/json.h"

/* Of one file. */
#define PINS_BYTES_MAX (1U << 20)

struct pins; /* a tool's name and its hash */

enum pin_answer { PIN_NEW, PIN_SAME, PIN_CHANGED, PIN_FAILED };

/* Empty; NULL when out of memory. */
struct pins *pins_new(void) MUST_USE;
/* Accepts NULL. */
void pins_free(struct pins *pins);
/* Adds what a file's text has. */
int pins_read(struct pins *pins, const char *text, size_t length, struct error *error) MUST_USE;
/* The file's text; the caller's (free). NULL when out of memory. */
char *pins_print(const struct pins *pins) MUST_USE;

/* Compares a tool of a tools/list result, all of it but "_meta", with its pin; one that has none is
 * pinned. PIN_FAILED: no memory, which is no answer. */
enum pin_answer pins_see(struct pins *pins, const char *name, const json_value *tool);
/* Was it PIN_CHANGED when it was seen last, in whatever session? */
bool pins_is_changed(const struct pins *pins, const char *name);

#endif
