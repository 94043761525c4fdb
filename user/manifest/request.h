/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as `agentpol decide` and policy tests write it: one JSON object, read strictly, to what
 * policy_decide judges.
 */
#ifndef AGENTPOL_MANIFEST_REQUEST_H
#define AGENTPOL_MANIFEST_REQUEST_H

#include "base/error.h"
#include "json/json.h"
#include "policy/decide.h"

#define REQUEST_LINE_MAX (1U << 20)

enum request_use {
	USE_DECIDE,	 /* `request` is set */
	USE_SQL,	 /* `request` has the text, and the tool that sql_decide judges it for */
	USE_CALL,   /* a tool's call: "arguments" and "session" are the object's */
	USE_RESULT, /* tells how a call ended, by "ok" and "result": noted */
};

struct request_line {
	struct json_document *document; /* owned; the request's strings live in it */
	char *id;			/* owned: JSON text as it was written; NULL: none */
	enum request_use use;
	struct request request;
};

/* Reads one line. On -1, with *error set, `id` may be there all the same. Free it either way. */
int request_line_read(const char *text, size_t length, struct request_line *line,
		      struct error *error) MUST_USE;
void request_line_free(struct request_line *line);
#define _cleanup_request_line_ __attribute__((cleanup(request_line_free)))

/* Reads an object that is part of a document; strings stay in that document. */
int request_from_json(const json_value *object, enum request_use *use, struct request *request,
		      struct error *error) MUST_USE;

#endif
