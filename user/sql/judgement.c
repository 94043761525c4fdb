// SPDX-License-Identifier: Apache-2.0
#include "sql/judgement.h"

#include <string.h>

struct judgement *judgement_new(enum verdict_kind kind, enum sql_statement statement,
				const char *const text[JUDGEMENT_TEXTS])
{
	struct judgement *judgement;
	size_t i, total = sizeof(*judgement), length;
	char *at;

	for (i = 0; i < JUDGEMENT_TEXTS; i++)
		total += (text[i] ? strlen(text[i]) : 0) + 1;
	judgement = malloc(total);
	if (!judgement)
		return NULL;
	*judgement = (struct judgement){
		.references = 1, .kind = kind, .statement = statement, .code = "42501"};
	at = (char *)(judgement + 1);
	for (i = 0; i < JUDGEMENT_TEXTS; i++) {
		length = text[i] ? strlen(text[i]) : 0;
		memcpy(at, text[i] ? text[i] : "", length + 1);
		judgement->text[i] = at;
		at += length + 1;
	}
	return judgement;
}

struct judgement *judgement_plain(enum verdict_kind kind, const char *code, const char *reason,
				  const char *rule, const char *message)
{
	const char *const text[JUDGEMENT_TEXTS] = {[JUDGEMENT_REASON] = reason,
						   [JUDGEMENT_RULE] = rule,
						   [JUDGEMENT_MESSAGE] = message};
	struct judgement *judgement = judgement_new(kind, SQL_STATEMENT_OTHER, text);

	if (judgement) {
		judgement->code = code;
		judgement->literals_decide = true;
	}
	return judgement;
}

struct judgement *judgement_hold(struct judgement *judgement)
{
	judgement->references++;
	return judgement;
}

void judgement_release(struct judgement *judgement)
{
	if (judgement && --judgement->references == 0)
		free(judgement);
}
