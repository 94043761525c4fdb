// SPDX-License-Identifier: Apache-2.0
#include "sql/questions.h"

#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "sql/packets.h"
#include "sql/parser_link.h"

/* A parser that is started again is there within a second or two. */
#define PATIENCE_SECONDS 15

struct asked {
	struct asked *next;
	uint64_t id;
	struct question question;
	bool sent;
	unsigned age; /* seconds */
	size_t length;
	char text[];
};

struct questions {
	struct event_base *base;
	const struct questions_host *host;
	void *context;
	struct packets *parser; /* NULL: none now */
	uint64_t last_id;
	struct asked *first, **last;
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
	questions->last = &questions->first;
	return questions;
}

static struct asked *pop(struct questions *questions)
{
	struct asked *asked = questions->first;

	questions->first = asked->next;
	if (!questions->first)
		questions->last = &questions->first;
	return asked;
}

void questions_free(struct questions *questions)
{
	if (!questions)
		return;
	packets_free(questions->parser);
	while (questions->first)
		free(pop(questions));
	free(questions);
}

/* The first one's answer. */
static void answer(struct questions *questions, struct judgement *judgement, bool failed)
{
	struct asked *asked = pop(questions);

	questions->host->answered(questions->context, asked->question.view, asked->question.relay,
				  asked->text, asked->length, judgement, failed);
	free(asked);
}

static struct judgement *undecided(const char *sentence)
{
	return judgement_plain(VERDICT_UNDECIDED, "42501", "sql-parser", "", sentence);
}

static int text_file(const char *text, size_t length)
{
	int fd = memfd_create("sql-text", MFD_CLOEXEC);

	if (fd >= 0 && file_write_fd(fd, text, length) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void send_asked(struct questions *questions, struct asked *asked)
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
			return; /* undecided when its patience is over */
	}
	packets_send(questions->parser, &head, &tail, &fd, fd >= 0);
	asked->sent = true;
}

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

static void on_lost(void *context)
{
	struct questions *questions = context;
	struct asked *asked;

	packets_free(questions->parser);
	questions->parser = NULL;
	if (questions->first && questions->first->sent)
		answer(questions,
		       undecided("the statement can't be judged: the parser has failed on it"), true);
	for (asked = questions->first; asked; asked = asked->next)
		asked->sent = false;
}

static void on_received(void *context, struct packet *packet)
{
	struct questions *questions = context;
	struct judgement *judgement;

	if (packet->head.type != PARSER_ANSWER || !questions->first || !questions->first->sent ||
	    packet->head.ref != questions->first->id) {
		on_lost(questions); /* it is not sane: its link is closed, and it ends */
		return;
	}
	judgement = read_answer(packet);
	answer(questions, judgement ? judgement : undecided("the parser's answer is unusable"),
	       judgement == NULL);
}

void questions_set_parser(struct questions *questions, int fd)
{
	static const struct packets_host host = {.received = on_received, .lost = on_lost};
	struct asked *asked;

	if (questions->parser)
		on_lost(questions);
	questions->parser = packets_new(questions->base, fd, &host, questions);
	if (!questions->parser)
		return;
	questions->host->renewed(questions->context);
	for (asked = questions->first; asked; asked = asked->next)
		send_asked(questions, asked);
}

void questions_tell(struct questions *questions, const struct guard_message *head,
		    const void *tail, int fd)
{
	if (questions->parser)
		packets_send(questions->parser, head, tail, &fd, fd >= 0);
}

bool questions_ask(struct questions *questions, const struct question *question, const char *text,
		   size_t length)
{
	struct asked *asked = malloc(sizeof(*asked) + length + 1);

	if (!asked)
		return false;
	*asked = (struct asked){
		.id = ++questions->last_id, .question = *question, .length = length};
	memcpy(asked->text, text, length);
	asked->text[length] = '\0';
	*questions->last = asked;
	questions->last = &asked->next;
	if (questions->parser)
		send_asked(questions, asked);
	return true;
}

void questions_tick(struct questions *questions)
{
	struct asked *asked;

	for (asked = questions->first; asked; asked = asked->next)
		asked->age++;
	while (questions->first && questions->first->age > PATIENCE_SECONDS) {
		/* Answers come in order: one that does not come holds up all behind it. */
		packets_free(questions->parser);
		questions->parser = NULL;
		answer(questions, undecided("the statement can't be judged: there is no parser"),
		       false);
	}
}
