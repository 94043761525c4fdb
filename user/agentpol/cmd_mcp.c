// SPDX-License-Identifier: Apache-2.0
/* agentpol mcp: the manifest's tools between an MCP client and a server. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "agentpol/commands.h"
#include "agentpol/daemon_authority.h"
#include "agentpol/mcp_ask.h"
#include "agentpol/mcp_http.h"
#include "agentpol/mcp_leases.h"
#include "agentpol/mcp_scope.h"
#include "agentpol/mcp_stdio.h"
#include "base/file.h"
#include "manifest/manifest.h"
#include "policyd/config.h"
#include "policyd/confine.h"

static const char usage[] =
	"Usage: agentpol mcp -m MANIFEST [OPTION...] [--] SERVER [ARGUMENT...]\n"
	"       agentpol mcp -m MANIFEST [OPTION...] --http [ADDRESS:]PORT --upstream URL\n"
	"\n"
	"Starts a tool server and stands between it and the MCP client at standard input and\n"
	"output. The client sees the tools that the manifest grants, and calls them as it says.\n"
	"Everything else passes as it came. With --http it serves clients of Streamable HTTP on\n"
	"this machine, in front of the server at URL.\n"
	"\n"
	"  -m, --manifest FILE  the manifest\n"
	"      --pin FILE       keep what the server says of its tools; what changes is denied\n"
	"      --repin          take what it says now in the place of what FILE has\n"
	"      --http [ADDRESS:]PORT  listen there, on loopback; port 0 is any, and is told\n"
	"      --upstream URL   the server: http://HOST:PORT/PATH\n"
	"      --tool-scope     run the server with its tools' grants alone, those of tools with\n"
	"                       \"scope\": \"call\" while they are called; as root\n"
	"  -u, --user USER      with --tool-scope: run the server as that user\n"
	"      --allow-degraded with --tool-scope: though not all of it can be enforced here\n"
	"  -q, --quiet          tell nothing of what is logged\n"
	"      --log FOLDER     audit log (default " AUDIT_FOLDER_DEFAULT ")\n"
	"      --socket PATH    policyd's socket (default " SOCKET_PATH_DEFAULT ")\n"
	"      --standalone     do without policyd though it runs\n"
	"  -h, --help\n"
	"\n"
	"Exit status: the server's; 128+N where signal N ended it; 127 where it was not found and\n"
	"126 where it could not be executed; 2 or 3 where agentpol itself could not start it.\n";

/* What serving takes: words in and out, the log, the pins. No program is started, no socket made,
 * no process looked into. */
static const char *const kept_calls[] = {"read",
					 "write",
					 "readv",
					 "writev",
					 "pread64",
					 "pwrite64",
					 "poll",
					 "ppoll",
					 "close",
					 "fstat",
					 "newfstatat",
					 "stat",
					 "lstat",
					 "lseek",
					 "open",
					 "openat",
					 "fcntl",
					 "flock",
					 "fsync",
					 "fdatasync",
					 "ftruncate",
					 "rename",
					 "renameat",
					 "renameat2",
					 "unlink",
					 "unlinkat",
					 "fchmod",
					 "dup",
					 "kill",
					 "wait4",
					 "mmap",
					 "munmap",
					 "mremap",
					 "mprotect",
					 "brk",
					 "madvise",
					 "futex",
					 "rt_sigaction",
					 "rt_sigprocmask",
					 "rt_sigreturn",
					 "restart_syscall",
					 "clock_gettime",
					 "gettimeofday",
					 "getpid",
					 "gettid",
					 "getrandom",
					 "send",
					 "sendto",
					 "recv",
					 "recvfrom",
					 "sendmsg",
					 "recvmsg",
					 "ioctl",
					 "exit",
					 "exit_group",
					 "geteuid",
					 "getuid",
					 "shutdown",
					 NULL};

struct mcp {
	const char *manifest, *pin_file, *log_folder, *socket;
	const char *listen, *upstream; /* NULL: standard input and output */
	const char *user;
	bool repin, standalone, tool_scope, allow_degraded, help;
	struct mcp_server server;
	struct mcp_log log;
	char *manifest_text; /* owned */
	struct policy *policy;
	struct call_grants *grants;
	struct call_authority *authority;
	struct pins *pins;
	struct call_authority *daemon; /* the authority that is policyd's; NULL: none is */
};

