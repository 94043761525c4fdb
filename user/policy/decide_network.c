// SPDX-License-Identifier: Apache-2.0
/* Decisions of the network section: destinations, names, ports that are listened on, families. */
#include "policy/verdict.h"

#include <string.h>
#include <strings.h>

#include "base/json_write.h"
#include "policy/servers.h"

static const char *protocol_name(enum protocol_bit protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return "tcp";
	case PROTOCOL_UDP:
		return "udp";
	case PROTOCOL_ICMP:
		return "icmp";
	}
	return "?";
}

static struct hint_list egress_list(const struct scope *scope)
{
	return (struct hint_list){scope, "network", scope->network.present, "egress",
				  scope->network.egress_count};
}

/* ---- which rule grants it ---- */

static bool target_grants_address(const struct egress_target *target,
				  const struct ip_address *address)
{
	switch (target->kind) {
	case TARGET_PREFIX:
		return prefix_covers(&target->prefix, address);
	case TARGET_LOOPBACK:
		return address_is_loopback(address);
	case TARGET_ANY:
		return !address_reserved_range(address);
	case TARGET_NAME:
	case TARGET_WILDCARD:
		break;
	}
	return false;
}

/* `name` in any case, with or without the root's dot. */
static bool target_grants_name(const struct egress_target *target, const char *name)
{
	size_t length = strlen(name), suffix;

	if (target->kind != TARGET_NAME && target->kind != TARGET_WILDCARD)
		return false;
	if (length > 0 && name[length - 1] == '.')
		length--;
	suffix = strlen(target->name);
	if (target->kind == TARGET_NAME)
		return length == suffix && strncasecmp(name, target->name, length) == 0;
	/* At least one label and its dot stand in front. */
	return length > suffix + 1 && name[length - suffix - 1] == '.' &&
	       strncasecmp(name + length - suffix, target->name, suffix) == 0;
}

static bool rule_grants_port(const struct egress_rule *rule, enum protocol_bit protocol,
			     uint16_t port)
{
	if (!(rule->protocols & protocol))
		return false;
	return protocol == PROTOCOL_ICMP || port_set_has(rule->ports, port);
}

static bool rule_grants_address(const struct egress_rule *rule, const struct ip_address *address)
{
	size_t i;

	for (i = 0; i < rule->target_count; i++)
		if (target_grants_address(&rule->targets[i], address))
			return true;
	return false;
}

static bool rule_grants_name(const struct egress_rule *rule, const char *name)
{
	size_t i;

	for (i = 0; i < rule->target_count; i++)
		if (target_grants_name(&rule->targets[i], name))
			return true;
	return false;
}

/* The first rule that grants the request, by address or (address NULL) by name; *scope is its. */
static const struct egress_rule *find_egress_rule(const struct scopes *scopes,
						  const struct request *request,
						  const struct ip_address *address,
						  const struct scope **scope)
{
	size_t i, j;

	for (i = 0; i < scopes->count; i++) {
		const struct network *network = &scopes->items[i]->network;

		*scope = scopes->items[i];
		for (j = 0; j < network->egress_count; j++) {
			const struct egress_rule *rule = &network->egress[j];

			if (!rule_grants_port(rule, request->connect.protocol,
					      request->connect.port))
				continue;
			if (address ? rule_grants_address(rule, address)
				    : rule_grants_name(rule, request->connect.name))
				return rule;
		}
	}
	return NULL;
}

/* ---- what a hint says ---- */

static void hint_destination(const struct scopes *scopes, const struct request *request,
			     const char *to, struct verdict *verdict)
{
	const enum protocol_bit protocol = request->connect.protocol;
	const struct hint_list list = egress_list(scopes_last(scopes));
	_cleanup_json_writer_ struct json_writer writer = {0};

	/* No rule grants port 0. */
	if (protocol != PROTOCOL_ICMP && request->connect.port == 0)
		return;
	json_open_object(&writer);
	json_key_string(&writer, "to", to);
	if (protocol != PROTOCOL_ICMP) {
		json_key(&writer, "ports");
		json_open_array(&writer);
		json_unsigned(&writer, request->connect.port);
		json_close_array(&writer);
	}
	if (protocol != PROTOCOL_TCP)
		json_key_string(&writer, "proto", protocol_name(protocol));
	json_close_object(&writer);
	if (json_writer_text(&writer))
		verdict_hint_add(verdict, &list, json_writer_text(&writer));
}

