// SPDX-License-Identifier: Apache-2.0
#include "policy/joined.h"

#include <string.h>

#define EVERY_TOOL "*"

struct joining {
	struct policy *policy;
	const struct tool **parts; /* the arena's; JOINED_PARTS_MAX */
	size_t count;
	struct tool *tool; /* that is made */
	bool out_of_memory;
};

bool policy_is_joined_name(const char *name)
{
	return strcmp(name, EVERY_TOOL) == 0 || strchr(name, '+');
}

/* What adds nothing takes no place. */
static bool grants_anything(const struct tool *tool)
{
	return tool->sql || tool->scope.network.present || tool->scope.process.present ||
	       tool->scope.files.present;
}

static int add_part(struct joining *joining, const struct tool *tool, struct error *error)
{
	if (!grants_anything(tool))
		return 0;
	for (size_t i = 0; i < joining->count; i++)
		if (joining->parts[i] == tool)
			return 0;
	if (joining->count == JOINED_PARTS_MAX)
		return error_set(
			error, STATUS_UNUSABLE,
			"more than %d tools with grants of their own can't share a process",
			JOINED_PARTS_MAX);
	joining->parts[joining->count++] = tool;
	return 0;
}

static int add_every(struct joining *joining, struct error *error)
{
	const struct policy *policy = joining->policy;

	for (size_t i = 0; i < policy->tool_count; i++)
		if (!policy->tools[i].call_scope && add_part(joining, &policy->tools[i], error) < 0)
			return -1;
	return 0;
}

static int add_named(struct joining *joining, const char *name, size_t length, struct error *error)
{
	const struct policy *policy = joining->policy;

	if (length == strlen(EVERY_TOOL) && memcmp(name, EVERY_TOOL, length) == 0)
		return add_every(joining, error);
	for (size_t i = 0; i < policy->tool_count; i++)
		if (strlen(policy->tools[i].name) == length &&
		    memcmp(policy->tools[i].name, name, length) == 0)
			return add_part(joining, &policy->tools[i], error);
	return error_set(error, STATUS_UNUSABLE, "the manifest has no tool %.*s",
			 (int)(length > TOOL_NAME_MAX ? TOOL_NAME_MAX : length), name);
}

/* ---- lists behind one another ---- */

static void *joined_list(struct joining *joining, const void *left, size_t left_count,
			 const void *right, size_t right_count, size_t size)
{
	char *list = arena_alloc(joining->policy->arena, left_count + right_count + 1, size);

	if (!list) {
		joining->out_of_memory = true;
		return NULL;
	}
	if (left_count)
		memcpy(list, left, left_count * size);
	if (right_count)
		memcpy(list + left_count * size, right, right_count * size);
	return list;
}

/* Both lists are arrays of one type with a count each. */
#define JOIN(joining, to, from, list, number)                                                \
	do {                                                                                 \
		(to)->list = joined_list((joining), (to)->list, (to)->number, (from)->list,  \
					 (from)->number, sizeof(*(to)->list));               \
		(to)->number = (joining)->out_of_memory ? 0 : (to)->number + (from)->number; \
	} while (0)

static void join_network(struct joining *joining, struct network *to, const struct network *from)
{
	if (!from->present)
		return;
	JOIN(joining, to, from, egress, egress_count);
	JOIN(joining, to, from, listens, listen_count);
	JOIN(joining, to, from, resolvers, resolver_count);
	JOIN(joining, &to->unix_paths, &from->unix_paths, items, count);
	/* One that names its resolvers takes nothing from one that does not. */
	to->system_resolvers = (to->present && to->system_resolvers) || from->system_resolvers;
	to->unix_present |= from->unix_present;
	to->families |= from->families;
	to->present = true;
}

/* The narrower of two limits, of which 0 is none. */
static uint64_t narrower(uint64_t left, uint64_t right)
{
	if (!left || !right)
		return left ? left : right;
	return left < right ? left : right;
}

