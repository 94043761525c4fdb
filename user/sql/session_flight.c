// SPDX-License-Identifier: Apache-2.0
#include "sql/session_flight.h"

#include <string.h>

#include "sql/shape.h"

#define NAMED_MAX 256 /* prepared statements and portals, each */
/* Messages that are not answered. Their answers are 5 bytes at least, and a server that has 8 KiB
 * of them sends some: who waits for room does not wait for ever. */
#define QUEUE_MAX	2048
#define FLIGHT_TEXT_MAX 8192 /* of a statement's text that is kept for the log */
/* NAMEDATALEN: of a longer name the server looks at the first 63 bytes. */
#define NAME_ROOM 64

/* A statement's text, shared by its name, its portals and its runs. */
struct noted {
	unsigned references;
	struct judgement *judgement;
	size_t length;
	bool has_text, has_shape;
	bool told;   /* the log has it, or another record stands for it */
	char *shape; /* behind the text */
	char text[];
};

struct name {
	bool used;
	char name[NAME_ROOM];
	struct noted *noted; /* owned */
};

struct sent {
	char type;
	char close;	     /* of a Close: 'S' or 'P' */
	bool done;	     /* a Query's command has ended: its ReadyForQuery is still to come */
	struct noted *noted; /* owned: of Query and Parse; NULL: nothing to be told */
	char *names;	     /* owned: two of NAME_ROOM bytes; NULL: both are "" */
	uint64_t since;
};

struct flight {
	struct name statements[NAMED_MAX], portals[NAMED_MAX];
	struct sent queue[QUEUE_MAX];
	size_t first, count;
	bool skipping;		/* the server does, up to a Sync that was not sent yet */
	bool copying;		/* the first one's COPY FROM STDIN */
	bool lost;		/* answers can't be told apart: what is approved is told at once */
	struct noted *unknown;	/* stands for statements that are not followed */
	struct noted *told;	/* what was given out last; owned */
	struct noted *overflow; /* found no place; owned */
};

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

/* Text NULL: it is not known. */
static struct noted *note(struct judgement *judgement, const char *text, size_t length)
{
	size_t kept = length < FLIGHT_TEXT_MAX ? length : FLIGHT_TEXT_MAX;
	struct noted *noted = malloc(sizeof(*noted) + 2 * (kept + 1));

	if (!noted)
		return NULL;
	*noted = (struct noted){.references = 1,
				.judgement = judgement_hold(judgement),
				.length = kept,
				.has_text = text != NULL,
				/* What is no plain allow was told when it was judged. */
				.told = judgement->kind != VERDICT_ALLOW};
	memcpy(noted->text, text ? text : "", kept);
	noted->text[kept] = '\0';
	noted->shape = noted->text + kept + 1;
	noted->has_shape = text && sql_shape_print(noted->text, kept, noted->shape, kept + 1);
	return noted;
}

struct flight *flight_new(void)
{
	const char *const texts[JUDGEMENT_TEXTS] = {
		[JUDGEMENT_REASON] = "sql-prepared",
		[JUDGEMENT_MESSAGE] = "a statement that was prepared and granted before"};
	struct flight *flight = calloc(1, sizeof(*flight));
	struct judgement *judgement = judgement_new(VERDICT_ALLOW, SQL_STATEMENT_OTHER, texts);

	if (flight && judgement)
		flight->unknown = note(judgement, NULL, 0);
	judgement_release(judgement);
	if (flight && flight->unknown)
		return flight;
	flight_free(flight);
	return NULL;
}

/* ---- names ---- */

static void forget_name(struct name *name)
{
	release(name->noted);
	*name = (struct name){0};
}

static struct name *find(struct name *names, const char *name)
{
	size_t i;

