/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON-RPC 2.0 message of MCP, read so that no two readers can differ about it: what another
 * parser might take for something else (a key twice, a key in other case, a batch, a carriage
 * return that some take for the end of a line) is refused. The gateway reads both directions by it.
 */
#ifndef AGENTPOL_CALL_MESSAGE_H
#define AGENTPOL_CALL_MESSAGE_H

#include "json/json.h"

#define MESSAGE_BYTES_MAX (4U << 20)
/* Of an id, as it is written. */
#define MESSAGE_ID_MAX 256

/* JSON-RPC 2.0, section 5.1. */
enum rpc_error {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
};

enum message_kind { MESSAGE_REQUEST, MESSAGE_NOTIFICATION, MESSAGE_RESPONSE, MESSAGE_ERROR };

struct message {
	enum message_kind kind;
	const char *text; /* not owned */
	size_t length;
	struct json_document *document; /* owned */
	/* JSON texts: as it stands there, and so that equal ids are equal; "" where there is none
	 */
	char id[MESSAGE_ID_MAX + 1];
	char id_key[MESSAGE_ID_MAX + 1];
	const char *method;	  /* NULL in an answer */
	const json_value *params; /* an object; NULL: none */
	const json_value *result; /* of a response */
};

/* Why a text is no message, and how to answer. */
struct message_fault {
	enum rpc_error code;
	char id[MESSAGE_ID_MAX + 1]; /* "null" where it can't be known */
	char text[256];
};

/* `text` must outlive the message. 0, or -1 with *fault; message_clear either way. */
int message_read(const char *text, size_t length, struct message *message,
		 struct message_fault *fault) MUST_USE;
void message_clear(struct message *message);
#define _cleanup_message_ __attribute__((cleanup(message_clear)))

/* A key of the object that some readers take for one of `words` (ended by NULL) and others don't:
 * it differs in case alone. NULL: there is none. */
const char *message_odd_key(const json_value *object, const char *const *words);
/* Are two names one for who does not look at case? */
bool message_same_folded(const char *name, const char *word);

#endif
