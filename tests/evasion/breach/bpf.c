// SPDX-License-Identifier: Apache-2.0
/* BPF from inside: of one's own, and what others have loaded. The bait plays the enforcer's. */
#include "breach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static struct path pin_path(const struct world *world, const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", world->pins, name);
	return path;
}

static int make_map(const struct world *world, const struct attempt *self)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

	(void)world;
	(void)self;
	return outcome(call(BPF_MAP_CREATE, &attributes));
}

static int load_program(const struct world *world, const struct attempt *self)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attributes = {.prog_type = (uint32_t)self->number,
				     .insn_cnt = ARRAY_SIZE(nothing),
				     .insns = (uint64_t)(uintptr_t)nothing,
				     .license = (uint64_t)(uintptr_t) "GPL"};

	(void)world;
	return outcome(call(BPF_PROG_LOAD, &attributes));
}

static int change_value(int map)
{
	uint32_t key = 0, value = 77;
	union bpf_attr attributes = {.map_fd = (uint32_t)map,
				     .key = (uint64_t)(uintptr_t)&key,
				     .value = (uint64_t)(uintptr_t)&value};

	return map < 0 ? -errno : outcome(call(BPF_MAP_UPDATE_ELEM, &attributes));
}

static int change_map_by_id(const struct world *world, const struct attempt *self)
{
	union bpf_attr attributes = {.map_id = world->bait_map};

	(void)self;
	return change_value(call(BPF_MAP_GET_FD_BY_ID, &attributes));
}

/* By counting up from nothing, as one who was not told the number would. */
static int change_map_by_next_id(const struct world *world, const struct attempt *self)
{
	union bpf_attr next = {.start_id = 0};

	(void)self;
	while (call(BPF_MAP_GET_NEXT_ID, &next) == 0) {
		union bpf_attr attributes = {.map_id = next.next_id};

		if (next.next_id == world->bait_map)
			return change_value(call(BPF_MAP_GET_FD_BY_ID, &attributes));
		next.start_id = next.next_id;
	}
	return -errno;
}

static int get_pin(const struct path *path)
{
	union bpf_attr attributes = {.pathname = (uint64_t)(uintptr_t)path->text};

	return call(BPF_OBJ_GET, &attributes);
}

static int change_map_by_pin(const struct world *world, const struct attempt *self)
{
	const struct path path = pin_path(world, "map");

	(void)self;
	return change_value(get_pin(&path));
}

static int change_map_by_other_mount(const struct world *world, const struct attempt *self)
{
	const struct path granted = at(world, "granted");
	struct path path;

	(void)self;
	if (mount("/sys/fs/bpf", granted.text, NULL, MS_BIND, NULL) < 0)
		return -errno;
	(void)snprintf(path.text, sizeof(path.text), "%s%s/map", granted.text,
		       world->pins + sizeof("/sys/fs/bpf") - 1);
	return change_value(get_pin(&path));
}

static int detach(int link)
{
	union bpf_attr attributes = {.link_detach = {.link_fd = (uint32_t)link}};

	return link < 0 ? -errno : outcome(call(BPF_LINK_DETACH, &attributes));
}

static int detach_by_id(const struct world *world, const struct attempt *self)
{
	union bpf_attr attributes = {.link_id = world->bait_link};

	(void)self;
	return detach(call(BPF_LINK_GET_FD_BY_ID, &attributes));
}

static int detach_by_pin(const struct world *world, const struct attempt *self)
{
	const struct path path = pin_path(world, "link");

	(void)self;
	return detach(get_pin(&path));
}

static int remove_pin(const struct world *world, const struct attempt *self)
{
	return outcome(unlink(pin_path(world, self->with).text));
}

static int rename_pin(const struct world *world, const struct attempt *self)
{
	return outcome(rename(pin_path(world, self->with).text, pin_path(world, "moved").text));
}

/* Each attempt that gets through leaves a bait that has been eaten. */
static void prepare_bait(struct world *world)
{
	bait_remove(world);
	(void)!bait_make(world);
}

#define BAIT                                                                              \
	.claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_bait, \
	.prepare = prepare_bait
#define HELD .claimed = BY_LAUNCH | BY_LSM, .evidence = SAW_CHANGE, .describe = describe_open

static const struct attempt attempts[] = {
	{"bpf-map", "a map", HELD, .make = make_map, .with = "bpf-map"},
	{"bpf-program", "a socket filter", HELD, .make = load_program,
	 .number = BPF_PROG_TYPE_SOCKET_FILTER, .with = "bpf-prog"},
	{"bpf-tracing", "a tracing program", HELD, .make = load_program,
	 .number = BPF_PROG_TYPE_TRACEPOINT, .with = "bpf-prog"},
	{"bpf-map-by-id", "another's map, by its number", BAIT, .make = change_map_by_id},
	{"bpf-map-by-next-id", "another's map, by counting", BAIT, .make = change_map_by_next_id},
	{"bpf-map-by-pin", "another's map, by its pin", BAIT, .make = change_map_by_pin},
	{"bpf-map-by-mount", "another's map, by its pin under another path", BAIT,
	 .make = change_map_by_other_mount},
	{"bpf-detach-by-id", "another's link is detached, by its number", BAIT,
	 .make = detach_by_id},
	{"bpf-detach-by-pin", "another's link is detached, by its pin", BAIT,
	 .make = detach_by_pin},
	{"bpf-unpin-map", "the pin of a map is removed", BAIT, .make = remove_pin, .with = "map"},
	{"bpf-unpin-link", "the pin of a link is removed", BAIT, .make = remove_pin,
	 .with = "link"},
	{"bpf-rename-pin", "the pin of a link is renamed", BAIT, .make = rename_pin,
	 .with = "link"},
};
const struct group bpf_group = {attempts, ARRAY_SIZE(attempts)};
