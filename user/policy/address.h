/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet addresses and prefixes. Both families live in one space of 16 bytes: IPv4 is
 * IPv4-mapped IPv6 (RFC 4291, 2.5.5.2), so that one table and one comparison serve both.
 */
#ifndef AGENTPOL_POLICY_ADDRESS_H
#define AGENTPOL_POLICY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define ADDRESS_BYTES 16
#define ADDRESS_BITS  128
/* Bits in front of the IPv4 address in its mapped form. */
#define MAPPED_BITS 96
/* "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128" and its end. */
#define ADDRESS_TEXT_MAX 56

struct ip_address {
	uint8_t bytes[ADDRESS_BYTES];
};

/* Invariant: bits past `bits` are zero. */
struct ip_prefix {
	struct ip_address address;
	uint8_t bits; /* of 128: an IPv4 /24 is 120 */
};

/* Addresses that a rule must name itself; see prefix_covers. */
struct reserved_range {
	struct ip_prefix prefix;
	const char *what; /* for messages: "cloud metadata", "link-local" */
};
extern const struct reserved_range reserved_ranges[];
extern const size_t reserved_range_count;

/* ::ffff:0:0/96, where IPv4 lives: an IPv6 prefix that is shorter does not reach into it. */
extern const struct ip_prefix ipv4_space;
extern const struct ip_prefix ipv4_loopback; /* 127.0.0.0/8 */
extern const struct ip_prefix ipv6_loopback; /* ::1/128 */

/* "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"; no zone, no port. False if it is no address. */
bool address_parse(const char *text, struct ip_address *address) MUST_USE;
/* An address or "address/bits"; false if it is neither. *host_bits tells whether bits past the
 * prefix were set (they are cleared in the result). */
bool prefix_parse(const char *text, struct ip_prefix *prefix, bool *host_bits) MUST_USE;

/* Both write at most ADDRESS_TEXT_MAX bytes with the NUL; IPv4 is written as IPv4; a prefix of
 * one address without "/bits". */
void address_format(const struct ip_address *address, char *text);
void prefix_format(const struct ip_prefix *prefix, char *text);

bool address_is_ipv4(const struct ip_address *address);
/* 0.0.0.0 or ::. */
bool address_is_any(const struct ip_address *address);
/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct ip_address *address);
/* Private (RFC 1918, fc00::/7), shared (100.64.0.0/10), "this network", loopback or reserved, also
 * as NAT64 and 6to4 have IPv4 in IPv6: what a name may not open by itself. */
bool address_is_internal(const struct ip_address *address);
/* The ranges of address_is_internal, one after the other; false past the last. */
bool address_internal_range(size_t index, struct ip_prefix *range) MUST_USE;
/* What Linux makes of "any address" as a destination: 0.0.0.0 is 127.0.0.1, :: is ::1. */
struct ip_address address_as_destination(struct ip_address address);
/* The reserved range that holds the address, or NULL. */
const struct reserved_range *address_reserved_range(const struct ip_address *address);

/* Bits alone: does `outer` hold all of `inner`? */
bool prefix_contains(const struct ip_prefix *outer, const struct ip_prefix *inner);
bool prefix_holds(const struct ip_prefix *prefix, const struct ip_address *address);
/*
 * Does a rule that names `rule` grant `address`? As prefix_holds, but a reserved address is
 * granted only by a rule that lies within a reserved range, and IPv4 only by a rule of IPv4.
 */
bool prefix_covers(const struct ip_prefix *rule, const struct ip_address *address);

#endif
