/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, one answer: what `agentpol decide` writes and what policy tests compare. No
 * privileges, no daemon, no server: where a statement is judged without a snapshot of its server's
 * catalog, the answer tells what it assumes.
 */
#ifndef AGENTPOL_AGENTPOL_ANSWER_H
#define AGENTPOL_AGENTPOL_ANSWER_H

#include "agentpol/call_sessions.h"
#include "base/json_write.h"
#include "manifest/request.h"
#include "sql/catalog.h"

/* Who answers. Zero-initialised, then judge_open. */
struct judge {
	const struct policy *policy;	/* the caller's */
	struct sql_catalog *catalog;	/* owned; NULL: no snapshot was given */
	struct call_sessions *sessions; /* owned */
	struct arena *arena;		/* owned: of the last answer */
	uint64_t now_ns;		/* the time of calls, for rates: the caller's to set */
};

/* `schema_path`: a file that `agentpol sql snapshot` wrote, or NULL. Close it either way. */
int judge_open(struct judge *judge, const struct policy *policy, const char *schema_path,
	       struct error *error) MUST_USE;
void judge_close(struct judge *judge);
/* Sessions of calls begin anew. */
void judge_forget(struct judge *judge);
#define _cleanup_judge_ __attribute__((cleanup(judge_close)))

struct answer {
	const char *word; /* "allow", ..., or "noted" */
	bool allowed;	  /* or noted */
	bool is_call;	  /* of a tool: `retryable` and `abandon` are told */
	bool retryable, abandon;
	struct verdict verdict;
	struct strings assumes; /* of a statement; until the judge's next answer */
};

/* `use` and `request` as they were read from `object`; never fails. */
void answer_request(struct judge *judge, enum request_use use, const json_value *object,
		    const struct request *request, struct answer *answer);
/* The same of an object that is part of a document; -1 where it is no request. */
int answer_json(struct judge *judge, const json_value *object, struct answer *answer,
		struct error *error) MUST_USE;

/* Its members, into an object that is open. */
void answer_write(const struct answer *answer, struct json_writer *writer);

#endif
