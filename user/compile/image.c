// SPDX-License-Identifier: Apache-2.0
#include "compile/image.h"

#include <string.h>

#include "compile/confinement.h"
#include "compile/globs.h"
#include "compile/image_paths.h"
#include "compile/image_servers.h"
#include "compile/port_table.h"
#include "policy/servers.h"

/* A prefix covers its like and each longer one: a chain of at most one of each length. */
#define CHAIN_MAX (ADDRESS_BITS + 1)

static const struct ip_prefix everything = {{{0}}, 0};

/* What an image is made of; lives for one image_new. */
struct builder {
	struct image *image;
	struct port_table *ports;
	struct budget_table *budgets;
	struct image_address *items; /* owned */
	size_t count, room;
	bool out_of_memory;
};

/* ---- collecting: what the rules say ---- */

static void add_prefix(struct builder *builder, enum address_table table,
		       const struct ip_prefix *prefix, const struct address_grant *grant)
{
	if (builder->count == builder->room) {
		const size_t room = builder->room ? 2 * builder->room : 64;
		struct image_address *items = reallocarray(builder->items, room, sizeof(*items));

		if (!items) {
			builder->out_of_memory = true;
			return;
		}
		builder->items = items;
		builder->room = room;
	}
	builder->items[builder->count++] = (struct image_address){table, *prefix, *grant};
}

static void add_target(struct builder *builder, enum address_table table,
		       const struct egress_target *target, const struct address_grant *grant)
{
	switch (target->kind) {
	case TARGET_PREFIX:
		add_prefix(builder, table, &target->prefix, grant);
		break;
	case TARGET_LOOPBACK:
		add_prefix(builder, table, &ipv4_loopback, grant);
		add_prefix(builder, table, &ipv6_loopback, grant);
		break;
	case TARGET_ANY:
		add_prefix(builder, table, &everything, grant);
		add_prefix(builder, table, &ipv4_space, grant);
		break;
	case TARGET_NAME:
	case TARGET_WILDCARD:
		break; /* names.c's */
	}
}

static uint32_t set_number(struct builder *builder, const struct port_set *set)
{
	uint32_t number;

	if (!port_table_number(builder->ports, set, &number))
		builder->out_of_memory = true;
	return number;
}

/* What one rule grants at its addresses; a rule with budgets grants by its list alone. */
static struct address_grant grant_of_rule(struct builder *builder, const struct scope *scope,
					  const struct egress_rule *rule)
{
	const uint32_t ports = set_number(builder, rule->ports);
	struct address_grant grant = {
		.tcp_ports = rule->protocols & PROTOCOL_TCP ? ports : PORT_SET_NONE,
		.udp_ports = rule->protocols & PROTOCOL_UDP ? ports : PORT_SET_NONE,
		.flags = rule->protocols & PROTOCOL_ICMP ? GRANT_ICMP : 0,
	};
	struct address_grant charged = {0};

	if (!rule->connects.seconds && !rule->bytes.seconds)
		return grant;
	if (!budget_table_add(builder->budgets, scope, rule, &grant, &charged.budgets))
		builder->out_of_memory = true;
	return charged;
}

static void add_network(struct builder *builder, const struct scope *scope)
{
	const struct network *network = &scope->network;
	size_t i, j;

	for (i = 0; i < network->egress_count && !builder->out_of_memory; i++) {
		const struct egress_rule *rule = &network->egress[i];
		const struct address_grant grant = grant_of_rule(builder, scope, rule);

		for (j = 0; j < rule->target_count && !builder->out_of_memory; j++)
			add_target(builder, TABLE_EGRESS, &rule->targets[j], &grant);
	}
	for (i = 0; i < network->listen_count && !builder->out_of_memory; i++) {
		const uint32_t ports = set_number(builder, network->listens[i].ports);
		const struct address_grant grant = {.tcp_ports = ports, .udp_ports = ports};

		add_target(builder, TABLE_LISTEN, &network->listens[i].on, &grant);
	}
}

/* ---- boundaries: prefixes that take nothing from what covers them ---- */

