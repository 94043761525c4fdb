// SPDX-License-Identifier: Apache-2.0
#include "agentpol/answer.h"

#include <string.h>

int judge_open(struct judge *judge, const struct policy *policy, const char *schema_path,
	       struct error *error)
{
	judge->policy = policy;
	if (schema_path)
		return error_set(error, STATUS_UNUSABLE, "this version reads no schema");
	return 0;
}

void judge_close(struct judge *judge)
{
	judge->policy = NULL;
}

static void answer_unsupported(const char *kind, struct answer *answer)
{
	answer->verdict.kind = VERDICT_UNDECIDED;
	answer->verdict.reason = "unsupported";
	(void)snprintf(answer->verdict.message, sizeof(answer->verdict.message),
		       "this version does not judge requests of kind %s", kind);
	answer->is_call = strcmp(kind, "call") == 0;
}

void answer_request(const struct judge *judge, enum request_use use, const char *kind,
		    const struct request *request, struct answer *answer)
{
	*answer = (struct answer){0};
	if (use == USE_RESULT) {
		answer->word = "noted";
		answer->allowed = true;
		return;
	}
	if (use == USE_DECIDE)
		policy_decide(judge->policy, request, &answer->verdict);
	else
		answer_unsupported(kind, answer);
	answer->word = verdict_name(answer->verdict.kind);
	answer->allowed = answer->verdict.kind == VERDICT_ALLOW;
}

int answer_json(const struct judge *judge, const json_value *object, struct answer *answer,
		struct error *error)
{
	struct request request;
	enum request_use use;

	if (request_from_json(object, &use, &request, error) < 0)
		return -1;
	answer_request(judge, use, json_as_string(json_member(object, "kind")), &request, answer);
	return 0;
}
