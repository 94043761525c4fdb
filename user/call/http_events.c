// SPDX-License-Identifier: Apache-2.0
#include "call/http_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void http_events_start(struct http_events *events, http_event_handler handle, void *context)
{
	*events = (struct http_events){
		.lines = {.limit = HTTP_EVENT_LINE_MAX}, .handle = handle, .context = context};
}

void http_events_free(struct http_events *events)
{
	lines_free(&events->lines);
	free(events->data);
	events->data = NULL;
}

static void add_data(struct http_events *events, const char *text, size_t length)
{
	const size_t needed = events->length + length + 2;

	if (needed > HTTP_EVENT_LINE_MAX) {
		events->too_long = true;
		return;
	}
	if (needed > events->room) {
		char *more = realloc(events->data, 2 * needed);

		if (!more) {
			events->failed = true;
			return;
		}
		events->data = more;
		events->room = 2 * needed;
	}
	if (events->has_data)
		events->data[events->length++] = '\n';
	memcpy(events->data + events->length, text, length);
	events->length += length;
	events->data[events->length] = '\0';
	events->has_data = true;
}

/* What does not fit is left out: a client that resumes begins where it was before. */
static void take_word(char *place, size_t room, const char *text, size_t length)
{
	if (length >= room || memchr(text, '\0', length))
		length = 0;
	memcpy(place, text, length);
	place[length] = '\0';
}

static void finish_event(struct http_events *events)
{
	const struct http_event event = {
		.data = events->data && events->has_data ? events->data : "",
		.length = events->has_data ? events->length : 0,
		.has_data = events->has_data,
		.too_long = events->too_long,
		.type = events->type,
		.id = events->id,
		.retry = events->retry,
	};

	if (events->any)
		events->handle(&event, events->context);
	events->length = 0;
	events->has_data = events->too_long = events->any = false;
	events->type[0] = events->id[0] = events->retry[0] = '\0';
}

static bool is_field(const char *line, size_t name_length, const char *name)
{
	return strlen(name) == name_length && memcmp(line, name, name_length) == 0;
}

static void take_line(struct http_events *events, const char *line, size_t length)
{
	const char *colon, *value;
	size_t name, rest;

	if (length == 0) {
		finish_event(events);
		return;
	}
	colon = memchr(line, ':', length);
	name = colon ? (size_t)(colon - line) : length;
	value = colon ? colon + 1 : line + length;
	rest = (size_t)(line + length - value);
	if (rest > 0 && *value == ' ') {
		value++;
		rest--;
	}
	/* A comment keeps a connection alive, and says nothing. */
	if (name == 0)
		return;
	events->any = true;
	if (is_field(line, name, "data"))
		add_data(events, value, rest);
	else if (is_field(line, name, "event"))
		take_word(events->type, sizeof(events->type), value, rest);
	else if (is_field(line, name, "id"))
		take_word(events->id, sizeof(events->id), value, rest);
	else if (is_field(line, name, "retry"))
		take_word(events->retry, sizeof(events->retry), value, rest);
}

/* Lines end with LF, CR LF or CR: what is held for one line here is two to a client that reads by
 * the standard, and the second would be one that nobody has looked at. */
static void on_line(const char *line, size_t length, void *context)
{
	struct http_events *events = context;
	const char *end;

	if (!line) {
		events->any = events->too_long = true;
		return;
	}
	if (length > 0 && line[length - 1] == '\r')
		length--;
	while ((end = memchr(line, '\r', length)) != NULL) {
		const size_t part = (size_t)(end - line);

		take_line(events, line, part);
		line += part + 1;
		length -= part + 1;
	}
	take_line(events, line, length);
}

int http_events_push(struct http_events *events, const char *bytes, size_t length)
{
	if (lines_push(&events->lines, bytes, length, on_line, events) < 0 || events->failed)
		return -ENOMEM;
	return 0;
}
