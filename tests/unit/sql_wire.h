/* SPDX-License-Identifier: Apache-2.0 */
/* A session without sockets, for the unit tests and the fuzz target: what it sends is kept, and a
 * text is judged by a word in it: "deny", "wait" (asked), "shift" (undecided); all else is allowed.
 * Included by one file of a program. */
#ifndef AGENTPOL_TESTS_UNIT_SQL_WIRE_H
#define AGENTPOL_TESTS_UNIT_SQL_WIRE_H

#include <string.h>

#include "sql/protocol.h"
#include "sql/session.h"

struct wire {
	struct session *session;
	struct sql_policy policy;
	struct session_rules rules;
	struct session_budget budget;
	struct buffer client, server; /* what each was sent */
	unsigned servers_wanted, cancels_own, cancels_other, records;
	uint64_t last_count;
	bool last_has_rows;
	uint64_t last_rows;
	char last_shape[128];
	char asked[4096]; /* the text that waits; "": none */
	char catalog[128];
	bool withdrawn;	   /* a cancel can be */
	bool keep_catalog; /* session_catalog_ready is the test's to call */
};

static void wire_to_client(void *context, const void *bytes, size_t length)
{
	buffer_append(&((struct wire *)context)->client, bytes, length);
}

static void wire_to_server(void *context, const void *bytes, size_t length)
{
	buffer_append(&((struct wire *)context)->server, bytes, length);
}

static void wire_want_server(void *context)
{
	((struct wire *)context)->servers_wanted++;
}

static void wire_cancel_other(void *context, uint32_t pid, uint32_t key)
{
	((struct wire *)context)->cancels_other += pid == 77 && key == 88;
}

static void wire_cancel_own(void *context)
{
	((struct wire *)context)->cancels_own++;
}

static bool wire_withdraw_cancel(void *context)
{
	return ((struct wire *)context)->withdrawn;
}

static void wire_issue_key(void *context, uint32_t *pid, uint32_t *key)
{
	(void)context;
	*pid = 77;
	*key = 88;
}

static void wire_take_catalog(void *context, const char *text, size_t length)
{
	struct wire *wire = context;

	(void)snprintf(wire->catalog, sizeof(wire->catalog), "%.*s", (int)length, text);
	if (!wire->keep_catalog)
		session_catalog_ready(wire->session);
}

static struct judgement *wire_verdict(const char *text)
{
	const char *const allowed[JUDGEMENT_TEXTS] = {0};
	struct judgement *judgement;

	if (strstr(text, "deny"))
		return judgement_plain(VERDICT_DENY, "42501", "sql-relation", "/tools/q/sql/allow",
				       text);
	if (strstr(text, "shift"))
		return judgement_plain(VERDICT_UNDECIDED, "42501", "sql-node", "", text);
	judgement = judgement_new(
		VERDICT_ALLOW, strstr(text, "copy") ? SQL_STATEMENT_COPY_IN : SQL_STATEMENT_QUERY,
		allowed);
	return judgement;
}

static struct judgement *wire_judge(void *context, const char *text, size_t length)
{
	struct wire *wire = context;

	if (!strstr(text, "wait"))
		return wire_verdict(text);
	(void)snprintf(wire->asked, sizeof(wire->asked), "%.*s", (int)length, text);
	return NULL;
}

static void wire_record(void *context, const struct session_record *record)
{
	struct wire *wire = context;

	wire->records++;
	wire->last_count = record->count;
	wire->last_has_rows = record->has_rows;
	wire->last_rows = record->rows;
	(void)snprintf(wire->last_shape, sizeof(wire->last_shape), "%s",
		       record->shape ? record->shape : "");
}

static uint64_t wire_now(void *context)
{
	(void)context;
	return 1000;
}

static const struct session_host wire_host = {
	.to_client = wire_to_client,
	.to_server = wire_to_server,
	.want_server = wire_want_server,
	.cancel_other = wire_cancel_other,
	.cancel_own = wire_cancel_own,
	.withdraw_cancel = wire_withdraw_cancel,
	.issue_key = wire_issue_key,
	.take_catalog = wire_take_catalog,
	.judge = wire_judge,
	.record = wire_record,
	.now_us = wire_now,
};

/* Fills what is not set. */
static bool wire_open(struct wire *wire)
{
	wire->policy.read_only = -1;
	wire->rules.policy = &wire->policy;
	wire->rules.pointer = "/tools/q/sql";
	wire->rules.catalog_query = "CATALOG";
	if (!wire->budget.limit)
		wire->budget.limit = 1U << 20;
	wire->session = session_new(&wire_host, wire, &wire->rules, &wire->budget, 0xabcdef);
	return wire->session != NULL;
}

static void wire_close(struct wire *wire)
{
	session_free(wire->session);
	buffer_clear(&wire->client);
	buffer_clear(&wire->server);
}

/* What a server says from the start until the guard's query is answered. */
static const uint8_t wire_server_start[] = "R\0\0\0\x08\0\0\0\0"
					   "S\0\0\0\x23standard_conforming_strings\0on\0"
					   "S\0\0\0\x19"
					   "client_encoding\0UTF8\0"
					   "K\0\0\0\x0c\0\0\0\x05\0\0\0\x06"
					   "Z\0\0\0\x05I"
					   "T\0\0\0\x06\0\0"
					   "D\0\0\0\x0c\0\x01\0\0\0\x02{}"
					   "C\0\0\0\x0dSELECT 1\0"
					   "Z\0\0\0\x05I";
static const uint8_t wire_client_start[] = "\0\0\0\x1f\0\x03\0\0user\0agent\0database\0d\0\0";

#endif
