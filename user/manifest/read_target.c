// SPDX-License-Identifier: Apache-2.0
/* What an egress rule points at: host names, wildcards, addresses, CIDRs, @loopback, @any. */
#include "manifest/reader.h"

#include <ctype.h>
#include <string.h>

#define LABEL_BYTES_MAX 63 /* RFC 1035, 2.3.4 */

static bool is_label_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	       byte == '_';
}

/* Would resolvers and browsers take the label for the end of an address (WHATWG URL, "ends in a
 * number")? */
static bool is_number_label(const char *label)
{
	const char *digits = "0123456789";

	if (label[0] == '0' && label[1] == 'x') {
		digits = "0123456789abcdef";
		label += 2;
	}
	return label[strspn(label, digits)] == '\0';
}

/* NULL where the name (lower case, no trailing dot) is one; otherwise what is wrong with it. */
static const char *fault_of_name(const char *name)
{
	const char *label = name, *dot;

	if (strlen(name) > HOST_NAME_MAX_BYTES)
		return "is longer than 253 bytes";
	for (;; label = dot + 1) {
		size_t length;

		dot = strchrnul(label, '.');
		length = (size_t)(dot - label);
		if (length == 0)
			return "has an empty label; remove the dot";
		if (length > LABEL_BYTES_MAX)
			return "has a label of more than 63 bytes";
		for (size_t i = 0; i < length; i++)
			if (!is_label_byte(label[i]))
				return "is no host name: letters, digits, \"-\" and \"_\" only";
		if (label[0] == '-' || label[length - 1] == '-')
			return "has a label that begins or ends with \"-\"";
		if (*dot == '\0')
			break;
	}
	if (is_number_label(label))
		return "ends in a number: a mistyped address?";
	if (strcmp(name, "localhost") == 0)
		return "is no name that is asked of a resolver; write \"@loopback\"";
	return NULL;
}

/* What is wrong at first sight, or NULL. */
static const char *fault_of_kind(const char *text)
{
	if (text[0] == '\0')
		return "is empty; write a host name, an address or a CIDR";
	for (const char *byte = text; *byte; byte++)
		if ((unsigned char)*byte >= 0x80)
			return "is not ASCII; write it in its xn-- form";
	if (strstr(text, "://"))
		return "is a URL; write its host name alone, and its port in \"ports\"";
	if (strpbrk(text, " \t"))
		return "has a space in it; remove it";
	if (text[0] == '[')
		return "has brackets; write the address without them";
	if (text[0] == '@')
		return "is unknown here; write \"@loopback\" or \"@any\"";
	if (strcmp(text, "*") == 0)
		return "is no host name; write \"@any\" for every address";
	return NULL;
}

static bool report_target(struct reader *reader, const json_value *at, const char *text,
			  const char *fault)
{
	char shown[SHOWN_TEXT_MAX];

	reader_error(reader, at, CODE_TARGET, "\"%s\" %s", reader_show(shown, text), fault);
	return false;
}

const char *reader_host_name(struct reader *reader, const json_value *at, const char *text)
{
	size_t length = strlen(text);
	const char *fault = fault_of_kind(text);
	char *name;

	if (fault) {
		report_target(reader, at, text, fault);
		return NULL;
	}
	if (text[length - 1] == '.')
		length--;
	name = arena_copy(reader->arena, text, length);
	if (!name) {
		reader_out_of_memory(reader);
		return NULL;
	}
	for (size_t i = 0; i < length; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	fault = fault_of_name(name);
	if (fault) {
		report_target(reader, at, text, fault);
		return NULL;
	}
	return name;
}

/* Hex digits, colons and dots behind which an address may hide. */
static bool looks_like_address(const char *text)
{
	const char *last = strrchr(text, '.');

	if (strpbrk(text, ":/"))
		return true;
	return is_number_label(last ? last + 1 : text) && text[strlen(text) - 1] != '.';
}

/* "api.example.com:443": somebody put the port where it does not belong. */
static bool has_port_behind(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && colon != text && !strchr(colon + 1, ':') &&
	       colon[1 + strspn(colon + 1, "0123456789")] == '\0';
}

static bool is_unspecified(const struct ip_prefix *prefix)
{
	static const struct ip_prefix any = {.bits = ADDRESS_BITS};
	uint32_t ipv4;

	if (prefix->bits != ADDRESS_BITS)
		return false;
	memcpy(&ipv4, prefix->address.bytes + ADDRESS_BYTES - sizeof(ipv4), sizeof(ipv4));
	return memcmp(&prefix->address, &any.address, sizeof(any.address)) == 0 ||
	       (address_is_ipv4(&prefix->address) && ipv4 == 0);
}

static bool read_prefix(struct reader *reader, const json_value *value, const char *text,
			struct egress_target *target)
{
	char shown[SHOWN_TEXT_MAX], right[ADDRESS_TEXT_MAX];
	bool host_bits = false;

	if (!prefix_parse(text, &target->prefix, &host_bits))
		return report_target(reader, value, text,
				     has_port_behind(text)
					     ? "has a port in it; write the port in \"ports\""
					     : "is no address or CIDR");
	if (host_bits) {
		prefix_format(&target->prefix, right);
		reader_error(reader, value, CODE_HOST_BITS,
			     "\"%s\" has bits set behind its prefix; write \"%s\"",
			     reader_show(shown, text), right);
		return false;
	}
	if (is_unspecified(&target->prefix))
		return report_target(reader, value, text,
				     "is no destination; write \"@loopback\", or \"@any\"");
	target->kind = TARGET_PREFIX;
	return true;
}

bool read_target(struct reader *reader, const json_value *value, struct egress_target *target)
{
	const char *text = json_as_string(value);
	bool wildcard = strncmp(text, "*.", 2) == 0;

	*target = (struct egress_target){.kind = TARGET_NAME};
	if (strcmp(text, "@any") == 0) {
		target->kind = TARGET_ANY;
		return true;
	}
	if (strcmp(text, "@loopback") == 0) {
		target->kind = TARGET_LOOPBACK;
		return true;
	}
	if (!wildcard && !fault_of_kind(text) && looks_like_address(text))
		return read_prefix(reader, value, text, target);
	if (wildcard && text[2] == '\0')
		return report_target(reader, value, text,
				     "needs a name behind it: \"*.example.com\"");
	if (strchr(wildcard ? text + 2 : text, '*') && strcmp(text, "*") != 0)
		return report_target(reader, value, text,
				     "has a \"*\" that is not its first label; write "
				     "\"*.example.com\"");
	if (wildcard)
		target->kind = TARGET_WILDCARD;
	target->name = reader_host_name(reader, value, wildcard ? text + 2 : text);
	return target->name != NULL;
}
