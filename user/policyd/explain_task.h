/* SPDX-License-Identifier: Apache-2.0 */
/* Events of what a process did by itself: files, programs, system calls. For explain.c. */
#ifndef AGENTPOL_POLICYD_EXPLAIN_TASK_H
#define AGENTPOL_POLICYD_EXPLAIN_TASK_H

#include <stdbool.h>

#include "base/json_write.h"
#include "bpf/abi.h"
#include "policy/decide.h"

/* Is it one of these? */
bool explain_is_task(enum event_kind kind);
/* "exec", "file", ...: the record's kind. */
const char *explain_task_kind(enum event_kind kind);

/* The members of the record's subject. `path` is that of a file. */
void explain_task_subject(const struct denial_key *what, const char *path,
			  struct json_writer *writer);

/* Asks the decision core, and says what it can't know: *verdict of a denial is one, whatever the
 * core says of the path as text. True where the core grants it. */
bool explain_task(const struct denial_key *what, const char *path, const struct policy *policy,
		  const char *tool, struct verdict *verdict);

#endif
