// SPDX-License-Identifier: Apache-2.0
#include "agentpol/mcp_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>

#include "agentpol/daemon_authority.h"
#include "agentpol/outbox.h"
#include "base/file.h"
#include "call/lines.h"
#include "call/message.h"

#define READ_BYTES    65536
#define MS_PER_SECOND 1000
/* A server whose input was closed has so long to end, then after SIGTERM, then SIGKILL comes. */
#define GRACE_MS 5000
/* What the server has said is passed on for so long when it has ended. */
#define DRAIN_MS 1000

enum stage { STAGE_SERVING, STAGE_CLOSED, STAGE_TERMINATED, STAGE_KILLED };

struct stdio {
	const struct mcp_setup *setup;
	struct mcp_gateway *gateway; /* owned */
	struct lines from_client, from_server;
	struct outbox to_client, to_server;
	int input;   /* the client's words; -1: it has gone */
	bool ended;  /* the server's process */
	bool silent; /* the server will say no more */
	bool failed; /* no memory for what must be passed on */
	enum stage stage;
	long deadline; /* of the stage, ms */
};

enum { POLL_CLIENT, POLL_OUTPUT, POLL_INPUT, POLL_SERVER, POLL_SIGNALS, POLL_AUTHORITY, POLLERS };

static long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

/* ---- what the gateway calls ---- */

static void to_client(const char *text, size_t length, void *context)
{
	struct stdio *stdio = context;

	stdio->failed = stdio->failed || outbox_put(&stdio->to_client, text, length) < 0;
}

static void to_server(const char *text, size_t length, void *context)
{
	struct stdio *stdio = context;

	stdio->failed = stdio->failed || outbox_put(&stdio->to_server, text, length) < 0;
}

static void record(const struct mcp_gateway_record *told, void *context)
{
	mcp_log_record(((struct stdio *)context)->setup->log, told);
}

static void pinned(void *context)
{
	const struct mcp_setup *setup = ((struct stdio *)context)->setup;
	_cleanup_free_ char *text = setup->pin_file ? pins_print(setup->pins) : NULL;
	struct error error;

	if (text && file_write_atomic(setup->pin_file, text, strlen(text), 0600, &error) < 0)
		(void)fprintf(stderr, "agentpol mcp: the pins are not kept: %s\n", error.text);
}

/* ---- lines in ---- */

static void take_client_line(const char *text, size_t length, void *context)
{
	mcp_gateway_from_client(((struct stdio *)context)->gateway, text, length);
}

static void take_server_line(const char *text, size_t length, void *context)
{
	mcp_gateway_from_server(((struct stdio *)context)->gateway, text, length);
}

static void begin_end(struct stdio *stdio, enum stage stage)
{
	if (stdio->stage >= stage)
		return;
	stdio->stage = stage;
	stdio->deadline = now_ms() + GRACE_MS;
}

static void client_gone(struct stdio *stdio)
{
	stdio->input = -1;
	begin_end(stdio, STAGE_CLOSED);
}

static void server_silent(struct stdio *stdio)
{
	stdio->silent = true;
	stdio->to_server.fd = -1;
	mcp_server_close_input(stdio->setup->server);
	mcp_gateway_server_gone(stdio->gateway, "the tool server has ended");
	begin_end(stdio, STAGE_CLOSED);
}

static void read_client(struct stdio *stdio)
{
	char bytes[READ_BYTES];
	const ssize_t got = read(stdio->input, bytes, sizeof(bytes));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		client_gone(stdio);
		return;
	}
	if (lines_push(&stdio->from_client, bytes, (size_t)got, take_client_line, stdio) < 0)
		stdio->failed = true;
}

static void read_server(struct stdio *stdio)
{
	char bytes[READ_BYTES];
	const ssize_t got = read(stdio->setup->server->output, bytes, sizeof(bytes));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0)
		server_silent(stdio);
	else if (lines_push(&stdio->from_server, bytes, (size_t)got, take_server_line, stdio) < 0)
		stdio->failed = true;
}

/* ---- the ends ---- */

static void take_signals(struct stdio *stdio)
{
	struct mcp_server *server = stdio->setup->server;
	struct signalfd_siginfo info;

	while (read(stdio->setup->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			if (!stdio->ended && mcp_server_reap(server)) {
				stdio->ended = true;
				stdio->deadline = now_ms() + DRAIN_MS;
			}
			continue;
		}
		/* What the terminal sends, the server has got itself. */
		if (info.ssi_code != SI_KERNEL && !stdio->ended)
			(void)kill(server->pid, (int)info.ssi_signo);
		begin_end(stdio, STAGE_TERMINATED);
	}
}

