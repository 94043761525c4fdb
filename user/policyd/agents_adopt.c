// SPDX-License-Identifier: Apache-2.0
/* What a predecessor of policyd has left: in the kernel, and in the state folder. */
#include <string.h>

#include "kernel/cgroup.h"
#include "kernel/tables.h"
#include "policyd/agents_internal.h"
#include "policyd/state.h"

struct adoption {
	struct agents *agents;
	uint64_t *cgroups; /* that are enrolled */
	uint32_t *live;
	size_t cgroup_count, live_count, adopted, orphans;
};

/* A predecessor's agent: its tables are there already, only the explanation is made anew. */
static struct agent *read_agent(const struct agents *agents, uint64_t cgroup, uint64_t loaded)
{
	struct error error;
	struct agent *agent = calloc(1, sizeof(*agent));
	_cleanup_free_ char *text = NULL;
	size_t length;

	if (!agent)
		return NULL;
	if (state_load(agents->state_folder, cgroup, agent, &text, &length, &error) == 0 &&
	    agent->loaded == loaded) {
		const struct agent_request request = {.manifest_path = agent->manifest_path,
						      .manifest_text = text,
						      .manifest_length = length,
						      .tool = agent->tool};

		agent->policy = agents_read_manifest(&request, &error);
	}
	if (agent->policy)
		agent->sql = agent_sql_new(
			agent->tool[0] ? policy_find_tool(agent->policy, agent->tool) : NULL, text,
			length, &error);
	if (!agent->policy) {
		free(agent);
		return NULL;
	}
	if (!cgroup_container_id(agent->cgroup_path, agent->container))
		agent->container[0] = '\0';
	agent_keep_manifest(agent, text, length);
	return agent;
}

static void adopt_one(uint64_t cgroup, uint64_t loaded, void *context)
{
	struct adoption *adoption = context;
	struct agents *agents = adoption->agents;
	struct agent *agent = read_agent(agents, cgroup, loaded);
	struct error error;

	if (adoption->cgroup_count < CGROUPS_MAX)
		adoption->cgroups[adoption->cgroup_count++] = cgroup;
	if (agent && !agent_still_is(agent->cgroup_path, cgroup)) {
		/* Gone while nobody looked; another cgroup by that name is not the agent's. */
		(void)!enforcer_release(agents->enforcer, cgroup, &error);
		state_remove(agents->state_folder, cgroup);
		agent_free(agent);
		return;
	}
	if (adoption->live_count < CGROUPS_MAX)
		adoption->live[adoption->live_count++] = POLICY_ID(loaded);
	/* Enrolling again turns the pinned links to this program version. */
	if (!agent || (enforcer_enrol(agents->enforcer, agent->cgroup_path, loaded, &error) < 0)) {
		adoption->orphans++;
		if (agent)
			agent_free(agent);
		return;
	}
	agent->next = agents->first;
	agents->first = agent;
	adoption->adopted++;
}

/* A state whose cgroup is not enrolled: its writer was killed in an attach or a detach, when the
 * limits may have been set already. */
static void drop_stale(uint64_t cgroup, void *context)
{
	const struct adoption *adoption = context;
	const char *folder = adoption->agents->state_folder;
	struct agent *agent;
	_cleanup_free_ char *text = NULL;
	struct error ignored;
	size_t length;

	for (size_t i = 0; i < adoption->cgroup_count; i++)
		if (adoption->cgroups[i] == cgroup)
			return;
	agent = calloc(1, sizeof(*agent));
	if (!agent)
		return;
	if (state_load(folder, cgroup, agent, &text, &length, &ignored) == 0 &&
	    agent_still_is(agent->cgroup_path, cgroup))
		limits_put_back(agent->cgroup_path, &agent->limits_before);
	state_remove(folder, cgroup);
	free(agent);
}

int agents_adopt(struct agents *agents, size_t *adopted, size_t *orphans, struct error *error)
{
	struct adoption adoption = {.agents = agents};
	_cleanup_free_ uint32_t *live = calloc(CGROUPS_MAX, sizeof(*live));
	_cleanup_free_ uint64_t *cgroups = calloc(CGROUPS_MAX, sizeof(*cgroups));
	int result;

	if (!live || !cgroups)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	adoption.live = live;
	adoption.cgroups = cgroups;
	enforcer_each_enrolled(agents->enforcer, adopt_one, &adoption);
	state_each(agents->state_folder, drop_stale, &adoption);
	result = tables_adopt(agents->enforcer, live, adoption.live_count, error);
	*adopted = adoption.adopted;
	*orphans = adoption.orphans;
	return result;
}
