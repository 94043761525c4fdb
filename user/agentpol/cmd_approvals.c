// SPDX-License-Identifier: Apache-2.0
/* agentpol approvals, approve, refuse, session: what of policyd's calls is a person's to say. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "agentpol/commands.h"
#include "agentpol/daemon.h"
#include "agentpol/daemon_options.h"
#include "policyd/config.h"

#define COMMON_USAGE                                                                   \
	"      --socket PATH     policyd's socket (default " SOCKET_PATH_DEFAULT ")\n" \
	"  -h, --help\n"

static const char usage_approvals[] =
	"Usage: agentpol approvals [--format text|json]\n"
	"\n"
	"Lists the calls of tools that wait for a person (\"confirm\": \"ask\"), the oldest "
	"first,\n"
	"whole but for secrets. One that nobody answers in time is denied.\n"
	"\n"
	"      --format text|json\n" COMMON_USAGE;

static const char usage_approve[] = "Usage: agentpol approve ID...\n"
				    "\n"
				    "Lets calls that wait go on; `agentpol approvals` lists them.\n"
				    "\n" COMMON_USAGE;

static const char usage_refuse[] = "Usage: agentpol refuse ID...\n"
				   "\n"
				   "Denies calls that wait; `agentpol approvals` lists them.\n"
				   "\n" COMMON_USAGE;

static const char usage_session[] = "Usage: agentpol session reset AGENT\n"
				    "\n"
				    "Begins an agent's session anew: no tool has been called, no "
				    "budget is used. `agentpol ps`\n"
				    "shows the sessions.\n"
				    "\n" COMMON_USAGE;

static void start_request(struct json_writer *request, const char *operation)
{
	json_open_object(request);
	json_key_string(request, "op", operation);
}

static struct json_document *finish_request(struct client *client, struct json_writer *request,
					    struct error *error)
{
	json_close_object(request);
	json_newline(request);
	return client_call(client, request, NULL, 0, error);
}

/* ---- the list ---- */

static const char *text_of(const json_value *object, const char *key)
{
	const char *text = json_as_string(json_member(object, key));

	return text ? text : "-";
}

/* What an agent wrote does not move a terminal's cursor. */
static void print_plain(const char *text)
{
	for (const char *at = text; *at; at++)
		(void)putchar((unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at);
}

static void print_question(const json_value *question)
{
	(void)printf("%6.0f  %-20s %-24s %4.0f s left\n        ",
		     json_as_number(json_member(question, "id")), text_of(question, "agent"),
		     text_of(question, "tool"),
		     json_as_number(json_member(question, "seconds_left")));
	print_plain(text_of(question, "arguments"));
	(void)putchar('\n');
}

int cmd_approvals(int argc, char **argv)
{
	_cleanup_json_document_ struct json_document *reply = NULL;
	_cleanup_client_ struct client *client = NULL;
	_cleanup_free_ char *text = NULL;
	struct daemon_options arguments;
	const json_value *list;
	struct error error;
	int status = daemon_options_parse(argc, argv, true, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage_approvals, stdout);
		return STATUS_DONE;
	}
	if (optind < argc)
		return command_usage(argv[0], "unexpected argument: %s", argv[optind]);
	client = client_open(arguments.socket, &error);
	reply = client ? daemon_ask(client, "approvals", NULL, &error) : NULL;
	if (!reply)
		return command_fail("approvals", &error);
	list = json_member(json_root(reply), "approvals");
	if (arguments.json) {
		text = json_print(list);
		(void)printf("{\"approvals\":%s}\n", text ? text : "[]");
		return STATUS_DONE;
	}
	if (json_count(list) == 0)
		(void)puts("no call waits for a person");
	json_for_each (question, list)
		print_question(question);
	return STATUS_DONE;
}

/* ---- the answers ---- */

static int answer_one(struct client *client, const char *verb, const char *written,
		      struct error *error)
{
	_cleanup_json_writer_ struct json_writer request = {0};
	_cleanup_json_document_ struct json_document *reply = NULL;
	unsigned long id;
	char *end;

	errno = 0;
	id = strtoul(written, &end, 10);
	if (errno || *end || end == written || id > UINT_MAX)
		return error_set(error, STATUS_UNUSABLE, "\"%s\" is no number of a call", written);
	start_request(&request, verb);
	json_key_unsigned(&request, "id", id);
	reply = finish_request(client, &request, error);
	return reply ? 0 : -1;
}

static int answer_all(int argc, char **argv, const char *usage)
{
	_cleanup_client_ struct client *client = NULL;
	struct daemon_options arguments;
	struct error error;
	int status = daemon_options_parse(argc, argv, false, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage, stdout);
		return STATUS_DONE;
	}
	if (optind == argc)
		return command_usage(argv[0], "which call? give its ID");
	client = client_open(arguments.socket, &error);
	if (!client)
		return command_fail(argv[0], &error);
	for (int i = optind; i < argc; i++)
		if (answer_one(client, argv[0], argv[i], &error) < 0)
			return command_fail(argv[0], &error);
	return STATUS_DONE;
}

int cmd_approve(int argc, char **argv)
{
	return answer_all(argc, argv, usage_approve);
}

int cmd_refuse(int argc, char **argv)
{
	return answer_all(argc, argv, usage_refuse);
}

/* ---- sessions ---- */

int cmd_session(int argc, char **argv)
{
	_cleanup_json_writer_ struct json_writer request = {0};
	_cleanup_json_document_ struct json_document *reply = NULL;
	_cleanup_client_ struct client *client = NULL;
	struct daemon_options arguments;
	struct error error;
	int status = daemon_options_parse(argc, argv, false, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage_session, stdout);
		return STATUS_DONE;
	}
	if (argc - optind != 2 || strcmp(argv[optind], "reset") != 0)
		return command_usage("session", "write: agentpol session reset AGENT");
	client = client_open(arguments.socket, &error);
	if (!client)
		return command_fail("session", &error);
	start_request(&request, "session-reset");
	json_key_string(&request, "agent", argv[optind + 1]);
	reply = finish_request(client, &request, &error);
	if (!reply)
		return command_fail("session", &error);
	(void)printf("the session of %s begins anew\n", argv[optind + 1]);
	return STATUS_DONE;
}
