/* SPDX-License-Identifier: Apache-2.0 */
/* What sweep.c did with each socket: told to the audit log and to who asked. */
#ifndef AGENTPOL_POLICYD_SWEEP_REPORT_H
#define AGENTPOL_POLICYD_SWEEP_REPORT_H

#include "policyd/judge.h"
#include "policyd/monitor.h"

enum report_list { REPORT_CLOSED, REPORT_KEPT, REPORT_LISTS };

struct sweep_report {
	struct monitor *monitor;
	const struct agent *agent;
	struct json_writer lists[REPORT_LISTS];
	size_t counts[REPORT_LISTS];
};

void sweep_report_open(struct sweep_report *report, struct monitor *monitor,
		       const struct agent *agent);
void sweep_report_free(struct sweep_report *report);
/* Lists it, with `message` (NULL: none); what is not allowed is a record of the log, too. */
void sweep_report_add(struct sweep_report *report, enum report_list list,
		      const struct open_socket *socket, const struct judgement *judgement,
		      const char *message);
/* Closes the lists and writes them, as members of an object that is open. */
void sweep_report_write(struct sweep_report *report, struct json_writer *answer);

/* "tcp 10.0.0.1 port 40000 to 203.0.113.9 port 443, /usr/bin/curl (pid 991)", fit for a terminal.
 */
void sweep_describe(const struct open_socket *socket, char *text, size_t room);

#endif