/* "10.0.0.1 port 443/tcp (example.com)" */
static void describe_destination(const struct request *request, const char *address, char *text,
				 size_t room)
{
	const char *name = request->connect.name;
	char port[24] = "icmp";

	if (request->connect.protocol != PROTOCOL_ICMP)
		(void)snprintf(port, sizeof(port), "port %u/%s", request->connect.port,
			       protocol_name(request->connect.protocol));
	(void)snprintf(text, room, "%s %s%s%s%s", address, port, name ? " (" : "", name ? name : "",
		       name ? ")" : "");
}

/* ---- resolvers ---- */

#define DNS_PORT 53

static bool lists_resolver(const struct network *network, const struct ip_address *resolver)
{
	size_t i;

	for (i = 0; i < network->resolver_count; i++)
		if (memcmp(&network->resolvers[i], resolver, sizeof(*resolver)) == 0)
			return true;
	return false;
}

static bool grants_any_name(const struct scopes *scopes)
{
	struct ip_address ignored;

	for (size_t i = 0; i < scopes->count; i++)
		if (network_names_hosts(&scopes->items[i]->network))
			return true;
	return scopes->tool && server_kind_of(scopes->tool, &ignored) == SERVER_NAME;
}

/* A resolver that the policy lists is reached where a name may be asked for: what is asked there is
 * a question of its own. The target's own resolvers are not known here. */
static bool is_for_questions(const struct scopes *scopes, const struct request *request,
			     const struct ip_address *address, struct verdict *verdict)
{
	if (request->connect.port != DNS_PORT || request->connect.protocol == PROTOCOL_ICMP ||
	    !grants_any_name(scopes))
		return false;
	for (size_t i = 0; i < scopes->count; i++) {
		if (!lists_resolver(&scopes->items[i]->network, address))
			continue;
		verdict_set_rule(verdict, scopes->items[i], "/network/resolvers");
		verdict_allow(verdict);
		return true;
	}
	return false;
}

/* ---- connect ---- */

/* A tool's server: its own scope reaches it through the guard, and no other at all. */
static bool decide_server(const struct scopes *scopes, const struct request *request,
			  const struct ip_address *address, struct verdict *verdict)
{
	const struct tool *tool = NULL;
	char text[ADDRESS_TEXT_MAX], subject[HOST_NAME_MAX_BYTES + ADDRESS_TEXT_MAX + 32];

	if (request->connect.protocol != PROTOCOL_ICMP)
		tool = servers_find(scopes->policy, scopes->tool, address, request->connect.port,
				    request->connect.name);
	if (!tool)
		return false;
	verdict_set_rule(verdict, &tool->scope, "/sql/server");
	address_format(address, text);
	describe_destination(request, text, subject, sizeof(subject));
	if (request->connect.protocol != PROTOCOL_TCP)
		verdict_deny(verdict, "sql-guard",
			     "%s is the server of the tool %s, which is spoken to over TCP alone",
			     subject, tool->name);
	else if (tool != scopes->tool)
		verdict_deny(verdict, "sql-guard",
			     "%s is the server of the tool %s, which is reached through the guard "
			     "alone: run with --tool %s",
			     subject, tool->name, tool->name);
	else
		verdict_allow(verdict);
	if (verdict->kind == VERDICT_ALLOW)
		(void)snprintf(verdict->assumes, sizeof(verdict->assumes),
			       "the connection goes to the guard, which judges each statement");
	return true;
}

void decide_connect(const struct scopes *scopes, const struct request *request,
		    struct verdict *verdict)
{
	const struct ip_address address = address_as_destination(request->connect.address);
	const struct reserved_range *reserved = address_reserved_range(&address);
	const char *name = request->connect.name;
	char address_text[ADDRESS_TEXT_MAX], subject[HOST_NAME_MAX_BYTES + ADDRESS_TEXT_MAX + 32];
	const struct egress_rule *rule, *by_name;
	const struct scope *scope;

