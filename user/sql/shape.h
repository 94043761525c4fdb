/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement's shape: its text with each literal replaced by a mark of its kind, so that one
 * verdict serves all statements that differ in nothing else. For the guard's cache and its log.
 *
 * A scanner of its own, ten times faster than the parser's: it takes plain text only, and says no
 * to whatever it does not know for certain (comments, dollar quotes, E'', U&, B'', X'', N'',
 * non-ASCII outside of strings, control characters, a number that runs into a name ...). A
 * differential test and a fuzz target hold it against the real scanner: where both see a text, the
 * literals are at the same places.
 */
#ifndef AGENTPOL_SQL_SHAPE_H
#define AGENTPOL_SQL_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the shape of `text` to `shape` (`room` bytes; at most `length` are needed) and its length
 * to *shape_length. Marks are bytes that no text it takes can have. False: there is none. The text
 * is read as with standard_conforming_strings on.
 */
bool sql_shape(const char *text, size_t length, char *shape, size_t room, size_t *shape_length);

/* A shape for people: marks become "?". `text` any statement: where it has no shape, literals can't
 * be told, and the answer is false. At most `length` bytes and a NUL are written. */
bool sql_shape_print(const char *text, size_t length, char *printed, size_t room);

#endif
