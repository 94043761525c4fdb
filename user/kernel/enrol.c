// SPDX-License-Identifier: Apache-2.0
/* Which cgroups are under which policy: links, slots, and what is in force. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "kernel/cgroup.h"
#include "kernel/enforcer_internal.h"
#include "kernel/machine_links.h"

const struct hook hooks[HOOK_COUNT] = {
	{"guard_socket", BPF_CGROUP_INET_SOCK_CREATE, 0},
	{"guard_connect4", BPF_CGROUP_INET4_CONNECT, 0},
	{"guard_connect6", BPF_CGROUP_INET6_CONNECT, 0},
	/* The packet is judged in any case; these hooks lock the socket once more for each
	   datagram. */
	{"guard_sendmsg4", BPF_CGROUP_UDP4_SENDMSG, POLICY_SENDTO},
	{"guard_sendmsg6", BPF_CGROUP_UDP6_SENDMSG, POLICY_SENDTO},
	{"guard_bind4", BPF_CGROUP_INET4_BIND, 0},
	{"guard_bind6", BPF_CGROUP_INET6_BIND, 0},
	{"guard_egress", BPF_CGROUP_INET_EGRESS, 0},
	{"guard_ingress", BPF_CGROUP_INET_INGRESS, POLICY_DATAGRAMS},
	{"guard_connect_unix", (enum bpf_attach_type)CGROUP_UNIX_CONNECT, 0},
	{"guard_sendmsg_unix", (enum bpf_attach_type)CGROUP_UNIX_SENDMSG, 0},
};

static void link_path(const struct enforcer *enforcer, uint64_t cgroup, const char *program,
		      char *path)
{
	(void)snprintf(path, PATH_MAX, "%s/links/%" PRIu64 "-%s", enforcer->pin_root, cgroup,
		       program);
}

static struct enrolled *find_enrolled(const struct enforcer *enforcer, uint64_t cgroup)
{
	struct enrolled *item;

	for (item = enforcer->enrolled; item; item = item->next)
		if (item->cgroup == cgroup)
			return item;
	return NULL;
}

/* `inner` lies below `outer`, and is not the same. */
static bool is_below(const char *outer, const char *inner)
{
	size_t length = strlen(outer);

	return strncmp(outer, inner, length) == 0 && inner[length] == '/';
}

static bool has_programs_above(const struct enforcer *enforcer, const char *path)
{
	const struct enrolled *item;

	for (item = enforcer->enrolled; item; item = item->next)
		if (item->attached && is_below(item->path, path))
			return true;
	return false;
}

static void unpin_links(const struct enforcer *enforcer, uint64_t cgroup)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < HOOK_COUNT; i++) {
		link_path(enforcer, cgroup, hooks[i].program, path);
		enforcer_end_link(path);
	}
}

static int explain_attach(const char *program, const char *path, int errno_value,
			  struct error *error)
{
	if (errno_value == EPERM)
		return error_set(error, STATUS_SYSTEM,
				 "cannot attach %s to %s: a cgroup above has a BPF program that "
				 "forbids others (attached without the multi flag); bpftool cgroup "
				 "tree shows it",
				 program, path);
	return error_set_errno(error, STATUS_SYSTEM, errno_value, "cannot attach %s to %s", program,
			       path);
}

/* A pinned link of a predecessor gets the new program; otherwise a new link is made and pinned. */
static int attach_hook(struct enforcer *enforcer, size_t i, uint64_t cgroup, int cgroup_fd,
		       const char *cgroup_path, struct error *error)
{
	char path[PATH_MAX];
	struct bpf_link *link;
	int result;

	link_path(enforcer, cgroup, hooks[i].program, path);
	link = bpf_link__open(path);
	if (link) {
		result = bpf_link__update_program(link, enforcer->programs[i]);
		(void)bpf_link__destroy(link);
		if (result == 0)
			return 0;
		/* The link's cgroup is gone and its number came back. */
		(void)unlink(path);
	}
	link = bpf_program__attach_cgroup(enforcer->programs[i], cgroup_fd);
	if (!link)
		return explain_attach(hooks[i].program, cgroup_path, errno, error);
	result = bpf_link__pin(link, path);
	(void)bpf_link__destroy(link); /* the pin holds it */
	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result, "cannot pin %s", path);
	return 0;
}

