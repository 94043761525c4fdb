// SPDX-License-Identifier: Apache-2.0
#include "policyd/sweep_report.h"

#include <string.h>
#include <sys/socket.h>

#include "policyd/explain.h"

/* Of each list, in the answer; the log has all that is not allowed. */
#define LISTED_MAX 4096

void sweep_report_open(struct sweep_report *report, struct monitor *monitor,
		       const struct agent *agent)
{
	report->monitor = monitor;
	report->agent = agent;
	for (size_t i = 0; i < REPORT_LISTS; i++)
		json_open_array(&report->lists[i]);
}

void sweep_report_free(struct sweep_report *report)
{
	for (size_t i = 0; i < REPORT_LISTS; i++)
		json_writer_free(&report->lists[i]);
}

static bool has_peer(const struct open_socket *socket)
{
	return socket->state == SOCKET_CONNECTED;
}

static void write_end(struct json_writer *writer, const char *key, const struct ip_address *address,
		      uint16_t port)
{
	char text[ADDRESS_TEXT_MAX];

	address_format(address, text);
	json_key(writer, key);
	json_open_object(writer);
	json_key_string(writer, "address", text);
	json_key_unsigned(writer, "port", port);
	json_close_object(writer);
}

static const char *state_name(const struct open_socket *socket)
{
	static const char *const names[] = {
		[SOCKET_UNCONNECTED] = "unconnected",
		[SOCKET_CONNECTED] = "connected",
		[SOCKET_LISTENING] = "listening",
	};

	return names[socket->state];
}

/* One of the answer's lists. */
static void write_socket(struct json_writer *writer, const struct open_socket *socket,
			 const char *exe, const char *verdict, const char *message)
{
	json_open_object(writer);
	json_key_string(writer, "protocol", judge_protocol_name(socket));
	json_key_string(writer, "state", state_name(socket));
	write_end(writer, "local", &socket->local, socket->local_port);
	if (has_peer(socket)) {
		write_end(writer, "remote", &socket->remote, socket->remote_port);
	} else {
		json_key(writer, "remote");
		json_null(writer);
	}
	json_key(writer, "pid");
	if (socket->pid)
		json_unsigned(writer, (uint64_t)socket->pid);
	else
		json_null(writer);
	json_key_string(writer, "exe", exe[0] ? exe : NULL);
	json_key_string(writer, "verdict", verdict);
	json_key_boolean(writer, "foreign", socket->foreign);
	json_key_string(writer, "message", message);
	json_close_object(writer);
}

static void write_subject(const struct open_socket *socket, const char *kind,
			  struct json_writer *writer)
{
	const bool inward = strcmp(kind, "listen") == 0;
	char text[ADDRESS_TEXT_MAX], what[48];

	json_open_object(writer);
	if (strcmp(kind, "socket") == 0) {
		(void)snprintf(what, sizeof(what), "%s %s%s",
			       socket->family == AF_INET6 ? "inet6" : "inet",
			       judge_protocol_name(socket), socket->foreign ? " from outside" : "");
		json_key_string(writer, "socket", what);
	} else {
		address_format(inward ? &socket->local : &socket->remote, text);
		json_key_string(writer, "address", text);
		json_key_unsigned(writer, "port",
				  inward ? socket->local_port : socket->remote_port);
		json_key_string(writer, "proto", judge_protocol_name(socket));
		json_key_string(writer, "name", NULL);
	}
	json_close_object(writer);
}

static void tell_log(const struct sweep_report *report, const struct open_socket *socket,
		     const struct judgement *judgement, const char *exe, const char *message)
{
	const struct verdict *why = &judgement->verdict;
	_cleanup_json_writer_ struct json_writer subject = {0};
	struct audit_record record = {
		.pid = socket->pid,
		.exe = exe[0] ? exe : NULL,
		.kind = judgement->kind,
		.verdict = verdict_name(why->kind),
		.reason = why->reason,
		.rule = why->rule[0] ? why->rule : NULL,
		.message = message,
		.hint_op = why->hint_op,
		.hint_path = why->hint_path,
		.hint_value = why->hint_value,
	};

	write_subject(socket, judgement->kind, &subject);
	record.subject = json_writer_text(&subject);
	monitor_tell(report->monitor, report->agent, &record);
}

void sweep_report_add(struct sweep_report *report, enum report_list list,
		      const struct open_socket *socket, const struct judgement *judgement,
		      const char *message)
{
	char exe[EXE_ROOM];

	explain_exe(socket->pid, "", exe);
	if (judgement->verdict.kind != VERDICT_ALLOW)
		tell_log(report, socket, judgement, exe, message);
	if (report->counts[list]++ < LISTED_MAX)
		write_socket(&report->lists[list], socket, exe,
			     verdict_name(judgement->verdict.kind), message);
}

void sweep_report_write(struct sweep_report *report, struct json_writer *answer)
{
	static const char *const names[REPORT_LISTS] = {"closed", "kept"};
	size_t unlisted = 0;

	for (size_t i = 0; i < REPORT_LISTS; i++) {
		const char *list;

		json_close_array(&report->lists[i]);
		list = json_writer_text(&report->lists[i]);
		json_key(answer, names[i]);
		json_verbatim(answer, list ? list : "[]");
		if (report->counts[i] > LISTED_MAX)
			unlisted += report->counts[i] - LISTED_MAX;
	}
	json_key_unsigned(answer, "unlisted", unlisted);
}

void sweep_describe(const struct open_socket *socket, char *text, size_t room)
{
	char local[ADDRESS_TEXT_MAX], remote[ADDRESS_TEXT_MAX], exe[EXE_ROOM], peer[96] = "";

	address_format(&socket->local, local);
	address_format(&socket->remote, remote);
	explain_exe(socket->pid, "", exe);
	if (has_peer(socket))
		(void)snprintf(peer, sizeof(peer), " to %s port %u", remote, socket->remote_port);
	(void)snprintf(text, room, "%s %s port %u%s%s, %.128s (pid %d)%s",
		       judge_protocol_name(socket), local, socket->local_port,
		       socket->state == SOCKET_LISTENING ? " listening" : "", peer,
		       exe[0] ? exe : "no process", socket->pid,
		       socket->foreign ? ", made outside" : "");
	/* A path that an agent named may hold what a terminal obeys. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
}
