/* SPDX-License-Identifier: GPL-2.0-only */
/* The address of a Unix socket: out of the kernel's hands, and held against the patterns. */
#ifndef AGENTPOL_BPF_UNIX_H
#define AGENTPOL_BPF_UNIX_H

#include "bpf/glob.h"
#include "bpf/question.h"

/* What a look at an address takes. In the socket: the kernel holds its lock while it asks
 * (BPF_CGROUP_RUN_PROG_UNIX_CONNECT_LOCK), so that nobody else writes there. */
struct unix_bench {
	struct name told; /* for the event; NULs in an abstract name are "@", as ss(8) has it */
	struct glob_text given; /* an abstract name's first byte is "@" */
	struct glob_text normal;
	struct path_walk walk;
	__u32 detail; /* UNIX_* */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct unix_bench);
} bench_of_unix_socket SEC(".maps");

/* include/linux/filter.h: what is behind the context. */
struct bpf_sock_addr_kern {
	void *uaddr; /* struct sockaddr_un */
	__u32 uaddrlen;
} __attribute__((preserve_access_index));

/* From Linux 6.2 on, which is older than the hooks. */
extern void *bpf_cast_to_kern_ctx(void *context) __ksym;
/* From 6.7 on, as the hooks. */
extern int bpf_sock_addr_set_sun_path(struct bpf_sock_addr_kern *address, const __u8 *path,
				      __u32 path__sz) __ksym;

/* A path ends with its first NUL, an abstract name with the address. */
static int read_step(__u32 i, void *context)
{
	struct unix_bench *bench = *(struct unix_bench **)context;
	struct name *told = &bench->told;
	__u8 byte;

	if (i >= bench->given.length)
		return STEP_LAST;
	byte = bench->given.bytes[i & (GLOB_TEXT_ROOM - 1)];
	if (!byte && !(bench->detail & UNIX_ABSTRACT))
		return STEP_LAST;
	if (!byte && i)
		bench->detail |= UNIX_NULS;
	if (!byte)
		byte = '@';
	told->text[i & (GLOB_TEXT_ROOM - 1)] = (char)byte;
	told->hash = name_hash_byte(told->hash, byte);
	told->length = i + 1;
	return STEP_ON;
}

/* Always 0. */
VERIFIED_ONCE int unix_read_name(struct unix_bench *bench, __u64 key)
{
	if (!bench)
		return 0;
	bench->told.hash = key;
	repeat_step(UNIX_PATH_BYTES, read_step, &bench);
	bench->told.hash = name_hash_end(bench->told.hash);
	bench->given.length = bench->told.length;
	if (bench->detail & UNIX_ABSTRACT)
		bench->given.bytes[0] = '@';
	return 0;
}

/* Where glibc looks for nscd (nscd/nscd-client.h, _PATH_NSCDSOCKET), whoever asks for a user or a
 * host, whether there is one or not. */
#define NSCD_SOCKET "/var/run/nscd/socket"

static __always_inline bool is_nscd(const struct glob_text *given)
{
	const char nscd[] = NSCD_SOCKET;

	if (given->length != sizeof(nscd) - 1)
		return false;
	for (__u32 i = 0; i < sizeof(nscd) - 1; i++)
		if (given->bytes[i] != nscd[i])
			return false;
	return true;
}

/* False where there is nothing to read: then nothing grants it. */
static __always_inline bool unix_take_address(struct bpf_sock_addr *ctx, struct unix_bench *bench)
{
	struct bpf_sock_addr_kern *address = bpf_cast_to_kern_ctx(ctx);
	__u32 length = address->uaddrlen - sizeof(__kernel_sa_family_t);
	bool read = length > 0 && length <= UNIX_PATH_BYTES;

	name_clear(&bench->told);
	__builtin_memset(bench->given.bytes, 0, sizeof(bench->given.bytes));
	read = read && bpf_probe_read_kernel(bench->given.bytes, length & (GLOB_TEXT_ROOM - 1),
					     address->uaddr + sizeof(__kernel_sa_family_t)) == 0;
	bench->given.length = read ? length : 0;
	bench->detail = read && !bench->given.bytes[0] ? UNIX_ABSTRACT : 0;
	unix_read_name(bench, egress_config.key[0]);
	if (read && is_nscd(&bench->given))
		bench->detail |= UNIX_PROBE;
	return read;
}