/* Attaches the hooks that `needed` asks for: a flag, or 0 for those of every policy. */
static int attach_hooks(struct enforcer *enforcer, const struct enrolled *item, uint32_t needed,
			struct error *error)
{
	_cleanup_close_ int fd = open(item->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "cgroup %s", item->path);
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (enforcer->programs[i] && hooks[i].needed_by == needed &&
		    attach_hook(enforcer, i, item->cgroup, fd, item->path, error) < 0)
			return -1;
	return 0;
}

static int attach_programs(struct enforcer *enforcer, struct enrolled *item, struct error *error)
{
	if (attach_hooks(enforcer, item, 0, error) < 0)
		return -1;
	item->attached = true;
	return 0;
}

/* Before a policy that needs more hooks than the cgroup has. They stay when a later one does not.
 */
static int attach_extra(struct enforcer *enforcer, struct enrolled *item, uint64_t policy,
			struct error *error)
{
	static const uint32_t wanted[] = {POLICY_DATAGRAMS, POLICY_SENDTO};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!(POLICY_FLAGS(policy) & wanted[i] & ~item->extra))
			continue;
		if (attach_hooks(enforcer, item, wanted[i], error) < 0)
			return -1;
		item->extra |= wanted[i];
	}
	return 0;
}

/*
 * The deepest first: the nearest enrolled cgroup is the one that counts. Levels are only ever
 * added, so that written from the end the list has them all at any time, one of them twice for a
 * moment.
 */
static void write_levels(struct enforcer *enforcer, uint32_t levels)
{
	struct guard_state *state = enforcer->guard_state;
	uint32_t place = (uint32_t)__builtin_popcount(levels);

	__atomic_store_n(&state->level_count, place, __ATOMIC_SEQ_CST);
	for (uint32_t level = 0; level < CGROUP_LEVELS_MAX; level++)
		if (levels >> level & 1)
			__atomic_store_n(&state->levels[--place], level, __ATOMIC_SEQ_CST);
}

static int by_depth(const void *left, const void *right)
{
	const struct guard_near *one = left, *other = right;

	return (one->level < other->level) - (one->level > other->level);
}

/* The list that is looked through first, where all that are enrolled fit it. */
static uint32_t list_near(const struct enforcer *enforcer, struct guard_near *near)
{
	uint32_t count = 0;

	for (uint32_t slot = 1; slot < CGROUPS_MAX; slot++) {
		const uint64_t cgroup = enforcer->enrolments[slot].cgroup;
		const struct enrolled *item = cgroup ? find_enrolled(enforcer, cgroup) : NULL;

		if (cgroup && (!item || count == GUARD_NEAR_MAX))
			return 0;
		if (item)
			near[count++] = (struct guard_near){cgroup, item->level, slot};
	}
	qsort(near, count, sizeof(*near), by_depth);
	return count;
}

static void write_near(struct enforcer *enforcer)
{
	struct guard_state *state = enforcer->guard_state;
	struct guard_near near[GUARD_NEAR_MAX];
	const uint32_t count = list_near(enforcer, near);

	(void)__atomic_fetch_or(&state->change, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&state->near_count, 0, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < count; i++)
		state->near[i] = near[i];
	__atomic_store_n(&state->near_count, count, __ATOMIC_SEQ_CST);
	(void)__atomic_fetch_add(&state->change, 1, __ATOMIC_SEQ_CST);
}

/* Sockets look anew for the nearest enrolled cgroup, on the levels where there is one. */
static int update_state(struct enforcer *enforcer, struct error *error)
{
	int fd = enforcer_map_fd(enforcer, MAP_ENFORCER_STATE);
	const struct enrolled *item;
	struct enforcer_state state;
	uint32_t only = 0;

	if (bpf_map_lookup_elem(fd, &only, &state) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "enforcer_state");
	state.generation++;
	/* Bits are only added here: one too many costs a look, one too few would be a hole for what
	 * a predecessor enrolled. */
	for (item = enforcer->enrolled; item; item = item->next)
		state.levels |= 1U << item->level;
	if (bpf_map_update_elem(fd, &only, &state, BPF_ANY) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "enforcer_state");
	write_levels(enforcer, state.levels);
	write_near(enforcer);
	return 0;
}

/* The programs of the LSM while anybody is enrolled: each costs every task of the machine. */
static int attach_guard(struct enforcer *enforcer, struct error *error)
{
	char folder[PATH_MAX];

	if (!enforcer->guard_object || enforcer->guard_attached)
		return 0;
	(void)snprintf(folder, sizeof(folder), "%s/links", enforcer->pin_root);
	if (machine_links_attach(enforcer->guard_object, folder, error) < 0)
		return -1;
	enforcer->guard_attached = true;
	return 0;
}

