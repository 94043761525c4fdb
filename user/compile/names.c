// SPDX-License-Identifier: Apache-2.0
#include "compile/names.h"

#include <string.h>

/* Ports on which a name's TLS server name is asked for where a rule does not say. */
static const struct port_range tls_ports[] = {{443, 443}, {8443, 8443}};

/* A wildcard stands in front of what it covers: a chain has at most one for each label. */
#define CHAIN_MAX 128

struct rule_list {
	const uint32_t *rules; /* sorted numbers of rules, in the arena */
	size_t count;
};

/* A rule and where it stands; or a server, which is no rule. */
struct numbered_rule {
	const struct scope *scope;
	const struct egress_rule *rule; /* NULL: a server */
	const struct named_server *server;
};

struct item {
	/* The name backwards, with a dot behind it where it is a wildcard: what a wildcard covers
	 * begins with it, and comes after it. */
	const char *key;
	struct image_name name;
	struct rule_list rules;
};

struct maker {
	struct arena *arena;
	struct port_table *ports;
	struct budget_table *budgets;
	struct numbered_rule *rules; /* owned */
	size_t rule_count;
	struct item *items; /* owned */
	size_t count, room;
	bool out_of_memory;
	bool too_many_servers;
};

/* ---- collecting ---- */

static const char *make_key(struct maker *maker, const char *name, bool wildcard)
{
	const size_t length = strlen(name);
	char *key = arena_alloc(maker->arena, length + 2, 1);

	if (!key)
		return NULL;
	for (size_t i = 0; i < length; i++)
		key[i] = name[length - 1 - i];
	if (wildcard)
		key[length] = '.';
	return key;
}

static struct item *add_item(struct maker *maker, const char *name, bool wildcard)
{
	struct item *items, *item;
	size_t room;

	if (maker->count == maker->room) {
		room = maker->room ? 2 * maker->room : 64;
		items = reallocarray(maker->items, room, sizeof(*items));
		if (!items) {
			maker->out_of_memory = true;
			return NULL;
		}
		maker->items = items;
		maker->room = room;
	}
	item = &maker->items[maker->count];
	*item = (struct item){.key = make_key(maker, name, wildcard),
			      .name = {.name = name, .wildcard = wildcard}};
	if (!item->key) {
		maker->out_of_memory = true;
		return NULL;
	}
	maker->count++;
	return item;
}

static void add_name(struct maker *maker, const char *name, bool wildcard, uint32_t number)
{
	struct item *item = add_item(maker, name, wildcard);
	uint32_t *rules = arena_new_array(maker->arena, uint32_t, 1);

	if (!item || !rules) {
		maker->out_of_memory = true;
		return;
	}
	*rules = number;
	item->rules = (struct rule_list){rules, 1};
}

static void add_rule(struct maker *maker, const struct scope *scope, const struct egress_rule *rule)
{
	const uint32_t number = (uint32_t)maker->rule_count;

	maker->rules[maker->rule_count++] = (struct numbered_rule){scope, rule, NULL};
	for (size_t i = 0; i < rule->target_count && !maker->out_of_memory; i++) {
		const struct egress_target *target = &rule->targets[i];

		if (target->kind == TARGET_NAME || target->kind == TARGET_WILDCARD)
			add_name(maker, target->name, target->kind == TARGET_WILDCARD, number);
	}
}

static void add_server(struct maker *maker, const struct named_server *server)
{
	const uint32_t number = (uint32_t)maker->rule_count;

	maker->rules[maker->rule_count++] = (struct numbered_rule){NULL, NULL, server};
	if (!maker->out_of_memory)
		add_name(maker, server->name, false, number);
}

/* ---- rules of each name ---- */

/* NULL when out of memory. */
static const uint32_t *join_rules(struct maker *maker, const struct rule_list *a,
				  const struct rule_list *b, size_t *count)
{
	uint32_t *both = arena_new_array(maker->arena, uint32_t, a->count + b->count);
	size_t i = 0, j = 0;

	*count = 0;
	while (both && (i < a->count || j < b->count)) {
		const bool from_a = j == b->count || (i < a->count && a->rules[i] <= b->rules[j]);
		const uint32_t rule = from_a ? a->rules[i++] : b->rules[j++];

		if (*count == 0 || both[*count - 1] != rule)
			both[(*count)++] = rule;
	}
	return both;
}

static void take_rules(struct maker *maker, struct item *item, const struct rule_list *more)
{
	size_t count;
	const uint32_t *both = join_rules(maker, &item->rules, more, &count);

	if (!both)
		maker->out_of_memory = true;
	else
		item->rules = (struct rule_list){both, count};
}

/* Rules before what is only asked, which gives way to them. */
static int compare_items(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	const int order = strcmp(a->key, b->key);

	return order ? order : (int)a->name.ask_only - (int)b->name.ask_only;
}

