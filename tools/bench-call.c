// SPDX-License-Identifier: Apache-2.0
/*
 * What `agentpol mcp` adds to a tool call over standard input and output: 1,000 calls a second of
 * one agent, against a server that echoes at once and against server-everything, where npm has it.
 * With and without the gateway in turns, so that the machine's moods meet both.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "tools/bench.h"

#define CALLS	  5000
#define TURNS	  3
#define PERIOD_NS 1000000L /* 1,000 a second */
#define NS_PER_US 1000.0
#define LINE_ROOM 65536
#define EVERYTHING                                                                        \
	"/var/cache/agentpol-tests/node_modules/@modelcontextprotocol/server-everything/" \
	"dist/index.js"

static const char manifest[] =
	"{\"agentpol\": 1, \"name\": \"bench\", \"audit\": {\"allowed\": []}, \"tools\": {"
	"\"echo\": {\"effect\": \"read\", \"arguments\": {\"/message\": {\"maxLength\": 100}}}}}";

struct peer {
	pid_t pid;
	FILE *to, *from;
};

/* ---- the server that echoes ---- */

static int echo(void)
{
	static char line[LINE_ROOM];
	long id;

	while (fgets(line, sizeof(line), stdin)) {
		const char *at = strstr(line, "\"id\":");

		if (!at)
			continue;
		id = strtol(at + 5, NULL, 10);
		printf("{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":{\"content\":[{\"type\":"
		       "\"text\","
		       "\"text\":\"Echo: hello\"}]}}\n",
		       id);
		(void)fflush(stdout);
	}
	return 0;
}

/* ---- the client ---- */

static struct peer start(char *const *command)
{
	struct peer peer;
	int in[2], out[2];

	if (pipe(in) < 0 || pipe(out) < 0)
		bench_die(NULL, "pipe");
	peer.pid = fork();
	if (peer.pid < 0)
		bench_die(NULL, "fork");
	if (peer.pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)close(in[1]);
		(void)close(out[0]);
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		(void)execvp(command[0], command);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	peer.to = fdopen(in[1], "w");
	peer.from = fdopen(out[0], "r");
	if (!peer.to || !peer.from)
		bench_die(NULL, "fdopen");
	return peer;
}

static void end(struct peer *peer)
{
	(void)fclose(peer->to);
	(void)fclose(peer->from);
	(void)waitpid(peer->pid, NULL, 0);
}

/* Until the answer of that id; what else is said is passed over. */
static void wait_answer(const struct peer *peer, long id)
{
	static char line[LINE_ROOM];
	char wanted[32];

	(void)snprintf(wanted, sizeof(wanted), "\"id\":%ld", id);
	do
		if (!fgets(line, sizeof(line), peer->from))
			bench_die(NULL, "the server has ended");
	while (!strstr(line, wanted));
	if (strstr(line, "\"isError\":true") || strstr(line, "\"error\":{"))
		bench_die(NULL, "denied: %s", line);
}

static double call(const struct peer *peer, long id)
{
	const double before = bench_now_ns();

	(void)fprintf(peer->to,
		      "{\"jsonrpc\":\"2.0\",\"id\":%ld,\"method\":\"tools/call\",\"params\":{"
		      "\"name\":\"echo\",\"arguments\":{\"message\":\"hello\"}}}\n",
		      id);
	(void)fflush(peer->to);
	wait_answer(peer, id);
	return bench_now_ns() - before;
}

static void shake_hands(const struct peer *peer)
{
	(void)fputs(
		"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
		"\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":"
		"\"bench\",\"version\":\"1\"}}}\n",
		peer->to);
	(void)fflush(peer->to);
	wait_answer(peer, 0);
	(void)fputs("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n", peer->to);
	(void)fflush(peer->to);
}

static void measure(char *const *command, double *values)
{
	struct peer peer = start(command);
	struct timespec next;

	shake_hands(&peer);
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (long i = 0; i < CALLS; i++) {
		next.tv_nsec += PERIOD_NS;
		next.tv_sec += next.tv_nsec / 1000000000L;
		next.tv_nsec %= 1000000000L;
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		values[i] = call(&peer, i + 1);
	}
	end(&peer);
}

static void compare(const char *name, char *const *plain, char *const *gated)
{
	static double without[CALLS * TURNS], with[CALLS * TURNS];
	const size_t count = (size_t)CALLS * TURNS;

	for (size_t i = 0; i < TURNS; i++) {
		measure(plain, without + i * CALLS);
		measure(gated, with + i * CALLS);
	}
	for (size_t i = 0; i < 2; i++) {
		const double share = i ? 0.99 : 0.5;
		const double a = bench_quantile(without, count, share) / NS_PER_US,
			     b = bench_quantile(with, count, share) / NS_PER_US;

		printf("%-18s %s  %7.1f us without, %7.1f us with: %+.1f us\n", name,
		       i ? "p99" : "p50", a, b, b - a);
	}
}

static char *write_manifest(void)
{
	static char path[] = "/tmp/bench-call-XXXXXX";
	const int fd = mkstemp(path);

	if (fd < 0 || write(fd, manifest, strlen(manifest)) != (ssize_t)strlen(manifest))
		bench_die(NULL, "%s", path);
	(void)close(fd);
	return path;
}

int main(int argc, char **argv)
{
	char *agentpol = getenv("AGENTPOL") ? getenv("AGENTPOL") : "build/agentpol";
	char *file, *log = "/nonexistent/bench";

	if (argc > 1 && strcmp(argv[1], "echo") == 0)
		return echo();
	file = write_manifest();
	(void)signal(SIGPIPE, SIG_IGN);
	{
		char *plain[] = {argv[0], "echo", NULL};
		char *gated[] = {agentpol, "mcp", "-m", file,	 "-q",	 "--standalone",
				 "--log",  log,	  "--", argv[0], "echo", NULL};

		compare("echo server", plain, gated);
	}
	if (access(EVERYTHING, R_OK) == 0) {
		char *plain[] = {"node", EVERYTHING, NULL};
		char *gated[] = {agentpol, "mcp", "-m", file,	"-q",	    "--standalone",
				 "--log",  log,	  "--", "node", EVERYTHING, NULL};

		compare("server-everything", plain, gated);
	}
	(void)unlink(file);
	return 0;
}
