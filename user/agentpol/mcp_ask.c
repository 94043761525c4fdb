// SPDX-License-Identifier: Apache-2.0
#include "agentpol/mcp_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <time.h>

/* What nobody reads to its end is not asked. */
#define SHOWN_BYTES_MAX (64U << 10)
#define MS_PER_SECOND	1000

/* The terminal acts on no byte of it: JSON escapes control characters, and the others that could
 * hide a part of it are not ASCII. */
static void print_plain(FILE *out, const char *text)
{
	for (; *text; text++) {
		const unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte < 0x7f)
			(void)fputc(byte, out);
		else
			(void)fprintf(out, "\\x%02x", byte);
	}
}

static long milliseconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

static bool read_yes(int terminal, const struct tool *tool, const char **why)
{
	const long end = milliseconds_now() + (long)tool->ask_timeout_seconds * MS_PER_SECOND;
	struct pollfd poller = {.fd = terminal, .events = POLLIN};
	char answer[16];
	ssize_t got;

	for (;;) {
		const long left = end - milliseconds_now();
		const int ready = left > 0 ? poll(&poller, 1, (int)left) : 0;

		if (ready > 0)
			break;
		if (ready < 0 && errno == EINTR)
			continue;
		*why = "nobody has answered in time";
		return false;
	}
	got = read(terminal, answer, sizeof(answer));
	if (got == 2 && (answer[0] == 'y' || answer[0] == 'Y') && answer[1] == '\n')
		return true;
	*why = "a person has refused it";
	return false;
}

bool mcp_ask(const struct tool *tool, const struct call_shown *shown, const char **why,
	     void *context)
{
	_cleanup_close_ int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	_cleanup_fclose_ FILE *out = NULL;
	bool yes;

	(void)context;
	if (terminal < 0)
		return false;
	if (shown->arguments && strlen(shown->arguments) > SHOWN_BYTES_MAX) {
		*why = "the call is too long to be shown to a person";
		return false;
	}
	out = fdopen(dup(terminal), "w");
	if (!out)
		return false;
	(void)fprintf(out, "\nagentpol: the agent wants to call %s with\n  ", tool->name);
	print_plain(out, shown->arguments ? shown->arguments : "{}");
	(void)fprintf(out, "\nAllow this call? [y/N] (%u s) ", tool->ask_timeout_seconds);
	(void)fflush(out);
	/* What was typed before the question was read is no answer to it. */
	(void)tcflush(terminal, TCIFLUSH);
	yes = read_yes(terminal, tool, why);
	(void)fputs(yes ? "agentpol: allowed\n" : "agentpol: denied\n", out);
	return yes;
}
