// SPDX-License-Identifier: Apache-2.0
#include "kernel/name_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "bpf/message.h"

#define NS_PER_SECOND 1000000000ULL
/* Keys of one batch. */
#define BATCH 1024

struct pools {
	uint32_t budgets[BUDGETS_MAX]; /* policy ids; 0: free; place 0 is never used */
	uint32_t lists[BUDGET_LISTS_MAX];
	uint32_t grants[NAME_GRANTS_MAX];
};

struct pools *pools_new(void)
{
	return calloc(1, sizeof(struct pools));
}

void pools_free(struct pools *pools)
{
	free(pools);
}

void loaded_names_free(struct loaded_names *loaded)
{
	free(loaded->budgets);
	free(loaded->lists);
	free(loaded->grants);
	free(loaded->keys);
	*loaded = (struct loaded_names){0};
}

/* `count` places that are free; their numbers in *places. */
static int take_places(uint32_t *owners, size_t bound, uint32_t policy_id, size_t count,
		       uint32_t **places, const char *what, struct error *error)
{
	size_t found = 0;

	*places = calloc(count + 1, sizeof(**places));
	if (!*places)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (uint32_t place = 1; place < bound && found < count; place++)
		if (!owners[place])
			(*places)[found++] = place;
	if (found < count)
		return error_set(error, STATUS_SYSTEM,
				 "the kernel's table of %s has no room for %zu more", what, count);
	for (size_t i = 0; i < count; i++)
		owners[(*places)[i]] = policy_id;
	return 0;
}

static uint32_t place_of(const uint32_t *places, uint32_t number)
{
	return number ? places[number - 1] : 0;
}

struct loading {
	struct enforcer *enforcer;
	const struct image *image;
	uint32_t policy_id;
	slot_of_number port_slot;
	const void *context;
	struct loaded_names *loaded;
	struct error *error;
};

static int write_one(const struct loading *loading, enum enforcer_map map, uint32_t place,
		     const void *value, const char *what)
{
	if (bpf_map_update_elem(enforcer_map_fd(loading->enforcer, map), &place, value, BPF_ANY) ==
	    0)
		return 0;
	return error_set_errno(loading->error, STATUS_SYSTEM, errno, "%s", what);
}

static int load_budgets(const struct loading *loading)
{
	const struct image *image = loading->image;

	for (size_t i = 0; i < image->budget_count; i++) {
		const struct image_budget *from = &image->budgets[i];
		const struct budget budget = {
			.policy_id = loading->policy_id,
			.rule = from->rule,
			.connects_amount = from->connects.amount,
			.connects_period = from->connects.seconds * NS_PER_SECOND,
			.bytes_amount = from->bytes.amount,
			.bytes_period = from->bytes.seconds * NS_PER_SECOND,
		};

		if (write_one(loading, MAP_BUDGETS, loading->loaded->budgets[i], &budget,
			      "budgets") < 0)
			return -1;
	}
	return 0;
}

static int load_lists(const struct loading *loading)
{
	const struct image *image = loading->image;

	for (size_t i = 0; i < image->budget_list_count; i++) {
		struct budget_list list = image->budget_lists[i];

		list.policy_id = loading->policy_id;
		for (uint32_t n = 0; n < list.count; n++) {
			struct budget_item *item = &list.items[n];

			item->budget = place_of(loading->loaded->budgets, item->budget);
			item->tcp_ports = loading->port_slot(loading->context, item->tcp_ports);
			item->udp_ports = loading->port_slot(loading->context, item->udp_ports);
		}
		if (write_one(loading, MAP_BUDGET_LISTS, loading->loaded->lists[i], &list,
			      "budget_lists") < 0)
			return -1;
	}
	return 0;
}

