// SPDX-License-Identifier: Apache-2.0
#include "kernel/tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel/glob_tables.h"
#include "kernel/name_tables.h"
#include "kernel/object_tables.h"
#include "kernel/server_tables.h"

/* Keys and values of one batch; as many as fit a few pages. */
#define BATCH 4096

struct loaded_policy {
	struct loaded_policy *next;
	uint32_t id;
	bool retired;
	struct address_key *keys;
	size_t key_count;
	uint32_t *slots; /* of port_sets, one reference each */
	size_t slot_count;
	struct loaded_names names;
};

struct slot {
	uint32_t references;
	uint64_t hash; /* of the bits */
};

struct tables {
	struct loaded_policy *policies;
	struct slot *slots; /* by index into the kernel's array; [0] is never used */
	uint32_t slot_count;
	struct pools *pools;
};

static struct tables *tables_of(struct enforcer *enforcer)
{
	struct tables **place = enforcer_tables(enforcer);
	struct tables *tables;

	if (*place)
		return *place;
	tables = calloc(1, sizeof(*tables));
	if (!tables)
		return NULL;
	tables->slot_count = enforcer_map_bound(enforcer, MAP_PORT_SETS);
	tables->slots = calloc(tables->slot_count, sizeof(*tables->slots));
	tables->pools = pools_new();
	if (!tables->slots || !tables->pools) {
		tables_free(tables);
		return NULL;
	}
	*place = tables;
	return tables;
}

static void loaded_policy_free(struct loaded_policy *policy)
{
	if (!policy)
		return;
	free(policy->keys);
	free(policy->slots);
	loaded_names_free(&policy->names);
	free(policy);
}

void tables_free(struct tables *tables)
{
	struct loaded_policy *policy, *next;

	if (!tables)
		return;
	for (policy = tables->policies; policy; policy = next) {
		next = policy->next;
		loaded_policy_free(policy);
	}
	free(tables->slots);
	pools_free(tables->pools);
	free(tables);
}

/* FNV-1a over words: equal sets are found by it, and compared whole before they are shared. */
static uint64_t hash_bits(const struct port_bits *bits)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < PORT_SET_WORDS; i++)
		hash = (hash ^ bits->words[i]) * 0x100000001b3ULL;
	return hash;
}

/* A slot with these bits: one that is there, or a free one that is filled. 0 where all are taken.
 */
static uint32_t take_slot(struct enforcer *enforcer, struct tables *tables,
			  const struct port_bits *bits)
{
	int fd = enforcer_map_fd(enforcer, MAP_PORT_SETS);
	uint64_t hash = hash_bits(bits);
	struct port_bits there;
	uint32_t empty = 0;

	for (uint32_t slot = 1; slot < tables->slot_count; slot++) {
		if (!tables->slots[slot].references) {
			if (!empty)
				empty = slot;
			continue;
		}
		if (tables->slots[slot].hash != hash ||
		    bpf_map_lookup_elem(fd, &slot, &there) < 0 ||
		    memcmp(&there, bits, sizeof(there)) != 0)
			continue;
		tables->slots[slot].references++;
		return slot;
	}
	if (!empty || bpf_map_update_elem(fd, &empty, bits, BPF_ANY) < 0)
		return 0;
	tables->slots[empty] = (struct slot){.references = 1, .hash = hash};
	return empty;
}

static int next_policy_id(struct enforcer *enforcer, uint32_t *id, struct error *error)
{
	int fd = enforcer_map_fd(enforcer, MAP_ENFORCER_STATE);
	struct enforcer_state state;
	uint32_t only = 0;

	if (bpf_map_lookup_elem(fd, &only, &state) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "enforcer_state");
	if (state.next_policy_id > POLICY_ID_MAX)
		return error_set(error, STATUS_SYSTEM,
				 "all policy numbers are used up; "
				 "end enforcement (policyd --unload) and start anew");
	*id = state.next_policy_id++;
	if (bpf_map_update_elem(fd, &only, &state, BPF_ANY) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "enforcer_state");
	return 0;
}

static int load_port_sets(struct enforcer *enforcer, struct tables *tables,
			  const struct image *image, struct loaded_policy *policy,
			  struct error *error)
{
	struct port_bits bits;

