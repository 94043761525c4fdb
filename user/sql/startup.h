/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first packet of a connection: what it asks for, and the packet that the server gets in its
 * place. Any setting can be given here, as a key of its own or in "options", and some of them
 * change how a statement is read; so nothing is passed on that is not on a list, and the session's
 * own settings come from the manifest. Pure.
 */
#ifndef AGENTPOL_SQL_STARTUP_H
#define AGENTPOL_SQL_STARTUP_H

#include "policy/policy.h"
#include "sql/buffer.h"

/* MAX_STARTUP_PACKET_LENGTH of the server, with the length's four bytes. */
#define STARTUP_PACKET_MAX 10000U
#define STARTUP_NAME_MAX   64 /* NAMEDATALEN: with the NUL */

enum startup_kind {
	STARTUP_SESSION,
	STARTUP_ENCRYPTION, /* SSLRequest or GSSENCRequest: answered 'N' */
	STARTUP_CANCEL,
	STARTUP_REFUSED, /* code and sentence say why */
	STARTUP_CLOSED,	 /* not of this protocol: closed without a word */
};

struct startup {
	enum startup_kind kind;
	uint32_t pid, key; /* STARTUP_CANCEL */
	/* NegotiateProtocolVersion goes to the client first: a newer minor version, or _pq_. keys */
	bool negotiate;
	struct buffer options; /* owned: names of _pq_. keys, each with its NUL */
	uint32_t option_count;
	char user[STARTUP_NAME_MAX], database[STARTUP_NAME_MAX];
	struct buffer settings; /* owned: pairs that pass, "name\0value\0" */
	bool has_timeout;	/* statement_timeout is among them */
	bool sql_ascii;		/* the client asks for SQL_ASCII */
	const char *code;	/* SQLSTATE, static */
	char sentence[256];
};

/* Reads the packet without its length word. startup_clear() in any case. */
void startup_read(const struct sql_policy *policy, const uint8_t *packet, size_t length,
		  struct startup *startup);
void startup_clear(struct startup *startup);
#define _cleanup_startup_ __attribute__((cleanup(startup_clear)))

/* The packet for the server, with its length word. */
void startup_build(const struct startup *startup, const struct sql_policy *policy,
		   struct buffer *packet);
/* NegotiateProtocolVersion: 3.0, and the keys that are not known. */
void startup_build_negotiate(const struct startup *startup, struct buffer *message);

/* Are sessions of this policy read-only? As it says, or where it grants selects alone. */
bool startup_is_read_only(const struct sql_policy *policy);

#endif
