// SPDX-License-Identifier: Apache-2.0
/* What an image answers: the second reading of the same tables, for people and tests. */
#include "compile/image.h"

#include <string.h>

int image_address_compare(const void *left, const void *right)
{
	const struct image_address *a = left, *b = right;
	int order;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	order = memcmp(&a->prefix.address, &b->prefix.address, sizeof(a->prefix.address));
	if (order != 0)
		return order;
	return (int)a->prefix.bits - (int)b->prefix.bits;
}

static const struct image_address *find_exact(const struct image *image, enum address_table table,
					      const struct ip_address *address, unsigned bits)
{
	struct image_address key = {.table = table, .prefix.bits = (uint8_t)bits};

	memcpy(key.prefix.address.bytes, address->bytes, bits / 8);
	if (bits % 8)
		key.prefix.address.bytes[bits / 8] =
			(uint8_t)(address->bytes[bits / 8] & (0xff << (8 - bits % 8)));
	return bsearch(&key, image->addresses, image->address_count, sizeof(key),
		       image_address_compare);
}

static bool number_has(const struct image *image, uint32_t number, uint16_t port)
{
	if (number == PORT_SET_NONE || number == PORT_SET_ALL)
		return number == PORT_SET_ALL;
	return port_set_has(image->port_sets[number - 1], port);
}

static bool ports_allow(const struct image *image, const struct address_grant *grant,
			enum protocol_bit protocol, uint16_t port)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return number_has(image, grant->tcp_ports, port);
	case PROTOCOL_UDP:
		return number_has(image, grant->udp_ports, port);
	case PROTOCOL_ICMP:
		return (grant->flags & GRANT_ICMP) != 0;
	}
	return false;
}

/* Budgets are taken to be full. */
static bool grant_allows(const struct image *image, const struct address_grant *grant,
			 enum protocol_bit protocol, uint16_t port)
{
	const struct budget_list *list;

	if (ports_allow(image, grant, protocol, port))
		return true;
	list = grant->budgets ? &image->budget_lists[grant->budgets - 1] : NULL;
	for (uint32_t i = 0; list && i < list->count; i++) {
		const struct address_grant item = {.tcp_ports = list->items[i].tcp_ports,
						   .udp_ports = list->items[i].udp_ports,
						   .flags = list->items[i].flags};

		if (ports_allow(image, &item, protocol, port))
			return true;
	}
	return false;
}

bool image_allows(const struct image *image, enum address_table table,
		  const struct ip_address *address, enum protocol_bit protocol, uint16_t port)
{
	const struct ip_address asked =
		table == TABLE_EGRESS ? address_as_destination(*address) : *address;
	const struct image_address *found = NULL;
	unsigned bits;

	/* The bind hook lets the kernel pick a port without asking. */
	if (table == TABLE_LISTEN && port == 0)
		return true;
	for (bits = ADDRESS_BITS + 1; bits > 0 && !found; bits--)
		found = find_exact(image, table, &asked, bits - 1);
	return found && grant_allows(image, &found->grant, protocol, port);
}