	policy->slots = calloc(image->port_set_count + 1, sizeof(*policy->slots));
	if (!policy->slots)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (size_t i = 0; i < image->port_set_count; i++) {
		image_port_bits(image->port_sets[i], &bits);
		policy->slots[i] = take_slot(enforcer, tables, &bits);
		if (!policy->slots[i])
			return error_set(error, STATUS_SYSTEM,
					 "no room for another set of ports (%u are in use)",
					 tables->slot_count - 1);
		policy->slot_count++;
	}
	return 0;
}

/* The image's numbers are its own; the kernel's are slots. */
static uint32_t slot_of(const void *context, uint32_t number)
{
	const struct loaded_policy *policy = context;

	if (number == PORT_SET_NONE || number == PORT_SET_ALL)
		return number;
	return policy->slots[number - 1];
}

static int load_addresses(struct enforcer *enforcer, const struct image *image,
			  struct loaded_policy *policy, struct error *error)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	int fd = enforcer_map_fd(enforcer, MAP_GRANT_OF_ADDRESS);
	_cleanup_free_ struct address_grant *grants = NULL;
	size_t done;

	policy->keys = calloc(image->address_count + 1, sizeof(*policy->keys));
	grants = calloc(image->address_count + 1, sizeof(*grants));
	if (!policy->keys || !grants)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (size_t i = 0; i < image->address_count; i++) {
		const struct image_address *address = &image->addresses[i];
		struct address_key *key = &policy->keys[i];

		key->prefix_bits = 32U + address->prefix.bits;
		key->table = TABLE_OF(policy->id, address->table);
		memcpy(key->address, address->prefix.address.bytes, sizeof(key->address));
		grants[i] = address->grant;
		grants[i].tcp_ports = slot_of(policy, address->grant.tcp_ports);
		grants[i].udp_ports = slot_of(policy, address->grant.udp_ports);
		if (address->grant.budgets)
			grants[i].budgets = policy->names.lists[address->grant.budgets - 1];
	}
	for (done = 0; done < image->address_count;) {
		uint32_t count = (uint32_t)(image->address_count - done);

		if (count > BATCH)
			count = BATCH;
		policy->key_count = done + count;
		if (bpf_map_update_batch(fd, policy->keys + done, grants + done, &count, &options) <
		    0)
			return error_set_errno(error, STATUS_SYSTEM, errno,
					       errno == ENOSPC ? "the table of addresses is full"
							       : "grant_of_address");
		done += count;
	}
	return 0;
}

static int load_confinement(const struct enforcer *enforcer, const struct image *image,
			    uint32_t policy_id, struct error *error)
{
	if (bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_CONFINEMENT_OF_POLICY), &policy_id,
				&image->confinement, BPF_ANY) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "confinement_of_policy");
	return 0;
}

/* Takes a policy's entries out of every table; nothing may be reading them. */
static void unload(struct enforcer *enforcer, struct tables *tables,
		   const struct loaded_policy *policy)
{
	int fd = enforcer_map_fd(enforcer, MAP_GRANT_OF_ADDRESS);

	for (size_t i = 0; i < policy->key_count; i++)
		(void)bpf_map_delete_elem(fd, &policy->keys[i]);
	name_tables_unload(enforcer, tables->pools, &policy->names);
	glob_tables_unload(enforcer, policy->id);
	glob_tables_unload(enforcer, GLOBS_OF_OWN(policy->id));
	glob_tables_unload(enforcer, GLOBS_OF_OTHERS(policy->id));
	server_tables_unload(enforcer, policy->id);
	object_tables_unload(enforcer, policy->id);
	(void)bpf_map_delete_elem(enforcer_map_fd(enforcer, MAP_CONFINEMENT_OF_POLICY),
				  &policy->id);
	for (size_t i = 0; i < policy->slot_count; i++)
		if (policy->slots[i] < tables->slot_count &&
		    tables->slots[policy->slots[i]].references)
			tables->slots[policy->slots[i]].references--;
}

static struct loaded_policy *add_policy(struct tables *tables, uint32_t id)
{
	struct loaded_policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return NULL;
	policy->id = id;
	policy->next = tables->policies;
	tables->policies = policy;
	return policy;
}

int tables_load(struct enforcer *enforcer, const struct image *image, uint64_t *policy,
		struct error *error)
{
	struct tables *tables = tables_of(enforcer);
	struct loaded_policy *loaded;
	uint32_t id = 0;

