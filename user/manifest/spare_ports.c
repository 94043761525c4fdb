// SPDX-License-Identifier: Apache-2.0
/* Ports of tools' servers are taken out of rules that do not name them by their number: a server
 * may have other addresses than the manifest knows, and the guard is to be the only way there. */
#include "manifest/reader.h"

/* `ports` without one. */
static const struct port_set *without(struct reader *reader, const struct port_set *ports,
				      uint16_t port)
{
	_cleanup_free_ struct port_range *ranges = calloc(ports->count + 1, sizeof(*ranges));
	const struct port_set *rest;
	size_t count = 0;

	if (!ranges) {
		reader_out_of_memory(reader);
		return ports;
	}
	for (size_t i = 0; i < ports->count; i++) {
		const struct port_range range = ports->ranges[i];

		if (port < range.first || port > range.last) {
			ranges[count++] = range;
			continue;
		}
		if (range.first < port)
			ranges[count++] = (struct port_range){range.first, (uint16_t)(port - 1)};
		if (port < range.last)
			ranges[count++] = (struct port_range){(uint16_t)(port + 1), range.last};
	}
	rest = port_set_new(reader->arena, ranges, count);
	if (!rest)
		reader_out_of_memory(reader);
	return rest ? rest : ports;
}

static void spare_port(struct reader *reader, const struct network *network, uint16_t port)
{
	for (size_t i = 0; i < network->egress_count; i++) {
		struct egress_rule *rule = &network->egress[i];

		if (port_set_has(rule->ports, port) && !port_set_has(rule->named_ports, port))
			rule->ports = without(reader, rule->ports, port);
	}
}

void spare_server_ports(struct reader *reader)
{
	const struct policy *policy = reader->policy;

	for (size_t i = 0; i < policy->tool_count; i++) {
		const struct sql_policy *sql = policy->tools[i].sql;

		if (!sql || !sql->server_host)
			continue;
		spare_port(reader, &policy->agent.network, sql->server_port);
		for (size_t n = 0; n < policy->tool_count; n++)
			spare_port(reader, &policy->tools[n].scope.network, sql->server_port);
	}
}
