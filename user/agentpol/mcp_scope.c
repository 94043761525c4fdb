// SPDX-License-Identifier: Apache-2.0
#include "agentpol/mcp_scope.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* This very program, whatever has become of its file. */
#define OWN_PROGRAM "/proc/self/exe"
/* "run", its options and their values, "--". */
#define LAUNCHER_WORDS 24
#define EVERY_TOOL     "*"

static size_t count_words(char **command)
{
	size_t count = 0;

	while (command[count])
		count++;
	return count;
}

static void add(const char **words, size_t *count, const char *option, const char *value)
{
	words[(*count)++] = option;
	if (value)
		words[(*count)++] = value;
}

static void add_options(const struct mcp_scope *scope, const struct mcp_server *server,
			const char **words, size_t *count)
{
	add(words, count, OWN_PROGRAM, NULL);
	add(words, count, "run", NULL);
	add(words, count, "--manifest", scope->manifest);
	add(words, count, "--tool", EVERY_TOOL);
	add(words, count, "--leases", server->lease_text);
	add(words, count, "--log", scope->log);
	add(words, count, "--socket", scope->socket);
	if (scope->user)
		add(words, count, "--user", scope->user);
	if (scope->standalone)
		add(words, count, "--standalone", NULL);
	if (scope->quiet)
		add(words, count, "--quiet", NULL);
	if (scope->allow_degraded)
		add(words, count, "--allow-degraded", NULL);
	add(words, count, "--", NULL);
}

int mcp_scope_wrap(const struct mcp_scope *scope, struct mcp_server *server, int *fd,
		   struct error *error)
{
	const size_t given = count_words(server->command);
	size_t count = 0;
	int ends[2];

	if (geteuid() != 0)
		return error_set(error, STATUS_SYSTEM,
				 "--tool-scope puts the server under a policy, which needs root; "
				 "use sudo (and --user to run the server as somebody else)");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "socketpair");
	*fd = ends[0];
	server->lease_fd = ends[1];
	(void)snprintf(server->lease_text, sizeof(server->lease_text), "%d", ends[1]);
	server->wrapped = calloc(LAUNCHER_WORDS + given + 1, sizeof(*server->wrapped));
	if (!server->wrapped)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	add_options(scope, server, (const char **)server->wrapped, &count);
	memcpy(server->wrapped + count, server->command, given * sizeof(*server->command));
	server->command = server->wrapped;
	return 0;
}

void mcp_scope_free(struct mcp_server *server)
{
	free(server->wrapped);
	server->wrapped = NULL;
}