static bool same_prefix(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->bits == b->bits && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

/* A reserved range in another one takes what the outer one grants, as prefix_covers has it. */
static bool is_nested_range(const struct ip_prefix *range)
{
	size_t i;

	for (i = 0; i < reserved_range_count; i++)
		if (reserved_ranges[i].prefix.bits < range->bits &&
		    prefix_contains(&reserved_ranges[i].prefix, range))
			return true;
	return false;
}

/* IPv4's space in both tables; reserved ranges for destinations alone. */
static bool is_boundary(enum address_table table, const struct ip_prefix *prefix)
{
	size_t i;

	if (same_prefix(prefix, &ipv4_space))
		return true;
	for (i = 0; i < reserved_range_count && table == TABLE_EGRESS; i++)
		if (same_prefix(prefix, &reserved_ranges[i].prefix))
			return !is_nested_range(prefix);
	return false;
}

/* Adds a boundary that grants nothing, where a shorter prefix would reach into it. */
static void add_boundary(struct builder *builder, enum address_table table,
			 const struct ip_prefix *boundary)
{
	static const struct address_grant nothing;
	size_t i;

	for (i = 0; i < builder->count; i++) {
		const struct image_address *item = &builder->items[i];

		if (item->table != table || item->prefix.bits >= boundary->bits ||
		    !prefix_contains(&item->prefix, boundary))
			continue;
		add_prefix(builder, table, boundary, &nothing);
		return;
	}
}

static void add_boundaries(struct builder *builder)
{
	size_t i;

	add_boundary(builder, TABLE_EGRESS, &ipv4_space);
	add_boundary(builder, TABLE_LISTEN, &ipv4_space);
	for (i = 0; i < reserved_range_count; i++)
		if (!is_nested_range(&reserved_ranges[i].prefix))
			add_boundary(builder, TABLE_EGRESS, &reserved_ranges[i].prefix);
}

/* ---- flattening ---- */

static void join_grant(struct builder *builder, struct address_grant *grant,
		       const struct address_grant *more)
{
	if (!port_table_union(builder->ports, grant->tcp_ports, more->tcp_ports,
			      &grant->tcp_ports) ||
	    !port_table_union(builder->ports, grant->udp_ports, more->udp_ports,
			      &grant->udp_ports) ||
	    !budget_table_union(builder->budgets, grant->budgets, more->budgets, &grant->budgets))
		builder->out_of_memory = true;
	grant->flags |= more->flags;
}

/* Sorted items of the same prefix become one. */
static void merge_equal(struct builder *builder)
{
	size_t i, kept = 0;

	for (i = 1; i < builder->count && !builder->out_of_memory; i++) {
		if (image_address_compare(&builder->items[kept], &builder->items[i]) == 0)
			join_grant(builder, &builder->items[kept].grant, &builder->items[i].grant);
		else
			builder->items[++kept] = builder->items[i];
	}
	if (builder->count > 0)
		builder->count = kept + 1;
}

/* Each item gets what its covering prefixes grant, so that the longest match alone decides. */
static void inherit(struct builder *builder)
{
	const struct image_address *chain[CHAIN_MAX];
	size_t i, depth = 0;

	for (i = 0; i < builder->count && !builder->out_of_memory; i++) {
		struct image_address *item = &builder->items[i];

		while (depth > 0 && (chain[depth - 1]->table != item->table ||
				     !prefix_contains(&chain[depth - 1]->prefix, &item->prefix)))
			depth--;
		if (depth > 0 && !is_boundary(item->table, &item->prefix))
			join_grant(builder, &item->grant, &chain[depth - 1]->grant);
		chain[depth++] = item;
	}
}

/* ---- the result ---- */

/* Numbers the sets anew in the order of their first use, so that what unions have made useless
 * takes no slot in the kernel. Copies them: the image outlives the policy. */
static void renumber(struct builder *builder, uint32_t *numbers, uint32_t *set)
{
	struct image *image = builder->image;

	if (*set == PORT_SET_NONE || *set == PORT_SET_ALL)
		return;
	if (!numbers[*set]) {
		const struct port_set *old = port_table_set(builder->ports, *set);
		const struct port_set *copy = port_set_new(image->arena, old->ranges, old->count);

		if (!copy)
			builder->out_of_memory = true;
		image->port_sets[image->port_set_count++] = copy;
		numbers[*set] = (uint32_t)image->port_set_count;
	}
	*set = numbers[*set];
}

static void renumber_grant(struct builder *builder, uint32_t *numbers, struct address_grant *grant)
{
	renumber(builder, numbers, &grant->tcp_ports);
	renumber(builder, numbers, &grant->udp_ports);
}

/* Copies of what the tables of budgets hold, which do not outlive the making. */
static bool copy_budgets(struct builder *builder, uint32_t *numbers)
{
	struct image *image = builder->image;
	const struct image_budget *from;
	struct image_budget *budgets;
	struct budget_list *lists, *copies;
	size_t i, n;

	from = budget_table_budgets(builder->budgets, &image->budget_count);
	lists = budget_table_lists(builder->budgets, &image->budget_list_count);
	budgets = arena_new_array(image->arena, struct image_budget, image->budget_count + 1);
	copies = arena_new_array(image->arena, struct budget_list, image->budget_list_count + 1);
	if (!budgets || !copies)
		return false;
	for (i = 0; i < image->budget_count; i++)
		budgets[i] = from[i];
	for (i = 0; i < image->budget_list_count; i++) {
		copies[i] = lists[i];
		for (n = 0; n < copies[i].count; n++) {
			renumber(builder, numbers, &copies[i].items[n].tcp_ports);
			renumber(builder, numbers, &copies[i].items[n].udp_ports);
		}
	}
	image->budgets = budgets;
	image->budget_lists = copies;
	return true;
}

static void finish(struct builder *builder)
{
	struct image *image = builder->image;
	const size_t sets = port_table_count(builder->ports);
	_cleanup_free_ uint32_t *numbers = calloc(sets + 1, sizeof(*numbers));
	size_t i;

	image->port_sets = arena_new_array(image->arena, const struct port_set *, sets + 1);
	image->addresses = arena_new_array(image->arena, struct image_address, builder->count + 1);
	if (!numbers || !image->port_sets || !image->addresses) {
		builder->out_of_memory = true;
		return;
	}
	for (i = 0; i < builder->count; i++) {
		renumber_grant(builder, numbers, &builder->items[i].grant);
		image->addresses[i] = builder->items[i];
	}
	image->address_count = builder->count;
	for (i = 0; i < image->names.grant_count; i++) {
		renumber_grant(builder, numbers, &image->names.grants[i].ports);
		renumber(builder, numbers, &image->names.grants[i].sni_ports);
	}
	if (!copy_budgets(builder, numbers))
		builder->out_of_memory = true;
}

/* UDP, ICMP, or anything that may be served. */
static bool grants_datagrams(const struct image *image)
{
	for (size_t i = 0; i < image->address_count; i++) {
		const struct image_address *address = &image->addresses[i];

		if (address->table == TABLE_LISTEN || address->grant.udp_ports ||
		    (address->grant.flags & GRANT_ICMP))
			return true;
	}
	for (size_t i = 0; i < image->budget_list_count; i++)
		for (size_t n = 0; n < image->budget_lists[i].count; n++)
			if (image->budget_lists[i].items[n].udp_ports ||
			    (image->budget_lists[i].items[n].flags & GRANT_ICMP))
				return true;
	return false;
}

static uint32_t flags_of(const struct policy *policy, const struct tool *tool,
			 const struct image *image)
{
	const unsigned families =
		policy->agent.network.families | (tool ? tool->scope.network.families : 0);
	uint32_t flags = confinement_flags(policy, tool);

	if (policy->mode == MODE_AUDIT)
		flags |= POLICY_AUDIT_MODE;
	if (policy->audit_allowed & AUDIT_CONNECT)
		flags |= POLICY_LOG_CONNECT;
	if (policy->audit_allowed & AUDIT_DNS)
		flags |= POLICY_LOG_DNS;
	if (policy->mode == MODE_AUDIT || (policy->audit_allowed & AUDIT_CONNECT))
		flags |= POLICY_TRAFFIC | POLICY_SENDTO;
	if (image->budget_count)
		flags |= POLICY_SENDTO;
	if (policy->agent.network.unix_present || servers_any_unix(policy))
		flags |= POLICY_UNIX;
	if (families & FAMILY_RAW)
		flags |= POLICY_RAW_SOCKETS;
	if (servers_any(policy))
		flags |= POLICY_SERVERS;
	if (grants_datagrams(image))
		flags |= POLICY_DATAGRAMS;
	/* An inventory is to have names, too, where none is granted. */
	if (image->names.name_count || policy->mode == MODE_AUDIT)
		flags |= POLICY_NAMES | POLICY_DATAGRAMS;
	return flags;
}

static int check_limits(const struct image *image, struct error *error)
{
	const struct {
		const char *what;
		size_t count, bound;
	} limits[] = {
		{"address prefixes", image->address_count, ADDRESSES_MAX},
		{"different sets of ports", image->port_set_count, PORT_SETS_MAX},
		{"names (search domains make more of each)", image->names.name_count, NAMES_MAX},
		{"different sets of rules for names", image->names.grant_count,
		 NAME_GRANTS_MAX - 1},
		{"servers of tools", image->server_count, SERVERS_MAX / 2},
		{"patterns of Unix sockets", image->glob_count, GLOBS_EACH_MAX},
		{"servers behind Unix sockets", image->other_path_count, GLOBS_EACH_MAX},
		{"rules with budgets", image->budget_count, BUDGETS_MAX - 1},
		{"different sets of rules with budgets", image->budget_list_count,
		 BUDGET_LISTS_MAX - 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].count > limits[i].bound)
			return error_set(error, STATUS_UNUSABLE,
					 "the manifest makes %zu %s; the kernel's table holds %zu",
					 limits[i].count, limits[i].what, limits[i].bound);
	return 0;
}

/* What the section lists, and the target's own where it says so. */
static void add_resolvers(struct builder *builder, const struct network *network, bool system,
			  const struct image_target *target)
{
	const struct address_grant nothing = {0};
	struct ip_prefix prefix = {.bits = ADDRESS_BITS};
	size_t i;

	for (i = 0; i < network->resolver_count; i++) {
		prefix.address = network->resolvers[i];
		add_prefix(builder, TABLE_RESOLVERS, &prefix, &nothing);
	}
	for (i = 0; system && target && i < target->resolver_count; i++) {
		prefix.address = target->resolvers[i];
		add_prefix(builder, TABLE_RESOLVERS, &prefix, &nothing);
	}
}

/* Patterns that no socket's path is long enough for are left out. */
static int add_globs(struct image *image, const struct scope *const *scopes, size_t count,
		     struct error *error)
{
	size_t room = 1;

	for (size_t i = 0; i < count; i++)
		room += scopes[i]->network.unix_paths.count;
	image->globs = arena_new_array(image->arena, struct glob, room);
	if (!image->globs)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct strings *list = &scopes[i]->network.unix_paths;

		for (size_t j = 0; j < list->count; j++)
			image->glob_count += glob_compile(list->items[j], list->items[j][0] == '@',
							  &image->globs[image->glob_count]);
	}
	return 0;
}