static void merge_equal(struct maker *maker)
{
	size_t kept = 0;

	for (size_t i = 1; i < maker->count && !maker->out_of_memory; i++) {
		struct item *item = &maker->items[i];

		if (strcmp(maker->items[kept].key, item->key) != 0)
			maker->items[++kept] = *item;
		else if (!item->name.ask_only)
			take_rules(maker, &maker->items[kept], &item->rules);
	}
	if (maker->count)
		maker->count = kept + 1;
}

/* Other tools' servers alone: they take from what grants the name, and grant nothing. */
static bool is_granted(const struct maker *maker, const struct item *item)
{
	if (item->name.ask_only)
		return true;
	for (size_t i = 0; i < item->rules.count; i++) {
		const struct numbered_rule *rule = &maker->rules[item->rules.rules[i]];

		if (rule->rule || (rule->server->server & SERVER_OWN))
			return true;
	}
	return false;
}

/* Each name gets the rules of the wildcards that cover it; what is only asked is left out where a
 * wildcard grants it already. */
static void inherit(struct maker *maker)
{
	const struct item *chain[CHAIN_MAX];
	size_t depth = 0, kept = 0;

	for (size_t i = 0; i < maker->count && !maker->out_of_memory; i++) {
		struct item item = maker->items[i];

		while (depth > 0 &&
		       strncmp(chain[depth - 1]->key, item.key, strlen(chain[depth - 1]->key)) != 0)
			depth--;
		if (depth > 0 && item.name.ask_only)
			continue;
		if (depth > 0)
			take_rules(maker, &item, &chain[depth - 1]->rules);
		if (!is_granted(maker, &item))
			continue;
		maker->items[kept] = item;
		if (item.name.wildcard && !item.name.ask_only && depth < CHAIN_MAX)
			chain[depth++] = &maker->items[kept];
		kept++;
	}
	maker->count = kept;
}

/* ---- what a set of rules opens ---- */

static const struct port_set *set_of_bits(struct maker *maker, const struct port_bits *bits)
{
	_cleanup_free_ struct port_range *ranges = calloc(32768, sizeof(*ranges));
	const struct port_set *set;
	size_t count = 0;

	if (!ranges) {
		maker->out_of_memory = true;
		return NULL;
	}
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		if (port % 64 == 0 && bits->words[port / 64] == 0) {
			port += 63;
			continue;
		}
		if (!(bits->words[port / 64] >> (port % 64) & 1))
			continue;
		if (count > 0 && (uint32_t)ranges[count - 1].last + 1 == port)
			ranges[count - 1].last = (uint16_t)port;
		else
			ranges[count++] = (struct port_range){(uint16_t)port, (uint16_t)port};
	}
	set = port_set_new(maker->arena, ranges, count);
	if (!set)
		maker->out_of_memory = true;
	return set;
}

static void set_bits(struct port_bits *bits, const struct port_set *set)
{
	for (size_t i = 0; set && i < set->count; i++)
		for (uint32_t port = set->ranges[i].first; port <= set->ranges[i].last; port++)
			bits->words[port / 64] |= 1ULL << (port % 64);
}

/* The TCP ports of a rule on which it asks for a server name, and those on which it does not. */
static void split_ports(const struct egress_rule *rule, struct port_bits *asked,
			struct port_bits *free_of_it)
{
	struct port_bits own = {{0}};

	set_bits(&own, rule->ports);
	for (size_t i = 0; i < PORT_SET_WORDS; i++) {
		uint64_t tls = rule->sni == SNI_REQUIRE ? UINT64_MAX : 0;

		for (size_t n = 0; rule->sni == SNI_UNSET && n < ARRAY_SIZE(tls_ports); n++)
			if (tls_ports[n].first / 64 == i)
				tls |= 1ULL << (tls_ports[n].first % 64);
		asked->words[i] |= own.words[i] & tls;
		free_of_it->words[i] |= own.words[i] & ~tls;
	}
}

/* A port on which any rule does without a server name needs none. */
static void find_sni_ports(struct maker *maker, const struct rule_list *list,
			   struct image_grant *grant)
{
	struct port_bits asked = {{0}}, free_of_it = {{0}};

	for (size_t i = 0; i < list->count; i++) {
		const struct egress_rule *rule = maker->rules[list->rules[i]].rule;

		if (rule && (rule->protocols & PROTOCOL_TCP))
			split_ports(rule, &asked, &free_of_it);
	}
	for (size_t i = 0; i < PORT_SET_WORDS; i++)
		asked.words[i] &= ~free_of_it.words[i];
	if (!port_table_number(maker->ports, set_of_bits(maker, &asked), &grant->sni_ports))
		maker->out_of_memory = true;
}

