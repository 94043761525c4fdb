// SPDX-License-Identifier: Apache-2.0
#include "call/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEME_MAX 16
/* "255.255.255.255", or an IPv6 address in brackets. */
#define ADDRESS_ROOM 64

/* Schemes whose port is known (IANA); of others the port must be written. */
static const struct {
	const char *name;
	uint16_t port;
} schemes[] = {
	{"https", 443},	    {"http", 80},	  {"wss", 443},	      {"ws", 80},
	{"ftp", 21},	    {"ftps", 990},	  {"ssh", 22},	      {"sftp", 22},
	{"git", 9418},	    {"ldap", 389},	  {"ldaps", 636},     {"amqp", 5672},
	{"amqps", 5671},    {"redis", 6379},	  {"mongodb", 27017}, {"mysql", 3306},
	{"postgres", 5432}, {"postgresql", 5432}, {"imaps", 993},     {"smtps", 465},
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The scheme's port, 0 for one without; moves *at behind "://". False where it is malformed. */
static bool take_scheme(const char **at, bool *has_scheme, uint16_t *port)
{
	const char *end = strstr(*at, "://");
	size_t length = strcspn(*at, "/?#");

	*port = 0;
	*has_scheme = end && (size_t)(end - *at) < length;
	if (!*has_scheme)
		return true;
	length = (size_t)(end - *at);
	if (length == 0 || length > SCHEME_MAX || !is_letter(**at))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_letter((*at)[i]) && !is_digit((*at)[i]) && !strchr("+-.", (*at)[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strlen(schemes[i].name) == length &&
		    strncasecmp(schemes[i].name, *at, length) == 0)
			*port = schemes[i].port;
	*at = end + strlen("://");
	return true;
}

/* What parsers differ about: control characters and spaces (some strip them), "\" (some take it for
 * "/"), bytes that are no ASCII (IDNA, in several versions). */
static bool has_one_meaning(const char *text, size_t authority)
{
	for (size_t i = 0; text[i]; i++) {
		const unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == 0x7f || c == '\\')
			return false;
		if (i < authority && (c >= 0x80 || c == '%' || c == '@'))
			return false;
	}
	return true;
}

static bool read_port(const char *text, size_t length, uint16_t *port)
{
	unsigned number = 0;

	if (length == 0 || length > 5)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(text[i]))
			return false;
		number = number * 10 + (unsigned)(text[i] - '0');
	}
	*port = (uint16_t)number;
	return number > 0 && number <= UINT16_MAX;
}

/* Letters, digits, "-", "_" in labels of 1 to 63 bytes. */
static bool read_name(const char *text, size_t length, char *host)
{
	size_t label = 0;
	bool letters = false;

	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length == 0 || length > HOST_NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		const char c = text[i];

		label = c == '.' ? 0 : label + 1;
		if ((c == '.' && (i == 0 || text[i - 1] == '.')) || label > 63)
			return false;
		if (!is_letter(c) && !is_digit(c) && !strchr(".-_", c))
			return false;
		host[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
		/* Of the last label: "2130706433", "0x7f.1" and "127.1" are addresses to some. */
		letters = c == '.' ? false : letters || is_letter(c);
	}
	host[length] = '\0';
	return letters && strstr(host, ".0x") == NULL && strncmp(host, "0x", 2) != 0;
}

static bool read_host(const char *text, size_t length, struct url *url)
{
	char copy[ADDRESS_ROOM];
	const bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';

	if (bracketed) {
		text++;
		length -= 2;
	}
	if (length < sizeof(copy)) {
		memcpy(copy, text, length);
		copy[length] = '\0';
		if (bracketed == (strchr(copy, ':') != NULL) && address_parse(copy, &url->address))
			return true;
	}
	return !bracketed && read_name(text, length, url->host);
}

bool url_read(const char *text, struct url *url, const char **fault)
{
	const char *at = text, *colon;
	uint16_t port;
	bool has_scheme;
	size_t authority, host;

	*url = (struct url){0};
	*fault = "is no URL";
	if (!take_scheme(&at, &has_scheme, &port))
		return false;
	authority = strcspn(at, "/?#");
	if (!has_one_meaning(text, (size_t)(at - text) + authority)) {
		*fault = "is a URL that programs read in different ways (spaces, \"\\\", \"@\", "
			 "\"%\" or other letters in the host)";
		return false;
	}
	/* The last colon that is not in brackets. */
	colon = memrchr(at, ':', authority);
	if (colon && memchr(colon, ']', authority - (size_t)(colon - at)))
		colon = NULL;
	host = colon ? (size_t)(colon - at) : authority;
	if (!read_host(at, host, url)) {
		*fault = "names no host that is plain to read";
		return false;
	}
	if (colon && !read_port(colon + 1, authority - host - 1, &port)) {
		*fault = "has no port of 1 to 65535";
		return false;
	}
	if (!port && has_scheme) {
		*fault = "has a scheme whose port is not known; write the port";
		return false;
	}
	url->ports[url->port_count++] = port ? port : 443;
	if (!port)
		url->ports[url->port_count++] = 80;
	return true;
}
