// SPDX-License-Identifier: Apache-2.0
#include "kernel/enforcer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "bpf/workbench.h"
#include "kernel/enforcer_internal.h"
#include "kernel/glob_tables.h"
#include "kernel/guard_hooks.h"
#include "kernel/tables.h"
#include "kernel/unix_hooks.h"
#include "kernel/watch_hooks.h"
#include "policy/address.h"
#include "policy/paths.h"

#define BPFFS	      "/sys/fs/bpf"
#define LOG_TAIL_ROOM 1024

extern const char embedded_egress_start[], embedded_egress_end[];

static const char *const map_names[MAP_COUNT] = {
	[MAP_SLOT_OF_CGROUP] = "slot_of_cgroup",
	[MAP_ENROLMENTS] = "enrolments",
	[MAP_GRANT_OF_ADDRESS] = "grant_of_address",
	[MAP_PORT_SETS] = "port_sets",
	[MAP_RULES_OF_NAME] = "rules_of_name",
	[MAP_NAME_GRANTS] = "name_grants",
	[MAP_LEARNT_NAME] = "learnt_name",
	[MAP_TEXT_OF_NAME] = "text_of_name",
	[MAP_QUESTIONS] = "questions",
	[MAP_ASKED_NAMES] = "asked_names",
	[MAP_BUDGETS] = "budgets",
	[MAP_BUDGET_LISTS] = "budget_lists",
	[MAP_WORKBENCHES] = "workbenches",
	[MAP_UDP_PEERS] = "udp_peers",
	[MAP_ERRANDS] = "errands",
	[MAP_LEARNT_OF_ADDRESS] = "learnt_of_address",
	[MAP_TRAFFIC_OF_DESTINATION] = "traffic_of_destination",
	[MAP_GLOBS] = "globs",
	[MAP_TEXT_OF_SOCKET] = "text_of_socket",
	[MAP_DENIAL_COUNTS] = "denial_counts",
	[MAP_EVENTS] = "events",
	[MAP_COUNTERS_OF_SLOT] = "counters_of_slot",
	[MAP_ENFORCER_COUNTERS] = "enforcer_counters",
	[MAP_ENFORCER_STATE] = "enforcer_state",
	[MAP_STATE_OF_SOCKET] = "state_of_socket",
	[MAP_SERVER_OF_ADDRESS] = "server_of_address",
	[MAP_GUARD_OF_POLICY] = "guard_of_policy",
	[MAP_PORTS_OF_GUARD] = "ports_of_guard",
	[MAP_STEERED_PEERS] = "steered_peers",
	[MAP_NAME_OF_GUARD] = "name_of_guard",
	[MAP_STEERED_PATHS] = "steered_paths",
	[MAP_RULES_OF_OBJECT] = "rules_of_object",
	[MAP_RULES_OF_OBJECT_NAME] = "rules_of_object_name",
	[MAP_CONFINEMENT_OF_POLICY] = "confinement_of_policy",
	[MAP_GUARD_STATE] = "guard_state",
	[MAP_LISTENERS_OF_GUARD] = "listeners_of_guard",
};

/* libbpf speaks through one callback for the whole process; the verifier's log can be 20 MB, of
 * which the end tells what is wrong. */
static char log_tail[LOG_TAIL_ROOM];

static int keep_log_tail(enum libbpf_print_level level, const char *format, va_list arguments)
{
	_cleanup_free_ char *text = NULL;
	size_t used = strlen(log_tail), length, skip, drop;
	int printed;

	if (level == LIBBPF_DEBUG)
		return 0;
	/* One message can be the whole log: its end counts, too. */
	printed = vasprintf(&text, format, arguments);
	if (printed < 0) {
		text = NULL;
		return 0;
	}
	length = (size_t)printed;
	skip = length < LOG_TAIL_ROOM ? 0 : length - (LOG_TAIL_ROOM - 1);
	length -= skip;
	drop = used + length < LOG_TAIL_ROOM ? 0 : used + length + 1 - LOG_TAIL_ROOM;
	memmove(log_tail, log_tail + drop, used - drop + 1);
	memcpy(log_tail + used - drop, text + skip, length + 1);
	return 0;
}

static int prepare_pin_folder(const char *folder, struct error *error)
{
	struct statfs system;

	if (strncmp(folder, BPFFS "/", sizeof(BPFFS)) == 0 && statfs(BPFFS, &system) == 0 &&
	    system.f_type != BPF_FS_MAGIC &&
	    mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno,
				       "no BPF file system at " BPFFS " and none can be mounted");
	if (file_make_directories(folder, 0700, error) < 0)
		return -1;
	if (statfs(folder, &system) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "%s", folder);
	if (system.f_type != BPF_FS_MAGIC)
		return error_set(error, STATUS_SYSTEM,
				 "%s is on no BPF file system, so nothing can be pinned there; "
				 "mount one: mount -t bpf bpf " BPFFS,
				 folder);
	return 0;
}

