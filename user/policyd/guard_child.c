// SPDX-License-Identifier: Apache-2.0
/* The process that speaks with clients and servers. It can open nothing and connect nowhere. */
#include <signal.h>

#include "manifest/manifest.h"
#include "policyd/confine.h"
#include "policyd/sql_child.h"
#include "sql/gateway.h"

/* Two for a session, one for a listener and for each policy. */
#define DESCRIPTORS_MAX 16384

static const char *const syscalls[] = {
	"read", "readv", "pread64", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg",
	"accept", "accept4", "close", "shutdown", "fcntl", "fstat", "newfstatat", "lseek",
	"getsockopt", "setsockopt", "getsockname", "getpeername", "epoll_create1", "epoll_ctl",
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create",
	"timerfd_settime", "memfd_create", "mmap", "munmap", "mremap", "mprotect", "madvise", "brk",
	"futex", "clock_gettime", "gettimeofday", "time", "getrandom", "getpid", "getuid",
	"geteuid", "getgid", "getegid", "gettid", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"restart_syscall", "exit", "exit_group", NULL};

static struct policy *read_policy(const char *text, size_t length)
{
	struct diagnostics diagnostics;

	return manifest_read_text(text, length, &diagnostics);
}

int guard_child_run(const struct sql_child *child)
{
	static const struct gateway_host host = {.read_policy = read_policy};
	static const struct confine_limit limits[] = {
		{RLIMIT_CORE, 0}, {RLIMIT_NPROC, 0}, {RLIMIT_NOFILE, DESCRIPTORS_MAX}};
	const struct confinement confinement = {.uid = child->uid,
						.root = child->root,
						.limits = limits,
						.limit_count = ARRAY_SIZE(limits),
						.syscalls = syscalls};
	struct tls_trust *trust;
	struct error error;
	int result;

	(void)signal(SIGPIPE, SIG_IGN);
	/* What OpenSSL and the manifest's reader take from files, they take now. */
	(void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS |
				       OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
			       NULL);
	trust = tls_trust_new();
	if (!trust)
		return STATUS_SYSTEM;
	result = confine_self(&confinement, &error);
	if (result == 0)
		result = gateway_run(SQL_CHILD_LINK, &host, trust, &error);
	if (result < 0)
		(void)fprintf(stderr, "sql-guard-child: %s\n", error.text);
	tls_trust_free(trust);
	return result < 0 ? (int)error.status : STATUS_DONE;
}
