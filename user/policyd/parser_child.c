// SPDX-License-Identifier: Apache-2.0
/*
 * The process that reads SQL. It has nothing but its link: no credentials, no sockets, no files. A
 * text that takes too much stack, memory or time ends it, and is undecided.
 */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "manifest/manifest.h"
#include "policyd/confine.h"
#include "policyd/sql_child.h"
#include "sql/judgement.h"
#include "sql/limits.h"
#include "sql/packets.h"
#include "sql/parser_link.h"

#define STACK_BYTES  (16U << 20)
#define MEMORY_BYTES (512U << 20)
/* A manifest, a catalog, a text. */
#define FILE_BYTES_MAX (24U << 20)

static const char *const syscalls[] = {
	"read", "pread64", "recvmsg", "write", "sendmsg", "close", "fstat", "newfstatat", "lseek",
	"mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "futex", "getrandom", "getpid",
	"gettid", "setitimer", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "restart_syscall",
	"clock_gettime", "exit", "exit_group", NULL};

struct known_policy {
	struct known_policy *next;
	uint64_t ref;
	struct policy *policy; /* NULL: the manifest was unusable */
	struct sql_subject subject;
	char pointer[2 * TOOL_NAME_MAX + 16];
};

struct known_catalog {
	struct known_catalog *next;
	uint64_t ref;
	struct sql_catalog *catalog; /* NULL: the text was unusable */
};

struct parser {
	struct known_policy *policies;
	struct known_catalog *catalogs;
	char room[GUARD_TAIL_MAX + 1];
};

/* The whole of a file; the caller's (free), with a NUL behind it. */
static char *read_file(int fd, size_t *length)
{
	struct stat status;
	size_t have = 0;
	ssize_t got = 1;
	char *text;

	if (fd < 0 || fstat(fd, &status) < 0 || status.st_size < 0 ||
	    (uint64_t)status.st_size > FILE_BYTES_MAX)
		return NULL;
	text = malloc((size_t)status.st_size + 1);
	while (text && got > 0 && have < (size_t)status.st_size) {
		got = pread(fd, text + have, (size_t)status.st_size - have, (off_t)have);
		have += got > 0 ? (size_t)got : 0;
	}
	if (text)
		text[have] = '\0';
	*length = have;
	return text;
}

static void forget_policy(struct parser *parser, uint64_t ref)
{
	struct known_policy **at = &parser->policies, *known;

	while (*at && (*at)->ref != ref)
		at = &(*at)->next;
	known = *at;
	if (!known)
		return;
	*at = known->next;
	policy_free(known->policy);
	free(known);
}

static void take_policy(struct parser *parser, const struct packet *packet)
{
	struct diagnostics diagnostics;
	struct guard_policy options;
	struct known_policy *known;
	const struct tool *tool;
	size_t length;
	char *text;

	if (packet->head.length != sizeof(options))
		return;
	memcpy(&options, packet->tail, sizeof(options));
	forget_policy(parser, packet->head.ref);
	known = calloc(1, sizeof(*known));
	text = read_file(packet->fds[0], &length);
	if (known && text) {
		known->ref = packet->head.ref;
		known->policy = manifest_read_text(text, length, &diagnostics);
		tool = known->policy ? policy_find_tool(known->policy, options.tool) : NULL;
		known->subject.policy = tool ? tool->sql : NULL;
		known->subject.audit = options.audit != 0;
		if (tool)
			(void)snprintf(known->pointer, sizeof(known->pointer), "%s/sql",
				       tool->scope.pointer);
		known->subject.pointer = known->pointer;
		known->next = parser->policies;
		parser->policies = known;
	} else {
		free(known);
	}
	free(text);
}

static void forget_catalog(struct parser *parser, uint64_t ref)
{
	struct known_catalog **at = &parser->catalogs, *known;

	while (*at && (*at)->ref != ref)
		at = &(*at)->next;
	known = *at;
	if (!known)
		return;
	*at = known->next;
	sql_catalog_free(known->catalog);
	free(known);
}

static void take_catalog(struct parser *parser, const struct packet *packet)
{
	struct known_catalog *known;
	struct error error;
	size_t length;
	char *text;

	forget_catalog(parser, packet->head.ref);
	known = calloc(1, sizeof(*known));
	text = read_file(packet->fds[0], &length);
	if (known && text) {
		known->ref = packet->head.ref;
		known->catalog = sql_catalog_read(text, length, &error);
		known->next = parser->catalogs;
		parser->catalogs = known;
	} else {
		free(known);
	}
	free(text);
}

/* ---- questions ---- */

/* Of the processor, not of the clock: a busy machine makes no text undecided. The signal ends the
 * process. */
static void limit_time(unsigned milliseconds)
{
	const struct itimerval timer = {
		.it_value = {milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000}};

	(void)setitimer(ITIMER_PROF, &timer, NULL);
}

static void undecided(struct sql_decision *decision, const char *sentence)
{
	decision->verdict = (struct verdict){.kind = VERDICT_UNDECIDED, .reason = "sql-parser"};
	(void)snprintf(decision->verdict.message, sizeof(decision->verdict.message), "%s",
		       sentence);
	decision->statement = SQL_STATEMENT_OTHER;
	decision->literals_decide = true;
}