static void detach_guard(struct enforcer *enforcer)
{
	char folder[PATH_MAX];

	if (!enforcer->guard_object || enforcer->enrolled || !enforcer->guard_attached ||
	    enforcer->guard_kept)
		return;
	(void)snprintf(folder, sizeof(folder), "%s/links", enforcer->pin_root);
	machine_links_detach(enforcer->guard_object, folder);
	enforcer->guard_attached = false;
}

void enforcer_keep_guard(struct enforcer *enforcer, bool keep)
{
	enforcer->guard_kept = keep;
	detach_guard(enforcer);
}

static bool policy_is_watched(uint64_t policy)
{
	return POLICY_FLAGS(policy) & POLICY_WATCH;
}

/* Before a cgroup gets a policy that is watched. */
static int attach_watch(struct enforcer *enforcer, uint64_t policy, struct error *error)
{
	char folder[PATH_MAX];

	if (!policy_is_watched(policy) || enforcer->watch_attached)
		return 0;
	if (!enforcer_can_watch(enforcer))
		return error_set(error, STATUS_SYSTEM,
				 "this kernel does not let live cgroups be watched: Linux 6.1 or "
				 "later with type information (BTF) is needed");
	(void)snprintf(folder, sizeof(folder), "%s/links", enforcer->pin_root);
	if (machine_links_attach(enforcer->watch_object, folder, error) < 0)
		return -1;
	enforcer->watch_attached = true;
	return 0;
}

/* By a predecessor, for a cgroup that nobody has enrolled again. */
static bool watch_is_left(const struct enforcer *enforcer)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/links/watch_call", enforcer->pin_root);
	return access(path, F_OK) == 0;
}

/* Off when the last one has gone: every system call of the machine pays for it. */
static void detach_watch(struct enforcer *enforcer)
{
	char folder[PATH_MAX];

	if (!enforcer->watch_attached && !(watch_is_left(enforcer) && enforcer_can_watch(enforcer)))
		return;
	for (uint32_t slot = 1; slot < CGROUPS_MAX; slot++)
		if (policy_is_watched(enforcer->enrolments[slot].policy))
			return;
	(void)snprintf(folder, sizeof(folder), "%s/links", enforcer->pin_root);
	machine_links_detach(enforcer->watch_object, folder);
	enforcer->watch_attached = false;
}

static bool watch_is_effective(const struct enforcer *enforcer, uint64_t policy)
{
	char folder[PATH_MAX];

	if (!policy_is_watched(policy))
		return true;
	(void)snprintf(folder, sizeof(folder), "%s/links", enforcer->pin_root);
	return enforcer->watch_attached && machine_links_are_pinned(enforcer->watch_object, folder);
}

/* The slot of an enrolled cgroup, or 0. */
static uint32_t find_slot(const struct enforcer *enforcer, uint64_t cgroup)
{
	for (uint32_t slot = 1; slot < CGROUPS_MAX; slot++)
		if (enforcer->enrolments[slot].cgroup == cgroup)
			return slot;
	return 0;
}

static void reset_counters(struct enforcer *enforcer, uint32_t slot)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct verdict_counters *zero =
		cpus < 1 ? NULL : calloc((size_t)cpus, sizeof(*zero));

	if (zero)
		(void)bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_COUNTERS_OF_SLOT), &slot,
					  zero, BPF_ANY);
}

/* The policy before the name: whoever finds the cgroup's slot finds a policy in it. */
static int take_slot(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy,
		     struct error *error)
{
	uint32_t slot = find_slot(enforcer, 0);
	struct enrolment *enrolment = &enforcer->enrolments[slot];

	if (!slot)
		return error_set(error, STATUS_SYSTEM, "more than %d cgroups are enrolled",
				 CGROUPS_MAX - 1);
	reset_counters(enforcer, slot);
	__atomic_store_n(&enrolment->leased, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&enrolment->policy, policy, __ATOMIC_SEQ_CST);
	__atomic_store_n(&enrolment->cgroup, cgroup, __ATOMIC_SEQ_CST);
	if (bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_SLOT_OF_CGROUP), &cgroup, &slot,
				BPF_ANY) == 0)
		return 0;
	*enrolment = (struct enrolment){0};
	return error_set_errno(error, STATUS_SYSTEM, errno, "slot_of_cgroup");
}

static int write_entry(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy,
		       struct error *error)
{
	uint32_t slot = find_slot(enforcer, cgroup);