static void press(struct stdio *stdio)
{
	struct mcp_server *server = stdio->setup->server;

	if (stdio->ended || stdio->stage == STAGE_SERVING || now_ms() < stdio->deadline)
		return;
	(void)kill(server->pid, stdio->stage == STAGE_CLOSED ? SIGTERM : SIGKILL);
	stdio->stage = stdio->stage == STAGE_CLOSED ? STAGE_TERMINATED : STAGE_KILLED;
	stdio->deadline = now_ms() + GRACE_MS;
}

static void flush(struct stdio *stdio)
{
	if (outbox_flush(&stdio->to_client) < 0) {
		stdio->to_client.fd = -1;
		client_gone(stdio);
	}
	if (outbox_flush(&stdio->to_server) < 0)
		stdio->to_server.fd = -1;
	/* The client has said its last word, and the server has it. */
	if (stdio->stage != STAGE_SERVING && !outbox_left(&stdio->to_server)) {
		stdio->to_server.fd = -1;
		mcp_server_close_input(stdio->setup->server);
	}
}

/* ---- the loop ---- */

static struct pollfd poller(int fd, bool wanted, short events)
{
	return (struct pollfd){.fd = wanted ? fd : -1, .events = events};
}

static void set_pollers(const struct stdio *stdio, struct pollfd *pollers)
{
	const struct mcp_setup *setup = stdio->setup;
	const bool room = outbox_left(&stdio->to_client) < OUTBOX_FULL;

	pollers[POLL_CLIENT] =
		poller(stdio->input, room && outbox_left(&stdio->to_server) < OUTBOX_FULL, POLLIN);
	pollers[POLL_OUTPUT] =
		poller(stdio->to_client.fd, outbox_left(&stdio->to_client) > 0, POLLOUT);
	pollers[POLL_INPUT] =
		poller(stdio->to_server.fd, outbox_left(&stdio->to_server) > 0, POLLOUT);
	pollers[POLL_SERVER] = poller(setup->server->output, room && !stdio->silent, POLLIN);
	pollers[POLL_SIGNALS] = poller(setup->signals, true, POLLIN);
	pollers[POLL_AUTHORITY] =
		poller(setup->daemon ? daemon_authority_fd(setup->daemon) : -1, true, POLLIN);
}

static void turn(struct stdio *stdio, const struct pollfd *pollers)
{
	if (pollers[POLL_SERVER].revents)
		read_server(stdio);
	if (pollers[POLL_CLIENT].revents)
		read_client(stdio);
	if (pollers[POLL_AUTHORITY].revents)
		(void)daemon_authority_read(stdio->setup->daemon);
	if (pollers[POLL_SIGNALS].revents)
		take_signals(stdio);
	flush(stdio);
	press(stdio);
}

/* The server's process is gone, and so are its words; or a child of its keeps them open. */
static bool is_over(const struct stdio *stdio)
{
	if (!stdio->ended)
		return false;
	return (stdio->silent && !outbox_left(&stdio->to_client)) || now_ms() >= stdio->deadline;
}

static int loop(struct stdio *stdio, struct error *error)
{
	while (!is_over(stdio)) {
		struct pollfd pollers[POLLERS];
		const bool waits = stdio->ended || stdio->stage != STAGE_SERVING;

		set_pollers(stdio, pollers);
		if (poll(pollers, POLLERS, waits ? DRAIN_MS / 4 : -1) < 0 && errno != EINTR)
			return error_set_errno(error, STATUS_SYSTEM, errno, "poll");
		turn(stdio, pollers);
		if (stdio->failed)
			return error_set(error, STATUS_SYSTEM, "out of memory");
	}
	return 0;
}

/* Not blocking, and not so for others that hold the same pipe: where it can be opened anew. */
static int own_output(void)
{
	struct stat status;
	int fd = -1;

	if (fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 ? fd : STDOUT_FILENO;
}

int mcp_stdio_serve(const struct mcp_setup *setup, struct error *error)
{
	static const struct mcp_gateway_io io = {to_client, to_server, record, pinned};
	struct stdio stdio = {
		.setup = setup,
		.from_client = {.limit = MESSAGE_BYTES_MAX},
		.from_server = {.limit = MESSAGE_BYTES_MAX},
		.to_client = {.fd = own_output()},
		.to_server = {.fd = setup->server->input},
		.input = STDIN_FILENO,
	};
	const struct mcp_gateway_setup gateway = {.grants = setup->grants,
						  .authority = setup->authority,
						  .pins = setup->pins,
						  .io = &io,
						  .context = &stdio};
	int result;

	stdio.gateway = mcp_gateway_new(&gateway);
	if (!stdio.gateway)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	result = loop(&stdio, error);
	mcp_gateway_free(stdio.gateway);
	lines_free(&stdio.from_client);
	lines_free(&stdio.from_server);
	outbox_free(&stdio.to_client);
	outbox_free(&stdio.to_server);
	return result;
}
