/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of server-sent events (WHATWG HTML, 9.2.6), as Streamable HTTP carries messages in it.
 * Bounded: one event.
 */
#ifndef AGENTPOL_CALL_HTTP_EVENTS_H
#define AGENTPOL_CALL_HTTP_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "call/lines.h"

/* Longest line: a message with "data: " in front of it. */
#define HTTP_EVENT_LINE_MAX ((4U << 20) + 64)
#define HTTP_EVENT_WORD_MAX 1024

struct http_event {
	const char *data; /* lines joined by newlines; "" where there are none */
	size_t length;
	bool has_data;
	bool too_long;	  /* and so without its data */
	const char *type; /* "" where it has none: "message" */
	const char *id;	  /* "" where it has none */
	const char *retry;
};
/* Valid during the call alone. */
typedef void (*http_event_handler)(const struct http_event *event, void *context);

/* Zero-initialised, then http_events_start. */
struct http_events {
	struct lines lines;
	http_event_handler handle;
	void *context;
	char *data; /* owned */
	size_t length, room;
	bool has_data, too_long, any, failed;
	char type[HTTP_EVENT_WORD_MAX], id[HTTP_EVENT_WORD_MAX], retry[32];
};

void http_events_start(struct http_events *events, http_event_handler handle, void *context);
void http_events_free(struct http_events *events);
/* Hands out each event that ends in these bytes. -ENOMEM. */
int http_events_push(struct http_events *events, const char *bytes, size_t length) MUST_USE;

#endif
