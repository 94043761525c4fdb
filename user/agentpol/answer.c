// SPDX-License-Identifier: Apache-2.0
#include "agentpol/answer.h"

#include <string.h>

#include "agentpol/sql_tool.h"
#include "agentpol/verdict_json.h"

int judge_open(struct judge *judge, const struct policy *policy, const char *schema_path,
	       struct error *error)
{
	judge->policy = policy;
	if (!schema_path)
		return 0;
	judge->catalog = sql_schema_read_file(schema_path, error);
	return judge->catalog ? 0 : -1;
}

void judge_close(struct judge *judge)
{
	sql_catalog_free(judge->catalog);
	arena_free(judge->arena);
	*judge = (struct judge){0};
}

static void answer_sql(struct judge *judge, const struct request *request, struct answer *answer)
{
	struct sql_decision decision;

	arena_free(judge->arena);
	judge->arena = arena_new();
	if (!judge->arena) {
		answer->verdict.kind = VERDICT_UNDECIDED;
		answer->verdict.reason = "memory";
		return;
	}
	sql_tool_decide(judge->policy, request->tool, judge->catalog, request->sql, judge->arena,
			&decision);
	answer->verdict = decision.verdict;
	answer->assumes = decision.assumes;
}

static void answer_unsupported(const char *kind, struct answer *answer)
{
	answer->verdict.kind = VERDICT_UNDECIDED;
	answer->verdict.reason = "unsupported";
	(void)snprintf(answer->verdict.message, sizeof(answer->verdict.message),
		       "this version does not judge requests of kind %s", kind);
	answer->is_call = strcmp(kind, "call") == 0;
}

void answer_request(struct judge *judge, enum request_use use, const char *kind,
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
	case USE_RESULT:
		answer->word = "noted";
		answer->allowed = true;
		return;
	case USE_UNSUPPORTED:
		answer_unsupported(kind, answer);
		break;
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
	answer_request(judge, use, json_as_string(json_member(object, "kind")), &request, answer);
	return 0;
}

void answer_write(const struct answer *answer, struct json_writer *writer)
{
	if (strcmp(answer->word, "noted") == 0)
		json_key_string(writer, "verdict", answer->word);
	else
		verdict_write(writer, &answer->verdict, &answer->assumes);
	if (answer->is_call)
		json_key_boolean(writer, "abandon", false);
}
