/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket, from the side of `agentpol`: one JSON object a line each way. A reply is
 * {"ok": true, ...} or {"ok": false, "status": EXIT, "error": SENTENCE}.
 */
#ifndef AGENTPOL_POLICYD_CLIENT_H
#define AGENTPOL_POLICYD_CLIENT_H

#include "base/error.h"
#include "base/json_write.h"
#include "json/json.h"

struct client;

/* STATUS_SYSTEM where no daemon listens there. */
struct client *client_open(const char *socket_path, struct error *error) MUST_USE;
/* Accepts NULL. */
void client_close(struct client *client);
static inline void cleanup_client_close(struct client **client)
{
	client_close(*client);
}
#define _cleanup_client_ __attribute__((cleanup(cleanup_client_close)))

/* Sends the request's line, and `body` behind it (as many bytes as its "body_bytes" says; NULL:
 * none), and waits for the reply; NULL with the daemon's own sentence and status where it says no.
 * The document is the caller's to free. */
struct json_document *client_call(struct client *client, const struct json_writer *request,
				  const char *body, size_t body_length,
				  struct error *error) MUST_USE;

/* After a "follow" call: the records as they come. The descriptor to wait for, and the next whole
 * line that has arrived (without its newline, valid until the next call) or NULL; *ended is set
 * when the daemon has gone. */
int client_fd(const struct client *client);
const char *client_next_line(struct client *client, bool *ended);

#endif
