// SPDX-License-Identifier: Apache-2.0
/* `agentpol decide`: requests in, verdicts out, a line each. No privileges, no daemon. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "agentpol/answer.h"
#include "agentpol/commands.h"
#include "base/json_write.h"
#include "manifest/manifest.h"

static const char help[] =
	"Usage: agentpol decide -m MANIFEST [--schema FILE] [FILE]\n"
	"Reads requests from FILE (standard input), one JSON object a line, and writes a\n"
	"verdict for each, in the same order.\n\n"
	"  -m, --manifest=FILE  the manifest to judge by\n"
	"      --schema=FILE    what the SQL server has, as `agentpol sql snapshot` prints it\n"
	"  -h, --help           this text\n\n"
	"Exit status: 0 all allowed or noted, 1 some not, 2 a line was no request.\n";

struct decider {
	struct judge judge;
	struct json_writer writer;
	bool bad_line, not_allowed;
};

/* Lines of a descriptor, through one buffer that holds the longest line. */
struct line_reader {
	int fd;
	char *buffer; /* owned; REQUEST_LINE_MAX + 1 bytes */
	size_t start, end;
	bool at_end;
	bool skipping; /* the rest of a line that was too long */
};

enum line_status { LINE_READ, LINE_TOO_LONG, LINE_NONE, LINE_FAILED };

static void write_error(struct decider *decider, const char *message)
{
	decider->bad_line = true;
	json_key_string(&decider->writer, "verdict", "error");
	json_key_string(&decider->writer, "message", message);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Puts one answer to standard output; -1 when memory ran out. */
static int answer_line(struct decider *decider, const char *text, size_t length, bool too_long)
{
	_cleanup_request_line_ struct request_line line = {0};
	struct json_writer *writer = &decider->writer;
	struct answer answer;
	struct error error;
	int result = -1;

	if (too_long)
		(void)error_set(&error, STATUS_UNUSABLE, "a line of more than %u bytes",
				REQUEST_LINE_MAX);
	else
		result = request_line_read(text, length, &line, &error);
	json_writer_reset(writer);
	json_open_object(writer);
	json_key(writer, "id");
	json_verbatim(writer, line.id ? line.id : "null");
	if (result == 0) {
		decider->judge.now_ns = now_ns();
		answer_request(&decider->judge, line.use, json_root(line.document), &line.request,
			       &answer);
		answer_write(&answer, writer);
		decider->not_allowed |= !answer.allowed;
	} else {
		write_error(decider, error.text);
	}
	json_close_object(writer);
	json_newline(writer);
	if (!json_writer_text(writer))
		return -1;
	return fputs(json_writer_text(writer), stdout) < 0 ? -1 : 0;
}

/* Makes room and reads on; what was answered goes out before the wait. */
static int fill(struct line_reader *reader)
{
	ssize_t got;

	if (reader->start > 0)
		memmove(reader->buffer, reader->buffer + reader->start,
			reader->end - reader->start);
	reader->end -= reader->start;
	reader->start = 0;
	if (fflush(stdout) != 0)
		return -errno;
	do
		got = read(reader->fd, reader->buffer + reader->end,
			   REQUEST_LINE_MAX + 1 - reader->end);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	reader->at_end = got == 0;
	reader->end += (size_t)got;
	return 0;
}

/* The next line without its end, in the buffer until the next call. */
static enum line_status next_line(struct line_reader *reader, const char **line, size_t *length)
{
	size_t searched = 0;

	for (;;) {
		const size_t held = reader->end - reader->start;
		const char *text = reader->buffer + reader->start;
		const char *newline =
			held > searched ? memchr(text + searched, '\n', held - searched) : NULL;
		const bool skipped = reader->skipping;

		if (newline || (reader->at_end && (held > 0 || skipped))) {
			*line = text;
			*length = newline ? (size_t)(newline - text) : held;
			reader->start += newline ? *length + 1 : held;
			reader->skipping = false;
			return skipped ? LINE_TOO_LONG : LINE_READ;
		}
		if (reader->at_end)
			return LINE_NONE;
		searched = held;
		if (held > REQUEST_LINE_MAX) {
			reader->skipping = true;
			reader->start = reader->end;
			searched = 0;
		}
		errno = -fill(reader);
		if (errno)
			return LINE_FAILED;
	}
}

static int answer_all(struct decider *decider, struct line_reader *reader, struct error *error)
{
	enum line_status status;
	const char *line;
	size_t length;

	for (;;) {
		status = next_line(reader, &line, &length);
		if (status == LINE_NONE)
			return 0;
		if (status == LINE_FAILED)
			return error_set_errno(error, STATUS_SYSTEM, errno,
					       "cannot read requests or write verdicts");
		if (answer_line(decider, line, length, status == LINE_TOO_LONG) < 0)
			return error_set(error, STATUS_SYSTEM, "cannot write a verdict");
	}
}

static int decide_file(const struct policy *policy, const char *schema, const char *path)
{
	_cleanup_free_ char *buffer = malloc(REQUEST_LINE_MAX + 1);
	_cleanup_close_ int fd = -1;
	struct line_reader reader = {.fd = STDIN_FILENO, .buffer = buffer};
	struct decider decider = {0};
	struct error error;
	int result;

	if (!buffer) {
		(void)error_set(&error, STATUS_SYSTEM, "out of memory");
		return command_fail("decide", &error);
	}
	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			(void)error_set_errno(&error, STATUS_UNUSABLE, errno, "%s", path);
			return command_fail("decide", &error);
		}
		reader.fd = fd;
	}
	result = judge_open(&decider.judge, policy, schema, &error);
	if (result == 0)
		result = answer_all(&decider, &reader, &error);
	judge_close(&decider.judge);
	json_writer_free(&decider.writer);
	if (result < 0)
		return command_fail("decide", &error);
	if (decider.bad_line)
		return STATUS_UNUSABLE;
	return decider.not_allowed ? STATUS_NO : STATUS_DONE;
}

int cmd_decide(int argc, char **argv)
{
	static const struct option options[] = {
		{"manifest", required_argument, NULL, 'm'},
		{"schema", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	_cleanup_policy_ struct policy *policy = NULL;
	const char *manifest = NULL, *schema = NULL, *requests = "-";
	struct error error;
	int option;

	while ((option = getopt_long(argc, argv, "m:h", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			manifest = optarg;
			break;
		case 's':
			schema = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return STATUS_DONE;
		default:
			return command_usage("decide", "unknown option");
		}
	}
	if (!manifest)
		return command_usage("decide", "-m MANIFEST is missing");
	if (argc - optind > 1)
		return command_usage("decide", "one FILE at most");
	if (optind < argc)
		requests = argv[optind];
	if (strcmp(manifest, "-") == 0 && strcmp(requests, "-") == 0)
		return command_usage("decide",
				     "manifest and requests cannot both be standard input");
	policy = manifest_read_file(manifest, NULL, &error);
	if (!policy)
		return command_fail("decide", &error);
	return decide_file(policy, schema, requests);
}
