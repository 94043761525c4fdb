// SPDX-License-Identifier: Apache-2.0
#include "policy/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
#define IPV4_BYTES(a, b, c, d) {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}}
#define IPV4_PREFIX(a, b, c, d, length) {IPV4_BYTES(a, b, c, d), MAPPED_BITS + (length)}

/* The metadata services of AWS (both families), GCP, Azure's first (169.254.169.254), Alibaba's
 * (100.100.100.200) and Azure's host agent (168.63.129.16), and the link-local ranges. */
const struct reserved_range reserved_ranges[] = {
	{IPV4_PREFIX(169, 254, 169, 254, 32), "cloud metadata"},
	{IPV4_PREFIX(169, 254, 0, 0, 16), "link-local"},
	{{{{0xfe, 0x80}}, 10}, "link-local"},
	{{{{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}}, 128}, "cloud metadata"},
	{IPV4_PREFIX(100, 100, 100, 200, 32), "cloud metadata"},
	{IPV4_PREFIX(168, 63, 129, 16, 32), "cloud metadata"},
};
const size_t reserved_range_count = ARRAY_SIZE(reserved_ranges);

const struct ip_prefix ipv4_space = IPV4_PREFIX(0, 0, 0, 0, 0);
const struct ip_prefix ipv4_loopback = IPV4_PREFIX(127, 0, 0, 0, 8);
const struct ip_prefix ipv6_loopback = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128};

static const struct ip_prefix private_ranges[] = {
	IPV4_PREFIX(10, 0, 0, 0, 8),
	IPV4_PREFIX(172, 16, 0, 0, 12),
	IPV4_PREFIX(192, 168, 0, 0, 16),
	{{{0xfc}}, 7},
	{{{0xfe, 0xc0}}, 10}, /* site-local, RFC 3879 */
	IPV4_PREFIX(100, 64, 0, 0, 10), /* shared, RFC 6598 */
	IPV4_PREFIX(0, 0, 0, 0, 8),
	{{{0}}, 128}, /* :: */
};
/* Where IPv4 addresses stand in IPv6 ones: NAT64's own prefix (RFC 6052) and 6to4 (RFC 3056). */
static const struct embedding {
	struct ip_prefix prefix;
	size_t offset; /* of the IPv4 address, bytes */
} embeddings[] = {
	{{{{0x00, 0x64, 0xff, 0x9b}}, 96}, 12},
	{{{{0x20, 0x02}}, 16}, 2},
};
/* clang-format on */

bool address_parse(const char *text, struct ip_address *address)
{
	struct ip_address mapped = ipv4_space.address;

	if (inet_pton(AF_INET6, text, address->bytes) == 1)
		return true;
	if (inet_pton(AF_INET, text, mapped.bytes + MAPPED_BITS / 8) != 1)
		return false;
	*address = mapped;
	return true;
}

/* Decimal without sign, blanks or leading zeros, up to `limit`. */
static bool parse_bits(const char *text, unsigned limit, unsigned *bits)
{
	size_t length = strlen(text), i;

	if (length == 0 || length > 3 || (text[0] == '0' && length > 1))
		return false;
	*bits = 0;
	for (i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*bits = *bits * 10 + (unsigned)(text[i] - '0');
	}
	return *bits <= limit;
}

static struct ip_address address_masked(const struct ip_address *address, unsigned bits)
{
	struct ip_address masked = {{0}};

	memcpy(masked.bytes, address->bytes, bits / 8);
	if (bits % 8)
		masked.bytes[bits / 8] =
			(uint8_t)(address->bytes[bits / 8] & (0xff << (8 - bits % 8)));
	return masked;
}

bool prefix_parse(const char *text, struct ip_prefix *prefix, bool *host_bits)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN];
	struct ip_address address;
	unsigned bits = ADDRESS_BITS;

	if (length >= sizeof(host))
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	if (!address_parse(host, &address))
		return false;
	/* How the address is written says how the bits are counted: "::ffff:10.0.0.0/104". */
	if (slash && strchr(host, ':')) {
		if (!parse_bits(slash + 1, ADDRESS_BITS, &bits))
			return false;
	} else if (slash) {
		if (!parse_bits(slash + 1, ADDRESS_BITS - MAPPED_BITS, &bits))
			return false;
		bits += MAPPED_BITS;
	}
	prefix->address = address_masked(&address, bits);
	prefix->bits = (uint8_t)bits;
	*host_bits = memcmp(&prefix->address, &address, sizeof(address)) != 0;
	return true;
}

void address_format(const struct ip_address *address, char *text)
{
	const bool ipv4 = address_is_ipv4(address);
	const void *bytes = ipv4 ? address->bytes + MAPPED_BITS / 8 : address->bytes;

	if (!inet_ntop(ipv4 ? AF_INET : AF_INET6, bytes, text, ADDRESS_TEXT_MAX))
		text[0] = '\0';
}

