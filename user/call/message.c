// SPDX-License-Identifier: Apache-2.0
#include "call/message.h"

#include <stdarg.h>
#include <string.h>

static const char *const message_keys[] = {"jsonrpc", "id",    "method", "params",
					   "result",  "error", NULL};

/* The next character as a reader without regard to case has it. Go's folds two letters outside of
 * ASCII, too: U+017F to s and U+212A to k. */
static unsigned char next_folded(const char **at)
{
	const unsigned char *bytes = (const unsigned char *)*at;

	if (bytes[0] == 0xc5 && bytes[1] == 0xbf) {
		*at += 2;
		return 's';
	}
	if (bytes[0] == 0xe2 && bytes[1] == 0x84 && bytes[2] == 0xaa) {
		*at += 3;
		return 'k';
	}
	*at += bytes[0] ? 1 : 0;
	return bytes[0] >= 'A' && bytes[0] <= 'Z' ? (unsigned char)(bytes[0] | 0x20) : bytes[0];
}

bool message_same_folded(const char *name, const char *word)
{
	for (;;) {
		const unsigned char a = next_folded(&name), b = next_folded(&word);

		if (a != b)
			return false;
		if (a == '\0')
			return true;
	}
}

const char *message_odd_key(const json_value *object, const char *const *words)
{
	if (!json_is_object(object))
		return NULL;
	json_for_each (member, object)
		for (const char *const *word = words; *word; word++)
			if (strcmp(json_key_of(member), *word) != 0 &&
			    message_same_folded(json_key_of(member), *word))
				return json_key_of(member);
	return NULL;
}

static int fail(struct message_fault *fault, enum rpc_error code, const char *format, ...)
	FORMAT(3, 4);
static int fail(struct message_fault *fault, enum rpc_error code, const char *format, ...)
{
	va_list arguments;

	fault->code = code;
	va_start(arguments, format);
	(void)vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return -1;
}

static int read_id(struct message *message, const json_value *root, struct message_fault *fault)
{
	const json_value *id = json_member(root, "id");
	_cleanup_free_ char *key = NULL;
	const char *text;
	size_t length;

	if (!id)
		return 0;
	/* An answer to what could not be read has the id null. */
	if (!json_is_string(id) && !json_is_number(id) &&
	    !(json_is_null(id) && json_member(root, "error")))
		return fail(fault, RPC_INVALID_REQUEST, "\"id\" is a string or a number");
	text = json_text_of(message->document, message->text, id, &length);
	key = json_print(id);
	if (length > MESSAGE_ID_MAX || !key || strlen(key) > MESSAGE_ID_MAX)
		return fail(fault, RPC_INVALID_REQUEST, "\"id\" has more than %d bytes",
			    MESSAGE_ID_MAX);
	memcpy(message->id, text, length);
	memcpy(message->id_key, key, strlen(key) + 1);
	memcpy(fault->id, message->id, sizeof(fault->id));
	return 0;
}

static int read_question(struct message *message, const json_value *root,
			 struct message_fault *fault)
{
	message->method = json_as_string(json_member(root, "method"));
	message->params = json_member(root, "params");
	if (!message->method)
		return fail(fault, RPC_INVALID_REQUEST, "\"method\" is a string");
	if (message->params && !json_is_object(message->params))
		return fail(fault, RPC_INVALID_REQUEST, "\"params\" is an object in MCP");
	if (json_member(root, "result") || json_member(root, "error"))
		return fail(fault, RPC_INVALID_REQUEST,
			    "a message is a request or an answer, and not both");
	message->kind = message->id[0] ? MESSAGE_REQUEST : MESSAGE_NOTIFICATION;
	return 0;
}

static int read_answer(struct message *message, const json_value *root, struct message_fault *fault)
{
	const json_value *error = json_member(root, "error");

	message->result = json_member(root, "result");
	message->kind = error ? MESSAGE_ERROR : MESSAGE_RESPONSE;
	if (!error == !message->result)
		return fail(fault, RPC_INVALID_REQUEST,
			    "a message has a \"method\", a \"result\" or an \"error\"");
	if (!error && !message->id[0])
		return fail(fault, RPC_INVALID_REQUEST, "a result has the \"id\" of its request");
	return 0;
}

static int read_object(struct message *message, const json_value *root, struct message_fault *fault)
{
	const char *version = json_as_string(json_member(root, "jsonrpc"));
	const char *odd = message_odd_key(root, message_keys);

	if (odd)
		return fail(fault, RPC_INVALID_REQUEST,
			    "the key \"%.40s\" is written in another case than JSON-RPC has it",
			    odd);
	if (read_id(message, root, fault) < 0)
		return -1;
	if (!version || strcmp(version, "2.0") != 0)
		return fail(fault, RPC_INVALID_REQUEST, "\"jsonrpc\" must be \"2.0\"");
	return json_member(root, "method") ? read_question(message, root, fault)
					   : read_answer(message, root, fault);
}

int message_read(const char *text, size_t length, struct message *message,
		 struct message_fault *fault)
{
	/* CRLF ends a line for all; elsewhere a CR ends one for some. */
	const size_t inner = length && text[length - 1] == '\r' ? length - 1 : length;
	struct json_fault why;
	const json_value *root;

	*message = (struct message){.text = text, .length = length};
	*fault = (struct message_fault){.id = "null"};
	if (length > MESSAGE_BYTES_MAX)
		return fail(fault, RPC_INVALID_REQUEST, "a message has %u MiB at most",
			    MESSAGE_BYTES_MAX >> 20);
	if (memchr(text, '\r', inner) || memchr(text, '\n', inner))
		return fail(fault, RPC_PARSE_ERROR, "a message stands on one line");
	message->document = json_document_parse(text, length, &why);
	if (!message->document)
		return fail(fault,
			    strcmp(why.code, CODE_KEY_TWICE) == 0 ? RPC_INVALID_REQUEST
								  : RPC_PARSE_ERROR,
			    "column %zu: %s", why.position.column, why.message);
	root = json_root(message->document);
	if (json_is_array(root))
		return fail(fault, RPC_INVALID_REQUEST,
			    "batches are not taken: send each message by itself");
	if (!json_is_object(root))
		return fail(fault, RPC_INVALID_REQUEST, "a message is an object");
	return read_object(message, root, fault);
}

void message_clear(struct message *message)
{
	json_document_free(message->document);
	*message = (struct message){0};
}