	if (decide_server(scopes, request, &address, verdict) ||
	    is_for_questions(scopes, request, &address, verdict))
		return;
	rule = find_egress_rule(scopes, request, &address, &scope);
	if (rule) {
		verdict_set_rule(verdict, scope, "/network/egress/%zu", rule->index);
		verdict_allow(verdict);
		return;
	}
	address_format(&address, address_text);
	describe_destination(request, address_text, subject, sizeof(subject));
	by_name = name ? find_egress_rule(scopes, request, NULL, &scope) : NULL;
	if (by_name && !address_is_internal(&address)) {
		verdict_set_rule(verdict, scope, "/network/egress/%zu", by_name->index);
		verdict_allow(verdict);
		return;
	}
	verdict_set_rule(verdict, scopes_last(scopes), "/network/egress");
	if (reserved) {
		verdict_deny(verdict, "metadata",
			     "%s is a %s address: only a rule that names this address or its "
			     "range opens it",
			     subject, reserved->what);
		hint_destination(scopes, request, address_text, verdict);
		return;
	}
	if (by_name) {
		verdict_set_rule(verdict, scope, "/network/egress/%zu", by_name->index);
		verdict_deny(verdict, "internal-address",
			     "%s is an internal address: a host name opens it only together "
			     "with a rule for the address",
			     subject);
		hint_destination(scopes, request, address_text, verdict);
		return;
	}
	verdict_deny(verdict, "egress", "no rule grants %s", subject);
	hint_destination(scopes, request,
			 name && !address_is_internal(&address) ? name : address_text, verdict);
}

/* ---- dns ---- */

static const struct egress_rule *find_name_rule(const struct scopes *scopes, const char *name,
						const struct scope **scope)
{
	size_t i, j;

	for (i = 0; i < scopes->count; i++) {
		const struct network *network = &scopes->items[i]->network;

		*scope = scopes->items[i];
		for (j = 0; j < network->egress_count; j++)
			if (rule_grants_name(&network->egress[j], name))
				return &network->egress[j];
	}
	return NULL;
}

/*
 * The agent's section says which servers may be asked; without a list they are the system's. A
 * tool's section adds what it lists, and its silence adds nothing.
 */
static bool grants_resolver(const struct scopes *scopes, const struct ip_address *resolver,
			    struct verdict *verdict)
{
	bool system = false;
	char text[ADDRESS_TEXT_MAX];
	size_t i;

	for (i = 0; i < scopes->count; i++) {
		const struct network *network = &scopes->items[i]->network;

		if (lists_resolver(network, resolver))
			return true;
		if (network->resolver_count > 0)
			system |= network->system_resolvers;
		else if (i == 0)
			system = true;
	}
	if (!system)
		return false;
	address_format(resolver, text);
	(void)snprintf(verdict->assumes, sizeof(verdict->assumes),
		       "%s is a resolver of the target's /etc/resolv.conf", text);
	return true;
}

static void deny_name(const struct scopes *scopes, const char *name, struct verdict *verdict)
{
	const struct hint_list list = egress_list(scopes_last(scopes));
	_cleanup_json_writer_ struct json_writer writer = {0};

	verdict_set_rule(verdict, scopes_last(scopes), "/network/egress");
	verdict_deny(verdict, "dns", "no rule grants the name %s", name);
	/* The port that is meant is not known: the one that most names are asked for. */
	json_open_object(&writer);
	json_key_string(&writer, "to", name);
	json_key(&writer, "ports");
	json_verbatim(&writer, "[443]");
	json_close_object(&writer);
	if (json_writer_text(&writer))
		verdict_hint_add(verdict, &list, json_writer_text(&writer));
}

void decide_dns(const struct scopes *scopes, const struct request *request, struct verdict *verdict)
{
	const struct scope *last = scopes_last(scopes);
	const struct hint_list resolvers = {last, "network", last->network.present, "resolvers",
					    last->network.resolver_count};
	char text[ADDRESS_TEXT_MAX];
	const struct egress_rule *rule;
	const struct scope *scope;
	const struct tool *own;

	rule = find_name_rule(scopes, request->dns.name, &scope);
	own = scopes->tool ? servers_find_name(scopes->policy, scopes->tool, request->dns.name)
			   : NULL;
	if (!rule && own != scopes->tool)
		own = NULL;
	if (!rule && !own) {
		deny_name(scopes, request->dns.name, verdict);
		return;
	}
	if (request->dns.has_resolver &&
	    !grants_resolver(scopes, &request->dns.resolver, verdict)) {
		address_format(&request->dns.resolver, text);
		verdict_set_rule(verdict, last, "/network/resolvers");
		verdict_deny(verdict, "dns", "%s is none of the policy's resolvers", text);
		verdict_hint_add_string(verdict, &resolvers, text);
		return;
	}
	if (rule)
		verdict_set_rule(verdict, scope, "/network/egress/%zu", rule->index);
	else
		verdict_set_rule(verdict, &own->scope, "/sql/server");
	verdict_allow(verdict);
}

