/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper of sessions holds; calls*.c alone use it. */
#ifndef AGENTPOL_POLICYD_CALLS_INTERNAL_H
#define AGENTPOL_POLICYD_CALLS_INTERNAL_H

#include "policyd/calls.h"

/* An agent's session; lives as long as the daemon. */
struct kept_session {
	struct kept_session *next;
	struct policy *policy;	      /* owned */
	struct call_session *session; /* owned */
	char name[AGENT_NAME_MAX + 1];
	bool changed;  /* not written yet */
	bool punished; /* on_exhausted has been done */
};

/* A call that is under way, or waits for a person. */
struct open_call {
	struct open_call *next;
	struct call_link *link;
	uint64_t number;
	struct call_claim claim; /* tool: of the session's policy; found anew after a reset */
	char tool[TOOL_NAME_MAX + 1];
	char *shown;	     /* owned; a question alone */
	struct event *timer; /* owned; a question alone */
	uint64_t until_ns;   /* a question alone */
};

struct call_link {
	struct call_link *next;
	struct calls *calls;
	struct kept_session *kept;
	call_link_send send;
	void *context;
};

struct calls {
	struct event_base *base;
	const struct agents *agents; /* NULL: not known yet */
	struct event *flush;	     /* owned: writes what has changed */
	struct kept_session *sessions;
	struct call_link *links;
	struct open_call *open; /* the newest first */
	size_t open_count;
	uint64_t last_number;
	char folder[PATH_MAX];
};

uint64_t calls_now_ns(void);
/* It is written soon. */
void calls_mark(struct calls *calls, struct kept_session *kept);
/* The session of a manifest, made or taken from disk; adopts this version of the manifest. */
struct kept_session *calls_keep(struct calls *calls, const char *manifest, size_t length,
				struct error *error) MUST_USE;
void calls_write_changed(struct calls *calls);
void calls_free_sessions(struct calls *calls);
/* What the manifest's on_exhausted says, once. */
void calls_punish(struct calls *calls, struct kept_session *kept);
void open_call_free(struct calls *calls, struct open_call *call);

#endif
