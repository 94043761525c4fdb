/* SPDX-License-Identifier: Apache-2.0 */
/* What policyd does for each control request; control.c moves the bytes. */
#ifndef AGENTPOL_POLICYD_REQUESTS_H
#define AGENTPOL_POLICYD_REQUESTS_H

#include "base/json_write.h"
#include "policyd/control.h"

/* A request: its line, and the bytes behind it. */
struct request_bytes {
	const char *line;
	size_t length;
	const char *body; /* NULL where there is none */
	size_t body_length;
	pid_t peer; /* who asks; 0: not known */
	/* The connection's, as a gateway's: NULL until it has become one. */
	struct call_link **link;
	call_link_send send; /* for lines that come later */
	void *send_context;
};

/* How many bytes follow the line: its "body_bytes"; SIZE_MAX where that is too many. */
size_t request_body_length(const char *line, size_t length);
/* Does what the request asks for and writes the answer's line. *followed is set to a cgroup where
 * the sender is to get that agent's records from now on. */
void request_answer(struct control_subject *subject, const struct request_bytes *bytes,
		    uint64_t *followed, struct json_writer *answer);
/* Reads every agent's manifest again, each for itself: one whose manifest is bad keeps what it has.
 * The number that could be read; *failed of the others, and *error is the first one's. */
size_t request_reload_all(struct control_subject *subject, size_t *failed, struct error *error);
void request_refuse(enum exit_status status, const char *sentence, struct json_writer *answer);

#endif
