// SPDX-License-Identifier: Apache-2.0
/* `agentpol sql snapshot`: a server's catalog into a file, as far as one policy needs it. psql
 * connects: it knows services, passwords, sockets and TLS as its user has set them up. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "agentpol/commands.h"
#include "agentpol/sql_tool.h"
#include "manifest/manifest.h"
#include "sql/catalog.h"

/* A snapshot names the granted relations alone; this is far beyond any. */
#define SNAPSHOT_MAX (64UL << 20)

static const char help[] =
	"Usage: agentpol sql snapshot -m MANIFEST --tool NAME [-- PSQL-ARGUMENT...]\n"
	"Asks a server, through psql, for the part of its catalog that decisions about the\n"
	"tool's SQL need, and prints it: a file for `agentpol decide --schema`.\n\n"
	"  -m, --manifest=FILE  the manifest\n"
	"      --tool=NAME      the tool whose \"sql\" it is; may be left out where only one has "
	"it\n"
	"  -h, --help           this text\n\n"
	"What follows -- is psql's: agentpol sql snapshot -m m.json --tool q -- -h db -d shop\n";

/* Becomes psql, with standard output into `output`; returns only where that failed. */
static int become_psql(const char *query, char *const *arguments, int count, int output)
{
	const char *const fixed[] = {"psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"};
	char **argv = calloc(ARRAY_SIZE(fixed) + (size_t)count + 3, sizeof(*argv));
	size_t used = 0;

	if (!argv || dup2(output, STDOUT_FILENO) < 0)
		return STATUS_SYSTEM;
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		argv[used++] = (char *)(uintptr_t)fixed[i];
	/* Before the user's own words: one that is no option is psql's database name. */
	argv[used++] = (char *)(uintptr_t) "-c";
	argv[used++] = (char *)(uintptr_t)query;
	for (int i = 0; i < count; i++)
		argv[used++] = arguments[i];
	(void)execvp(argv[0], argv);
	(void)fprintf(stderr, "agentpol sql snapshot: psql: %s\n", strerror(errno));
	return STATUS_SYSTEM;
}

/* All that comes until the end; NULL with *error set. */
static char *read_answer(int fd, size_t *length, struct error *error)
{
	size_t room = 65536, used = 0;
	char *text = malloc(room + 1), *more;
	ssize_t got = 1;

	while (text && got != 0 && used < SNAPSHOT_MAX) {
		got = read(fd, text + used, room - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		used += (size_t)got;
		if (used < room)
			continue;
		room *= 2;
		more = realloc(text, room + 1);
		if (!more) {
			free(text);
			text = NULL;
			break;
		}
		text = more;
	}
	if (text && got == 0) {
		text[used] = '\0';
		*length = used;
		return text;
	}
	if (!text)
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
	else if (got < 0)
		(void)error_set_errno(error, STATUS_SYSTEM, errno, "psql's answer");
	else
		(void)error_set(error, STATUS_UNUSABLE, "psql's answer is longer than %lu bytes",
				SNAPSHOT_MAX);
	free(text);
	return NULL;
}

/* Runs psql; *text is its answer, owned by the caller. */
static int ask_psql(const char *query, char *const *arguments, int count, char **text,
		    size_t *length, struct error *error)
{
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "pipe");
	child = fork();
	if (child == 0)
		_exit(become_psql(query, arguments, count, ends[1]));
	(void)close(ends[1]);
	if (child < 0) {
		(void)close(ends[0]);
		return error_set_errno(error, STATUS_SYSTEM, errno, "fork");
	}
	*text = read_answer(ends[0], length, error);
	(void)close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!*text)
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(error, STATUS_SYSTEM, "psql did not answer");
	return 0;
}

static int take_snapshot(const struct tool *tool, char *const *arguments, int count,
			 struct error *error)
{
	struct arena *arena = arena_new();
	const char *query = arena ? sql_catalog_query(tool->sql, arena) : NULL;
	_cleanup_sql_catalog_ struct sql_catalog *catalog = NULL;
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	int result = -1;

	if (!query)
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
	else
		result = ask_psql(query, arguments, count, &text, &length, error);
	arena_free(arena);
	if (result != 0)
		return result;
	catalog = sql_catalog_read(text, length, error);
	if (!catalog)
		return error_wrap(error, "psql's answer");
	if (fwrite(text, 1, length, stdout) != length || fflush(stdout) != 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "standard output");
	return 0;
}

int cmd_sql_snapshot(int argc, char **argv)
{
	static const struct option options[] = {
		{"manifest", required_argument, NULL, 'm'},
		{"tool", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *manifest = NULL, *name = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	const struct tool *tool;
	struct error error;
	int option;

	while ((option = getopt_long(argc, argv, "+m:h", options, NULL)) >= 0) {
		switch (option) {
		case 'm':
			manifest = optarg;
			break;
		case 't':
			name = optarg;
			break;
		case 'h':
			(void)fputs(help, stdout);
			return STATUS_DONE;
		default:
			return command_usage("sql snapshot", "unknown option");
		}
	}
	if (!manifest)
		return command_usage("sql snapshot", "a manifest is needed: -m MANIFEST");
	policy = manifest_read_file(manifest, NULL, &error);
	if (!policy)
		return command_fail("sql snapshot", &error);
	tool = sql_tool_find(policy, name, &error);
	if (!tool || take_snapshot(tool, argv + optind, argc - optind, &error) != 0)
		return command_fail("sql snapshot", &error);
	return STATUS_DONE;
}
