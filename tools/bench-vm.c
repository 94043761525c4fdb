// SPDX-License-Identifier: Apache-2.0
/*
 * What a call costs inside the VM of tools/bench-vm.sh, where the CPU's time stamp counts
 * instructions: prints "OPERATION COUNT" a line, the least of several turns. An argument confines
 * the process first, as one of those that we compare ourselves with would.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TURNS		9
#define SERVER_PORT	7777
#define SECCOMP_RULES	40
#define LANDLOCK_FOLDER "/tmp/bench/rule-%d"
#define LANDLOCK_PATHS	10
/* Which tools/bench-vm-init makes. */
#define CGROUP		"/sys/fs/cgroup/bench"

static void fail(const char *what)
{
	(void)fprintf(stderr, "bench-vm: %s: %s\n", what, strerror(errno));
	exit(3);
}

static uint64_t now(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return (uint64_t)time.tv_sec * 1000000000ULL + (uint64_t)time.tv_nsec;
#endif
}

/* ---- what is compared with ---- */

/* Rules on system calls that nothing here makes, as such filters have them. */
static void confine_by_seccomp(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rules = 0;

	for (int number = 300; filter && rules < SECCOMP_RULES; number++)
		rules += seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) == 0;
	if (!filter || seccomp_load(filter) < 0)
		fail("seccomp");
	seccomp_release(filter);
}

static void add_path(int rules, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		fail(path);
	(void)close(rule.parent_fd);
}

static void confine_by_landlock(void)
{
	const uint64_t rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
				LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE;
	const struct landlock_ruleset_attr attributes = {.handled_access_fs = rights};
	const int rules =
		(int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	char path[64];

	if (rules < 0)
		fail("landlock");
	add_path(rules, "/", rights);
	for (int i = 1; i < LANDLOCK_PATHS; i++) {
		(void)snprintf(path, sizeof(path), LANDLOCK_FOLDER, i);
		add_path(rules, path, rights);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		fail("landlock_restrict_self");
	(void)close(rules);
}

/* What attaching programs costs by itself: those that let everything pass, at the hooks that a
 * connect comes by. */
static void attach_empty_programs(void)
{
	static const struct {
		enum bpf_prog_type type;
		enum bpf_attach_type hook;
	} hooks[] = {
		{BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE},
		{BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
		{BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS},
	};
	/* return 1 */
	const struct bpf_insn allow[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const int cgroup = open(CGROUP, O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		union bpf_attr load = {.prog_type = hooks[i].type,
				       .expected_attach_type = hooks[i].hook,
				       .insns = (uint64_t)(uintptr_t)allow,
				       .insn_cnt = sizeof(allow) / sizeof(allow[0]),
				       .license = (uint64_t)(uintptr_t) "GPL"};
		union bpf_attr attach = {.link_create = {.target_fd = (uint32_t)cgroup,
							 .attach_type = hooks[i].hook}};

		attach.link_create.prog_fd =
			(uint32_t)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
		/* The link lasts as long as this process. */
		if ((int)attach.link_create.prog_fd < 0 ||
		    syscall(SYS_bpf, BPF_LINK_CREATE, &attach, sizeof(attach)) < 0)
			fail("empty programs");
	}
}

/* ---- what is measured ---- */

static void open_and_close(void)
{
	const int fd = open("/tmp/bench/granted/file", O_RDONLY);

	if (fd < 0)
		fail("open");
	(void)close(fd);
}

static struct sockaddr_in server = {.sin_family = AF_INET};
static int client = -1;

static void make_client(void)
{
	const struct linger reset = {.l_onoff = 1};

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0 ||
	    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		fail("socket");
}

static void close_client(void)
{
	(void)close(client);
}

static void connect_client(void)
{
	if (connect(client, (const struct sockaddr *)&server, sizeof(server)) < 0)
		fail("connect");
}

static void fork_exec_wait(void)
{
	const pid_t child = fork();
	int status;

	if (child == 0) {
		(void)execl("/bin/busybox", "true", (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status)
		fail("fork, exec, wait");
}

static const struct operation {
	const char *name;
	void (*before)(void); /* not counted; may be NULL */
	void (*run)(void);
	void (*after)(void);
	unsigned times; /* a turn */
} operations[] = {
	{"open+close", NULL, open_and_close, NULL, 2000},
	{"connect", make_client, connect_client, close_client, 200},
	{"fork+exec+wait", NULL, fork_exec_wait, NULL, 20},
};

static uint64_t measure_turn(const struct operation *operation)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < operation->times; i++) {
		uint64_t start;

		if (operation->before)
			operation->before();
		start = now();
		operation->run();
		sum += now() - start;
		if (operation->after)
			operation->after();
	}
	return sum / operation->times;
}

/* A process of its own, outside of what is measured. It empties its queue now and then, so that no
 * connect wakes it up. */
static void __attribute__((noreturn)) serve(void)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&server, sizeof(server)) < 0 ||
	    listen(fd, 4096) < 0)
		fail("server");
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer >= 0)
			(void)close(peer);
		else
			(void)nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons(SERVER_PORT);
	if (strcmp(how, "serve") == 0)
		serve();
	if (strcmp(how, "seccomp") == 0)
		confine_by_seccomp();
	else if (strcmp(how, "landlock") == 0)
		confine_by_landlock();
	else if (strcmp(how, "empty-programs") == 0)
		attach_empty_programs();
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		uint64_t least = UINT64_MAX;

		for (int turn = 0; turn < TURNS; turn++) {
			const uint64_t cost = measure_turn(&operations[i]);

			least = cost < least ? cost : least;
		}
		(void)printf("%s %llu\n", operations[i].name, (unsigned long long)least);
	}
	return 0;
}
