// SPDX-License-Identifier: Apache-2.0
#include "sql/session_flight.h"

#include <string.h>

#include "sql/shape.h"

#define NAMED_MAX     256  /* prepared statements and portals, each */
#define QUEUE_MAX     1024 /* commands under way */
#define FLIGHT_TEXT_MAX 8192 /* of a statement's text that is kept for the log */

/* A statement's text, shared by its name, its portals and its runs. */
struct noted {
	unsigned references;
	struct judgement *judgement;
	size_t length;
	bool has_shape;
	char *shape; /* behind the text */
	char text[];
};

struct name {
	char *name; /* owned; NULL: free */
	struct noted *noted;
};

struct run {
	struct noted *noted; /* NULL: not known */
	uint64_t since;
};

struct flight {
	struct name statements[NAMED_MAX], portals[NAMED_MAX];
	struct run queue[QUEUE_MAX];
	size_t first, count;
	struct noted *last; /* what flight_done has given out */
};

struct flight *flight_new(void)
{
	return calloc(1, sizeof(struct flight));
}

static struct noted *hold(struct noted *noted)
{
	if (noted)
		noted->references++;
	return noted;
}

static void release(struct noted *noted)
{
	if (!noted || --noted->references > 0)
		return;
	judgement_release(noted->judgement);
	free(noted);
}

static struct noted *note(struct judgement *judgement, const char *text, size_t length)
{
	size_t kept = length < FLIGHT_TEXT_MAX ? length : FLIGHT_TEXT_MAX;
	struct noted *noted = malloc(sizeof(*noted) + 2 * (kept + 1));

	if (!noted)
		return NULL;
	*noted = (struct noted){
		.references = 1, .judgement = judgement_hold(judgement), .length = kept};
	memcpy(noted->text, text, kept);
	noted->text[kept] = '\0';
	noted->shape = noted->text + kept + 1;
	noted->has_shape = sql_shape_print(noted->text, kept, noted->shape, kept + 1);
	return noted;
}

static void forget_names(struct name *names)
{
	size_t i;

	for (i = 0; i < NAMED_MAX; i++) {
		free(names[i].name);
		release(names[i].noted);
		names[i] = (struct name){0};
	}
}

void flight_free(struct flight *flight)
{
	if (!flight)
		return;
	flight_idle(flight);
	forget_names(flight->statements);
	forget_names(flight->portals);
	release(flight->last);
	free(flight);
}

static struct name *find(struct name *names, const char *name)
{
	size_t i;

	for (i = 0; i < NAMED_MAX; i++)
		if (names[i].name && strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

/* Takes over `noted`. A name that finds no place is followed no more: its runs have no text. */
static void set_name(struct name *names, const char *name, struct noted *noted)
{
	struct name *place = find(names, name);
	size_t i;

	for (i = 0; !place && i < NAMED_MAX; i++)
		if (!names[i].name)
			place = &names[i];
	if (!place) {
		place = &names[0];
		free(place->name);
		place->name = NULL;
	}
	release(place->noted);
	place->noted = noted;
	if (!place->name)
		place->name = strdup(name);
}

static void push(struct flight *flight, struct noted *noted, uint64_t now)
{
	if (flight->count == QUEUE_MAX) {
		release(noted);
		return;
	}
	flight->queue[(flight->first + flight->count++) % QUEUE_MAX] =
		(struct run){.noted = noted, .since = now};
}

void flight_query(struct flight *flight, struct judgement *judgement, const char *text,
		  size_t length, uint64_t now)
{
	push(flight, note(judgement, text, length), now);
}

void flight_parse(struct flight *flight, const char *name, struct judgement *judgement,
		  const char *text, size_t length)
{
	set_name(flight->statements, name, note(judgement, text, length));
}

void flight_bind(struct flight *flight, const uint8_t *body, size_t length)
{
	const char *portal = (const char *)body, *statement;
	const uint8_t *end = memchr(body, '\0', length);
	struct name *named;

	if (!end || !memchr(end + 1, '\0', length - (size_t)(end + 1 - body)))
		return;
	statement = (const char *)end + 1;
	named = find(flight->statements, statement);
	set_name(flight->portals, portal, hold(named ? named->noted : NULL));
}

void flight_execute(struct flight *flight, const uint8_t *body, size_t length, uint64_t now)
{
	struct name *named = memchr(body, '\0', length)
				     ? find(flight->portals, (const char *)body)
				     : NULL;

	push(flight, hold(named ? named->noted : NULL), now);
}

bool flight_done(struct flight *flight, uint64_t now, struct session_record *record)
{
	struct run *run = &flight->queue[flight->first];

	if (flight->count == 0)
		return false;
	flight->first = (flight->first + 1) % QUEUE_MAX;
	flight->count--;
	release(flight->last);
	flight->last = run->noted;
	if (!run->noted)
		return false;
	*record = (struct session_record){
		.judgement = run->noted->judgement,
		.text = run->noted->text,
		.text_length = run->noted->length,
		.shape = run->noted->has_shape ? run->noted->shape : NULL,
		.has_duration = true,
		.duration_us = now - run->since,
	};
	return true;
}

void flight_idle(struct flight *flight)
{
	while (flight->count) {
		release(flight->queue[flight->first].noted);
		flight->first = (flight->first + 1) % QUEUE_MAX;
		flight->count--;
	}
}
