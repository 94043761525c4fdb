// SPDX-License-Identifier: Apache-2.0
/* "network": where may connections go, what may be listened on, who may be asked for names. */
#include "manifest/reader.h"

#include <string.h>

#define PORT_MAX 65535
/* Names are asked of resolvers alone: only a rule that says 53 itself opens it. */
#define DNS_PORT 53
/* sun_path holds 108 bytes (unix(7)); an abstract name begins with a NUL, written "@" here. */
#define UNIX_PATH_MAX 107

struct port_list {
	struct port_range *ranges; /* owned; two for each item at most */
	size_t count;
};

static bool take_port(const char **text, uint16_t *port)
{
	unsigned long number = 0;
	const char *at = *text;

	if (*at < '1' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (unsigned long)(*at - '0');
		if (number > PORT_MAX)
			return false;
	}
	*text = at;
	*port = (uint16_t)number;
	return true;
}

/* "8000-8100" and "*". */
static bool parse_port_text(const char *text, struct port_range *range)
{
	if (strcmp(text, "*") == 0) {
		*range = (struct port_range){1, PORT_MAX};
		return true;
	}
	return take_port(&text, &range->first) && *text++ == '-' &&
	       take_port(&text, &range->last) && *text == '\0' && range->first <= range->last;
}

static bool read_port(struct reader *reader, const json_value *value, struct port_range *range)
{
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX];
	uint64_t number;
	uint16_t single;

	if (!reader_expect(reader, value, KIND_NUMBER | KIND_STRING))
		return false;
	if (!text) {
		if (json_as_unsigned(value, PORT_MAX, &number) && number > 0) {
			*range = (struct port_range){(uint16_t)number, (uint16_t)number};
			return true;
		}
		reader_error(reader, value, CODE_PORT, "a port is a whole number from 1 to %d",
			     PORT_MAX);
		return false;
	}
	if (parse_port_text(text, range))
		return true;
	reader_show(shown, text);
	if (take_port(&text, &single) && *text == '\0')
		reader_error(reader, value, CODE_PORT,
			     "\"%s\" is a string; write the number without quotation marks: %u",
			     shown, single);
	else
		reader_error(reader, value, CODE_PORT,
			     "\"%s\" is no range of ports; write \"8000-8100\", or \"*\" for all",
			     shown);
	return false;
}

static void add_range(struct port_list *list, uint16_t first, uint16_t last)
{
	if (first <= last)
		list->ranges[list->count++] = (struct port_range){first, last};
}

static void read_port_item(struct reader *reader, const json_value *value, bool spare_dns,
			   struct port_list *list)
{
	struct port_range range;

	if (!read_port(reader, value, &range))
		return;
	if (!spare_dns || json_is_number(value) || range.first > DNS_PORT ||
	    range.last < DNS_PORT) {
		add_range(list, range.first, range.last);
		return;
	}
	if (range.first == range.last) {
		reader_error(reader, value, CODE_PORT,
			     "a range leaves out port 53; write the number 53 if it is meant");
		return;
	}
	add_range(list, range.first, DNS_PORT - 1);
	add_range(list, DNS_PORT + 1, range.last);
}

/* A list, or one port alone. `spare_dns`: "*" and ranges leave out port 53. */
static const struct port_set *read_ports(struct reader *reader, const json_value *value,
					 bool spare_dns)
{
	size_t count = json_is_array(value) ? json_count(value) : 1, index = 0;
	_cleanup_free_ struct port_range *ranges = calloc(count * 2 + 1, sizeof(*ranges));
	struct port_list list = {ranges, 0};

	if (!ranges) {
		reader_out_of_memory(reader);
		return NULL;
	}
	if (!json_is_array(value)) {
		read_port_item(reader, value, spare_dns, &list);
	} else if (reader_not_empty(reader, value, "write ports, e.g. [443]")) {
		json_for_each (item, value) {
			size_t before = reader_push_index(reader, index++);

			read_port_item(reader, item, spare_dns, &list);
			reader_pop(reader, before);
		}
	}
	return list.count ? reader_port_set(reader, list.ranges, list.count) : NULL;
}

