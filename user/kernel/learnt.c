// SPDX-License-Identifier: Apache-2.0
#include "kernel/learnt.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "bpf/message.h"
#include "policy/address.h"

/* What has run out stays for connections that are open: a new policy is to find them. */
#define KEPT_SECONDS 3600

static uint32_t seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint32_t)now.tv_sec;
}

void learnt_name_text(const struct enforcer *enforcer, uint64_t hash, char *text)
{
	struct name_text found;

	text[0] = '\0';
	if (!hash ||
	    bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_TEXT_OF_NAME), &hash, &found) < 0)
		return;
	memcpy(text, found.text, sizeof(found.text));
	text[sizeof(found.text) - 1] = '\0';
}

void learnt_text_of_address(const struct enforcer *enforcer, uint32_t policy_id, uint32_t space,
			    const uint8_t *address, char *text)
{
	struct learnt_key key = {.policy_id = policy_id, .space = space};
	struct learnt_address learnt = {0};

	memcpy(key.address, address, sizeof(key.address));
	(void)bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_LEARNT_OF_ADDRESS), &key, &learnt);
	learnt_name_text(enforcer, learnt.name, text);
}

/* ---- all keys of a table ---- */

struct keys {
	char *bytes; /* owned */
	size_t count;
};

/* A snapshot: what comes meanwhile may be missing, what goes may be there. */
static struct keys read_keys(int fd, size_t size, size_t bound)
{
	struct keys keys = {0};
	size_t room = 0;
	char *grown;

	while (keys.count < bound) {
		if (keys.count == room) {
			room = room ? 2 * room : 256;
			grown = reallocarray(keys.bytes, room, size);
			if (!grown)
				return keys;
			keys.bytes = grown;
		}
		if (bpf_map_get_next_key(fd,
					 keys.count ? keys.bytes + (keys.count - 1) * size : NULL,
					 keys.bytes + keys.count * size) < 0)
			return keys;
		keys.count++;
	}
	return keys;
}

/* ---- carrying over ---- */

/* The place of the name's grant under a policy, or 0. */
static uint32_t find_grant(const struct enforcer *enforcer, uint32_t policy, const char *text)
{
	struct name name = {.length = (uint32_t)strlen(text)};
	struct name_key key;
	struct name_entry entry;

	memcpy(name.text, text, name.length);
	name_fill_key(&name, policy, &key);
	if (bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_RULES_OF_NAME), &key, &entry) < 0 ||
	    (entry.flags & NAME_ASK_ONLY))
		return 0;
	return entry.grant;
}

/* As slot_take() has it in the kernel; nobody else writes under a policy that is not in force, and
 * after the swap what both write at once is asked for again. */
static void open_address(const struct enforcer *enforcer, const struct learnt_key *key,
			 uint32_t like, const struct learnt_name *named)
{
	int fd = enforcer_map_fd(enforcer, MAP_LEARNT_OF_ADDRESS);
	struct learnt_address learnt = {0};
	size_t i, place = LEARNT_GRANTS_MAX;

	(void)bpf_map_lookup_elem(fd, key, &learnt);
	for (i = 0; i < LEARNT_GRANTS_MAX; i++) {
		if (LEARNT_GRANT(learnt.slots[i]) == like)
			break;
		if (!learnt.slots[i] && place == LEARNT_GRANTS_MAX)
			place = i;
	}
	if (i < LEARNT_GRANTS_MAX)
		place = i;
	if (place == LEARNT_GRANTS_MAX || LEARNT_EXPIRES(learnt.slots[place]) >= named->expires)
		return;
	learnt.slots[place] = LEARNT_SLOT(like, named->expires);
	learnt.name = named->name;
	(void)bpf_map_update_elem(fd, key, &learnt, BPF_ANY);
}

static void carry_one(const struct enforcer *enforcer, const struct learnt_name_key *old,
		      uint32_t new_policy)
{
	int fd = enforcer_map_fd(enforcer, MAP_LEARNT_NAME);
	struct learnt_name_key key = *old;
	struct learnt_key address = {.policy_id = new_policy, .space = old->space};
	struct learnt_name named;
	struct name_grant grant;
	struct ip_address place;
	char text[NAME_TEXT_BYTES];
	uint32_t like;

	if (bpf_map_lookup_elem(fd, old, &named) < 0)
		return;
	learnt_name_text(enforcer, named.name, text);
	key.policy_id = new_policy;
	key.grant = text[0] ? find_grant(enforcer, new_policy, text) : 0;
	if (!key.grant ||
	    bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_NAME_GRANTS), &key.grant, &grant) < 0)
		return;
	memcpy(address.address, key.address, sizeof(address.address));
	memcpy(place.bytes, key.address, sizeof(place.bytes));
	like = address_is_internal(&place) ? grant.internal : grant.like;
	if (bpf_map_update_elem(fd, &key, &named, BPF_ANY) == 0 && like)
		open_address(enforcer, &address, like, &named);
}