static void join_process(struct joining *joining, struct process *to, const struct process *from)
{
	if (!from->present)
		return;
	JOIN(joining, &to->exec, &from->exec, items, count);
	JOIN(joining, &to->syscalls_deny, &from->syscalls_deny, items, count);
	JOIN(joining, &to->syscalls_allow, &from->syscalls_allow, items, count);
	to->exec_present |= from->exec_present;
	to->syscalls_present |= from->syscalls_present;
	to->capabilities_present |= from->capabilities_present;
	to->capabilities |= from->capabilities;
	to->limits.pids = narrower(to->limits.pids, from->limits.pids);
	to->limits.memory_bytes = narrower(to->limits.memory_bytes, from->limits.memory_bytes);
	to->limits.cpu_percent =
		(uint32_t)narrower(to->limits.cpu_percent, from->limits.cpu_percent);
	to->kill_on_violation |= from->kill_on_violation;
	to->present = true;
}

static void join_files(struct joining *joining, struct files *to, const struct files *from)
{
	if (!from->present)
		return;
	JOIN(joining, &to->read, &from->read, items, count);
	JOIN(joining, &to->write, &from->write, items, count);
	JOIN(joining, &to->deny, &from->deny, items, count);
	to->present = true;
}

/* Each rule has a number of its own: budgets are kept by it. */
static void number_rules(struct network *network)
{
	for (size_t i = 0; i < network->egress_count; i++)
		network->egress[i].index = i;
	for (size_t i = 0; i < network->listen_count; i++)
		network->listens[i].index = i;
}

static int join_parts(struct joining *joining, struct error *error)
{
	struct tool *tool = joining->tool;

	tool->parts = joining->parts;
	tool->part_count = joining->count;
	for (size_t i = 0; i < joining->count; i++) {
		const struct tool *part = joining->parts[i];

		if (part->sql)
			return error_set(error, STATUS_UNUSABLE,
					 "the tool %s has a database, whose guard serves one tool: "
					 "its server runs for it alone (--tool %s)",
					 part->name, part->name);
		join_network(joining, &tool->scope.network, &part->scope.network);
		join_process(joining, &tool->scope.process, &part->scope.process);
		join_files(joining, &tool->scope.files, &part->scope.files);
	}
	number_rules(&tool->scope.network);
	return 0;
}

static const struct tool *make_tool(struct joining *joining, const char *name, struct error *error)
{
	struct tool *tool = arena_alloc(joining->policy->arena, 1, sizeof(*tool));

	if (!tool) {
		joining->out_of_memory = true;
		return NULL;
	}
	joining->tool = tool;
	tool->name = name;
	tool->effect = EFFECT_DESTRUCTIVE;
	tool->scope.tool = name;
	tool->scope.pointer = "";
	return join_parts(joining, error) < 0 ? NULL : tool;
}

static int resolve(struct joining *joining, const char *name, struct error *error)
{
	for (const char *at = name; at; at = strchr(at, '+') ? strchr(at, '+') + 1 : NULL)
		if (add_named(joining, at, strcspn(at, "+"), error) < 0)
			return -1;
	return 0;
}

int policy_join_tools(struct policy *policy, const char *name, struct error *error)
{
	struct arena *arena = policy->arena;
	struct joining joining = {.policy = policy};
	struct joined_scope *joined = arena_alloc(arena, 1, sizeof(*joined));

	if (strlen(name) > SCOPE_NAME_MAX)
		return error_set(error, STATUS_UNUSABLE, "too many tools for one process");
	joining.parts =
		(const struct tool **)arena_alloc(arena, JOINED_PARTS_MAX, sizeof(*joining.parts));
	if (!joined || !joining.parts)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	joined->name = arena_copy(arena, name, strlen(name));
	if (resolve(&joining, name, error) < 0)
		return -1;
	error->text[0] = '\0';
	joined->tool =
		joining.count == 1 ? joining.parts[0] : make_tool(&joining, joined->name, error);
	if (!joined->name || joining.out_of_memory)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (!joined->tool)
		return -1;
	joined->next = policy->joined;
	policy->joined = joined;
	return 0;
}

void policy_egress_pointer(const struct tool *tool, size_t index, char *pointer, size_t room)
{
	const struct tool *part = tool;

	for (size_t i = 0; i < tool->part_count; i++) {
		part = tool->parts[i];
		if (index < part->scope.network.egress_count)
			break;
		index -= part->scope.network.egress_count;
	}
	(void)snprintf(pointer, room, "%s/network/egress/%zu", part->scope.pointer, index);
}