	if (!slot)
		return take_slot(enforcer, cgroup, policy, error);
	/* What was lent under the old one ends with it. */
	__atomic_store_n(&enforcer->enrolments[slot].leased, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&enforcer->enrolments[slot].policy, policy, __ATOMIC_SEQ_CST);
	return 0;
}

static int remove_entry(struct enforcer *enforcer, uint64_t cgroup, struct error *error)
{
	uint32_t slot = find_slot(enforcer, cgroup);

	if (bpf_map_delete_elem(enforcer_map_fd(enforcer, MAP_SLOT_OF_CGROUP), &cgroup) < 0 &&
	    errno != ENOENT)
		return error_set_errno(error, STATUS_SYSTEM, errno, "slot_of_cgroup");
	if (!slot)
		return 0;
	__atomic_store_n(&enforcer->enrolments[slot].leased, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&enforcer->enrolments[slot].cgroup, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&enforcer->enrolments[slot].policy, 0, __ATOMIC_SEQ_CST);
	return 0;
}

static struct enrolled *add_enrolled(struct enforcer *enforcer, uint64_t cgroup, const char *path,
				     struct error *error)
{
	size_t length = strlen(path) + 1;
	struct enrolled *item = calloc(1, sizeof(*item) + length);

	if (!item) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	item->cgroup = cgroup;
	memcpy(item->path, path, length);
	item->next = enforcer->enrolled;
	enforcer->enrolled = item;
	return item;
}

static void forget_enrolled(struct enforcer *enforcer, const struct enrolled *gone)
{
	struct enrolled **at;

	for (at = &enforcer->enrolled; *at; at = &(*at)->next)
		if (*at == gone) {
			*at = gone->next;
			free((void *)(uintptr_t)gone);
			return;
		}
}

int enforcer_enrol(struct enforcer *enforcer, const char *cgroup_path, uint64_t policy,
		   struct error *error)
{
	char mount[PATH_MAX];
	struct enrolled *item;
	uint64_t cgroup;

	if (cgroup_find_mount(mount, error) < 0 || cgroup_id(cgroup_path, &cgroup, error) < 0)
		return -1;
	if (cgroup_level(mount, cgroup_path) >= CGROUP_LEVELS_MAX)
		return error_set(error, STATUS_SYSTEM, "%s is more than %d levels deep",
				 cgroup_path, CGROUP_LEVELS_MAX - 1);
	item = find_enrolled(enforcer, cgroup);
	if (!item)
		item = add_enrolled(enforcer, cgroup, cgroup_path, error);
	if (!item)
		return -1;
	item->level = cgroup_level(mount, cgroup_path);
	if (write_entry(enforcer, cgroup, policy, error) < 0 || update_state(enforcer, error) < 0) {
		forget_enrolled(enforcer, item);
		return -1;
	}
	if ((!has_programs_above(enforcer, cgroup_path) &&
	     attach_programs(enforcer, item, error) < 0) ||
	    attach_extra(enforcer, item, policy, error) < 0 || attach_guard(enforcer, error) < 0 ||
	    attach_watch(enforcer, policy, error) < 0) {
		struct error ignored;

		(void)!enforcer_release(enforcer, cgroup, &ignored);
		return -1;
	}
	return 0;
}

int enforcer_swap(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy, struct error *error)
{
	struct enrolled *item = find_enrolled(enforcer, cgroup);

	if (!item)
		return error_set(error, STATUS_SYSTEM, "cgroup %" PRIu64 " is not enrolled",
				 cgroup);
	if (attach_extra(enforcer, item, policy, error) < 0 ||
	    attach_watch(enforcer, policy, error) < 0 ||
	    write_entry(enforcer, cgroup, policy, error) < 0)
		return -1;
	detach_watch(enforcer);
	return 0;
}

int enforcer_release(struct enforcer *enforcer, uint64_t cgroup, struct error *error)
{
	struct enrolled *gone = find_enrolled(enforcer, cgroup), *item;

	for (item = enforcer->enrolled; gone && item; item = item->next)
		if (!item->attached && is_below(gone->path, item->path) &&
		    access(item->path, F_OK) == 0 && attach_programs(enforcer, item, error) < 0)
			return -1;
	unpin_links(enforcer, cgroup);
	if (remove_entry(enforcer, cgroup, error) < 0)
		return -1;
	if (gone)
		forget_enrolled(enforcer, gone);
	detach_guard(enforcer);
	detach_watch(enforcer);
	return update_state(enforcer, error);
}