void prefix_format(const struct ip_prefix *prefix, char *text)
{
	unsigned bits = prefix->bits;
	size_t length;

	if (bits < MAPPED_BITS || !address_is_ipv4(&prefix->address)) {
		/* A short prefix is IPv6 whatever its bits look like. */
		if (!inet_ntop(AF_INET6, prefix->address.bytes, text, ADDRESS_TEXT_MAX))
			text[0] = '\0';
	} else {
		address_format(&prefix->address, text);
		bits -= MAPPED_BITS;
	}
	if (prefix->bits == ADDRESS_BITS)
		return;
	length = strlen(text);
	(void)snprintf(text + length, ADDRESS_TEXT_MAX - length, "/%u", bits);
}

bool address_is_ipv4(const struct ip_address *address)
{
	return prefix_holds(&ipv4_space, address);
}

bool address_is_loopback(const struct ip_address *address)
{
	return prefix_holds(&ipv4_loopback, address) || prefix_holds(&ipv6_loopback, address);
}

/* Private ones, then loopback, then the reserved ones. */
static const struct ip_prefix *plain_range(size_t index)
{
	if (index < ARRAY_SIZE(private_ranges))
		return &private_ranges[index];
	index -= ARRAY_SIZE(private_ranges);
	if (index < 2)
		return index ? &ipv6_loopback : &ipv4_loopback;
	index -= 2;
	return index < reserved_range_count ? &reserved_ranges[index].prefix : NULL;
}

/* The same range of IPv4 as it stands in IPv6; false where it is none. */
static bool embed(const struct ip_prefix *plain, const struct embedding *in,
		  struct ip_prefix *range)
{
	if (plain->bits < MAPPED_BITS || !address_is_ipv4(&plain->address))
		return false;
	*range = in->prefix;
	memcpy(range->address.bytes + in->offset, plain->address.bytes + MAPPED_BITS / 8, 4);
	range->bits = (uint8_t)(8 * in->offset + plain->bits - MAPPED_BITS);
	return true;
}

bool address_internal_range(size_t index, struct ip_prefix *range)
{
	const struct ip_prefix *plain;
	size_t i, n;

	for (i = 0; (plain = plain_range(i)) != NULL; i++) {
		if (index-- == 0) {
			*range = *plain;
			return true;
		}
		for (n = 0; n < ARRAY_SIZE(embeddings); n++)
			if (embed(plain, &embeddings[n], range) && index-- == 0)
				return true;
	}
	return false;
}

bool address_is_internal(const struct ip_address *address)
{
	struct ip_prefix range;

	for (size_t i = 0; address_internal_range(i, &range); i++)
		if (prefix_holds(&range, address))
			return true;
	return false;
}

bool address_is_any(const struct ip_address *address)
{
	static const struct ip_address unspecified;

	return memcmp(address, &unspecified, sizeof(unspecified)) == 0 ||
	       memcmp(address, &ipv4_space.address, sizeof(unspecified)) == 0;
}

struct ip_address address_as_destination(struct ip_address address)
{
	static const struct ip_address ipv4_localhost = IPV4_BYTES(127, 0, 0, 1);

	if (!address_is_any(&address))
		return address;
	return address_is_ipv4(&address) ? ipv4_localhost : ipv6_loopback.address;
}

const struct reserved_range *address_reserved_range(const struct ip_address *address)
{
	size_t i;

	for (i = 0; i < reserved_range_count; i++)
		if (prefix_holds(&reserved_ranges[i].prefix, address))
			return &reserved_ranges[i];
	return NULL;
}

bool prefix_contains(const struct ip_prefix *outer, const struct ip_prefix *inner)
{
	return outer->bits <= inner->bits && prefix_holds(outer, &inner->address);
}

bool prefix_holds(const struct ip_prefix *prefix, const struct ip_address *address)
{
	const size_t whole = prefix->bits / 8;
	const unsigned rest = prefix->bits % 8;

	if (memcmp(prefix->address.bytes, address->bytes, whole) != 0)
		return false;
	if (rest == 0)
		return true;
	return ((prefix->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

static bool prefix_is_reserved(const struct ip_prefix *prefix)
{
	size_t i;

	for (i = 0; i < reserved_range_count; i++)
		if (prefix_contains(&reserved_ranges[i].prefix, prefix))
			return true;
	return false;
}

bool prefix_covers(const struct ip_prefix *rule, const struct ip_address *address)
{
	if (!prefix_holds(rule, address))
		return false;
	if (address_is_ipv4(address) && rule->bits < MAPPED_BITS)
		return false;
	return !address_reserved_range(address) || prefix_is_reserved(rule);
}
