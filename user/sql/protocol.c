// SPDX-License-Identifier: Apache-2.0
#include "sql/protocol.h"

#include <ctype.h>
#include <string.h>

uint32_t protocol_get32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

uint16_t protocol_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

bool message_head_read(const uint8_t *bytes, struct message_head *head)
{
	uint32_t length = protocol_get32(bytes + 1);

	head->type = (char)bytes[0];
	head->body = length - 4;
	return length >= 4 && head->body <= MESSAGE_BODY_MAX;
}

void protocol_put32(struct buffer *buffer, uint32_t number)
{
	const uint8_t bytes[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
				 (uint8_t)(number >> 8), (uint8_t)number};

	buffer_append(buffer, bytes, sizeof(bytes));
}

void protocol_put_string(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text) + 1);
}

size_t message_begin(struct buffer *buffer, char type)
{
	size_t begin = buffer->length;

	buffer_append(buffer, &type, 1);
	protocol_put32(buffer, 0);
	return begin;
}

void message_end(struct buffer *buffer, size_t begin)
{
	uint32_t length = (uint32_t)(buffer->length - begin - 1);
	uint8_t *at;

	if (buffer->failed)
		return;
	at = buffer->bytes + buffer->start + begin + 1;
	at[0] = (uint8_t)(length >> 24);
	at[1] = (uint8_t)(length >> 16);
	at[2] = (uint8_t)(length >> 8);
	at[3] = (uint8_t)length;
}

static void put_field(struct buffer *buffer, char field, const char *value)
{
	if (!value || value[0] == '\0')
		return;
	buffer_append(buffer, &field, 1);
	protocol_put_string(buffer, value);
}

void message_put_error(struct buffer *buffer, const struct error_response *error)
{
	size_t begin = message_begin(buffer, 'E');

	put_field(buffer, 'S', error->severity);
	put_field(buffer, 'V', error->severity);
	put_field(buffer, 'C', error->code);
	put_field(buffer, 'M', error->message);
	put_field(buffer, 'D', error->detail);
	put_field(buffer, 'H', error->hint);
	buffer_append(buffer, "", 1);
	message_end(buffer, begin);
}

const char *error_body_field(const uint8_t *body, size_t length, char field)
{
	size_t at = 0;

	while (at < length && body[at] != '\0') {
		const uint8_t *value = body + at + 1;
		const uint8_t *end = memchr(value, '\0', length - at - 1);

		if (!end)
			return NULL;
		if ((char)body[at] == field)
			return (const char *)value;
		at = (size_t)(end - body) + 1;
	}
	return NULL;
}

bool command_tag_rows(const char *tag, uint64_t *rows)
{
	const char *last = strrchr(tag, ' ');

	*rows = 0;
	if (!last || !isdigit((unsigned char)last[1]))
		return false;
	for (last++; isdigit((unsigned char)*last); last++)
		if (__builtin_mul_overflow(*rows, 10, rows) ||
		    __builtin_add_overflow(*rows, (uint64_t)(*last - '0'), rows))
			return false;
	return *last == '\0';
}