static int load_grants(const struct loading *loading)
{
	const struct names *names = &loading->image->names;

	for (size_t i = 0; i < names->grant_count; i++) {
		const struct image_grant *from = &names->grants[i];
		struct name_grant grant = {
			.policy_id = loading->policy_id,
			.like = place_of(loading->loaded->grants, from->like),
			.ports = from->ports,
			.sni_ports = loading->port_slot(loading->context, from->sni_ports),
			.internal = place_of(loading->loaded->grants, from->internal),
		};

		memcpy(grant.servers, from->servers, sizeof(grant.servers));
		grant.ports.tcp_ports = loading->port_slot(loading->context, from->ports.tcp_ports);
		grant.ports.udp_ports = loading->port_slot(loading->context, from->ports.udp_ports);
		grant.ports.budgets = place_of(loading->loaded->lists, from->ports.budgets);
		if (write_one(loading, MAP_NAME_GRANTS, loading->loaded->grants[i], &grant,
			      "name_grants") < 0)
			return -1;
	}
	return 0;
}

/* As name_fill_key() has it; a wildcard's key ends with a dot, and no end behind it. */
static void make_key(const struct image_name *from, uint32_t policy_id, struct name_key *key)
{
	struct name name = {0};
	const int length = snprintf(name.text, sizeof(name.text), "%s%s", from->wildcard ? "." : "",
				    from->name);

	name.length = (uint32_t)length;
	name_fill_key(&name, policy_id, key);
	if (from->wildcard)
		key->prefix_bits = 8 * ((uint32_t)sizeof(key->policy_id) + name.length);
}

static void make_entry(const struct loading *loading, const struct image_name *from,
		       struct name_entry *entry)
{
	*entry = (struct name_entry){.grant = place_of(loading->loaded->grants, from->grant)};
	if (from->ask_only)
		entry->flags |= NAME_ASK_ONLY;
	if (from->wildcard) {
		entry->flags |= NAME_WILDCARD;
		entry->suffix = (uint16_t)(strlen(from->name) + 1);
	}
}

static int load_names(const struct loading *loading)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	const struct names *names = &loading->image->names;
	struct loaded_names *loaded = loading->loaded;
	_cleanup_free_ struct name_entry *entries = calloc(names->name_count + 1, sizeof(*entries));

	loaded->keys = calloc(names->name_count + 1, sizeof(*loaded->keys));
	if (!loaded->keys || !entries)
		return error_set(loading->error, STATUS_SYSTEM, "out of memory");
	for (size_t i = 0; i < names->name_count; i++) {
		make_key(&names->names[i], loading->policy_id, &loaded->keys[i]);
		make_entry(loading, &names->names[i], &entries[i]);
	}
	for (size_t done = 0; done < names->name_count;) {
		uint32_t count = (uint32_t)(names->name_count - done);

		if (count > BATCH)
			count = BATCH;
		loaded->key_count = done + count;
		if (bpf_map_update_batch(enforcer_map_fd(loading->enforcer, MAP_RULES_OF_NAME),
					 loaded->keys + done, entries + done, &count, &options) < 0)
			return error_set_errno(loading->error, STATUS_SYSTEM, errno,
					       errno == ENOSPC ? "the table of names is full"
							       : "rules_of_name");
		done += count;
	}
	return 0;
}

int name_tables_load(struct enforcer *enforcer, struct pools *pools, const struct image *image,
		     uint32_t policy_id, slot_of_number port_slot, const void *context,
		     struct loaded_names *loaded, struct error *error)
{
	const struct loading loading = {enforcer, image,  policy_id, port_slot,
					context,  loaded, error};

	if (take_places(pools->budgets, enforcer_map_bound(enforcer, MAP_BUDGETS), policy_id,
			image->budget_count, &loaded->budgets, "budgets", error) < 0)
		return -1;
	loaded->budget_count = image->budget_count;
	if (take_places(pools->lists, enforcer_map_bound(enforcer, MAP_BUDGET_LISTS), policy_id,
			image->budget_list_count, &loaded->lists, "lists of budgets", error) < 0)
		return -1;
	loaded->list_count = image->budget_list_count;
	if (take_places(pools->grants, enforcer_map_bound(enforcer, MAP_NAME_GRANTS), policy_id,
			image->names.grant_count, &loaded->grants, "grants of names", error) < 0)
		return -1;
	loaded->grant_count = image->names.grant_count;
	if (load_budgets(&loading) < 0 || load_lists(&loading) < 0 || load_grants(&loading) < 0)
		return -1;
	return load_names(&loading);
}

