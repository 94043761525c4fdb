// SPDX-License-Identifier: Apache-2.0
/* agentpol log show, agentpol log follow */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>

#include "agentpol/commands.h"
#include "audit/query.h"
#include "audit/store.h"

static const char usage[] =
	"Usage: agentpol log show   [--agent NAME] [--kind KIND] [--verdict VERDICT]\n"
	"       agentpol log follow [the same]\n"
	"\n"
	"Shows the audit log's records; follow goes on with those that come, and waits for a log\n"
	"that is not there yet.\n"
	"\n"
	"  -a, --agent NAME      of that agent alone\n"
	"  -k, --kind KIND       connect, listen, socket, agent, lost\n"
	"  -v, --verdict VERDICT allow, deny, would-deny, noted\n"
	"      --log FOLDER      where the log is (default " AUDIT_FOLDER_DEFAULT ")\n"
	"      --format text|json\n"
	"  -h, --help\n";

/* Where the folder can't be watched (another file system's limits), look so often. */
#define LOOK_AGAIN_MS 250

struct showing {
	bool json, colour;
};

static int show(const char *line, void *context)
{
	const struct showing *showing = context;

	if (showing->json)
		(void)puts(line);
	else if (!audit_print_line(line, showing->colour, stdout))
		return -1;
	return ferror(stdout) ? -1 : 0;
}

/* Goes on until standard output is closed or a signal comes. */
static int follow(const char *folder, const struct audit_filter *filter, size_t *offset,
		  struct showing *showing, struct error *error)
{
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd poller = {.fd = watch, .events = POLLIN};
	char changes[4096];

	if (watch >= 0 && inotify_add_watch(watch, folder, IN_MODIFY) < 0)
		poller.fd = -1;
	while (fflush(stdout) == 0) {
		struct error absent;

		if (poll(&poller, 1, LOOK_AGAIN_MS) < 0 && errno != EINTR)
			return error_set_errno(error, STATUS_SYSTEM, errno, "poll");
		while (watch >= 0 && read(watch, changes, sizeof(changes)) > 0)
			;
		if (audit_query(folder, filter, offset, show, showing, &absent) < 0 &&
		    absent.status == STATUS_NO) {
			*error = absent;
			return -1;
		}
	}
	return 0;
}

/* NULL-terminated lists; NULL is any. */
static bool is_word_of(const char *word, const char *const *words)
{
	for (; word && *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return !word;
}

int cmd_log(int argc, char **argv)
{
	enum { OPTION_LOG = 256, OPTION_FORMAT };
	static const struct option options[] = {
		{"agent", required_argument, NULL, 'a'},
		{"kind", required_argument, NULL, 'k'},
		{"verdict", required_argument, NULL, 'v'},
		{"log", required_argument, NULL, OPTION_LOG},
		{"format", required_argument, NULL, OPTION_FORMAT},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct showing showing = {.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
	struct audit_filter filter = {0};
	const char *folder = AUDIT_FOLDER_DEFAULT, *verb;
	size_t offset = 0;
	struct error error;
	int option, result;

	while ((option = getopt_long(argc, argv, "a:k:v:h", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			filter.agent = optarg;
			break;
		case 'k':
			filter.kind = optarg;
			break;
		case 'v':
			filter.verdict = optarg;
			break;
		case OPTION_LOG:
			folder = optarg;
			break;
		case OPTION_FORMAT:
			if (command_read_format("log", optarg, &showing.json))
				return STATUS_UNUSABLE;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return STATUS_DONE;
		default:
			return command_usage("log", "wrong option");
		}
	}
	verb = optind < argc ? argv[optind] : "show";
	if (optind + 1 < argc || (strcmp(verb, "show") != 0 && strcmp(verb, "follow") != 0))
		return command_usage("log", "say `agentpol log show` or `agentpol log follow`");
	if (!is_word_of(filter.kind, audit_kinds) || !is_word_of(filter.verdict, audit_verdicts))
		return command_usage("log", "no record has that kind or verdict; see --help");
	if (strcmp(verb, "show") == 0)
		result = audit_query(folder, &filter, &offset, show, &showing, &error);
	else
		result = follow(folder, &filter, &offset, &showing, &error);
	return result < 0 ? command_fail("log", &error) : STATUS_DONE;
}