/* A predecessor's maps are adopted whole or not at all. */
static int check_pinned_version(struct enforcer *enforcer, const char *folder, struct error *error)
{
	char path[PATH_MAX];
	struct enforcer_state state;
	_cleanup_close_ int fd = -1;
	uint32_t only = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, map_names[MAP_ENFORCER_STATE]);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (bpf_map_lookup_elem(fd, &only, &state) < 0 || state.abi_version != ABI_VERSION)
		return error_set(error, STATUS_SYSTEM,
				 "what is pinned at %s is of another version of agentpol; end its "
				 "enforcement first: policyd --unload",
				 enforcer->pin_root);
	enforcer->adopted = true;
	return 0;
}

/* Four for each CPU: a power of two, as the program's mask wants it. */
static uint32_t workbench_count(void)
{
	const int cpus = libbpf_num_possible_cpus();
	uint32_t count = WORKBENCH_TRIES;

	while (count < WORKBENCHES && (int)count < WORKBENCH_TRIES * cpus)
		count *= 2;
	return count;
}

static int set_sizes(struct enforcer *enforcer, const struct enforcer_options *options,
		     struct error *error)
{
	const struct {
		enum enforcer_map map;
		uint32_t entries; /* 0: as it is */
	} sizes[] = {
		{MAP_PORT_SETS, options->port_sets},	 {MAP_EVENTS, options->ring_bytes},
		{MAP_NAME_GRANTS, options->name_grants}, {MAP_BUDGETS, options->budgets},
		{MAP_BUDGET_LISTS, options->budgets},	 {MAP_QUESTIONS, options->caches},
		{MAP_ASKED_NAMES, options->caches},	 {MAP_UDP_PEERS, options->caches},
		{MAP_WORKBENCHES, workbench_count()},	 {MAP_STEERED_PEERS, options->caches},
		{MAP_STEERED_PATHS, options->caches},
	};
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sizes) && result == 0; i++)
		if (sizes[i].entries)
			result = bpf_map__set_max_entries(enforcer->maps[sizes[i].map],
							  sizes[i].entries);
	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result, "cannot size BPF maps");
	return 0;
}

static int set_pins(struct enforcer *enforcer, struct error *error)
{
	char folder[PATH_MAX - 64], path[PATH_MAX];
	struct bpf_map *map;

	(void)snprintf(folder, sizeof(folder), "%s/maps", enforcer->pin_root);
	if (prepare_pin_folder(folder, error) < 0 ||
	    check_pinned_version(enforcer, folder, error) < 0)
		return -1;
	bpf_object__for_each_map (map, enforcer->object) {
		/* Sections of constants belong to this program version alone. */
		if (bpf_map__is_internal(map))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, bpf_map__name(map));
		if (bpf_map__set_pin_path(map, path) < 0)
			return error_set_errno(error, STATUS_SYSTEM, errno, "%s", path);
	}
	return 0;
}

static int set_config(struct enforcer *enforcer, const struct enforcer_options *options,
		      struct error *error)
{
	struct bpf_map *map = bpf_object__find_map_by_name(enforcer->object, ".rodata.config");
	struct egress_config config = {.workbenches = workbench_count(),
				       .names = !options->without_names,
				       .servers = !options->without_servers};

	if (getrandom(config.key, sizeof(config.key), 0) != sizeof(config.key))
		return error_set_errno(error, STATUS_SYSTEM, errno, "no random numbers");
	if (!map || bpf_map__set_initial_value(map, &config, sizeof(config)) < 0)
		return error_set(error, STATUS_SYSTEM, "the BPF object has no place for its key");
	return 0;
}

/* Asked only after a refusal: distributions give older numbers to kernels that can do it. */
static bool kernel_is_too_old(struct utsname *kernel)
{
	unsigned major, minor;

	return uname(kernel) == 0 && sscanf(kernel->release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 15));
}

static int explain_load(int errno_value, struct error *error)
{
	struct utsname kernel;

	if (errno_value == EPERM)
		return error_set(
			error, STATUS_SYSTEM,
			"the kernel refuses to load BPF programs (Operation not permitted):"
			" be root with CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and "
			"CAP_SYS_ADMIN");
	if (kernel_is_too_old(&kernel))
		return error_set(error, STATUS_SYSTEM, "Linux 5.15 or later is needed; this is %s",
				 kernel.release);
	return error_set_errno(error, STATUS_SYSTEM, errno_value,
			       "cannot load the BPF programs (Linux 5.15 or later and CAP_PERFMON "
			       "are needed); the kernel's last words: %s",
			       log_tail);
}

