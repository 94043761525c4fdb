// SPDX-License-Identifier: Apache-2.0
/* agentpol log show, follow and stats */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>

#include "agentpol/commands.h"
#include "audit/counts_report.h"
#include "audit/egress_report.h"
#include "audit/query.h"
#include "audit/since.h"
#include "audit/store.h"

static const char usage[] =
	"Usage: agentpol log show   [--agent NAME] [--kind KIND] [--verdict VERDICT] [--since "
	"TIME]\n"
	"       agentpol log follow [the same]\n"
	"       agentpol log stats  [the same] [--egress]\n"
	"\n"
	"Shows the audit log's records; follow goes on with those that come, and waits for a log\n"
	"that is not there yet. stats counts them by agent, kind, verdict and reason; with "
	"--egress\n"
	"it lists every destination: names, addresses, processes, bytes, and the rule that grants\n"
	"it or the edit that would.\n"
	"\n"
	"  -a, --agent NAME      of that agent alone\n"
	"  -k, --kind KIND       connect, listen, socket, dns, traffic, agent, lost\n"
	"  -v, --verdict VERDICT allow, deny, would-deny, noted\n"
	"  -s, --since TIME      of then and later: 30min, 2h, 7d, or 2026-11-23T09:20 (UTC)\n"
	"      --egress          what was reached, or tried (stats alone)\n"
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

/* ---- */

struct arguments {
	const char *folder;
	struct audit_filter filter;
	char since[AUDIT_TIME_ROOM];
	bool egress, help;
	struct showing showing;
};

static int run_show(struct arguments *arguments, struct error *error)
{
	size_t offset = 0;

	return audit_query(arguments->folder, &arguments->filter, &offset, show,
			   &arguments->showing, error);
}

static int run_follow(struct arguments *arguments, struct error *error)
{
	size_t offset = 0;

	return follow(arguments->folder, &arguments->filter, &offset, &arguments->showing, error);
}

static int run_stats(struct arguments *arguments, struct error *error)
{
	int (*report)(const char *folder, const struct audit_filter *filter, bool json, FILE *out,
		      struct error *error_of_it) =
		arguments->egress ? egress_report : counts_report;

	return report(arguments->folder, &arguments->filter, arguments->showing.json, stdout,
		      error);
}

static const struct {
	const char *name;
	int (*run)(struct arguments *arguments, struct error *error);
} verbs[] = {{"show", run_show}, {"follow", run_follow}, {"stats", run_stats}};

/* NULL-terminated lists; NULL is any. */
static bool is_word_of(const char *word, const char *const *words)
{
	for (; word && *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return !word;
}

static int take_since(struct arguments *arguments, const char *text)
{
	if (!since_parse(text, audit_time_now(), arguments->since))
		return command_usage("log",
				     "--since %s: say how long ago (30min, 2h, 7d) or a time in "
				     "UTC (2026-11-23T09:20)",
				     text);
	arguments->filter.since = arguments->since;
	return 0;
}

static int parse(int argc, char **argv, struct arguments *arguments)
{
	enum { OPTION_LOG = 256, OPTION_FORMAT, OPTION_EGRESS };
	static const struct option options[] = {
		{"agent", required_argument, NULL, 'a'},
		{"kind", required_argument, NULL, 'k'},
		{"verdict", required_argument, NULL, 'v'},
		{"since", required_argument, NULL, 's'},
		{"egress", no_argument, NULL, OPTION_EGRESS},
		{"log", required_argument, NULL, OPTION_LOG},
		{"format", required_argument, NULL, OPTION_FORMAT},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, status = 0;

	while (!status && (option = getopt_long(argc, argv, "a:k:v:s:h", options, NULL)) != -1) {
		switch (option) {
		case 'a':
			arguments->filter.agent = optarg;
			break;
		case 'k':
			arguments->filter.kind = optarg;
			break;
		case 'v':
			arguments->filter.verdict = optarg;
			break;
		case 's':
			status = take_since(arguments, optarg);
			break;
		case OPTION_EGRESS:
			arguments->egress = true;
			break;
		case OPTION_LOG:
			arguments->folder = optarg;
			break;
		case OPTION_FORMAT:
			status = command_read_format("log", optarg, &arguments->showing.json);
			break;
		case 'h':
			arguments->help = true;
			return 0;
		default:
			return command_usage("log", "wrong option");
		}
	}
	return status;
}

int cmd_log(int argc, char **argv)
{
	struct arguments arguments = {
		.folder = AUDIT_FOLDER_DEFAULT,
		.showing = {.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")}};
	const struct audit_filter *filter = &arguments.filter;
	const char *name;
	struct error error;
	int status = parse(argc, argv, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage, stdout);
		return STATUS_DONE;
	}
	name = optind < argc ? argv[optind] : "show";
	if (!is_word_of(filter->kind, audit_kinds) || !is_word_of(filter->verdict, audit_verdicts))
		return command_usage("log", "no record has that kind or verdict; see --help");
	if (arguments.egress && strcmp(name, "stats") != 0)
		return command_usage("log", "--egress goes with `agentpol log stats`");
	for (size_t i = 0; i < ARRAY_SIZE(verbs) && optind + 1 >= argc; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return verbs[i].run(&arguments, &error) < 0 ? command_fail("log", &error)
								    : STATUS_DONE;
	return command_usage("log", "say `agentpol log show`, `agentpol log follow` or `agentpol "
				    "log stats`");
}
