// SPDX-License-Identifier: Apache-2.0
/* agentpol ps, agentpol reload: what is in force, and reading manifests anew. */
#include <getopt.h>
#include <string.h>

#include "agentpol/commands.h"
#include "agentpol/daemon.h"
#include "agentpol/daemon_options.h"
#include "policyd/config.h"

static const char usage_ps[] =
	"Usage: agentpol ps [--format text|json]\n"
	"\n"
	"Lists the agents that policyd holds under a manifest, and what is effective of it: the\n"
	"kernel is asked, not the intention repeated. Exit status 1 where enforcement of an agent\n"
	"is not effective.\n"
	"\n"
	"      --format text|json\n"
	"      --socket PATH     policyd's socket (default " SOCKET_PATH_DEFAULT ")\n"
	"  -h, --help\n";

static const char usage_reload[] =
	"Usage: agentpol reload\n"
	"\n"
	"Makes policyd read its agents' manifests again; each is exchanged in one step. One that "
	"is\n"
	"not usable keeps what it has, and the exit status says so.\n"
	"\n"
	"      --socket PATH     policyd's socket (default " SOCKET_PATH_DEFAULT ")\n"
	"  -h, --help\n";

static struct json_document *ask(const struct daemon_options *arguments, const char *operation,
				 struct error *error)
{
	_cleanup_client_ struct client *client = client_open(arguments->socket, error);

	return client ? daemon_ask(client, operation, NULL, error) : NULL;
}

static const char *text_of(const json_value *agent, const char *key)
{
	const char *text = json_as_string(json_member(agent, key));

	return text ? text : "-";
}

/* ", connects 3 left of 20 each 60 s" */
static void print_bucket(const json_value *budget, const char *name)
{
	const json_value *bucket = json_member(budget, name);

	if (bucket)
		(void)printf(", %s: %.0f left of %.0f each %.0f s", name,
			     json_as_number(json_member(bucket, "left")),
			     json_as_number(json_member(bucket, "of")),
			     json_as_number(json_member(bucket, "seconds")));
}

static void print_budget(const json_value *budget)
{
	(void)printf("    budget %s", text_of(budget, "rule"));
	print_bucket(budget, "connects");
	print_bucket(budget, "bytes");
	(void)printf(", %.0f times denied\n", json_as_number(json_member(budget, "denied")));
}

static void print_agent(const json_value *agent)
{
	bool effective = json_as_boolean(json_member(agent, "effective"));

	(void)printf("%-20s %-8s %-7s %-10s %6.0f %9.0f %9.0f  %s\n", text_of(agent, "agent"),
		     text_of(agent, "mode"), text_of(agent, "tier"), effective ? "yes" : "NO",
		     json_as_number(json_member(agent, "processes")),
		     json_as_number(json_member(agent, "allowed")),
		     json_as_number(json_member(agent, "denied")), text_of(agent, "cgroup_path"));
	json_for_each (budget, json_member(agent, "budgets"))
		print_budget(budget);
	json_for_each (gap, json_member(agent, "not_enforced"))
		(void)printf("    %s %s: %s\n",
			     json_as_boolean(json_member(gap, "asked_for")) ? "NOT ENFORCED"
									    : "not enforced",
			     text_of(gap, "pointer"), text_of(gap, "what"));
}

/* "12 of 200", or "12" where there is no limit. */
static void print_used(const json_value *session, const char *key, const char *what)
{
	const json_value *of = json_member(json_member(session, "of"), key);

	(void)printf("  %.0f", json_as_number(json_member(session, key)));
	if (json_is_number(of))
		(void)printf(" of %.0f", json_as_number(of));
	(void)printf(" %s", what);
}

static void print_session(const json_value *session)
{
	(void)printf("session of %s:", text_of(session, "agent"));
	print_used(session, "calls", "calls");
	print_used(session, "denials", "denials");
	print_used(session, "confirmations", "questions");
	(void)printf("  %.0f waiting%s\n", json_as_number(json_member(session, "waiting")),
		     json_as_boolean(json_member(session, "exhausted")) ? "  EXHAUSTED" : "");
}

int cmd_ps(int argc, char **argv)
{
	_cleanup_json_document_ struct json_document *reply = NULL;
	_cleanup_free_ char *text = NULL, *sessions_text = NULL;
	struct daemon_options arguments;
	const json_value *agents, *sessions;
	struct error error;
	int status = daemon_options_parse(argc, argv, true, &arguments), result = STATUS_DONE;

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage_ps, stdout);
		return STATUS_DONE;
	}
	if (optind < argc)
		return command_usage(argv[0], "unexpected argument: %s", argv[optind]);
	reply = ask(&arguments, "ps", &error);
	if (!reply)
		return command_fail("ps", &error);
	agents = json_member(json_root(reply), "agents");
	sessions = json_member(json_root(reply), "sessions");
	if (arguments.json) {
		text = json_print(agents);
		sessions_text = json_print(sessions);
		(void)printf("{\"agents\":%s,\"sessions\":%s,\"events_lost\":%.0f}\n",
			     text ? text : "[]", sessions_text ? sessions_text : "[]",
			     json_as_number(json_member(json_root(reply), "events_lost")));
	} else {
		(void)printf("%-20s %-8s %-7s %-10s %6s %9s %9s  %s\n", "AGENT", "MODE", "TIER",
			     "EFFECTIVE", "PROCS", "ALLOWED", "DENIED", "CGROUP");
	}
	json_for_each (agent, agents) {
		if (!arguments.json)
			print_agent(agent);
		if (!json_as_boolean(json_member(agent, "effective")))
			result = STATUS_NO;
	}
	if (!arguments.json)
		json_for_each (session, sessions)
			print_session(session);
	return result;
}

int cmd_reload(int argc, char **argv)
{
	_cleanup_json_document_ struct json_document *reply = NULL;
	struct daemon_options arguments;
	struct error error;
	int status = daemon_options_parse(argc, argv, false, &arguments);

	if (status)
		return status;
	if (arguments.help) {
		(void)fputs(usage_reload, stdout);
		return STATUS_DONE;
	}
	if (optind < argc)
		return command_usage(argv[0], "unexpected argument: %s", argv[optind]);
	reply = ask(&arguments, "reload", &error);
	if (!reply)
		return command_fail("reload", &error);
	(void)printf("%.0f reloaded\n", json_as_number(json_member(json_root(reply), "reloaded")));
	return STATUS_DONE;
}