void learnt_carry_over(const struct enforcer *enforcer, uint32_t old_policy, uint32_t new_policy)
{
	struct keys keys = read_keys(enforcer_map_fd(enforcer, MAP_LEARNT_NAME),
				     sizeof(struct learnt_name_key), LEARNT_MAX);
	const struct learnt_name_key *all = (const struct learnt_name_key *)keys.bytes;

	for (size_t i = 0; i < keys.count; i++)
		if (all[i].policy_id == old_policy)
			carry_one(enforcer, &all[i], new_policy);
	free(keys.bytes);
}

/* ---- sweeping ---- */

struct hashes {
	uint64_t *items; /* owned, sorted */
	size_t count;
};

static int compare_hashes(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static bool is_old(const struct enforcer *enforcer, uint32_t policy, uint32_t expires, uint32_t now)
{
	return expires + KEPT_SECONDS < now || !enforcer_has_policy_id(enforcer, policy);
}

/* Names that are still referred to are put into *used. */
static void sweep_names(const struct enforcer *enforcer, uint32_t now, struct hashes *used)
{
	int fd = enforcer_map_fd(enforcer, MAP_LEARNT_NAME);
	struct keys keys = read_keys(fd, sizeof(struct learnt_name_key), LEARNT_MAX);
	const struct learnt_name_key *all = (const struct learnt_name_key *)keys.bytes;
	struct learnt_name named;

	used->items = calloc(keys.count + 1, sizeof(*used->items));
	for (size_t i = 0; i < keys.count && used->items; i++) {
		if (bpf_map_lookup_elem(fd, &all[i], &named) < 0)
			continue;
		if (is_old(enforcer, all[i].policy_id, named.expires, now))
			(void)bpf_map_delete_elem(fd, &all[i]);
		else
			used->items[used->count++] = named.name;
	}
	if (used->count)
		qsort(used->items, used->count, sizeof(*used->items), compare_hashes);
	free(keys.bytes);
}

static uint32_t last_expiry(const struct learnt_address *learnt)
{
	uint32_t last = 0;

	for (size_t i = 0; i < LEARNT_GRANTS_MAX; i++)
		if (LEARNT_EXPIRES(learnt->slots[i]) > last)
			last = LEARNT_EXPIRES(learnt->slots[i]);
	return last;
}

static bool is_used(const struct hashes *used, uint64_t hash)
{
	return used->count &&
	       bsearch(&hash, used->items, used->count, sizeof(hash), compare_hashes);
}

static void sweep_addresses(const struct enforcer *enforcer, uint32_t now,
			    const struct hashes *used)
{
	int fd = enforcer_map_fd(enforcer, MAP_LEARNT_OF_ADDRESS);
	struct keys keys = read_keys(fd, sizeof(struct learnt_key), LEARNT_MAX);
	const struct learnt_key *all = (const struct learnt_key *)keys.bytes;
	struct learnt_address learnt;

	for (size_t i = 0; i < keys.count; i++) {
		if (bpf_map_lookup_elem(fd, &all[i], &learnt) < 0)
			continue;
		/* One that audit mode knows by its name alone lives as long as that. */
		if (last_expiry(&learnt) == 0 && is_used(used, learnt.name) &&
		    enforcer_has_policy_id(enforcer, all[i].policy_id))
			continue;
		if (is_old(enforcer, all[i].policy_id, last_expiry(&learnt), now))
			(void)bpf_map_delete_elem(fd, &all[i]);
	}
	free(keys.bytes);
}

static void sweep_texts(const struct enforcer *enforcer, const struct hashes *used)
{
	int fd = enforcer_map_fd(enforcer, MAP_TEXT_OF_NAME);
	struct keys keys = read_keys(fd, sizeof(uint64_t), NAME_TEXTS_MAX);
	const uint64_t *all = (const uint64_t *)keys.bytes;

	for (size_t i = 0; i < keys.count; i++)
		if (!is_used(used, all[i]))
			(void)bpf_map_delete_elem(fd, &all[i]);
	free(keys.bytes);
}

void learnt_sweep(const struct enforcer *enforcer)
{
	struct hashes used = {0};
	uint32_t now = seconds_now();

	sweep_names(enforcer, now, &used);
	if (used.items) {
		sweep_addresses(enforcer, now, &used);
		sweep_texts(enforcer, &used);
	}
	free(used.items);
}