enum {
	OPTION_PIN = 256,
	OPTION_REPIN,
	OPTION_HTTP,
	OPTION_UPSTREAM,
	OPTION_LOG,
	OPTION_SOCKET,
	OPTION_STANDALONE,
	OPTION_SCOPE,
	OPTION_DEGRADED,
};

static int take_option(struct mcp *mcp, int option)
{
	switch (option) {
	case 'm':
		mcp->manifest = optarg;
		return 0;
	case 'q':
		mcp->log.quiet = true;
		return 0;
	case OPTION_PIN:
		mcp->pin_file = optarg;
		return 0;
	case OPTION_REPIN:
		mcp->repin = true;
		return 0;
	case OPTION_HTTP:
		mcp->listen = optarg;
		return 0;
	case OPTION_UPSTREAM:
		mcp->upstream = optarg;
		return 0;
	case OPTION_LOG:
		mcp->log_folder = optarg;
		return 0;
	case OPTION_SOCKET:
		mcp->socket = optarg;
		return 0;
	case OPTION_STANDALONE:
		mcp->standalone = true;
		return 0;
	case OPTION_SCOPE:
		mcp->tool_scope = true;
		return 0;
	case OPTION_DEGRADED:
		mcp->allow_degraded = true;
		return 0;
	case 'u':
		mcp->user = optarg;
		return 0;
	case 'h':
		mcp->help = true;
		return 0;
	default:
		return command_usage("mcp", "wrong option");
	}
}

static int parse(int argc, char **argv, struct mcp *mcp)
{
	static const struct option options[] = {
		{"manifest", required_argument, NULL, 'm'},
		{"pin", required_argument, NULL, OPTION_PIN},
		{"repin", no_argument, NULL, OPTION_REPIN},
		{"http", required_argument, NULL, OPTION_HTTP},
		{"upstream", required_argument, NULL, OPTION_UPSTREAM},
		{"quiet", no_argument, NULL, 'q'},
		{"log", required_argument, NULL, OPTION_LOG},
		{"socket", required_argument, NULL, OPTION_SOCKET},
		{"standalone", no_argument, NULL, OPTION_STANDALONE},
		{"tool-scope", no_argument, NULL, OPTION_SCOPE},
		{"user", required_argument, NULL, 'u'},
		{"allow-degraded", no_argument, NULL, OPTION_DEGRADED},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option, status = 0;

	/* "+": what follows the server is the server's. */
	while (!status && !mcp->help &&
	       (option = getopt_long(argc, argv, "+m:u:qh", options, NULL)) != -1)
		status = take_option(mcp, option);
	if (status || mcp->help)
		return status;
	if (!mcp->manifest)
		return command_usage("mcp", "which manifest? give -m MANIFEST");
	if (mcp->repin && !mcp->pin_file)
		return command_usage("mcp", "--repin takes a file of pins: give --pin FILE");
	if (!mcp->listen != !mcp->upstream)
		return command_usage("mcp", "--http and --upstream go together");
	if (mcp->listen && optind < argc)
		return command_usage("mcp",
				     "with --http the server runs already: %s is not started",
				     argv[optind]);
	if (mcp->tool_scope && mcp->listen)
		return command_usage("mcp", "--tool-scope is for a server that is started here");
	if (!mcp->tool_scope && (mcp->user || mcp->allow_degraded))
		return command_usage("mcp", "--user and --allow-degraded go with --tool-scope");
	if (!mcp->listen && optind >= argc)
		return command_usage("mcp", "no server to run");
	mcp->server.command = argv + optind;
	return 0;
}

static int read_pins(struct mcp *mcp, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t length;

	mcp->pins = pins_new();
	if (!mcp->pins)
		return error_set(error, STATUS_SYSTEM, "out of memory");
	if (!mcp->pin_file || mcp->repin || (access(mcp->pin_file, F_OK) < 0 && errno == ENOENT))
		return 0;
	if (file_read_all(mcp->pin_file, PINS_BYTES_MAX, &text, &length, error) < 0)
		return -1;
	if (pins_read(mcp->pins, text, length, error) < 0)
		return error_wrap(error, "%s", mcp->pin_file);
	return 0;
}

/* policyd's where root runs us and it serves; ours where not. */
static int find_authority(struct mcp *mcp, struct error *error)
{
	const bool by_daemon = !mcp->standalone && geteuid() == 0 && access(mcp->socket, F_OK) == 0;

	mcp->authority = by_daemon ? daemon_authority_new(mcp->socket, mcp->manifest_text,
							  mcp->policy, error)
				   : own_authority_new(mcp->policy, mcp_ask, NULL, error);
	mcp->daemon = by_daemon ? mcp->authority : NULL;
	return mcp->authority ? 0 : -1;
}

/* The server under a policy, its tools' grants opened call by call. */
static int scope_server(struct mcp *mcp, struct error *error)
{
	const struct mcp_scope scope = {
		.manifest = mcp->manifest,
		.log = mcp->log_folder,
		.socket = mcp->socket,
		.user = mcp->user,
		.standalone = mcp->standalone,
		.quiet = mcp->log.quiet,
		.allow_degraded = mcp->allow_degraded,
	};
	int fd;

	if (mcp_scope_wrap(&scope, &mcp->server, &fd, error) < 0)
		return -1;
	mcp->authority = mcp_leases_new(mcp->authority, fd, error);
	return mcp->authority ? 0 : -1;
}

static int block_signals(int *signals, struct error *error)
{
	static const int numbers[] = {SIGCHLD, SIGTERM, SIGHUP, SIGINT, SIGQUIT};
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)sigaddset(&set, numbers[i]);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "signals");
	*signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*signals < 0)
		return error_set_errno(error, STATUS_SYSTEM, errno, "signalfd");
	return 0;
}