static void add_ports(struct maker *maker, const struct numbered_rule *from,
		      struct address_grant *grant)
{
	const struct egress_rule *rule = from->rule;
	struct address_grant own = {0};
	uint32_t ports, list = 0;

	if (!port_table_number(maker->ports, rule->ports, &ports))
		maker->out_of_memory = true;
	own.tcp_ports = rule->protocols & PROTOCOL_TCP ? ports : PORT_SET_NONE;
	own.udp_ports = rule->protocols & PROTOCOL_UDP ? ports : PORT_SET_NONE;
	own.flags = rule->protocols & PROTOCOL_ICMP ? GRANT_ICMP : 0;
	if (rule->connects.seconds || rule->bytes.seconds) {
		if (!budget_table_add(maker->budgets, from->scope, rule, &own, &list) ||
		    !budget_table_union(maker->budgets, grant->budgets, list, &grant->budgets))
			maker->out_of_memory = true;
		return;
	}
	if (!port_table_union(maker->ports, grant->tcp_ports, own.tcp_ports, &grant->tcp_ports) ||
	    !port_table_union(maker->ports, grant->udp_ports, own.udp_ports, &grant->udp_ports))
		maker->out_of_memory = true;
	grant->flags |= own.flags;
}

/* At a port the scope's own server counts before others. */
static void add_server_port(struct maker *maker, const struct named_server *server,
			    struct image_grant *grant)
{
	for (size_t i = 0; i < NAME_SERVERS_MAX; i++) {
		struct name_server *place = &grant->servers[i];

		if (place->port && place->port != server->port)
			continue;
		place->port = server->port;
		if (place->server < server->server)
			place->server = server->server;
		return;
	}
	maker->too_many_servers = true;
}

static bool opens_the_same(const struct image_grant *a, const struct image_grant *b)
{
	return memcmp(&a->ports, &b->ports, sizeof(a->ports)) == 0 &&
	       a->sni_ports == b->sni_ports &&
	       memcmp(a->servers, b->servers, sizeof(a->servers)) == 0;
}

/* The grant has been filled at the end of the list; its number there. */
static uint32_t finish_grant(struct names *names)
{
	struct image_grant *grant = &names->grants[names->grant_count];
	size_t i = 0;

	while (i < names->grant_count && !opens_the_same(&names->grants[i], grant))
		i++;
	grant->like = i < names->grant_count ? names->grants[i].like : (uint32_t)i + 1;
	return (uint32_t)++names->grant_count;
}

static uint32_t make_grant(struct maker *maker, const struct rule_list *list, struct names *names)
{
	struct image_grant *grant = &names->grants[names->grant_count];
	uint32_t number;

	*grant = (struct image_grant){0};
	for (size_t i = 0; i < list->count; i++) {
		const struct numbered_rule *rule = &maker->rules[list->rules[i]];

		if (rule->server)
			add_server_port(maker, rule->server, grant);
		else
			add_ports(maker, rule, &grant->ports);
	}
	find_sni_ports(maker, list, grant);
	number = finish_grant(names);
	if (!grant->servers[0].port)
		return number;
	/* What an internal address gets of it. */
	names->grants[number] = (struct image_grant){0};
	memcpy(names->grants[number].servers, grant->servers, sizeof(grant->servers));
	(void)finish_grant(names);
	grant->internal = names->grants[number].like;
	return number;
}

static int compare_rules(const void *left, const void *right)
{
	const struct rule_list *a = &(*(struct item *const *)left)->rules;
	const struct rule_list *b = &(*(struct item *const *)right)->rules;
	const size_t shorter = a->count < b->count ? a->count : b->count;

	for (size_t i = 0; i < shorter; i++)
		if (a->rules[i] != b->rules[i])
			return a->rules[i] < b->rules[i] ? -1 : 1;
	return (a->count > b->count) - (a->count < b->count);
}

/* Names with the same rules have one grant. */
static void make_grants(struct maker *maker, struct names *names)
{
	_cleanup_free_ struct item **order = calloc(maker->count + 1, sizeof(*order));
	uint32_t number = 0;

	names->grants = arena_new_array(maker->arena, struct image_grant, 2 * maker->count + 1);
	if (!order || !names->grants) {
		maker->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < maker->count; i++)
		order[i] = &maker->items[i];
	qsort(order, maker->count, sizeof(*order), compare_rules);
	for (size_t i = 0; i < maker->count && !maker->out_of_memory; i++) {
		if (i == 0 || compare_rules(&order[i - 1], &order[i]) != 0)
			number = make_grant(maker, &order[i]->rules, names);
		order[i]->name.grant = number;
	}
}

/* ---- search domains ---- */