static void give_places(struct enforcer *enforcer, enum enforcer_map map, const void *nothing,
			uint32_t *owners, const uint32_t *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)bpf_map_update_elem(enforcer_map_fd(enforcer, map), &places[i], nothing,
					  BPF_ANY);
		owners[places[i]] = 0;
	}
}

void name_tables_unload(struct enforcer *enforcer, struct pools *pools,
			const struct loaded_names *loaded)
{
	const struct budget no_budget = {0};
	const struct budget_list no_list = {0};
	const struct name_grant no_grant = {0};
	int fd = enforcer_map_fd(enforcer, MAP_RULES_OF_NAME);

	for (size_t i = 0; i < loaded->key_count; i++)
		(void)bpf_map_delete_elem(fd, &loaded->keys[i]);
	give_places(enforcer, MAP_NAME_GRANTS, &no_grant, pools->grants, loaded->grants,
		    loaded->grant_count);
	give_places(enforcer, MAP_BUDGET_LISTS, &no_list, pools->lists, loaded->lists,
		    loaded->list_count);
	give_places(enforcer, MAP_BUDGETS, &no_budget, pools->budgets, loaded->budgets,
		    loaded->budget_count);
}

/* ---- adoption ---- */

void pools_adopt(struct enforcer *enforcer, struct pools *pools)
{
	struct budget budget;
	struct budget_list list;
	struct name_grant grant;

	for (uint32_t i = 1; i < enforcer_map_bound(enforcer, MAP_BUDGETS); i++)
		if (bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_BUDGETS), &i, &budget) == 0)
			pools->budgets[i] = budget.policy_id;
	for (uint32_t i = 1; i < enforcer_map_bound(enforcer, MAP_BUDGET_LISTS); i++)
		if (bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_BUDGET_LISTS), &i, &list) ==
		    0)
			pools->lists[i] = list.policy_id;
	for (uint32_t i = 1; i < enforcer_map_bound(enforcer, MAP_NAME_GRANTS); i++)
		if (bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_NAME_GRANTS), &i, &grant) ==
		    0)
			pools->grants[i] = grant.policy_id;
}

bool pools_grant_owner(const struct pools *pools, size_t place, uint32_t *owner)
{
	if (place >= NAME_GRANTS_MAX)
		return false;
	*owner = pools->grants[place];
	return true;
}

static int adopt_places(const uint32_t *owners, size_t bound, uint32_t policy_id, uint32_t **places,
			size_t *count)
{
	*places = calloc(bound, sizeof(**places));
	if (!*places)
		return -ENOMEM;
	for (uint32_t place = 1; place < bound; place++)
		if (owners[place] == policy_id)
			(*places)[(*count)++] = place;
	return 0;
}

static int adopt_keys(struct enforcer *enforcer, uint32_t policy_id, struct loaded_names *loaded)
{
	int fd = enforcer_map_fd(enforcer, MAP_RULES_OF_NAME);
	struct name_key key, *previous = NULL, *keys;
	size_t room = 0;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		previous = &key;
		if (key.policy_id != policy_id)
			continue;
		if (loaded->key_count == room) {
			room = room ? 2 * room : 64;
			keys = reallocarray(loaded->keys, room, sizeof(*keys));
			if (!keys)
				return -ENOMEM;
			loaded->keys = keys;
		}
		loaded->keys[loaded->key_count++] = key;
	}
	return 0;
}

int loaded_names_adopt(struct enforcer *enforcer, const struct pools *pools, uint32_t policy_id,
		       struct loaded_names *loaded)
{
	if (adopt_places(pools->budgets, BUDGETS_MAX, policy_id, &loaded->budgets,
			 &loaded->budget_count) < 0 ||
	    adopt_places(pools->lists, BUDGET_LISTS_MAX, policy_id, &loaded->lists,
			 &loaded->list_count) < 0 ||
	    adopt_places(pools->grants, NAME_GRANTS_MAX, policy_id, &loaded->grants,
			 &loaded->grant_count) < 0)
		return -ENOMEM;
	return loaded->grant_count ? adopt_keys(enforcer, policy_id, loaded) : 0;
}