static int prepare(struct mcp *mcp, struct error *error)
{
	mcp->policy = manifest_read_file(mcp->manifest, &mcp->manifest_text, error);
	if (!mcp->policy)
		return -1;
	mcp->log.policy = mcp->policy;
	mcp->grants = call_grants_new(mcp->policy, error);
	if (!mcp->grants || read_pins(mcp, error) < 0 || find_authority(mcp, error) < 0 ||
	    (mcp->tool_scope && scope_server(mcp, error) < 0))
		return -1;
	mcp_log_open(&mcp->log, mcp->log_folder);
	return 0;
}

static int serve(struct mcp *mcp, struct error *error)
{
	struct mcp_setup setup = {
		.server = &mcp->server,
		.log = &mcp->log,
		.grants = mcp->grants,
		.authority = mcp->authority,
		.daemon = mcp->daemon,
		.pins = mcp->pins,
		.pin_file = mcp->pin_file,
	};

	if (block_signals(&setup.signals, error) < 0)
		return (int)error->status;
	if (mcp_server_start(&mcp->server, error) < 0)
		return mcp->server.exit_code;
	if (confine_syscalls(kept_calls, error) == 0 && mcp_stdio_serve(&setup, error) == 0)
		return mcp->server.exit_code;
	(void)kill(mcp->server.pid, SIGKILL);
	return (int)error->status;
}

static int serve_http(struct mcp *mcp, struct error *error)
{
	const struct mcp_http_setup setup = {
		.listen = mcp->listen,
		.upstream = mcp->upstream,
		.log = &mcp->log,
		.grants = mcp->grants,
		.authority = mcp->authority,
		.daemon = mcp->daemon,
		.pins = mcp->pins,
		.pin_file = mcp->pin_file,
	};

	return mcp_http_serve(&setup, error) < 0 ? (int)error->status : STATUS_DONE;
}

static void clear(struct mcp *mcp)
{
	if (mcp->authority)
		mcp->authority->methods->free(mcp->authority);
	mcp_scope_free(&mcp->server);
	mcp_log_close(&mcp->log);
	pins_free(mcp->pins);
	call_grants_free(mcp->grants);
	policy_free(mcp->policy);
	free(mcp->manifest_text);
}

int cmd_mcp(int argc, char **argv)
{
	struct mcp mcp = {.log_folder = AUDIT_FOLDER_DEFAULT, .socket = SOCKET_PATH_DEFAULT};
	struct error error = {.text = ""};
	int status = parse(argc, argv, &mcp);

	if (status)
		return status;
	if (mcp.help) {
		(void)fputs(usage, stdout);
		return STATUS_DONE;
	}
	if (prepare(&mcp, &error) < 0)
		status = (int)error.status;
	else
		status = mcp.listen ? serve_http(&mcp, &error) : serve(&mcp, &error);
	if (error.text[0])
		(void)fprintf(stderr, "agentpol mcp: %s\n", error.text);
	clear(&mcp);
	return status;
}
