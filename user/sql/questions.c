// SPDX-License-Identifier: Apache-2.0
#include "sql/questions.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "sql/packets.h"
#include "sql/parser_link.h"

struct line;

struct asked {
	struct asked *next;
	struct line *line;
	uint64_t id;
	struct question question;
	unsigned waited; /* seconds in the line */
	size_t length;
	char text[];
};

/* What a policy has to ask, and what is to be known of it meanwhile. */
struct line {
	struct line *next;
	uint64_t policy;
	struct asked *first, **last;
	size_t bytes;	   /* waiting */
	size_t in_flight;  /* they point here */
	uint64_t turn;	   /* counts up: when it was answered last, or came */
	unsigned failures; /* parsers that its texts have ended */
	unsigned pause;	   /* seconds that it asks nothing */
	unsigned calm;	   /* seconds without a failure */
};

struct questions {
	struct event_base *base;
	const struct questions_host *host;
	void *context;
	struct packets *parser; /* NULL: none now */
	bool leaving;		/* it is listened to and not asked any more */
	unsigned silence;	/* seconds since it has said something, or had nothing to say */
	uint64_t last_id, last_turn;
	struct line *lines;
	struct asked *flight[QUESTIONS_IN_FLIGHT]; /* in order */
	size_t flying;
};

struct questions *questions_new(struct event_base *base, const struct questions_host *host,
				void *context)
{
	struct questions *questions = calloc(1, sizeof(*questions));

	if (!questions)
		return NULL;
	questions->base = base;
	questions->host = host;
	questions->context = context;
	return questions;
}

/* ---- lines ---- */

static size_t weight(size_t length)
{
	return sizeof(struct asked) + length + 1;
}

static struct line *line_of(struct questions *questions, uint64_t policy)
{
	struct line *line = questions->lines;

	while (line && line->policy != policy)
		line = line->next;
	if (line)
		return line;
	line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->policy = policy;
	line->last = &line->first;
	line->turn = ++questions->last_turn;
	line->next = questions->lines;
	questions->lines = line;
	return line;
}

static void append(struct line *line, struct asked *asked)
{
	*line->last = asked;
	line->last = &asked->next;
	line->bytes += weight(asked->length);
}

static void put_back(struct asked *asked)
{
	struct line *line = asked->line;

	line->in_flight--;
	asked->next = line->first;
	line->first = asked;
	if (!asked->next)
		line->last = &asked->next;
	line->bytes += weight(asked->length);
}

static struct asked *pop(struct line *line)
{
	struct asked *asked = line->first;

	line->first = asked->next;
	if (!line->first)
		line->last = &line->first;
	line->bytes -= weight(asked->length);
	asked->next = NULL;
	return asked;
}

static void penalize(struct line *line)
{
	line->pause = QUESTIONS_PAUSE_FIRST << line->failures;
	if (line->pause < QUESTIONS_PAUSE_MOST)
		line->failures++;
	else
		line->pause = QUESTIONS_PAUSE_MOST;
	line->calm = 0;
}

/* Of those with the fewest in flight, the one whose last answer is the oldest. */
static bool goes_before(const struct line *line, const struct line *other)
{
	return line->in_flight != other->in_flight ? line->in_flight < other->in_flight
						   : line->turn < other->turn;
}

static struct line *next_line(const struct questions *questions)
{
	struct line *line, *best = NULL;

	for (line = questions->lines; line; line = line->next)
		if (line->first && !line->pause && (!best || goes_before(line, best)))
			best = line;
	return best;
}

static void forget_lines(struct questions *questions)
{
	struct line **at = &questions->lines, *line;

	while ((line = *at) != NULL) {
		if (line->first || line->in_flight || line->failures) {
			at = &line->next;
			continue;
		}
		*at = line->next;
		free(line);
	}
}

void questions_free(struct questions *questions)
{
	struct line *line;

	if (!questions)
		return;
	packets_free(questions->parser);
	while (questions->flying)
		free(questions->flight[--questions->flying]);
	while ((line = questions->lines) != NULL) {
		questions->lines = line->next;
		while (line->first)
			free(pop(line));
		free(line);
	}
	free(questions);
}

/* ---- answers ---- */

static void answer(struct questions *questions, struct asked *asked, struct judgement *judgement,
		   bool failed)
{
	questions->host->answered(questions->context, asked->question.view, asked->question.relay,
				  asked->text, asked->length, judgement, failed);
	free(asked);
}

static struct judgement *undecided(const char *sentence)
{
	return judgement_plain(VERDICT_UNDECIDED, "42501", "sql-parser", "", sentence);
}

/* ---- asking ---- */