/* An array of the kernel's that is written word by word. */
static void *map_array(const struct enforcer *enforcer, enum enforcer_map map, size_t size,
		       struct error *error)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    enforcer_map_fd(enforcer, map), 0);

	if (memory != MAP_FAILED)
		return memory;
	(void)error_set_errno(error, STATUS_SYSTEM, errno, "cannot map %s", map_names[map]);
	return NULL;
}

static int map_arrays(struct enforcer *enforcer, struct error *error)
{
	enforcer->enrolments =
		map_array(enforcer, MAP_ENROLMENTS, CGROUPS_MAX * sizeof(struct enrolment), error);
	enforcer->guard_state =
		map_array(enforcer, MAP_GUARD_STATE, sizeof(struct guard_state), error);
	return enforcer->enrolments && enforcer->guard_state ? 0 : -1;
}

/* The addresses that no name opens, in the table of a policy that no cgroup has. */
static int write_internal_ranges(struct enforcer *enforcer, struct error *error)
{
	const int fd = enforcer_map_fd(enforcer, MAP_GRANT_OF_ADDRESS);
	const struct address_grant nothing = {0};
	struct ip_prefix range;

	for (size_t i = 0; address_internal_range(i, &range); i++) {
		struct address_key key = {.prefix_bits = 32U + range.bits, .table = TABLE_INTERNAL};

		memcpy(key.address, range.address.bytes, sizeof(key.address));
		if (bpf_map_update_elem(fd, &key, &nothing, BPF_ANY) < 0)
			return error_set_errno(error, STATUS_SYSTEM, errno, "grant_of_address");
	}
	return 0;
}

static void find_programs(struct enforcer *enforcer)
{
	for (size_t i = 0; i < HOOK_COUNT; i++) {
		enforcer->programs[i] =
			bpf_object__find_program_by_name(enforcer->object, hooks[i].program);
		if (!enforcer->programs[i] && enforcer->unix_object)
			enforcer->programs[i] = bpf_object__find_program_by_name(
				enforcer->unix_object, hooks[i].program);
	}
}

static int load(struct enforcer *enforcer, const struct enforcer_options *options,
		struct error *error)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "agentpol");
	const struct enforcer_state fresh = {
		.abi_version = ABI_VERSION, .next_policy_id = 1, .generation = 1};
	uint32_t only = 0;
	size_t i;
	int result;

	enforcer->object = bpf_object__open_mem(
		embedded_egress_start, (size_t)(embedded_egress_end - embedded_egress_start),
		&open_options);
	if (!enforcer->object)
		return explain_load(errno, error);
	for (i = 0; i < MAP_COUNT; i++)
		enforcer->maps[i] = bpf_object__find_map_by_name(enforcer->object, map_names[i]);
	if (set_sizes(enforcer, options, error) < 0 || set_config(enforcer, options, error) < 0)
		return -1;
	if (options->pin_maps && set_pins(enforcer, error) < 0)
		return -1;
	result = bpf_object__load(enforcer->object);
	if (result < 0)
		return explain_load(-result, error);
	if (unix_hooks_load(enforcer->object, &enforcer->unix_object, &result) < 0)
		return explain_load(result, error);
	if (!options->without_tasks &&
	    guard_hooks_load(enforcer->object, &enforcer->guard_object, &result) < 0)
		return explain_load(result, error);
	find_programs(enforcer);
	if (!enforcer->adopted && bpf_map_update_elem(enforcer_map_fd(enforcer, MAP_ENFORCER_STATE),
						      &only, &fresh, BPF_ANY) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "enforcer_state");
	if (write_internal_ranges(enforcer, error) < 0 ||
	    glob_tables_load_defaults(enforcer, options->own_socket, error) < 0)
		return -1;
	return map_arrays(enforcer, error);
}

static void list_own_places(struct enforcer *enforcer, const struct enforcer_options *options)
{
	const char *const *const lists[] = {paths_of_enforcer, options->own_places};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const char *const *place = lists[i]; place && *place; place++)
			if (count < OWN_PLACES_MAX)
				enforcer->own_places[count++] = *place;
}

struct enforcer *enforcer_open(const struct enforcer_options *options, struct error *error)
{
	struct enforcer *enforcer = calloc(1, sizeof(*enforcer));
	char folder[PATH_MAX];