/* ---- listen ---- */

/* Reserved addresses are the machine's own here: nothing keeps a rule from covering them. */
static bool listens_on(const struct egress_target *on, const struct ip_address *address)
{
	switch (on->kind) {
	case TARGET_ANY:
		return true;
	case TARGET_LOOPBACK:
		return address_is_loopback(address);
	case TARGET_PREFIX:
		return prefix_holds(&on->prefix, address) &&
		       (on->prefix.bits >= MAPPED_BITS || !address_is_ipv4(address));
	case TARGET_NAME:
	case TARGET_WILDCARD:
		break;
	}
	return false;
}

static void deny_listen(const struct scopes *scopes, const struct request *request,
			struct verdict *verdict)
{
	const struct scope *last = scopes_last(scopes);
	const struct hint_list list = {last, "network", last->network.present, "listen",
				       last->network.listen_count};
	const struct ip_address local = address_as_destination(request->listen.address);
	const bool wildcard = memcmp(&local, &request->listen.address, sizeof(local)) != 0;
	_cleanup_json_writer_ struct json_writer writer = {0};
	char text[ADDRESS_TEXT_MAX];

	address_format(&request->listen.address, text);
	verdict_set_rule(verdict, last, "/network/listen");
	verdict_deny(verdict, "listen", "no rule grants listening on %s port %u", text,
		     request->listen.port);
	json_open_object(&writer);
	json_key(&writer, "ports");
	json_open_array(&writer);
	json_unsigned(&writer, request->listen.port);
	json_close_array(&writer);
	json_key_string(&writer, "on", wildcard ? "@any" : text);
	json_close_object(&writer);
	if (json_writer_text(&writer))
		verdict_hint_add(verdict, &list, json_writer_text(&writer));
}

void decide_listen(const struct scopes *scopes, const struct request *request,
		   struct verdict *verdict)
{
	size_t i, j;

	/* A port that the kernel picks: nobody can have been told to come to it. */
	if (request->listen.port == 0) {
		verdict_allow(verdict);
		return;
	}
	for (i = 0; i < scopes->count; i++) {
		const struct network *network = &scopes->items[i]->network;

		for (j = 0; j < network->listen_count; j++) {
			const struct listen_rule *rule = &network->listens[j];

			if (!port_set_has(rule->ports, request->listen.port) ||
			    !listens_on(&rule->on, &request->listen.address))
				continue;
			verdict_set_rule(verdict, scopes->items[i], "/network/listen/%zu",
					 rule->index);
			verdict_allow(verdict);
			return;
		}
	}
	deny_listen(scopes, request, verdict);
}

/* ---- socket ---- */

void decide_socket(const struct scopes *scopes, const struct request *request,
		   struct verdict *verdict)
{
	static const char *const always[] = {"inet", "inet6", "unix", "netlink-route"};
	const struct scope *last = scopes_last(scopes);
	const struct hint_list list = {last, "network", last->network.present, "families",
				       last->network.families != 0};
	unsigned bit = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(always); i++) {
		if (strcmp(request->family, always[i]) != 0)
			continue;
		verdict_allow(verdict);
		return;
	}
	for (i = 0; i < family_name_count; i++)
		if (strcmp(request->family, family_names[i].name) == 0)
			bit = family_names[i].bit;
	for (i = 0; i < scopes->count; i++) {
		if (!(scopes->items[i]->network.families & bit))
			continue;
		verdict_set_rule(verdict, scopes->items[i], "/network/families");
		verdict_allow(verdict);
		return;
	}
	verdict_set_rule(verdict, last, "/network/families");
	if (bit == 0) {
		verdict_deny(verdict, "family", "%s is no address family that can be granted",
			     request->family);
		return;
	}
	verdict_deny(verdict, "family", "%s sockets are not granted", request->family);
	verdict_hint_add_string(verdict, &list, request->family);
}
