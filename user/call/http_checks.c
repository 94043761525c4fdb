// SPDX-License-Identifier: Apache-2.0
#include "call/http_checks.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

/* The version from which on a client mirrors what it asks for in headers (SEP-2243). */
#define MIRRORED_SINCE "2026-07-28"
/* "=?base64?...?=": a name that is no header's text. */
#define ENCODED_START  "=?base64?"
#define ENCODED_END    "?="
#define NAME_MAX_BYTES 4096

/* "localhost", "127.0.0.1" or "[::1]", with a port or without. */
static bool is_loopback(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const size_t length = strlen(names[i]);
		const char *rest = host + length;

		if (strncasecmp(host, names[i], length) != 0)
			continue;
		if (*rest == '\0')
			return true;
		return *rest == ':' && rest[1] &&
		       strspn(rest + 1, "0123456789") == strlen(rest + 1);
	}
	return false;
}

bool http_is_local(const struct http_claims *claims)
{
	const char *origin = claims->origin;

	if (!claims->host || !is_loopback(claims->host))
		return false;
	if (!origin)
		return true;
	if (strncasecmp(origin, "http://", strlen("http://")) == 0)
		return is_loopback(origin + strlen("http://"));
	return strncasecmp(origin, "https://", strlen("https://")) == 0 &&
	       is_loopback(origin + strlen("https://"));
}

bool http_is_json(const char *content_type)
{
	static const char json[] = "application/json";

	static const char *const parameters[] = {"charset=utf-8", "charset=\"utf-8\""};
	const char *rest;

	if (!content_type || strncasecmp(content_type, json, sizeof(json) - 1) != 0)
		return false;
	rest = content_type + sizeof(json) - 1;
	rest += strspn(rest, " \t");
	if (*rest == '\0')
		return true;
	if (*rest++ != ';')
		return false;
	rest += strspn(rest, " \t");
	/* Servers of the SDK decode a body by its charset: in UTF-7 "+AC4-" is ".". */
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (strcasecmp(rest, parameters[i]) == 0)
			return true;
	return false;
}

/* A header's value as the body has it. */
static bool is_value(const char *header, const char *value)
{
	const size_t length = strlen(header), start = strlen(ENCODED_START),
		     end = strlen(ENCODED_END);
	unsigned char decoded[NAME_MAX_BYTES + 3];
	size_t body, padding;
	int bytes;

	if (length < start + end || strncmp(header, ENCODED_START, start) != 0 ||
	    strcmp(header + length - end, ENCODED_END) != 0)
		return strcmp(header, value) == 0;
	body = length - start - end;
	if (body == 0 || body % 4 || body / 4 * 3 > NAME_MAX_BYTES)
		return false;
	bytes = EVP_DecodeBlock(decoded, (const unsigned char *)header + start, (int)body);
	if (bytes < 0)
		return false;
	/* EVP_DecodeBlock counts the padding as zero bytes. */
	padding = header[length - end - 2] == '=' ? 2 : header[length - end - 1] == '=' ? 1 : 0;
	return strlen(value) == (size_t)bytes - padding &&
	       memcmp(decoded, value, (size_t)bytes - padding) == 0;
}

/* What Mcp-Name mirrors; NULL: nothing. */
static const char *name_of(const struct message *message)
{
	static const struct {
		const char *method, *key;
	} names[] = {
		{"tools/call", "name"},		  {"prompts/get", "name"},
		{"resources/read", "uri"},	  {"resources/subscribe", "uri"},
		{"resources/unsubscribe", "uri"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (message->method && strcmp(message->method, names[i].method) == 0)
			return json_as_string(json_member(message->params, names[i].key));
	return NULL;
}

const char *http_mismatch(const struct http_claims *claims, const struct message *message)
{
	const bool must = claims->protocol && strcmp(claims->protocol, MIRRORED_SINCE) >= 0;
	const char *name = name_of(message);

	if (!message->method)
		return claims->method || claims->name
			       ? "an answer has no Mcp-Method and no Mcp-Name"
			       : NULL;
	if (claims->method && strcmp(claims->method, message->method) != 0)
		return "Mcp-Method is not the message's method";
	if (claims->name && (!name || !is_value(claims->name, name)))
		return "Mcp-Name is not what the message names";
	if (must && !claims->method)
		return "Mcp-Method is missing";
	if (must && name && !claims->name)
		return "Mcp-Name is missing";
	return NULL;
}