/* What does not stand there as a number has told so already. */
static const struct port_set *read_named_ports(struct reader *reader, const json_value *value)
{
	const size_t room = json_is_array(value) ? json_count(value) : 1;
	_cleanup_free_ struct port_range *ranges = calloc(room + 1, sizeof(*ranges));
	struct port_list list = {ranges, 0};
	uint64_t port;

	if (!ranges) {
		reader_out_of_memory(reader);
		return NULL;
	}
	if (json_is_number(value) && json_as_unsigned(value, PORT_MAX, &port))
		add_range(&list, (uint16_t)port, (uint16_t)port);
	if (json_is_array(value))
		json_for_each (item, value)
			if (json_is_number(item) && json_as_unsigned(item, PORT_MAX, &port))
				add_range(&list, (uint16_t)port, (uint16_t)port);
	return list.count ? reader_port_set(reader, list.ranges, list.count) : NULL;
}

static void read_egress_ports(struct reader *reader, const json_value *value, void *target)
{
	struct egress_rule *rule = target;

	rule->ports = read_ports(reader, value, true);
	rule->named_ports = read_named_ports(reader, value);
}

static void read_to(struct reader *reader, const json_value *value, void *target)
{
	struct egress_rule *rule = target;
	size_t index = 0;

	rule->targets = reader_new_array(reader, struct egress_target,
					 json_is_array(value) ? json_count(value) : 1);
	if (!rule->targets)
		return;
	if (!json_is_array(value)) {
		rule->target_count += read_target(reader, value, &rule->targets[0]);
		return;
	}
	if (!reader_not_empty(reader, value, "write where to, e.g. \"api.example.com\""))
		return;
	json_for_each (item, value) {
		size_t before = reader_push_index(reader, index++);

		if (reader_expect(reader, item, KIND_STRING) &&
		    read_target(reader, item, &rule->targets[rule->target_count]))
			rule->target_count++;
		reader_pop(reader, before);
	}
}

static const struct word protocol_words[] = {
	{"tcp", PROTOCOL_TCP},
	{"udp", PROTOCOL_UDP},
	{"icmp", PROTOCOL_ICMP},
};

static void read_protocol(struct reader *reader, const json_value *value, unsigned *protocols)
{
	int bit;

	if (reader_expect(reader, value, KIND_STRING) &&
	    reader_word(reader, value, protocol_words, ARRAY_SIZE(protocol_words), &bit))
		*protocols |= (unsigned)bit;
}

static void read_proto(struct reader *reader, const json_value *value, void *target)
{
	struct egress_rule *rule = target;
	size_t index = 0;

	if (!json_is_array(value)) {
		read_protocol(reader, value, &rule->protocols);
		return;
	}
	if (!reader_not_empty(reader, value, "write [\"tcp\"], or leave it out for tcp"))
		return;
	json_for_each (item, value) {
		size_t before = reader_push_index(reader, index++);

		read_protocol(reader, item, &rule->protocols);
		reader_pop(reader, before);
	}
}

static void read_sni(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"require", SNI_REQUIRE}, {"ignore", SNI_IGNORE}};
	struct egress_rule *rule = target;
	int mode;

	if (reader_word(reader, value, words, ARRAY_SIZE(words), &mode))
		rule->sni = (enum sni_mode)mode;
}

static void read_connects(struct reader *reader, const json_value *value, void *target)
{
	struct egress_rule *rule = target;

	(void)reader_rate(reader, value, false, &rule->connects);
}

static void read_bytes(struct reader *reader, const json_value *value, void *target)
{
	struct egress_rule *rule = target;

	(void)reader_rate(reader, value, true, &rule->bytes);
}

static const struct key_spec egress_keys[] = {
	{"to", KIND_STRING | KIND_LIST, read_to, "say where to, e.g. \"to\": \"api.example.com\""},
	{"ports", KIND_LIST | KIND_NUMBER | KIND_STRING, read_egress_ports, NULL},
	{"proto", KIND_STRING | KIND_LIST, read_proto, NULL},
	{"sni", KIND_STRING, read_sni, NULL},
	{"connects", KIND_STRING, read_connects, NULL},
	{"bytes", KIND_STRING, read_bytes, NULL},
};