	if (!tables)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (next_policy_id(enforcer, &id, error) < 0)
		return -1;
	loaded = add_policy(tables, id);
	if (!loaded)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (load_port_sets(enforcer, tables, image, loaded, error) < 0 ||
	    name_tables_load(enforcer, tables->pools, image, id, slot_of, loaded, &loaded->names,
			     error) < 0 ||
	    glob_tables_load(enforcer, id, image->globs, image->glob_count, error) < 0 ||
	    glob_tables_load(enforcer, GLOBS_OF_OWN(id), image->own_paths, image->own_path_count,
			     error) < 0 ||
	    glob_tables_load(enforcer, GLOBS_OF_OTHERS(id), image->other_paths,
			     image->other_path_count, error) < 0 ||
	    server_tables_load(enforcer, id, image, error) < 0 ||
	    load_confinement(enforcer, image, id, error) < 0 ||
	    load_addresses(enforcer, image, loaded, error) < 0) {
		/* No cgroup has had this id: nothing reads it. */
		unload(enforcer, tables, loaded);
		tables->policies = loaded->next;
		loaded_policy_free(loaded);
		return -1;
	}
	*policy = POLICY_WORD(id, image->flags);
	return 0;
}

void tables_retire(struct enforcer *enforcer, uint64_t policy)
{
	struct tables *tables = tables_of(enforcer);
	struct loaded_policy *loaded;

	for (loaded = tables ? tables->policies : NULL; loaded; loaded = loaded->next)
		if (loaded->id == POLICY_ID(policy))
			loaded->retired = true;
}

size_t tables_retired_count(struct enforcer *enforcer)
{
	struct tables *tables = tables_of(enforcer);
	const struct loaded_policy *policy;
	size_t count = 0;

	for (policy = tables ? tables->policies : NULL; policy; policy = policy->next)
		count += policy->retired;
	return count;
}

/* membarrier(2), MEMBARRIER_CMD_GLOBAL: kernel/sched/membarrier.c calls synchronize_rcu(), and
 * cgroup programs run inside an RCU read section. Machines with nohz_full CPUs refuse it; a second
 * is a thousand times longer than a program may run. */
static void wait_for_readers(void)
{
	const struct timespec second = {.tv_sec = 1};

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		(void)nanosleep(&second, NULL);
}

void tables_sweep(struct enforcer *enforcer)
{
	struct tables *tables = tables_of(enforcer);
	struct loaded_policy **at, *policy;

	if (!tables || tables_retired_count(enforcer) == 0)
		return;
	wait_for_readers();
	for (at = &tables->policies; (policy = *at) != NULL;) {
		if (!policy->retired) {
			at = &policy->next;
			continue;
		}
		unload(enforcer, tables, policy);
		*at = policy->next;
		loaded_policy_free(policy);
	}
}

/* ---- adoption ---- */

static struct loaded_policy *policy_of_id(struct tables *tables, uint32_t id)
{
	struct loaded_policy *policy;

	for (policy = tables->policies; policy; policy = policy->next)
		if (policy->id == id)
			return policy;
	return add_policy(tables, id);
}

/* Both arrays double when a power of two is reached. */
static int append_key(struct loaded_policy *policy, const struct address_key *key)
{
	if ((policy->key_count & (policy->key_count - 1)) == 0) {
		size_t room = policy->key_count ? policy->key_count * 2 : 1;
		struct address_key *keys = reallocarray(policy->keys, room, sizeof(*keys));

		if (!keys)
			return -ENOMEM;
		policy->keys = keys;
	}
	policy->keys[policy->key_count++] = *key;
	return 0;
}

static int append_slot(struct enforcer *enforcer, struct tables *tables,
		       struct loaded_policy *policy, uint32_t slot)
{
	struct port_bits bits;

	if (slot == PORT_SET_NONE || slot >= tables->slot_count)
		return 0;
	for (size_t i = 0; i < policy->slot_count; i++)
		if (policy->slots[i] == slot)
			return 0;
	if ((policy->slot_count & (policy->slot_count - 1)) == 0) {
		size_t room = policy->slot_count ? policy->slot_count * 2 : 1;
		uint32_t *slots = reallocarray(policy->slots, room, sizeof(*slots));

		if (!slots)
			return -ENOMEM;
		policy->slots = slots;
	}
	policy->slots[policy->slot_count++] = slot;
	if (!tables->slots[slot].references++ &&
	    bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_PORT_SETS), &slot, &bits) == 0)
		tables->slots[slot].hash = hash_bits(&bits);
	return 0;
}

