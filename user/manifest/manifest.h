/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a capability manifest (format 1): JSON text to struct policy. A manifest that is half
 * understood is not a policy: any error means none. Called by every command that takes a manifest
 * and by policyd.
 */
#ifndef AGENTPOL_MANIFEST_MANIFEST_H
#define AGENTPOL_MANIFEST_MANIFEST_H

#include "base/error.h"
#include "manifest/diagnostics.h"
#include "policy/policy.h"

/* NULL where there was an error; all of them (64 at most) are in `diagnostics`. */
struct policy *manifest_read_text(const char *text, size_t length,
				  struct diagnostics *diagnostics) MUST_USE;

/* The same in two steps, for who needs the tree too (positions for the linter): NULL where there
 * was an error. `text` is what the document was parsed from. */
struct json_document *manifest_parse(const char *text, size_t length,
				     struct diagnostics *diagnostics) MUST_USE;
struct policy *manifest_read_document(const struct json_document *document, const char *text,
				      size_t length, struct diagnostics *diagnostics) MUST_USE;

/* Reads the file ("-" is standard input), prints what is wrong to standard error, and returns NULL
 * with *error set (STATUS_UNUSABLE) where it is not usable. What most commands want. *text, where
 * not NULL, receives the manifest's text (owned by the caller). */
struct policy *manifest_read_file(const char *path, char **text, struct error *error) MUST_USE;

#endif