/* The rest of its state is found anew by the next packet: no cgroup is named. */
int enforcer_mark_inbound(const struct enforcer *enforcer, int socket, pid_t pid)
{
	const struct socket_state state = {.pid = (uint32_t)pid, .flags = SOCKET_INBOUND};

	return bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_STATE_OF_SOCKET), &socket, &state,
				   BPF_ANY) < 0
		       ? -errno
		       : 0;
}

int enforcer_lease_prepare(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy,
			   struct error *error)
{
	struct enrolled *item = find_enrolled(enforcer, cgroup);

	if (!item)
		return error_set(error, STATUS_SYSTEM, "cgroup %" PRIu64 " is not enrolled",
				 cgroup);
	if (attach_extra(enforcer, item, policy, error) < 0)
		return -1;
	return attach_watch(enforcer, policy, error);
}

void enforcer_lease(struct enforcer *enforcer, uint64_t cgroup, uint64_t policy, uint64_t until_ns)
{
	const uint32_t slot = find_slot(enforcer, cgroup);
	struct enrolment *enrolment = &enforcer->enrolments[slot];

	if (!slot)
		return;
	__atomic_store_n(&enrolment->leased_until, policy ? until_ns : 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&enrolment->leased, policy, __ATOMIC_SEQ_CST);
}

/* ---- questions ---- */

uint64_t enforcer_policy_of(const struct enforcer *enforcer, uint64_t cgroup)
{
	uint32_t slot = find_slot(enforcer, cgroup);

	return slot ? enforcer->enrolments[slot].policy : 0;
}

void enforcer_each_enrolled(const struct enforcer *enforcer,
			    void (*visit)(uint64_t cgroup, uint64_t policy, void *context),
			    void *context)
{
	for (uint32_t slot = 1; slot < CGROUPS_MAX; slot++)
		if (enforcer->enrolments[slot].cgroup)
			visit(enforcer->enrolments[slot].cgroup, enforcer->enrolments[slot].policy,
			      context);
}

bool enforcer_has_policy_id(const struct enforcer *enforcer, uint32_t policy_id)
{
	for (uint32_t slot = 1; slot < CGROUPS_MAX; slot++)
		if (enforcer->enrolments[slot].cgroup &&
		    (POLICY_ID(enforcer->enrolments[slot].policy) == policy_id ||
		     POLICY_ID(enforcer->enrolments[slot].leased) == policy_id))
			return true;
	return false;
}

static bool hook_is_effective(const struct enforcer *enforcer, size_t i, int cgroup_fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info), ids[64], count = ARRAY_SIZE(ids), flags = 0;

	if (bpf_obj_get_info_by_fd(bpf_program__fd(enforcer->programs[i]), &info, &size) < 0 ||
	    bpf_prog_query(cgroup_fd, hooks[i].type, BPF_F_QUERY_EFFECTIVE, &flags, ids, &count) <
		    0)
		return false;
	for (uint32_t n = 0; n < count; n++)
		if (ids[n] == info.id)
			return true;
	return false;
}

bool enforcer_is_effective(const struct enforcer *enforcer, const char *cgroup_path)
{
	_cleanup_close_ int fd = open(cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error error;
	uint64_t cgroup, policy;

	if (fd < 0 || cgroup_id(cgroup_path, &cgroup, &error) < 0)
		return false;
	policy = enforcer_policy_of(enforcer, cgroup);
	if (!policy || !watch_is_effective(enforcer, policy))
		return false;
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (enforcer->programs[i] &&
		    (hooks[i].needed_by & POLICY_FLAGS(policy)) == hooks[i].needed_by &&
		    !hook_is_effective(enforcer, i, fd))
			return false;
	return true;
}

int enforcer_read_counters(const struct enforcer *enforcer, uint64_t cgroup,
			   struct verdict_counters *counters)
{
	int cpus = libbpf_num_possible_cpus();
	uint32_t slot = find_slot(enforcer, cgroup);
	_cleanup_free_ struct verdict_counters *each = NULL;

	*counters = (struct verdict_counters){0};
	if (cpus < 1 || !slot)
		return -ENOENT;
	each = calloc((size_t)cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	if (bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_COUNTERS_OF_SLOT), &slot, each) < 0)
		return -errno;
	for (int cpu = 0; cpu < cpus; cpu++) {
		counters->allowed += each[cpu].allowed;
		counters->denied += each[cpu].denied;
	}
	return 0;
}
