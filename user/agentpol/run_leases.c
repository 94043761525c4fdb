// SPDX-License-Identifier: Apache-2.0
#include "agentpol/run_leases.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "policyd/client.h"

int run_leases_widest(const struct policy *policy, const char *base, char name[SCOPE_NAME_MAX + 1],
		      struct error *error)
{
	size_t length = (size_t)snprintf(name, SCOPE_NAME_MAX + 1, "%s", base ? base : "");

	for (size_t i = 0; i < policy->tool_count; i++) {
		const struct tool *tool = &policy->tools[i];

		if (!tool->call_scope)
			continue;
		if (length + strlen(tool->name) + 1 > SCOPE_NAME_MAX)
			return error_set(error, STATUS_UNUSABLE,
					 "too many tools with \"scope\": \"call\" for one process");
		length += (size_t)snprintf(name + length, SCOPE_NAME_MAX + 1 - length, "%s%s",
					   length ? "+" : "", tool->name);
	}
	return 0;
}

/* Asks policyd; `what` is "prepare", "open", "close" or "renew". */
static int ask_daemon(const struct run_leases *leases, const char *what, const char *tool,
		      struct error *error)
{
	_cleanup_json_writer_ struct json_writer request = {0};
	_cleanup_json_document_ struct json_document *reply = NULL;
	_cleanup_client_ struct client *client = client_open(leases->socket, error);

	if (!client)
		return -1;
	json_open_object(&request);
	json_key_string(&request, "op", "lease");
	json_key_string(&request, "cgroup", leases->cgroup_path);
	json_key_string(&request, "what", what);
	if (tool)
		json_key_string(&request, "tool", tool);
	json_close_object(&request);
	json_newline(&request);
	reply = client_call(client, &request, NULL, 0, error);
	return reply ? 0 : -1;
}

int run_leases_prepare(struct run_leases *leases, struct error *error)
{
	if (leases->own)
		return leases_prepare(leases->own, leases->cgroup, error);
	return ask_daemon(leases, "prepare", NULL, error);
}

static int open_tool(struct run_leases *leases, const char *tool, struct error *error)
{
	const int result =
		leases->own ? leases_open(leases->own, leases->cgroup, tool, LEASE_TTL_NS, error)
			    : ask_daemon(leases, "open", tool, error);

	if (result == 0)
		leases->open++;
	return result;
}

static int close_tool(struct run_leases *leases, const char *tool, struct error *error)
{
	if (leases->open > 0)
		leases->open--;
	if (!leases->own)
		return ask_daemon(leases, "close", tool, error);
	leases_close(leases->own, leases->cgroup, tool);
	return 0;
}

static void answer(const struct run_leases *leases, int result, const struct error *error)
{
	char text[ERROR_TEXT_MAX + 16];
	int length;

	length = snprintf(text, sizeof(text), result < 0 ? "error %s\n" : "ok\n", error->text);
	for (int i = 0; i + 1 < length; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	(void)send(leases->fd, text, (size_t)length, MSG_NOSIGNAL);
}

static void serve_line(struct run_leases *leases, const char *line)
{
	struct error error = {.text = ""};
	int result;

	if (strncmp(line, "open ", strlen("open ")) == 0)
		result = open_tool(leases, line + strlen("open "), &error);
	else if (strncmp(line, "close ", strlen("close ")) == 0)
		result = close_tool(leases, line + strlen("close "), &error);
	else
		result =
			error_set(&error, STATUS_UNUSABLE, "write \"open TOOL\" or \"close TOOL\"");
	answer(leases, result, &error);
}

/* Whoever knew of calls is gone. */
static void close_all(struct run_leases *leases)
{
	struct error ignored;

	leases->fd = -1;
	leases->open = 0;
	if (leases->own)
		leases_drop(leases->own, leases->cgroup);
	else
		(void)!ask_daemon(leases, "drop", NULL, &ignored);
}

void run_leases_serve(struct run_leases *leases)
{
	const ssize_t got = recv(leases->fd, leases->line + leases->used,
				 sizeof(leases->line) - leases->used, MSG_DONTWAIT);
	char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		close_all(leases);
		return;
	}
	leases->used += (size_t)got;
	while ((end = memchr(leases->line, '\n', leases->used)) != NULL) {
		const size_t length = (size_t)(end - leases->line) + 1;

		*end = '\0';
		serve_line(leases, leases->line);
		memmove(leases->line, leases->line + length, leases->used - length);
		leases->used -= length;
	}
	if (leases->used == sizeof(leases->line))
		close_all(leases);
}

void run_leases_renew(struct run_leases *leases)
{
	struct error ignored;
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (leases->open == 0 || now.tv_sec == leases->renewed)
		return;
	leases->renewed = now.tv_sec;
	if (leases->own)
		leases_renew(leases->own, leases->cgroup, LEASE_TTL_NS);
	else
		(void)!ask_daemon(leases, "renew", NULL, &ignored);
}