	for (i = 0; i < NAMED_MAX; i++)
		if (names[i].used && strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

/* What a name stands for, with a reference. */
static struct noted *noted_of(struct flight *flight, struct name *names, const char *name)
{
	const struct name *named = find(names, name);

	return hold(named && named->noted ? named->noted : flight->unknown);
}

/* Takes over `noted`. One that finds no place is told at once, and its runs have no text. */
static void set_name(struct flight *flight, struct name *names, const char *name,
		     struct noted *noted)
{
	struct name *place = find(names, name);
	size_t i;

	for (i = 0; !place && i < NAMED_MAX; i++)
		if (!names[i].used)
			place = &names[i];
	if (!place) {
		release(flight->overflow);
		flight->overflow = noted;
		return;
	}
	release(place->noted);
	place->used = true;
	place->noted = noted;
	(void)snprintf(place->name, sizeof(place->name), "%s", name);
}

/* ---- the queue ---- */

static struct sent *sent_at(struct flight *flight, size_t place)
{
	return &flight->queue[(flight->first + place) % QUEUE_MAX];
}

static void pop(struct flight *flight)
{
	struct sent *sent = sent_at(flight, 0);

	release(sent->noted);
	free(sent->names);
	*sent = (struct sent){0};
	flight->first = (flight->first + 1) % QUEUE_MAX;
	flight->count--;
}

/* Takes over what `sent` owns. */
static void push(struct flight *flight, const struct sent *sent)
{
	bool skipped = flight->skipping && sent->type != 'S' && !flight->lost;

	if (flight->skipping && sent->type == 'S')
		flight->skipping = false;
	if (flight->count == QUEUE_MAX) /* the client is not read then */
		flight->lost = true;
	if (skipped || flight->count == QUEUE_MAX) {
		release(sent->noted);
		free(sent->names);
		return;
	}
	*sent_at(flight, flight->count++) = *sent;
}

void flight_free(struct flight *flight)
{
	size_t i;

	if (!flight)
		return;
	while (flight->count)
		pop(flight);
	for (i = 0; i < NAMED_MAX; i++) {
		forget_name(&flight->statements[i]);
		forget_name(&flight->portals[i]);
	}
	release(flight->unknown);
	release(flight->told);
	release(flight->overflow);
	free(flight);
}

/* The next name of a body, as the server has it; what is behind it. */
static const uint8_t *take_name(const uint8_t *at, const uint8_t *end, char name[NAME_ROOM])
{
	size_t left = (size_t)(end - at), length = strnlen((const char *)at, left);

	(void)snprintf(name, NAME_ROOM, "%.*s", (int)(length < NAME_ROOM ? length : NAME_ROOM - 1),
		       (const char *)at);
	return length < left ? at + length + 1 : end;
}

static const char *first_name(const struct sent *sent)
{
	return sent->names ? sent->names : "";
}

static const char *second_name(const struct sent *sent)
{
	return sent->names ? sent->names + NAME_ROOM : "";
}

/* Without memory nothing is told apart. */
static void set_names(struct flight *flight, struct sent *sent, const char *first,
		      const char *second)
{
	if (first[0] == '\0' && second[0] == '\0')
		return;
	sent->names = calloc(2, NAME_ROOM);
	if (!sent->names) {
		flight->lost = true;
		return;
	}
	(void)snprintf(sent->names, NAME_ROOM, "%s", first);
	(void)snprintf(sent->names + NAME_ROOM, NAME_ROOM, "%s", second);
}

void flight_query(struct flight *flight, struct judgement *judgement, const char *text,
		  size_t length, uint64_t now)
{
	push(flight, &(struct sent){.type = 'Q',
				    .noted = judgement ? note(judgement, text, length) : NULL,
				    .since = now});
}

void flight_parse(struct flight *flight, const char *name, struct judgement *judgement,
		  const char *text, size_t length)
{
	struct sent sent = {.type = 'P', .noted = judgement ? note(judgement, text, length) : NULL};
	char first[NAME_ROOM];

	(void)take_name((const uint8_t *)name, (const uint8_t *)name + strlen(name), first);
	set_names(flight, &sent, first, "");
	push(flight, &sent);
}

void flight_refer(struct flight *flight, char type, const uint8_t *body, size_t length,
		  uint64_t now)
{
	struct sent sent = {.type = type, .since = now};
	const uint8_t *end = body + length;
	char first[NAME_ROOM], second[NAME_ROOM] = "";

	if ((type == 'C' || type == 'D') && length > 0)
		sent.close = (char)*body++;
	body = take_name(body, end, first);
	if (type == 'B')
		(void)take_name(body, end, second);
	set_names(flight, &sent, first, second);
	push(flight, &sent);
}

void flight_mark(struct flight *flight, char type)
{
	push(flight, &(struct sent){.type = type});
}

bool flight_is_full(const struct flight *flight)
{
	/* A message and the end of a COPY. */
	return flight->count + 2 > QUEUE_MAX;
}

/* ---- records ---- */

/* Takes over `noted`; false where nothing is to be told of it. */
static bool tell(struct flight *flight, struct noted *noted, struct session_record *record)
{
	release(flight->told);
	flight->told = noted;
	if (!noted || noted->judgement->kind != VERDICT_ALLOW)
		return false;
	noted->told = true;
	*record = (struct session_record){.judgement = noted->judgement,
					  .text = noted->has_text ? noted->text : NULL,
					  .text_length = noted->length,
					  .shape = noted->has_shape ? noted->shape : NULL};
	return true;
}

static bool tell_run(struct flight *flight, struct noted *noted, uint64_t took,
		     struct session_record *record)
{
	if (!tell(flight, noted, record))
		return false;
	record->has_duration = true;
	record->duration_us = took;
	return true;
}

static bool is_untold(const struct noted *noted)
{
	return noted && !noted->told;
}

/* Lets go of a name; what it stood for, where that is to be told. */
static struct noted *take_untold(struct name *name)
{
	struct noted *noted = is_untold(name->noted) ? hold(name->noted) : NULL;

	forget_name(name);
	return noted;
}

/* Of what was sent and of what has a name. */
static bool untold_when_lost(struct flight *flight, struct session_record *record)
{
	struct noted *noted;
	size_t i;

	while (flight->count) {
		struct sent *sent = sent_at(flight, 0);

		noted = sent->type == 'E' ? hold(flight->unknown) : NULL;
		if (is_untold(sent->noted))
			noted = hold(sent->noted);
		pop(flight);
		if (noted && tell(flight, noted, record))
			return true;
	}
	for (i = 0; i < 2 * (size_t)NAMED_MAX; i++) {
		noted = take_untold(i < NAMED_MAX ? &flight->statements[i]
						  : &flight->portals[i - NAMED_MAX]);
		if (noted && tell(flight, noted, record))
			return true;
	}
	return false;
}

bool flight_untold(struct flight *flight, struct session_record *record)
{
	struct noted *overflow = flight->overflow;

	flight->overflow = NULL;
	if (is_untold(overflow))
		return tell(flight, overflow, record);
	release(overflow);
	return flight->lost && untold_when_lost(flight, record);
}

/* ---- answers ---- */

/* The first command's COPY has ended. The server has ignored each Sync up to the end of the data;
 * where it has ended by an error of its own, which ones is not known. */
static void end_copy(struct flight *flight, char type)
{
	size_t place = 1, syncs = 0;

	flight->copying = false;
	while (place < flight->count && sent_at(flight, place)->type == 'S') {
		syncs++;
		place++;
	}
	if (syncs && (type == 'E' || place == flight->count || sent_at(flight, place)->type != 'c'))
		flight->lost = true;
	if (!syncs || flight->lost)
		return;
	/* The command's own place is the last of them then. */
	for (; place > 0; place--) {
		struct sent first = *sent_at(flight, 0);

		*sent_at(flight, 0) = *sent_at(flight, 1);
		*sent_at(flight, 1) = first;
		pop(flight);
	}
}

/* An error of the server's: what is behind it up to a Sync is skipped. */
static void skip(struct flight *flight)
{
	while (flight->count && sent_at(flight, 0)->type != 'S')
		pop(flight);
	flight->skipping = flight->count == 0;
}

/* CommandComplete and its kin. */
static bool end_run(struct flight *flight, char type, uint64_t now, struct session_record *record)
{
	struct sent *sent = sent_at(flight, 0);
	bool told = false;

	if (sent->type == 'E')
		told = tell_run(flight, noted_of(flight, flight->portals, first_name(sent)),
				now - sent->since, record);
	else if (!sent->done)
		told = tell_run(flight, hold(sent->noted), now - sent->since, record);
	sent->done = true;
	if (flight->copying)
		end_copy(flight, type);
	if (sent_at(flight, 0)->type == 'E' && type != 'E')
		pop(flight);
	return told;
}

static bool answer_error(struct flight *flight, uint64_t now, struct session_record *record)
{
	char type = sent_at(flight, 0)->type;
	bool told = false;

	if (type == 'E' || type == 'Q')
		told = end_run(flight, 'E', now, record);
	if (!flight->lost && strchr("PBEDC", type))
		skip(flight);
	return told;
}

static void answer_ready(struct flight *flight)
{
	char type = sent_at(flight, 0)->type;

	if (strchr("QFS", type))
		pop(flight);
	else
		flight->lost = true;
}

/* ParseComplete, BindComplete, CloseComplete: a name has what it stands for. */
static void answer_name(struct flight *flight, char type)
{
	struct sent *sent = sent_at(flight, 0);
	struct name *names = sent->close == 'S' ? flight->statements : flight->portals, *closed;

	if (sent->type != (type == '1' ? 'P' : type == '2' ? 'B' : 'C')) {
		flight->lost = true;
		return;
	}
	if (type == '1') {
		set_name(flight, flight->statements, first_name(sent), hold(sent->noted));
	} else if (type == '2') {
		set_name(flight, flight->portals, first_name(sent),
			 noted_of(flight, flight->statements, second_name(sent)));
	} else {
		closed = find(names, first_name(sent));
		if (closed)
			forget_name(closed);
	}
	pop(flight);
}

bool flight_answer(struct flight *flight, char type, uint64_t now, struct session_record *record)
{
	/* The end of COPY data outside of a COPY: the server ignores it. */
	while (flight->count && !flight->copying && sent_at(flight, 0)->type == 'c')
		pop(flight);
	if (flight->lost || flight->count == 0)
		return false;
	switch (type) {
	case '1':
	case '2':
	case '3':
		answer_name(flight, type);
		return false;
	case 'T':
	case 'n':
		if (sent_at(flight, 0)->type == 'D')
			pop(flight);
		return false;
	case 'G':
		flight->copying = true;
		return false;
	case 'C':
	case 'I':
	case 's':
		if (strchr("EQ", sent_at(flight, 0)->type))
			return end_run(flight, type, now, record);
		flight->lost = true;
		return false;
	case 'E':
		return answer_error(flight, now, record);
	case 'Z':
		answer_ready(flight);
		return false;
	default:
		return false;
	}
}
