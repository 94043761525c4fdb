// SPDX-License-Identifier: Apache-2.0
#include "kernel/object_tables.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

static int write_rule(struct enforcer *enforcer, uint32_t policy_id, const struct object_rule *rule)
{
	struct object_name_key key = {.directory = rule->object};

	key.directory.policy_id = policy_id;
	if (!rule->name[0])
		return bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_RULES_OF_OBJECT),
					   &key.directory, &rule->bits, BPF_ANY);
	memcpy(key.name, rule->name, sizeof(key.name));
	return bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_RULES_OF_OBJECT_NAME), &key,
				   &rule->bits, BPF_ANY);
}

int object_tables_load(struct enforcer *enforcer, uint32_t policy_id,
		       const struct object_list *list, struct error *error)
{
	for (size_t i = 0; i < list->count; i++)
		if (write_rule(enforcer, policy_id, &list->rules[i]) < 0)
			return error_set_errno(error, STATUS_SYSTEM, errno,
					       errno == E2BIG || errno == ENOSPC
						       ? "the kernel's table of files is full"
						       : "rules_of_object");
	return 0;
}

/* Both kinds of key begin with the policy's id. The next key is asked for before this one goes. */
static void drop_keys(int fd, uint32_t policy_id)
{
	struct object_name_key key, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (key.directory.policy_id == policy_id)
			(void)bpf_map_delete_elem(fd, &key);
	}
}

void object_tables_unload(struct enforcer *enforcer, uint32_t policy_id)
{
	drop_keys(enforcer_map_fd(enforcer, MAP_RULES_OF_OBJECT), policy_id);
	drop_keys(enforcer_map_fd(enforcer, MAP_RULES_OF_OBJECT_NAME), policy_id);
}
