/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL's protocol 3.0 as bytes: the head of a message, the messages that the guard makes
 * itself, and the fields of those it looks into. Pure. Source: the PostgreSQL documentation,
 * chapter "Frontend/Backend Protocol", "Message Formats".
 */
#ifndef AGENTPOL_SQL_PROTOCOL_H
#define AGENTPOL_SQL_PROTOCOL_H

#include "sql/buffer.h"

#define PROTOCOL_VERSION_3_0 196608U
#define PROTOCOL_CANCEL	     80877102U
#define PROTOCOL_SSL	     80877103U
#define PROTOCOL_GSSENC	     80877104U

/* A type byte and a length. */
#define MESSAGE_HEAD 5
/* What a server takes (PQ_LARGE_MESSAGE_LIMIT), without the length's own four bytes. */
#define MESSAGE_BODY_MAX (0x3fffffffU - 5)

struct message_head {
	char type;
	uint32_t body; /* bytes behind the head */
};

/* Reads MESSAGE_HEAD bytes; false where the length is none that a message can have. */
bool message_head_read(const uint8_t *bytes, struct message_head *head);

uint32_t protocol_get32(const uint8_t *bytes);
uint16_t protocol_get16(const uint8_t *bytes);
void protocol_put32(struct buffer *buffer, uint32_t number);
/* With its NUL. */
void protocol_put_string(struct buffer *buffer, const char *text);

/* Begins a message at the end of the buffer; ends it by writing its length. */
size_t message_begin(struct buffer *buffer, char type);
void message_end(struct buffer *buffer, size_t begin);

/* What an ErrorResponse says; NULL fields are left out. */
struct error_response {
	const char *severity; /* "ERROR", "FATAL" */
	const char *code;     /* SQLSTATE */
	const char *message;
	const char *detail;
	const char *hint;
};
void message_put_error(struct buffer *buffer, const struct error_response *error);

/* The value of a field of an ErrorResponse's body, NUL-terminated in it, or NULL. */
const char *error_body_field(const uint8_t *body, size_t length, char field);

/* The rows that a CommandComplete's tag counts ("SELECT 3", "INSERT 0 1"); false where it counts
 * none. `tag` is NUL-terminated. */
bool command_tag_rows(const char *tag, uint64_t *rows);

#endif
