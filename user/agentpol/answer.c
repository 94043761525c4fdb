// SPDX-License-Identifier: Apache-2.0
#include "agentpol/answer.h"

#include <string.h>

#include "agentpol/sql_tool.h"
#include "policy/verdict_json.h"

int judge_open(struct judge *judge, const struct policy *policy, const char *schema_path,
	       struct error *error)
{
	judge->policy = policy;
	judge->sessions = call_sessions_new(policy, error);
	if (!judge->sessions)
		return -1;
	if (!schema_path)
		return 0;
	judge->catalog = sql_schema_read_file(schema_path, error);
	return judge->catalog ? 0 : -1;
}

void judge_close(struct judge *judge)
{
	sql_catalog_free(judge->catalog);
	call_sessions_free(judge->sessions);
	arena_free(judge->arena);
	*judge = (struct judge){0};
}

void judge_forget(struct judge *judge)
{
	call_sessions_forget(judge->sessions);
}

/* Of this answer; NULL, and the answer says so, without memory. */
static struct arena *new_arena(struct judge *judge, struct answer *answer)
{
	arena_free(judge->arena);
	judge->arena = arena_new();
	if (!judge->arena) {
		answer->verdict.kind = VERDICT_UNDECIDED;
		answer->verdict.reason = "memory";
	}
	return judge->arena;
}

static void answer_sql(struct judge *judge, const struct request *request, struct answer *answer)
{
	struct sql_decision decision;

	if (!new_arena(judge, answer))
		return;
	sql_tool_decide(judge->policy, request->tool, judge->catalog, request->sql, judge->arena,
			&decision);
	answer->verdict = decision.verdict;
	answer->assumes = decision.assumes;
}

static void answer_call(struct judge *judge, const json_value *object, struct answer *answer)
{
	struct call_decision decision;

	answer->is_call = true;
	if (!new_arena(judge, answer))
		return;
	call_sessions_call(judge->sessions, object, judge->now_ns, judge->catalog, judge->arena,
			   &decision);
	answer->verdict = decision.verdict;
	answer->assumes = decision.assumes;
	answer->retryable = decision.retryable;
	answer->abandon = decision.abandon;
}

void answer_request(struct judge *judge, enum request_use use, const json_value *object,
		    const struct request *request, struct answer *answer)
{
	*answer = (struct answer){0};
	switch (use) {
	case USE_DECIDE:
		policy_decide(judge->policy, request, &answer->verdict);
		break;
	case USE_SQL:
		answer_sql(judge, request, answer);
		break;
	case USE_CALL:
		answer_call(judge, object, answer);
		break;
	case USE_RESULT:
		call_sessions_result(judge->sessions, object, judge->now_ns);
		answer->word = "noted";
		answer->allowed = true;
		return;
	}
	answer->word = verdict_name(answer->verdict.kind);
	answer->allowed = answer->verdict.kind == VERDICT_ALLOW;
}

int answer_json(struct judge *judge, const json_value *object, struct answer *answer,
		struct error *error)
{
	struct request request;
	enum request_use use;

	if (request_from_json(object, &use, &request, error) < 0)
		return -1;
	answer_request(judge, use, object, &request, answer);
	return 0;
}

void answer_write(const struct answer *answer, struct json_writer *writer)
{
	if (strcmp(answer->word, "noted") == 0)
		json_key_string(writer, "verdict", answer->word);
	else
		verdict_write(writer, &answer->verdict, &answer->assumes);
	if (!answer->is_call || answer->verdict.kind == VERDICT_ALLOW)
		return;
	json_key_boolean(writer, "retryable", answer->retryable);
	json_key_boolean(writer, "abandon", answer->abandon);
}