/* Does any pattern of the list match? */
VERIFIED_ONCE int globs_match(__u32 list, const struct glob_text *text)
{
	struct glob_key key = {.list = list};
	__u32 i;

	if (!text)
		return 0;
	NO_UNROLL
	for (i = 0; i < GLOBS_EACH_MAX; i++) {
		struct glob *glob;

		key.index = i;
		glob = bpf_map_lookup_elem(&globs, &key);
		if (!glob)
			return 0;
		if (glob_matches(glob, text))
			return 1;
	}
	return 0;
}

#define UNIX_STEER (-1) /* to the guard */

/* UNIX_STEER or an enum event_reason. A relative path is held against what is denied as if it began
 * at the root, so that its last component tells; it is never granted. */
VERIFIED_ONCE int unix_judge(struct unix_bench *bench, __u64 policy)
{
	bool abstract, plain;

	if (!bench)
		return REASON_UNIX;
	abstract = bench->detail & UNIX_ABSTRACT;
	if (abstract)
		__builtin_memcpy(&bench->normal, &bench->given, sizeof(bench->normal));
	else
		path_normal(&bench->given, &bench->normal, &bench->walk);
	if (globs_match(GLOBS_OF_ENFORCER, &bench->normal))
		return REASON_ENFORCER;
	if (egress_config.servers && (POLICY_FLAGS(policy) & POLICY_SERVERS)) {
		if (globs_match(GLOBS_OF_OWN(POLICY_ID(policy)), &bench->normal))
			return UNIX_STEER;
		if (globs_match(GLOBS_OF_OTHERS(POLICY_ID(policy)), &bench->normal))
			return REASON_SERVER;
	}
	/* Of an absolute path the normal form only leaves out: as long is the same. */
	plain = abstract ||
		(bench->given.bytes[0] == '/' && bench->given.length == bench->normal.length);
	if (plain && globs_match(POLICY_ID(policy), &bench->given))
		return REASON_NONE;
	if (POLICY_FLAGS(policy) & POLICY_UNIX)
		return REASON_UNIX;
	return globs_match(GLOBS_OF_RUNTIMES, &bench->normal) ? REASON_UNIX : REASON_NONE;
}

/* Turns a connect to the guard's abstract name; an enum event_reason. */
static __always_inline enum event_reason unix_steer(struct bpf_sock_addr *ctx,
						    struct question *question,
						    const struct unix_bench *bench)
{
	struct guard_key key = {.policy_id = POLICY_ID(question->subject.policy)};
	struct steered_path_key peer = {};
	struct steered_path value = {};
	struct guard_name *name;

	if (question->hook != HOOK_CONNECT || ctx->type != SOCK_STREAM)
		return REASON_SERVER;
	key.space = (__u32)bpf_get_netns_cookie(ctx);
	name = bpf_map_lookup_elem(&name_of_guard, &key);
	actor_set_current(&question->actor);
	if (!name) {
		errand_ask(question, ERRAND_LISTEN, 0);
		return REASON_NO_GUARD;
	}
	peer.space = key.space;
	peer.pid = question->actor.pid;
	value.steering.cgroup = question->subject.cgroup;
	value.steering.policy_id = key.policy_id;
	value.steering.pid = question->actor.pid;
	value.steering.uid = question->actor.uid;
	if (bpf_probe_read_kernel(value.path, UNIX_PATH_BYTES, bench->given.bytes) < 0 ||
	    bpf_map_update_elem(&steered_paths, &peer, &value, BPF_ANY) < 0 ||
	    bpf_sock_addr_set_sun_path(bpf_cast_to_kern_ctx(ctx), name->bytes,
				       sizeof(name->bytes)) < 0)
		return REASON_NO_GUARD;
	return REASON_NONE;
}

#endif