static int text_file(const char *text, size_t length)
{
	int fd = memfd_create("sql-text", MFD_CLOEXEC);

	if (fd >= 0 && file_write_fd(fd, text, length) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool send_asked(struct questions *questions, const struct asked *asked)
{
	struct {
		struct parser_question question;
		char text[PARSER_INLINE_MAX];
	} tail;
	struct guard_message head = {.type = PARSER_QUESTION, .ref = asked->id};
	_cleanup_close_ int fd = -1;

	tail.question = (struct parser_question){.policy = asked->question.policy,
						 .catalog = asked->question.catalog,
						 .length = (uint32_t)asked->length};
	head.length = sizeof(tail.question);
	if (asked->length <= PARSER_INLINE_MAX) {
		memcpy(tail.text, asked->text, asked->length);
		head.length += (uint32_t)asked->length;
	} else {
		fd = text_file(asked->text, asked->length);
		if (fd < 0)
			return false;
	}
	packets_send(questions->parser, &head, &tail, &fd, fd >= 0);
	return true;
}

static void advance(struct questions *questions)
{
	struct line *line;

	while (questions->parser && !questions->leaving &&
	       questions->flying < QUESTIONS_IN_FLIGHT && (line = next_line(questions)) != NULL) {
		if (!send_asked(questions, line->first)) {
			line->turn = ++questions->last_turn;
			return; /* tried again within a second */
		}
		if (!questions->flying)
			questions->silence = 0;
		line->in_flight++;
		questions->flight[questions->flying++] = pop(line);
	}
}

static struct asked *land_first(struct questions *questions)
{
	struct asked *asked = questions->flight[0];
	size_t i;

	for (i = 1; i < questions->flying; i++)
		questions->flight[i - 1] = questions->flight[i];
	questions->flying--;
	asked->line->in_flight--;
	asked->line->turn = ++questions->last_turn;
	return asked;
}

/* ---- the parser ---- */

/* The strings of an answer; false where they are not there. */
static bool read_texts(const char *at, size_t left, const char *text[JUDGEMENT_TEXTS])
{
	size_t i, length;

	for (i = 0; i < JUDGEMENT_TEXTS; i++) {
		length = strnlen(at, left);
		if (length == left)
			return false;
		text[i] = at;
		at += length + 1;
		left -= length + 1;
	}
	return true;
}

static struct judgement *read_answer(const struct packet *packet)
{
	const char *text[JUDGEMENT_TEXTS];
	struct parser_answer said;
	struct judgement *judgement;

	if (packet->head.length < sizeof(said))
		return NULL;
	memcpy(&said, packet->tail, sizeof(said));
	if (said.kind > VERDICT_WOULD_DENY || said.kind == VERDICT_ASK ||
	    said.statement > SQL_STATEMENT_OTHER ||
	    !read_texts(packet->tail + sizeof(said), packet->head.length - sizeof(said), text))
		return NULL;
	judgement = judgement_new((enum verdict_kind)said.kind, (enum sql_statement)said.statement,
				  text);
	if (judgement)
		judgement->literals_decide = said.literals_decide != 0;
	return judgement;
}

/* What it was working on is answered, the rest is asked again. */
static void drop_parser(struct questions *questions, const char *sentence, bool failed)
{
	struct asked *first = NULL;

	packets_free(questions->parser);
	questions->parser = NULL;
	if (questions->flying)
		first = land_first(questions);
	while (questions->flying)
		put_back(questions->flight[--questions->flying]);
	if (!first)
		return;
	penalize(first->line);
	answer(questions, first, undecided(sentence), failed);
}

static void on_lost(void *context)
{
	drop_parser(context, "the statement can't be judged: the parser has failed on it", true);
}

static void on_received(void *context, struct packet *packet)
{
	struct questions *questions = context;
	struct judgement *judgement;

	if (packet->head.type != PARSER_ANSWER || !questions->flying ||
	    packet->head.ref != questions->flight[0]->id) {
		on_lost(questions); /* it is not sane: its link is closed, and it ends */
		return;
	}
	questions->silence = 0;
	judgement = read_answer(packet);
	answer(questions, land_first(questions),
	       judgement ? judgement : undecided("the parser's answer is unusable"),
	       judgement == NULL);
	advance(questions);
}

void questions_set_parser(struct questions *questions, int fd)
{
	static const struct packets_host host = {.received = on_received, .lost = on_lost};

	if (questions->parser) {
		/* What it has answered is not why it ended. */
		questions->leaving = true;
		packets_take(questions->parser);
		questions->leaving = false;
	}
	if (questions->parser)
		on_lost(questions);
	questions->silence = 0;
	questions->parser = packets_new(questions->base, fd, &host, questions);
	if (!questions->parser)
		return;
	questions->host->renewed(questions->context);
	advance(questions);
}

void questions_tell(struct questions *questions, const struct guard_message *head, const void *tail,
		    int fd)
{
	if (questions->parser)
		packets_send(questions->parser, head, tail, &fd, fd >= 0);
}

int questions_ask(struct questions *questions, const struct question *question, const char *text,
		  size_t length)
{
	struct line *line = line_of(questions, question->policy);
	struct asked *asked;

	if (line && line->bytes + weight(length) > QUESTIONS_WAIT_BYTES)
		return -ENOBUFS;
	asked = line ? malloc(weight(length)) : NULL;
	if (!asked)
		return -ENOMEM;
	*asked = (struct asked){
		.line = line, .id = ++questions->last_id, .question = *question, .length = length};
	memcpy(asked->text, text, length);
	asked->text[length] = '\0';
	append(line, asked);
	advance(questions);
	return 0;
}

/* They came in order; behind one that was put back they leave with it at the latest. */
static void expire(struct questions *questions, struct line *line)
{
	while (line->first && line->first->waited > QUESTIONS_WAIT_SECONDS)
		answer(questions, pop(line),
		       undecided(questions->parser
					 ? "the statement can't be judged: the parser is busy"
					 : "the statement can't be judged: there is no parser"),
		       false);
}

void questions_tick(struct questions *questions)
{
	struct line *line;
	struct asked *asked;

	for (line = questions->lines; line; line = line->next) {
		for (asked = line->first; asked; asked = asked->next)
			asked->waited++;
		if (line->pause)
			line->pause--;
		else if (line->failures && ++line->calm >= QUESTIONS_FORGIVEN_SECONDS)
			line->failures = 0;
	}
	if (questions->parser && questions->flying &&
	    ++questions->silence > QUESTIONS_SILENCE_SECONDS)
		drop_parser(questions, "the statement can't be judged: the parser is silent",
			    false);
	for (line = questions->lines; line; line = line->next)
		expire(questions, line);
	advance(questions);
	forget_lines(questions);
}
