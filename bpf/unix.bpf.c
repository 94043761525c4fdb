// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cgroup hooks of Unix sockets: which path or abstract name a policed task connects or sends
 * to. From Linux 6.7 on; an object of its own, since older kernels have neither the hooks nor what
 * reads the address, and all else is to go on without. Its maps are those of egress.bpf.c.
 *
 * The kernel asks with the string that the process gave, before it looks the path up. So it is text
 * that is judged, and what is not plain is denied where the policy lists sockets: a relative path,
 * one with "..". A link or a mount by which a socket is known under another path is not seen here.
 */
/* From <sys/socket.h>, which the bpf target can't include. */
#define SOCK_STREAM 1

#include "bpf/unix.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int judge_address(struct bpf_sock_addr *ctx, enum event_hook hook)
{
	struct question question = {.kind = EVENT_CONNECT, .hook = hook, .family = AF_UNIX};
	struct enforcer_state *enforcer = enforcer_state_now();
	struct unix_bench *bench = NULL;
	int reason = REASON_UNIX;

	if (enforcer)
		subject_from_found(&question.subject, slot_of_task(enforcer->levels));
	if (ctx->sk)
		bench = bpf_sk_storage_get(&bench_of_unix_socket, ctx->sk, 0,
					   BPF_SK_STORAGE_GET_F_CREATE);
	if (!bench || !POLICY_ID(question.subject.policy))
		return conclude(&question, REASON_NO_POLICY, true);
	if (unix_take_address(ctx, bench))
		reason = unix_judge(bench, question.subject.policy);
	question.name = bench->told.hash;
	question.detail = bench->detail;
	actor_set_current(&question.actor);
	if (egress_config.servers && reason == UNIX_STEER)
		reason = unix_steer(ctx, &question, bench);
	if (reason != REASON_NONE)
		bpf_map_update_elem(&text_of_socket, &bench->told.hash, bench->told.text, BPF_ANY);
	return conclude_named(&question, reason, &bench->told);
}

/* connect(2) of streams, datagrams and packets in sequence. The section's name is one that libbpf
 * knows, of programs of the same type; user space sets BPF_CGROUP_UNIX_CONNECT. */
SEC("cgroup/connect4")
int guard_connect_unix(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_CONNECT);
}

/* sendto(2) and its kin of datagrams with an address, once a message: BPF_CGROUP_UNIX_SENDMSG. */
SEC("cgroup/sendmsg4")
int guard_sendmsg_unix(struct bpf_sock_addr *ctx)
{
	return judge_address(ctx, HOOK_SENDMSG);
}