/* Sets of ports that names and budgets refer to. */
static int adopt_name_slots(struct enforcer *enforcer, struct tables *tables,
			    struct loaded_policy *policy)
{
	struct name_grant grant;
	struct budget_list list;

	for (size_t i = 0; i < policy->names.grant_count; i++) {
		if (bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_NAME_GRANTS),
					&policy->names.grants[i], &grant) < 0)
			continue;
		if (append_slot(enforcer, tables, policy, grant.ports.tcp_ports) < 0 ||
		    append_slot(enforcer, tables, policy, grant.ports.udp_ports) < 0 ||
		    append_slot(enforcer, tables, policy, grant.sni_ports) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < policy->names.list_count; i++) {
		if (bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_BUDGET_LISTS),
					&policy->names.lists[i], &list) < 0)
			continue;
		for (uint32_t n = 0; n < list.count && n < BUDGETS_EACH_MAX; n++)
			if (append_slot(enforcer, tables, policy, list.items[n].tcp_ports) < 0 ||
			    append_slot(enforcer, tables, policy, list.items[n].udp_ports) < 0)
				return -ENOMEM;
	}
	return 0;
}

/* A policy may have names and no address. */
static int adopt_names(struct enforcer *enforcer, struct tables *tables)
{
	struct loaded_policy *policy;
	uint32_t owner;

	pools_adopt(enforcer, tables->pools);
	for (size_t i = 0; pools_grant_owner(tables->pools, i, &owner); i++)
		if (owner && !policy_of_id(tables, owner))
			return -ENOMEM;
	for (policy = tables->policies; policy; policy = policy->next)
		if (loaded_names_adopt(enforcer, tables->pools, policy->id, &policy->names) < 0 ||
		    adopt_name_slots(enforcer, tables, policy) < 0)
			return -ENOMEM;
	return 0;
}

static int adopt_policy(uint32_t policy_id, void *context)
{
	return policy_of_id(context, policy_id) ? 0 : -ENOMEM;
}

static int adopt_addresses(struct enforcer *enforcer, struct tables *tables)
{
	int fd = enforcer_map_fd(enforcer, MAP_GRANT_OF_ADDRESS);
	struct address_key key, *previous = NULL;
	struct address_grant grant;

	while (bpf_map_get_next_key(fd, previous, &key) == 0) {
		struct address_key exact = key;
		struct loaded_policy *policy;

		previous = &key;
		if (key.table == TABLE_INTERNAL)
			continue;
		policy = policy_of_id(tables, POLICY_OF_TABLE(key.table));
		if (!policy || append_key(policy, &key) < 0)
			return -ENOMEM;
		if (bpf_map_lookup_elem(fd, &exact, &grant) < 0)
			continue;
		if (append_slot(enforcer, tables, policy, grant.tcp_ports) < 0 ||
		    append_slot(enforcer, tables, policy, grant.udp_ports) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Every policy has one of these, whatever else it has. */
static int adopt_confinements(const struct enforcer *enforcer, struct tables *tables)
{
	int fd = enforcer_map_fd(enforcer, MAP_CONFINEMENT_OF_POLICY);
	uint32_t id, *previous = NULL;

	while (bpf_map_get_next_key(fd, previous, &id) == 0) {
		previous = &id;
		if (!policy_of_id(tables, id))
			return -ENOMEM;
	}
	return 0;
}

int tables_adopt(struct enforcer *enforcer, const uint32_t *live, size_t live_count,
		 struct error *error)
{
	struct tables *tables = tables_of(enforcer);
	struct loaded_policy *policy;

	if (!tables || adopt_addresses(enforcer, tables) < 0 || adopt_names(enforcer, tables) < 0 ||
	    glob_tables_each(enforcer, adopt_policy, tables) < 0 ||
	    server_tables_each(enforcer, adopt_policy, tables) < 0 ||
	    adopt_confinements(enforcer, tables) < 0)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	for (policy = tables->policies; policy; policy = policy->next) {
		policy->retired = true;
		for (size_t i = 0; i < live_count; i++)
			if (live[i] == policy->id)
				policy->retired = false;
	}
	return 0;
}
