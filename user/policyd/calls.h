/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sessions of tool calls that policyd keeps, by the agent's name, and the questions that wait
 * for a person. Gateways (`agentpol mcp`) judge what a call's arguments are; here, where all
 * gateways of an agent meet, order, budgets and people are judged. No argument comes here but
 * digests, and what a person is shown, which is passed on and not read.
 */
#ifndef AGENTPOL_POLICYD_CALLS_H
#define AGENTPOL_POLICYD_CALLS_H

#include <event2/event.h>

#include "call/session.h"
#include "policyd/agents.h"

struct calls;
struct call_link; /* one gateway */

/* Lines for a gateway that come when they come: answers of people. */
typedef void (*call_link_send)(const char *line, size_t length, void *context);

/* Sessions outlive the daemon in `state_folder`. */
struct calls *calls_new(struct event_base *base, const char *state_folder,
			struct error *error) MUST_USE;
/* Writes what is not written yet. Accepts NULL. */
void calls_free(struct calls *calls);
/* Whose cgroups are frozen or killed where a manifest says so. */
void calls_set_agents(struct calls *calls, const struct agents *agents);

/* A gateway comes, with its manifest: the session of that name goes on, under this version. */
struct call_link *call_link_open(struct calls *calls, const char *manifest, size_t length,
				 call_link_send send, void *context, struct error *error) MUST_USE;
/* It is gone: its questions are withdrawn, what is under way has not succeeded. Accepts NULL. */
void call_link_close(struct call_link *link);

/*
 * What a gateway asks and tells; request and answer as control.h has them.
 *   begin:    {"tool": NAME or null, "values": [DIGEST...], "shown": TEXT}
 *             -> {"number": N, "verdict": ..., as `agentpol decide` writes it}; with "ask", the
 *             line {"number": N, "verdict": ...} comes later
 *   end:      {"number": N, "succeeded": BOOL, "values": [DIGEST...]}
 *   denied:   {"verdict": "deny" or "undecided"} -> {"abandon": BOOL}
 *   withdraw: {"number": N}
 */
int call_link_begin(struct call_link *link, const json_value *request, struct json_writer *answer,
		    struct error *error) MUST_USE;
int call_link_end(struct call_link *link, const json_value *request, struct error *error) MUST_USE;
int call_link_denied(struct call_link *link, const json_value *request, struct json_writer *answer,
		     struct error *error) MUST_USE;
int call_link_withdraw(struct call_link *link, const json_value *request,
		       struct error *error) MUST_USE;

/* [{"id", "agent", "tool", "arguments": TEXT, "seconds_left"}], the oldest first. */
void calls_write_questions(const struct calls *calls, struct json_writer *answer);
/* A person's answer; STATUS_UNUSABLE where nothing of that number waits. */
int calls_answer_question(struct calls *calls, uint64_t id, bool yes, struct error *error) MUST_USE;
/* [{"agent", "policy", "calls", "denials", "confirmations", "of": {...}, "exhausted", "gateways",
 * "waiting"}] */
void calls_write_sessions(const struct calls *calls, struct json_writer *answer);
/* Begins a session anew; STATUS_UNUSABLE where there is none of that name. */
int calls_reset(struct calls *calls, const char *agent, struct error *error) MUST_USE;

#endif
