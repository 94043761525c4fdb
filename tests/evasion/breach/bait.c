// SPDX-License-Identifier: Apache-2.0
/* A map, a program and its link to the witness's cgroup that stand for the enforcer's: so that what
 * is done to BPF objects can be seen, and what reaches these reaches the enforcer's, too. */
#include "breach.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static void pin(int fd, const struct world *world, const char *name)
{
	char path[PLACE_ROOM + 16];
	union bpf_attr attributes = {.bpf_fd = (uint32_t)fd};

	(void)snprintf(path, sizeof(path), "%s/%s", world->pins, name);
	(void)unlink(path);
	attributes.pathname = (uint64_t)(uintptr_t)path;
	(void)call(BPF_OBJ_PIN, &attributes);
}

static int make_map(struct world *world)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
	struct bpf_map_info info = {0};
	const int fd = call(BPF_MAP_CREATE, &attributes);
	union bpf_attr question = {.info = {.bpf_fd = (uint32_t)fd,
					    .info_len = sizeof(info),
					    .info = (uint64_t)(uintptr_t)&info}};

	if (fd < 0 || call(BPF_OBJ_GET_INFO_BY_FD, &question) < 0)
		return -1;
	world->bait_map = info.id;
	pin(fd, world, "map");
	return fd;
}

static int make_link(struct world *world)
{
	/* r0 = 1; exit: lets every packet pass. */
	static const struct bpf_insn allow[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_SKB,
			       .insn_cnt = ARRAY_SIZE(allow),
			       .insns = (uint64_t)(uintptr_t)allow,
			       .license = (uint64_t)(uintptr_t) "GPL",
			       .expected_attach_type = BPF_CGROUP_INET_EGRESS};
	const int cgroup = open(world->foreign, O_RDONLY | O_CLOEXEC);
	union bpf_attr attach = {.link_create = {.prog_fd = (uint32_t)call(BPF_PROG_LOAD, &load),
						 .target_fd = (uint32_t)cgroup,
						 .attach_type = BPF_CGROUP_INET_EGRESS}};
	const int fd = call(BPF_LINK_CREATE, &attach);
	struct bpf_link_info info = {0};
	union bpf_attr question = {.info = {.bpf_fd = (uint32_t)fd,
					    .info_len = sizeof(info),
					    .info = (uint64_t)(uintptr_t)&info}};

	(void)close((int)attach.link_create.prog_fd);
	(void)close(cgroup);
	if (fd < 0 || call(BPF_OBJ_GET_INFO_BY_FD, &question) < 0)
		return -1;
	world->bait_link = info.id;
	pin(fd, world, "link");
	return fd;
}

int bait_make(struct world *world)
{
	int map, link;

	if (mkdir(world->pins, 0700) < 0)
		return -1;
	map = make_map(world);
	link = make_link(world);
	(void)close(map);
	(void)close(link);
	return map < 0 || link < 0 ? -1 : 0;
}

void bait_remove(const struct world *world)
{
	static const char *const names[] = {"map", "link", "moved"};
	char path[PLACE_ROOM + 16];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", world->pins, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(world->pins);
}

/* What the map holds, whether the link is attached, and what is pinned. */
void describe_bait(struct text *out, const struct world *world, pid_t child, const char *with)
{
	static const char *const names[] = {"map", "link"};
	union bpf_attr map_id = {.map_id = world->bait_map};
	union bpf_attr link_id = {.link_id = world->bait_link};
	const int map = call(BPF_MAP_GET_FD_BY_ID, &map_id);
	const int link = call(BPF_LINK_GET_FD_BY_ID, &link_id);
	struct bpf_link_info info = {0};
	uint32_t key = 0, value = 0;
	union bpf_attr lookup = {.map_fd = (uint32_t)map,
				 .key = (uint64_t)(uintptr_t)&key,
				 .value = (uint64_t)(uintptr_t)&value};
	union bpf_attr question = {.info = {.bpf_fd = (uint32_t)link,
					    .info_len = sizeof(info),
					    .info = (uint64_t)(uintptr_t)&info}};
	char path[PLACE_ROOM + 16];

	(void)child;
	(void)with;
	(void)call(BPF_MAP_LOOKUP_ELEM, &lookup);
	(void)call(BPF_OBJ_GET_INFO_BY_FD, &question);
	text_put(out, "map %d value %u link %d cgroup %d\n", map >= 0, value, link >= 0,
		 info.cgroup.cgroup_id != 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", world->pins, names[i]);
		text_put(out, "%s %d\n", names[i], access(path, F_OK));
	}
	(void)close(map);
	(void)close(link);
}