static int build(struct builder *builder, const struct policy *policy, const struct tool *tool,
		 const struct image_target *target, struct error *error)
{
	const struct scope *const scopes[] = {&policy->agent, tool ? &tool->scope : NULL};
	const size_t count = tool ? 2 : 1;
	struct image *image = builder->image;
	struct names_source names = {
		.scopes = scopes, .scope_count = count, .search = target ? &target->search : NULL};

	builder->ports = port_table_new(image->arena);
	builder->budgets = budget_table_new();
	if (!builder->ports || !builder->budgets)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct network *network = &scopes[i]->network;

		add_network(builder, scopes[i]);
		add_resolvers(builder, network,
			      network->system_resolvers || (i == 0 && !network->resolver_count),
			      target);
	}
	if (image_add_servers(image, policy, tool, &names, error) < 0)
		return -1;
	if (names_compile(&names, image->arena, builder->ports, builder->budgets, &image->names,
			  error) < 0 ||
	    add_globs(image, scopes, count, error) < 0 ||
	    image_add_paths(image, scopes, count, error) < 0)
		return -1;
	add_boundaries(builder);
	if (builder->count > 0)
		qsort(builder->items, builder->count, sizeof(*builder->items),
		      image_address_compare);
	merge_equal(builder);
	inherit(builder);
	if (budget_table_overflowed(builder->budgets))
		return error_set(
			error, STATUS_UNUSABLE,
			"more than %d rules with \"connects\" or \"bytes\" grant one and the "
			"same destination; join some of them",
			BUDGETS_EACH_MAX);
	if (!builder->out_of_memory)
		finish(builder);
	if (builder->out_of_memory)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	return check_limits(image, error);
}