static void judge(struct parser *parser, const struct parser_question *question, const char *text,
		  size_t length, struct arena *arena, struct sql_decision *decision)
{
	const struct known_policy *policy = parser->policies;
	const struct known_catalog *catalog = parser->catalogs;
	struct sql_subject subject;

	while (policy && policy->ref != question->policy)
		policy = policy->next;
	while (catalog && catalog->ref != question->catalog)
		catalog = catalog->next;
	if (!policy || !policy->subject.policy) {
		undecided(decision, "the parser does not know the policy");
		return;
	}
	if (!catalog || !catalog->catalog) {
		undecided(decision, "the parser does not understand the server's catalog");
		return;
	}
	subject = policy->subject;
	subject.catalog = catalog->catalog;
	limit_time(PARSER_QUESTION_MS);
	sql_decide(&subject, text, length, arena, decision);
	limit_time(0);
}

static char *put(char *at, const char *end, const char *text)
{
	size_t length = strnlen(text, (size_t)(end - at) - 1);

	memcpy(at, text, length);
	at[length] = '\0';
	return at + length + 1;
}

static int send_answer(struct parser *parser, uint64_t ref, const struct sql_decision *decision)
{
	_cleanup_json_writer_ struct json_writer accesses = {0};
	const struct verdict *verdict = &decision->verdict;
	const struct parser_answer answer = {.kind = verdict->kind,
					     .statement = decision->statement,
					     .literals_decide = decision->literals_decide};
	const char *text[JUDGEMENT_TEXTS] = {
		[JUDGEMENT_REASON] = verdict->reason ? verdict->reason : "",
		[JUDGEMENT_RULE] = verdict->rule,
		[JUDGEMENT_MESSAGE] = verdict->message,
		[JUDGEMENT_HINT_OP] = verdict->hint_op,
		[JUDGEMENT_HINT_PATH] = verdict->hint_path,
		[JUDGEMENT_HINT_VALUE] = verdict->hint_value,
		[JUDGEMENT_ACCESSES] = "",
	};
	struct guard_message head = {.type = PARSER_ANSWER, .ref = ref};
	char *at = parser->room, *end = parser->room + GUARD_TAIL_MAX;
	size_t i;

	sql_accesses_write(decision, &accesses);
	if (json_writer_text(&accesses) && accesses.length <= PARSER_ACCESSES_MAX)
		text[JUDGEMENT_ACCESSES] = json_writer_text(&accesses);
	memcpy(at, &answer, sizeof(answer));
	at += sizeof(answer);
	for (i = 0; i < JUDGEMENT_TEXTS; i++)
		at = put(at, end, text[i]);
	head.length = (uint32_t)(at - parser->room);
	return packet_send(SQL_CHILD_LINK, &head, parser->room, NULL, 0);
}

static int take_question(struct parser *parser, const struct packet *packet)
{
	struct parser_question question;
	struct sql_decision decision = {0};
	struct arena *arena = arena_new();
	size_t length = 0;
	char *text = NULL;
	int result;

	if (packet->head.length >= sizeof(question)) {
		memcpy(&question, packet->tail, sizeof(question));
		if (packet->fds[0] >= 0) {
			text = read_file(packet->fds[0], &length);
		} else {
			length = packet->head.length - sizeof(question);
			/* The room is the answer's soon. */
			text = malloc(length + 1);
			if (text) {
				memcpy(text, packet->tail + sizeof(question), length);
				text[length] = '\0';
			}
		}
	}
	if (text && arena && length == question.length)
		judge(parser, &question, text, length, arena, &decision);
	else
		undecided(&decision, "the parser could not read the statement");
	result = send_answer(parser, packet->head.ref, &decision);
	free(text);
	arena_free(arena);
	return result;
}

static int serve(struct parser *parser)
{
	struct packet packet;
	int result;

	while ((result = packet_receive(SQL_CHILD_LINK, &packet, parser->room, 0)) > 0) {
		result = 0;
		if (packet.head.type == PARSER_QUESTION)
			result = take_question(parser, &packet);
		else if (packet.head.type == PARSER_POLICY)
			take_policy(parser, &packet);
		else if (packet.head.type == PARSER_FORGET_POLICY)
			forget_policy(parser, packet.head.ref);
		else if (packet.head.type == PARSER_CATALOG)
			take_catalog(parser, &packet);
		else if (packet.head.type == PARSER_FORGET_CATALOG)
			forget_catalog(parser, packet.head.ref);
		packet_close_fds(&packet);
		if (result < 0)
			return result;
	}
	return result;
}

int parser_child_run(const struct sql_child *child)
{
	static const struct confine_limit limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_NPROC, 0},
		{RLIMIT_FSIZE, 0},
		{RLIMIT_NOFILE, 16},
		{RLIMIT_STACK, STACK_BYTES},
#ifndef __SANITIZE_ADDRESS__
		{RLIMIT_AS, MEMORY_BYTES},
#endif
	};
	const struct confinement confinement = {.uid = child->uid,
						.root = child->root,
						.limits = limits,
						.limit_count = ARRAY_SIZE(limits),
						.syscalls = syscalls};
	struct parser *parser = calloc(1, sizeof(*parser));
	struct error error;
	int result;

	if (!parser)
		return STATUS_SYSTEM;
	(void)signal(SIGPROF, SIG_DFL);
	if (confine_self(&confinement, &error) < 0) {
		(void)fprintf(stderr, "sql-parser-child: %s\n", error.text);
		return (int)error.status;
	}
	result = serve(parser);
	while (parser->policies)
		forget_policy(parser, parser->policies->ref);
	while (parser->catalogs)
		forget_catalog(parser, parser->catalogs->ref);
	free(parser);
	return result < 0 ? STATUS_SYSTEM : STATUS_DONE;
}