static bool is_name(const struct egress_target *target)
{
	return target->kind == TARGET_NAME || target->kind == TARGET_WILDCARD;
}

static bool names_a_host(const struct egress_rule *rule)
{
	for (size_t i = 0; i < rule->target_count; i++)
		if (is_name(&rule->targets[i]))
			return true;
	return false;
}

/* What the keys of a rule mean together. Keys that are wrong by themselves were reported. */
static void check_rule(struct reader *reader, const json_value *value,
		       const struct egress_rule *rule)
{
	bool icmp_alone = rule->protocols == PROTOCOL_ICMP;
	bool has_ports = json_member(value, "ports") != NULL;

	if (!has_ports && rule->protocols && !icmp_alone)
		reader_error_at_key(reader, value, "ports", CODE_NEEDS_PORTS,
				    "%s needs ports, e.g. \"ports\": [443]",
				    names_a_host(rule) ? "a host name" : "an address");
	if (has_ports && icmp_alone)
		reader_error_at_key(reader, value, "ports", CODE_CONTRADICTION,
				    "ICMP has no ports; remove them, or add \"tcp\" to proto");
	if (rule->sni == SNI_UNSET)
		return;
	if (rule->protocols && !(rule->protocols & PROTOCOL_TCP))
		reader_error_at_key(reader, value, "sni", CODE_CONTRADICTION,
				    "sni is for tcp; remove it, or add \"tcp\" to proto");
	if (rule->target_count && !names_a_host(rule))
		reader_error_at_key(reader, value, "sni", CODE_CONTRADICTION,
				    "sni is for host names; an address has none: remove it");
}

static void read_egress(struct reader *reader, const json_value *value, void *target)
{
	struct network *network = target;

	network->egress = reader_new_array(reader, struct egress_rule, json_count(value));
	if (!network->egress)
		return;
	json_for_each (item, value) {
		struct egress_rule *rule = &network->egress[network->egress_count];
		size_t before = reader_push_index(reader, network->egress_count);

		rule->index = network->egress_count++;
		rule->protocols = json_member(item, "proto") ? 0 : PROTOCOL_TCP;
		if (reader_object(reader, item, egress_keys, ARRAY_SIZE(egress_keys), rule))
			check_rule(reader, item, rule);
		reader_pop(reader, before);
	}
}

static void read_resolver(struct reader *reader, const json_value *value, struct network *network)
{
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX];

	if (!reader_expect(reader, value, KIND_STRING))
		return;
	if (strcmp(text, "system") == 0) {
		network->system_resolvers = true;
		return;
	}
	if (address_parse(text, &network->resolvers[network->resolver_count])) {
		network->resolver_count++;
		return;
	}
	reader_error(reader, value, CODE_TARGET,
		     "\"%s\" is no address of a resolver; write \"10.0.0.53\", or \"system\"",
		     reader_show(shown, text));
}

static void read_resolvers(struct reader *reader, const json_value *value, void *target)
{
	static const struct word words[] = {{"system", 0}};
	struct network *network = target;
	size_t index = 0;
	int ignored;

	if (json_is_string(value)) {
		if (reader_word(reader, value, words, ARRAY_SIZE(words), &ignored))
			network->system_resolvers = true;
		return;
	}
	network->system_resolvers = false;
	network->resolvers = reader_new_array(reader, struct ip_address, json_count(value));
	if (!network->resolvers ||
	    !reader_not_empty(reader, value, "write addresses, or \"system\""))
		return;
	json_for_each (item, value) {
		size_t before = reader_push_index(reader, index++);

		read_resolver(reader, item, network);
		reader_pop(reader, before);
	}
}

static void read_listen_ports(struct reader *reader, const json_value *value, void *target)
{
	struct listen_rule *rule = target;

	rule->ports = read_ports(reader, value, false);
}

/* 0.0.0.0 and :: mean every address of the host, to bind and to be reached at; :: takes IPv4 too,
 * as a socket does that is bound to it. */
static void widen_any_address(struct egress_target *on)
{
	if (address_is_ipv4(&on->prefix.address))
		on->prefix = ipv4_space;
	else
		on->kind = TARGET_ANY;
}