bool image_needs_resolvers(const struct policy *policy, const struct tool *tool)
{
	const struct network *agent = &policy->agent.network;
	const struct network *more = tool ? &tool->scope.network : NULL;
	struct ip_address ignored;

	if (!network_names_hosts(agent) && !(more && network_names_hosts(more)) &&
	    !(tool && server_kind_of(tool, &ignored) == SERVER_NAME) && policy->mode != MODE_AUDIT)
		return false;
	return agent->system_resolvers || !agent->resolver_count ||
	       (more && more->system_resolvers);
}

struct image *image_new(const struct policy *policy, const struct tool *tool,
			const struct image_target *target, struct error *error)
{
	struct arena *arena = arena_new();
	struct builder builder = {0};
	int result;

	if (arena)
		builder.image = arena_new_array(arena, struct image, 1);
	if (!builder.image) {
		arena_free(arena);
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	builder.image->arena = arena;
	result = build(&builder, policy, tool, target, error);
	confinement_compile(policy, tool, &builder.image->confinement);
	builder.image->flags = flags_of(policy, tool, builder.image);
	free(builder.items);
	port_table_free(builder.ports);
	budget_table_free(builder.budgets);
	if (result == 0)
		return builder.image;
	arena_free(arena);
	return NULL;
}

void image_free(struct image *image)
{
	if (image)
		arena_free(image->arena);
}

void image_port_bits(const struct port_set *set, struct port_bits *bits)
{
	size_t i;
	uint32_t port;

	memset(bits, 0, sizeof(*bits));
	for (i = 0; set && i < set->count; i++)
		for (port = set->ranges[i].first; port <= set->ranges[i].last; port++)
			bits->words[port / 64] |= 1ULL << (port % 64);
}