/* May be asked; opens nothing. */
static void add_asked(struct maker *maker, const char *name, const struct image_name *granted)
{
	struct item *item;

	if (!name) {
		maker->out_of_memory = true;
		return;
	}
	if (strlen(name) > NAME_GRANTED_BYTES_MAX)
		return;
	item = add_item(maker, name, granted->wildcard);
	if (!item)
		return;
	item->name.ask_only = true;
	item->name.grant = granted->grant;
}

/* Is the name below the domain? Then *front is the length of what stands in front. */
static bool is_below(const char *name, const char *domain, size_t *front)
{
	const size_t length = strlen(name), suffix = strlen(domain);

	if (length < suffix + 2 || name[length - suffix - 1] != '.' ||
	    strcmp(name + length - suffix, domain) != 0)
		return false;
	*front = length - suffix - 1;
	return true;
}

static void add_search_of(struct maker *maker, const struct image_name *granted, const char *name,
			  const struct strings *search)
{
	for (size_t i = 0; i < search->count; i++)
		add_asked(maker, arena_printf(maker->arena, "%s.%s", name, search->items[i]),
			  granted);
}

/*
 * A resolver's library may put the search domains behind a name before it tries the name itself
 * (resolv.conf(5), ndots), and gives up when such a question is refused. So it may be asked; what
 * comes of it opens nothing. A name below a search domain may be meant by its short form, which is
 * tried with the other domains, too. That of a wildcard would be any name of those, and stays
 * closed.
 */
static void add_search(struct maker *maker, const struct strings *search)
{
	const size_t granted = maker->count;

	for (size_t i = 0; i < granted && !maker->out_of_memory; i++) {
		const struct image_name name = maker->items[i].name;

		add_search_of(maker, &name, name.name, search);
		for (size_t n = 0; n < search->count && !name.wildcard; n++) {
			const char *shorter;
			size_t front;

			if (!is_below(name.name, search->items[n], &front))
				continue;
			shorter = arena_printf(maker->arena, "%.*s", (int)front, name.name);
			add_asked(maker, shorter, &name);
			if (shorter)
				add_search_of(maker, &name, shorter, search);
		}
	}
}

/* ---- the whole ---- */

static void collect(struct maker *maker, const struct names_source *source)
{
	const struct scope *const *scopes = source->scopes;
	size_t rules = source->server_count;

	for (size_t i = 0; i < source->scope_count; i++)
		rules += scopes[i]->network.egress_count;
	maker->rules = calloc(rules + 1, sizeof(*maker->rules));
	if (!maker->rules) {
		maker->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < source->scope_count; i++)
		for (size_t j = 0; j < scopes[i]->network.egress_count; j++)
			add_rule(maker, scopes[i], &scopes[i]->network.egress[j]);
	for (size_t i = 0; i < source->server_count; i++)
		add_server(maker, &source->servers[i]);
}

static int check_lengths(const struct maker *maker, struct error *error)
{
	for (size_t i = 0; i < maker->count; i++)
		if (strlen(maker->items[i].name.name) > NAME_GRANTED_BYTES_MAX)
			return error_set(error, STATUS_UNUSABLE,
					 "the name %.40s... has %zu characters; the kernel's table "
					 "takes %d",
					 maker->items[i].name.name,
					 strlen(maker->items[i].name.name), NAME_GRANTED_BYTES_MAX);
	return 0;
}

static void sort_and_inherit(struct maker *maker)
{
	if (maker->count == 0 || maker->out_of_memory)
		return;
	qsort(maker->items, maker->count, sizeof(*maker->items), compare_items);
	merge_equal(maker);
	inherit(maker);
}

static void finish(struct maker *maker, struct names *names)
{
	names->names = arena_new_array(maker->arena, struct image_name, maker->count + 1);
	if (!names->names) {
		maker->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < maker->count; i++)
		names->names[i] = maker->items[i].name;
	names->name_count = maker->count;
}

int names_compile(const struct names_source *source, struct arena *arena, struct port_table *ports,
		  struct budget_table *budgets, struct names *names, struct error *error)
{
	const struct strings *search = source->search;
	struct maker maker = {.arena = arena, .ports = ports, .budgets = budgets};
	int result = 0;

	*names = (struct names){0};
	collect(&maker, source);
	if (!maker.out_of_memory)
		result = check_lengths(&maker, error);
	if (result == 0)
		sort_and_inherit(&maker);
	if (result == 0 && !maker.out_of_memory)
		make_grants(&maker, names);
	if (result == 0 && !maker.out_of_memory && search && search->count) {
		add_search(&maker, search);
		sort_and_inherit(&maker);
	}
	if (result == 0 && !maker.out_of_memory)
		finish(&maker, names);
	free(maker.rules);
	free(maker.items);
	if (result == 0 && maker.out_of_memory)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (result == 0 && maker.too_many_servers)
		return error_set(error, STATUS_UNUSABLE,
				 "tools have servers at more than %d ports of one name",
				 NAME_SERVERS_MAX);
	return result;
}
