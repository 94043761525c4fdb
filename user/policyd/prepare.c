// SPDX-License-Identifier: Apache-2.0
#include "policyd/prepare.h"

#include "compile/image.h"
#include "kernel/cgroup.h"
#include "kernel/object_tables.h"
#include "kernel/place.h"
#include "kernel/tables.h"
#include "manifest/manifest.h"
#include "policy/joined.h"

struct policy *agents_read_manifest(const struct agent_request *request, struct error *error)
{
	_cleanup_diagnostics_ struct diagnostics diagnostics;
	_cleanup_free_ char *text = NULL;
	struct policy *policy;
	size_t length = 0;
	FILE *out;

	diagnostics_init(&diagnostics,
			 request->manifest_path[0] ? request->manifest_path : "manifest");
	policy = manifest_read_text(request->manifest_text, request->manifest_length, &diagnostics);
	if (policy && (!request->tool || !policy_is_joined_name(request->tool) ||
		       policy_join_tools(policy, request->tool, error) == 0))
		return policy;
	if (policy) {
		policy_free(policy);
		return NULL;
	}
	out = open_memstream(&text, &length);
	if (out) {
		diagnostics_print_text(&diagnostics, out);
		(void)fclose(out);
	}
	(void)error_set(error, STATUS_UNUSABLE, "the manifest is not usable:\n%s",
			text ? text : "(out of memory)");
	return NULL;
}

static int refuse_gaps(const struct place *place, const struct policy *policy,
		       const struct tool *tool, const struct agent_request *request,
		       struct error *error)
{
	struct gaps gaps;
	char list[ERROR_TEXT_MAX / 2] = "";
	size_t used = 0;

	tiers_find_gaps(policy, tool, place, &gaps);
	if (!gaps.explicit_count || request->allow_degraded)
		return 0;
	for (size_t i = 0; i < gaps.count && used < sizeof(list); i++)
		if (gaps.items[i].explicit_in_manifest)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "\n  %s: %s",
						 gaps.items[i].pointer, gaps.items[i].what);
	return error_set(error, STATUS_SYSTEM,
			 "%s asks for what can't be enforced here, so it is refused "
			 "(--allow-degraded takes it without these):%s",
			 policy->name, list);
}

static const struct tool *find_tool(const struct policy *policy, const char *name,
				    struct error *error)
{
	const struct tool *tool = policy_find_tool(policy, name);

	if (!tool)
		(void)error_set(error, STATUS_UNUSABLE, "the manifest has no tool %s", name);
	return tool;
}

/*
 * The image of a policy for a target with these resolvers. They are read where they are not known,
 * whether this policy asks them or not: by the next one the target may have written a server of its
 * own into the file. Search domains are the target's whoever is asked.
 */
static struct image *compile(const struct policy *policy, const struct tool *tool,
			     const char *cgroup_path, struct resolvers *resolvers,
			     struct error *error)
{
	const char *search[SEARCH_DOMAINS_MAX];
	struct image_target target = {.search = {.items = search}};

	if (!resolvers->known && resolvers_read(cgroup_path, resolvers, error) < 0 &&
	    image_needs_resolvers(policy, tool))
		return NULL;
	target.resolvers = resolvers->addresses;
	target.resolver_count = resolvers->count;
	target.search.count = resolvers->search_count;
	for (size_t i = 0; i < resolvers->search_count; i++)
		search[i] = resolvers->search[i];
	return image_new(policy, tool, &target, error);
}

/* Flags of the policy besides those of its image. What a kill can't undo is a gap, which only
 * --allow-degraded takes. */
static uint32_t find_flags(const struct place *place, const struct agent_request *request)
{
	return place->watch && request->allow_degraded ? POLICY_WATCH : 0;
}

/* Are the policy's paths looked up in the kernel? Of who is watched only what it executes is. */
static bool judges_objects(const struct enforcer *enforcer, const struct image *image,
			   uint32_t flags)
{
	return enforcer_judges_tasks(enforcer) ||
	       ((flags & POLICY_WATCH) && (image->flags & POLICY_EXEC));
}

/* What the policy's paths name for who is in the cgroup. One that ends meanwhile is no reason to
 * fail: then it is as for a cgroup in which nobody is yet. */
static int find_objects(const struct enforcer *enforcer, const struct image *image,
			const char *cgroup_path, struct object_list *objects, struct error *error)
{
	const char *const *own = enforcer_own_places(enforcer);
	const pid_t target = cgroup_first_process(cgroup_path);

	if (objects_find(image, target, own, objects, error) == 0)
		return 0;
	if (!target || cgroup_first_process(cgroup_path) == target)
		return -1;
	object_list_free(objects);
	*objects = (struct object_list){0};
	return objects_find(image, 0, own, objects, error);
}

static int load(struct enforcer *enforcer, const struct image *image,
		const struct object_list *objects, uint64_t *policy, struct error *error)
{
	if (tables_load(enforcer, image, policy, error) < 0)
		return -1;
	if (object_tables_load(enforcer, POLICY_ID(*policy), objects, error) == 0)
		return 0;
	tables_retire(enforcer, *policy);
	return -1;
}

int prepare(struct enforcer *enforcer, const struct agent_request *request,
	    struct prepared *prepared, struct error *error)
{
	_cleanup_policy_ struct policy *policy = agents_read_manifest(request, error);
	_cleanup_image_ struct image *image = NULL;
	_cleanup_objects_ struct object_list objects = {0};
	const struct tool *tool = NULL;
	struct place place;
	uint32_t flags;

	if (!policy)
		return -1;
	if (request->tool && request->tool[0]) {
		tool = find_tool(policy, request->tool, error);
		if (!tool)
			return -1;
	}
	place_find(enforcer, request->tier, policy, tool, &place);
	if (refuse_gaps(&place, policy, tool, request, error) < 0)
		return -1;
	flags = find_flags(&place, request);
	image = compile(policy, tool, request->cgroup_path, &prepared->resolvers, error);
	if (!image || (judges_objects(enforcer, image, flags) &&
		       find_objects(enforcer, image, request->cgroup_path, &objects, error) < 0))
		return -1;
	prepared->sql =
		agent_sql_new(tool, request->manifest_text, request->manifest_length, error);
	if (!prepared->sql && error->text[0])
		return -1;
	if (load(enforcer, image, &objects, &prepared->loaded, error) < 0) {
		agent_sql_free(prepared->sql);
		return -1;
	}
	prepared->loaded |= POLICY_WORD(0, flags);
	prepared->policy = policy;
	policy = NULL;
	return 0;
}