static void read_on(struct reader *reader, const json_value *value, void *target)
{
	struct listen_rule *rule = target;
	const char *text = json_as_string(value);
	char shown[SHOWN_TEXT_MAX];

	rule->on = (struct egress_target){.kind = TARGET_PREFIX, .prefix = {.bits = ADDRESS_BITS}};
	if (strcmp(text, "@any") == 0)
		rule->on.kind = TARGET_ANY;
	else if (strcmp(text, "@loopback") == 0)
		rule->on.kind = TARGET_LOOPBACK;
	else if (!address_parse(text, &rule->on.prefix.address))
		reader_error(reader, value, CODE_TARGET,
			     "\"%s\" is nothing to listen on; write an address, \"@loopback\" or "
			     "\"@any\"",
			     reader_show(shown, text));
	else if (address_is_any(&rule->on.prefix.address))
		widen_any_address(&rule->on);
}

static const struct key_spec listen_keys[] = {
	{"ports", KIND_LIST | KIND_NUMBER | KIND_STRING, read_listen_ports,
	 "say which, e.g. \"ports\": [8080]"},
	{"on", KIND_STRING, read_on, NULL},
};

static void read_listen(struct reader *reader, const json_value *value, void *target)
{
	struct network *network = target;

	network->listens = reader_new_array(reader, struct listen_rule, json_count(value));
	if (!network->listens)
		return;
	json_for_each (item, value) {
		struct listen_rule *rule = &network->listens[network->listen_count];
		size_t before = reader_push_index(reader, network->listen_count);

		rule->index = network->listen_count++;
		rule->on.kind = TARGET_ANY;
		(void)reader_object(reader, item, listen_keys, ARRAY_SIZE(listen_keys), rule);
		reader_pop(reader, before);
	}
}

static const char *read_unix_pattern(struct reader *reader, const json_value *value)
{
	const char *text = json_as_string(value);

	if (text[0] == '/')
		return reader_path_pattern(reader, value);
	if (text[0] == '@' && text[1] != '\0' && strlen(text) <= UNIX_PATH_MAX)
		return reader_copy(reader, text);
	reader_error(reader, value, CODE_PATH,
		     "a Unix socket is an absolute path, or \"@name\" for an abstract one (at most "
		     "%d bytes)",
		     UNIX_PATH_MAX);
	return NULL;
}

static void read_unix(struct reader *reader, const json_value *value, void *target)
{
	struct network *network = target;

	network->unix_present = true;
	reader_strings(reader, value, read_unix_pattern, &network->unix_paths);
}

static void read_family(struct reader *reader, const json_value *value, unsigned *families)
{
	const char *text = json_as_string(value), *near;
	char shown[SHOWN_TEXT_MAX];

	if (!reader_expect(reader, value, KIND_STRING))
		return;
	for (size_t i = 0; i < family_name_count; i++) {
		if (strcmp(family_names[i].name, text) == 0) {
			*families |= (unsigned)family_names[i].bit;
			return;
		}
	}
	near = reader_suggest(reader, text, family_names, family_name_count,
			      sizeof(family_names[0]));
	reader_error(reader, value, CODE_UNKNOWN_NAME,
		     "\"%s\" is no address family that needs a grant; did you mean \"%s\"?",
		     reader_show(shown, text), near ? near : family_names[0].name);
}

static void read_families(struct reader *reader, const json_value *value, void *target)
{
	struct network *network = target;
	size_t index = 0;

	json_for_each (item, value) {
		size_t before = reader_push_index(reader, index++);

		read_family(reader, item, &network->families);
		reader_pop(reader, before);
	}
}

static const struct key_spec network_keys[] = {
	{"egress", KIND_LIST, read_egress, NULL},
	{"resolvers", KIND_STRING | KIND_LIST, read_resolvers, NULL},
	{"listen", KIND_LIST, read_listen, NULL},
	{"unix", KIND_LIST, read_unix, NULL},
	{"families", KIND_LIST, read_families, NULL},
};

void read_network(struct reader *reader, const json_value *value, void *target)
{
	struct network *network = target;

	network->present = true;
	(void)reader_object(reader, value, network_keys, ARRAY_SIZE(network_keys), network);
}