	if (!enforcer) {
		(void)error_set(error, STATUS_SYSTEM, "out of memory");
		return NULL;
	}
	list_own_places(enforcer, options);
	log_tail[0] = '\0';
	(void)libbpf_set_print(keep_log_tail);
	(void)snprintf(enforcer->pin_root, sizeof(enforcer->pin_root), "%s", options->pin_root);
	(void)snprintf(folder, sizeof(folder), "%s/links", enforcer->pin_root);
	if (geteuid() != 0) {
		(void)error_set(error, STATUS_SYSTEM,
				"loading kernel programs needs root; use sudo");
	} else if (prepare_pin_folder(folder, error) == 0 && load(enforcer, options, error) == 0) {
		return enforcer;
	}
	enforcer_close(enforcer);
	return NULL;
}

void enforcer_close(struct enforcer *enforcer)
{
	struct enrolled *item, *next;

	if (!enforcer)
		return;
	for (item = enforcer->enrolled; item; item = next) {
		next = item->next;
		free(item);
	}
	tables_free(enforcer->tables);
	if (enforcer->enrolments)
		(void)munmap(enforcer->enrolments, CGROUPS_MAX * sizeof(struct enrolment));
	if (enforcer->guard_state)
		(void)munmap(enforcer->guard_state, sizeof(struct guard_state));
	bpf_object__close(enforcer->watch_object);
	bpf_object__close(enforcer->guard_object);
	bpf_object__close(enforcer->unix_object);
	bpf_object__close(enforcer->object);
	free(enforcer);
}

bool enforcer_judges_unix(const struct enforcer *enforcer)
{
	return enforcer->unix_object != NULL;
}

bool enforcer_judges_tasks(const struct enforcer *enforcer)
{
	return enforcer->guard_object != NULL;
}

bool enforcer_can_watch(struct enforcer *enforcer)
{
	int cause;

	if (!enforcer->watch_tried && !enforcer->guard_object)
		enforcer->watch_object = watch_hooks_load(enforcer->object, &cause);
	enforcer->watch_tried = true;
	return enforcer->watch_object != NULL;
}

const char *const *enforcer_own_places(const struct enforcer *enforcer)
{
	return enforcer->own_places;
}

bool enforcer_was_adopted(const struct enforcer *enforcer)
{
	return enforcer->adopted;
}

void enforcer_end_link(const char *path)
{
	struct bpf_link *link = bpf_link__open(path);

	if (link) {
		/* Fails where the cgroup is gone: then it is detached already. */
		(void)bpf_link__detach(link);
		(void)bpf_link__destroy(link);
	}
	(void)unlink(path);
}

static void remove_pin(const char *path)
{
	(void)unlink(path);
}

static int remove_folder(const char *folder, void (*remove)(const char *path))
{
	char path[PATH_MAX];
	DIR *directory = opendir(folder);
	struct dirent *entry;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		remove(path);
	}
	(void)closedir(directory);
	return rmdir(folder) < 0 ? -errno : 0;
}

int enforcer_unpin_all(const char *pin_root, struct error *error)
{
	char path[PATH_MAX];
	int result;

	/* Links first: what is left without its maps' names still works. */
	(void)snprintf(path, sizeof(path), "%s/links", pin_root);
	result = remove_folder(path, enforcer_end_link);
	(void)snprintf(path, sizeof(path), "%s/maps", pin_root);
	if (result == 0)
		result = remove_folder(path, remove_pin);
	if (result == 0 && rmdir(pin_root) < 0 && errno != ENOENT && errno != ENOTEMPTY)
		result = -errno;
	if (result < 0)
		return error_set_errno(error, STATUS_SYSTEM, -result, "cannot remove %s", path);
	return 0;
}

void enforcer_each_budget(const struct enforcer *enforcer, uint32_t policy_id,
			  void (*visit)(const struct budget *budget, void *context), void *context)
{
	const int fd = enforcer_map_fd(enforcer, MAP_BUDGETS);
	struct budget budget;

	for (uint32_t i = 1; i < enforcer_map_bound(enforcer, MAP_BUDGETS); i++)
		if (bpf_map_lookup_elem(fd, &i, &budget) == 0 && budget.policy_id == policy_id)
			visit(&budget, context);
}

uint64_t enforcer_events_lost(const struct enforcer *enforcer)
{
	uint32_t index = COUNTER_EVENTS_LOST;
	uint64_t lost = 0;

	(void)bpf_map_lookup_elem(enforcer_map_fd(enforcer, MAP_ENFORCER_COUNTERS), &index, &lost);
	return lost;
}

int enforcer_map_fd(const struct enforcer *enforcer, enum enforcer_map map)
{
	return bpf_map__fd(enforcer->maps[map]);
}

uint32_t enforcer_map_bound(const struct enforcer *enforcer, enum enforcer_map map)
{
	return bpf_map__max_entries(enforcer->maps[map]);
}

struct tables **enforcer_tables(struct enforcer *enforcer)
{
	return &enforcer->tables;
}
